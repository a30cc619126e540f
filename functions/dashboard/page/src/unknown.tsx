// Shown instead of a view if the address has values that do not exist.

import type { JSX } from "preact";
import { Icon, Text } from "./ui";
import { type UnknownValue, useView } from "./view";

export function UnknownAddress(): JSX.Element {
  const view = useView();
  const without = Object.fromEntries(view.unknown.map(({ name }) => [name, null]));
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

function Sentence({ name, value, known }: UnknownValue): JSX.Element {
  return (
    <li>
      <code>{name}</code> is “<Text>{value}</Text>”; {name === "environment" ? "your key gives access to" : "it can be"}{" "}
      {known.join(", ")}.
    </li>
  );
}
