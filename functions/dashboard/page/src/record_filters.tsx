// The form that filters records.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { search } from "./api";
import { FLAGS, flagName } from "./flags";
import { RECORD_FILTERS, type RecordFilter, useView } from "./view";

const LABELS: Record<RecordFilter, string> = {
  license_id: "Licence id",
  customer_id: "Customer id",
  user: "User",
  hwid: "Device (hwid)",
  ip: "IP address",
  flagged: "Flagged",
  flag: "Flag",
  version: "Version",
  api_key_id: "API key id",
};

export function RecordFilters({ active }: { active: readonly RecordFilter[] }): JSX.Element {
  const view = useView();
  const [open, setOpen] = useState(() => active.length > 0 || matchMedia("(min-width: 720px)").matches);
  const apply = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    view.go(Object.fromEntries(RECORD_FILTERS.map((name) => [name, String(form.get(name) ?? "").trim() || null])));
  };
  const submit = (event: Event): void => (event.currentTarget as HTMLSelectElement).form?.requestSubmit();
  const text = (name: RecordFilter): JSX.Element => (
    <label key={name}>
      {LABELS[name]}
      <input name={name} type="search" autocomplete="off" spellcheck={false} defaultValue={view.param(name)} />
    </label>
  );
  return (
    <details class="filters" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Filters{active.length > 0 && ` (${active.length})`}</summary>
      <form
        key={search(Object.fromEntries(active.map((name) => [name, view.param(name)])))}
        onSubmit={apply}
        role="search"
        aria-label="Records"
      >
        <label>
          Flagged
          <select name="flagged" defaultValue={view.param("flagged")} onChange={submit}>
            <option value="">any</option>
            <option value="true" selected={view.param("flagged") === "true"}>
              flagged
            </option>
            <option value="false" selected={view.param("flagged") === "false"}>
              clean
            </option>
          </select>
        </label>
        <label>
          Flag
          <select name="flag" onChange={submit}>
            <option value="">any</option>
            {FLAGS.map((flag) => (
              <option key={flag} value={flag} selected={flag === view.param("flag")}>
                {flagName(flag)}
              </option>
            ))}
          </select>
        </label>
        {(["version", "user", "hwid", "ip", "license_id", "customer_id", "api_key_id"] as const).map(text)}
        <div class="buttons">
          <button type="submit" class="button primary">
            Apply
          </button>
          {active.length > 0 && (
            <button
              type="button"
              class="button"
              onClick={() => view.go(Object.fromEntries(RECORD_FILTERS.map((name) => [name, null])))}
            >
              Clear
            </button>
          )}
        </div>
      </form>
    </details>
  );
}
