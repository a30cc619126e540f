// Countries, by their codes.

import type { JSX } from "preact";
import { NoValue, Text } from "./ui";

const SHOWN = 5;

/** The first of them, and how many more there are; all of them on hover. */
export function Countries({ countries }: { countries: readonly string[] }): JSX.Element {
  if (countries.length === 0) return <NoValue />;
  const more = countries.length - SHOWN;
  return (
    <span class="beside" title={countries.join(", ")}>
      <Text hover={false}>{countries.slice(0, SHOWN).join(" ")}</Text>
      {more > 0 && <span class="muted"> +{more}</span>}
    </span>
  );
}
