// How a developer is called.

import type { JSX } from "preact";
import { ViewLink } from "../frame/view";
import { Text } from "../parts/ui";
import type { DeveloperName } from "../types";

const FIRST_CHARACTERS = 8;

/** The id that a developer sends; of one that is forgotten or has none, how it can be told from others. */
export function Called({
  developer,
  forgotten = false,
}: {
  developer: DeveloperName;
  forgotten?: boolean;
}): JSX.Element {
  if (developer.name !== null && !forgotten) return <Text hover={false}>{developer.name}</Text>;
  return (
    <span class="muted">
      {forgotten ? "forgotten" : "no name"} <code>{developer.id.slice(0, FIRST_CHARACTERS)}</code>
    </span>
  );
}

/** A developer's name, which opens it. */
export function DeveloperLink(props: { developer: DeveloperName; forgotten?: boolean }): JSX.Element {
  const { developer } = props;
  return (
    <ViewLink page="developers" filters={{ open: developer.id }} title={developer.name ?? "Show this developer"}>
      <Called {...props} />
    </ViewLink>
  );
}
