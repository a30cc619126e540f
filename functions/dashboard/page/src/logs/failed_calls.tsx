// Calls that failed, and the filters for them.

import type { JSX } from "preact";
import { search } from "../api/api";
import type { Resource } from "../api/live";
import { LOG_FILTERS, useView } from "../frame/view";
import { count } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Empty, Loaded, NoValue, Panel, Text, Time } from "../parts/ui";
import { useSorting } from "../parts/use_sorting";
import { CAUSES, type FailedCall, type SystemLogs } from "../types";
import { Advice, causeText, isKnown } from "./advice";

export function FailedCalls({ logs }: { logs: Resource<SystemLogs> }): JSX.Element {
  const view = useView();
  const cause = view.param("cause");
  const filtered = LOG_FILTERS.some((name) => view.param(name));
  return (
    <Panel
      title="Failed calls"
      note={`Calls per hour that were refused or could not be read, by keys of ${view.environment} or unknown keys`}
      name="failed-calls"
    >
      <Filters />
      <Loaded resource={logs} lines={8}>
        {({ failed_calls: calls, cut }) =>
          calls.length === 0 ? (
            <Empty title={filtered ? "No failed call matches the filters." : "No call failed in this range."}>
              {cause && !isKnown(cause) && (
                <p class="note">
                  This page does not know the cause “<Text>{cause}</Text>”.
                </p>
              )}
              <p class="note">
                If your SDK sends data and nothing arrives, check the address that it sends to. Check also that its key
                is not a key of another environment.
              </p>
            </Empty>
          ) : (
            <>
              <Calls calls={calls} />
              <Advice calls={calls} />
              {cut?.includes("failed_calls") && (
                <p class="note">There are more. Choose a shorter time range or more filters.</p>
              )}
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Filters(): JSX.Element {
  const view = useView();
  const apply = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const said = (name: string): string => String(form.get(name) ?? "").trim();
    // a whole key may be pasted: it must not stand in the address
    view.go({ cause: said("cause") || null, last4: said("last4").slice(-4) || null, ip: said("ip") || null });
  };
  const active = LOG_FILTERS.filter((name) => view.param(name));
  const chosen = view.param("cause");
  const causes: readonly string[] = chosen && !isKnown(chosen) ? [...CAUSES, chosen] : CAUSES;
  return (
    <div class="filters">
      <form
        key={search(Object.fromEntries(active.map((name) => [name, view.param(name)])))}
        onSubmit={apply}
        role="search"
        aria-label="Failed calls"
      >
        <label>
          Cause
          <select name="cause" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
            <option value="">any</option>
            {causes.map((cause) => (
              <option key={cause} value={cause} selected={cause === chosen}>
                {causeText(cause)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Key, last 4
          <input name="last4" type="search" autocomplete="off" spellcheck={false} defaultValue={view.param("last4")} />
        </label>
        <label>
          IP address
          <input
            name="ip"
            type="search"
            autocomplete="off"
            spellcheck={false}
            pattern="[\s0-9A-Fa-f:.]*"
            title="An IP address"
            defaultValue={view.param("ip")}
          />
        </label>
        <div class="buttons">
          <button type="submit" class="button primary">
            Apply
          </button>
          {active.length > 0 && (
            <button
              type="button"
              class="button"
              onClick={() => view.go(Object.fromEntries(LOG_FILTERS.map((name) => [name, null])))}
            >
              Clear
            </button>
          )}
        </div>
      </form>
    </div>
  );
}

function Calls({ calls }: { calls: FailedCall[] }): JSX.Element {
  const view = useView();
  const only = (name: string, value: string, text = value): JSX.Element => (
    <button type="button" class="cell" title={`${value} – show only this`} onClick={() => view.go({ [name]: value })}>
      <Text hover={false}>{text}</Text>
    </button>
  );
  const columns: Column<FailedCall>[] = [
    { title: "Hour (UTC)", cell: ({ hour }) => <Time at={hour} />, sort: ({ hour }) => hour },
    {
      title: "Cause",
      cell: ({ cause }) => only("cause", cause, causeText(cause)),
      sort: ({ cause }) => causeText(cause),
    },
    { title: "Key", cell: ({ last4 }) => (last4 ? <code>{only("last4", last4, `••••${last4}`)}</code> : <NoValue />) },
    { title: "IP", cell: ({ ip }) => only("ip", ip), sort: ({ ip }) => ip },
    { title: "Calls", class: "number strong", cell: (call) => count(call.calls), sort: (call) => call.calls },
  ];
  return (
    <Table
      label="Failed calls"
      sorting={useSorting("calls")}
      columns={columns}
      items={calls}
      keyOf={({ hour, environment, cause, last4, ip }) => JSON.stringify([hour, environment, cause, last4, ip])}
    />
  );
}
