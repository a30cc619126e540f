// Keys of licences that were issued just now: to copy, and as a file.

import type { JSX } from "preact";
import { ViewLink } from "../frame/view";
import { save } from "../parts/save";
import { CopyButton, Icon } from "../parts/ui";
import type { Issued } from "./issuing";

export function IssuedKeys({ issued }: { issued: readonly Issued[] }): JSX.Element {
  const download = (): void => {
    const lines = ["license_key,license_id", ...issued.map(({ key, id }) => `${cell(key)},${id ?? ""}`)];
    save(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv;charset=utf-8" }), "licences.csv");
  };
  return (
    <section class="issued" aria-label="Issued keys">
      <ul>
        {issued.map(({ key, id }) => (
          <li key={key}>
            <code>{key}</code>
            {id && (
              <ViewLink page="licenses" filters={{ license: id }}>
                Open
              </ViewLink>
            )}
          </li>
        ))}
      </ul>
      <div class="buttons">
        <CopyButton text={issued.map(({ key }) => key).join("\n")} what={issued.length === 1 ? "Key" : "All keys"} />
        <button type="button" class="button quiet" onClick={download}>
          <Icon name="download" /> CSV
        </button>
      </div>
    </section>
  );
}

/** A cell of CSV; behind an apostrophe where a spreadsheet would take it for a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
