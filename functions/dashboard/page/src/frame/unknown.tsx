// Shown instead of a view if the address has values that do not exist.

import type { JSX } from "preact";
import { Icon, Text } from "../parts/ui";
import { TABS } from "./tabs";
import { type UnknownValue, useView } from "./view";

export function UnknownAddress(): JSX.Element {
  const view = useView();
  const names = view.unknown.map(({ name }) => name);
  const both = names.includes("from") || names.includes("to") ? ["from", "to"] : [];
  const without = Object.fromEntries([...names, ...both].map((name) => [name, null]));
  return (
    <div class="problem" role="alert">
      <Icon name="alert" />
      <div>
        <p>
          <strong>This address cannot be shown</strong>
        </p>
        <ul>
          {view.unknown.map((each) => (
            <Sentence key={each.name} {...each} />
          ))}
        </ul>
      </div>
      <button type="button" class="button" onClick={() => view.go(without)}>
        Remove it
      </button>
    </div>
  );
}

function Sentence({ name, value, known, hint }: UnknownValue): JSX.Element {
  const access = name === "environment" ? "your key gives access to" : "it can be";
  return (
    <li>
      <code>{name}</code> {value ? "is “" : "is missing"}
      {value && <Text>{value}</Text>}
      {value && "”"}; {hint ?? `${access} ${known.join(", ")}`}.
    </li>
  );
}

/** Says that this is not the view that the address names. */
export function Refused(): JSX.Element | null {
  const { refused, page, session } = useView();
  if (!refused) return null;
  return (
    <p class="refused" role="note">
      {TABS[refused].title} is not open to a key with the role {session.role}. This is {TABS[page].title}.
    </p>
  );
}
