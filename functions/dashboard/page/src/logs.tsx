// System logs: why calls failed, what staff did, what was closed and exported.

import type { JSX } from "preact";
import { search } from "./api";
import { count } from "./format";
import { useResource } from "./live";
import { type Column, Table } from "./table";
import type { AuditEntry, SystemLogs } from "./types";
import { Empty, Loaded, Nothing, Panel, Text, Time, visible } from "./ui";
import { LOG_FILTERS, useView } from "./view";

const CAUSES = [
  "bad_key",
  "inactive_key",
  "forbidden",
  "address_not_allowed",
  "malformed",
  "unavailable",
  "unknown_route",
  "failed",
];

/** A cause we named, in words; anything else stays as it is. */
const inWords = (cause: string): string => (CAUSES.includes(cause) ? cause.replaceAll("_", " ") : cause);

export function Logs(): JSX.Element {
  const view = useView();
  const given = Object.fromEntries(LOG_FILTERS.map((name) => [name, view.param(name)]));
  const cause = view.param("cause");
  const logs = useResource<SystemLogs>("/api/v1/analytics/system-logs", { ...view.scope, ...given });
  const filtered = LOG_FILTERS.some((name) => view.param(name));
  return (
    <div class="grid">
      <Panel
        title="Failed calls"
        note={`Calls with a key of ${view.environment}, or of nobody, that were refused or could not be read, per hour`}
        name="failed-calls"
      >
        <LogFilters />
        <Loaded resource={logs} lines={8}>
          {({ failed_calls: calls, cut }) =>
            calls.length === 0 ? (
              <Empty title={filtered ? "No failed call matches the filters." : "No call failed in this range."}>
                {cause && !CAUSES.includes(cause) && (
                  <p class="note">
                    “<Text>{cause}</Text>” is no cause that this page knows.
                  </p>
                )}
                <p class="note">
                  If your SDK sends and nothing arrives, check the address it sends to, and whether the key belongs to
                  another environment.
                </p>
              </Empty>
            ) : (
              <>
                <FailedCalls calls={calls} />
                {cut?.includes("failed_calls") && <p class="note">There are more; narrow the range or the filters.</p>}
              </>
            )
          }
        </Loaded>
      </Panel>
      <Panel title="Staff actions" note="From the audit log, newest first" span={8} name="staff-actions">
        <Loaded resource={logs}>
          {({ staff_actions: entries }) =>
            entries.length === 0 ? (
              <Empty title="Nobody changed anything in this range." />
            ) : (
              <Table label="Staff actions" columns={ACTIONS} items={entries} keyOf={({ id }) => id} />
            )
          }
        </Loaded>
      </Panel>
      <Panel title="Closed days" note="A closed day never changes" span={4} name="closings">
        <Loaded resource={logs}>
          {({ closings }) =>
            closings.length === 0 ? (
              <Empty title="No day was closed in this range." />
            ) : (
              <Table label="Closed days" class="low" columns={CLOSINGS} items={closings} keyOf={({ day }) => day} />
            )
          }
        </Loaded>
      </Panel>
      <Panel title="Exports" note="Who took records out" name="exports">
        <Loaded resource={logs}>
          {({ exports }) =>
            exports.length === 0 ? (
              <Empty title="Nothing was exported in this range." />
            ) : (
              <Table label="Exports" columns={EXPORTS} items={exports} keyOf={({ id }) => id} />
            )
          }
        </Loaded>
      </Panel>
    </div>
  );
}

function LogFilters(): JSX.Element {
  const view = useView();
  const apply = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    view.go(Object.fromEntries(LOG_FILTERS.map((name) => [name, String(form.get(name) ?? "").trim() || null])));
  };
  const given = LOG_FILTERS.filter((name) => view.param(name));
  const asked = view.param("cause");
  const causes = asked && !CAUSES.includes(asked) ? [...CAUSES, asked] : CAUSES;
  return (
    <div class="filters">
      <form
        key={search(Object.fromEntries(given.map((name) => [name, view.param(name)])))}
        onSubmit={apply}
        role="search"
        aria-label="Failed calls"
      >
        <label>
          Cause
          <select name="cause" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
            <option value="">any</option>
            {causes.map((cause) => (
              <option key={cause} value={cause} selected={cause === asked}>
                {inWords(cause)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Key's last four
          <input name="last4" type="search" autocomplete="off" spellcheck={false} defaultValue={view.param("last4")} />
        </label>
        <label>
          IP address
          <input name="ip" type="search" autocomplete="off" spellcheck={false} defaultValue={view.param("ip")} />
        </label>
        <div class="buttons">
          <button type="submit" class="button primary">
            Apply
          </button>
          {given.length > 0 && (
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

const CLOSINGS: Column<SystemLogs["closings"][number]>[] = [
  { title: "Day", cell: ({ day }) => day },
  { title: "Closed at (UTC)", cell: ({ closed_at: at }) => <Time at={at} /> },
];

function FailedCalls({ calls }: { calls: SystemLogs["failed_calls"] }): JSX.Element {
  const view = useView();
  const only = (name: string, value: string, text = value): JSX.Element => (
    <button type="button" class="cell" title={`${value} – show only this`} onClick={() => view.go({ [name]: value })}>
      <Text hover={false}>{text}</Text>
    </button>
  );
  const columns: Column<SystemLogs["failed_calls"][number]>[] = [
    { title: "Hour (UTC)", cell: ({ hour }) => <Time at={hour} /> },
    { title: "Cause", cell: ({ cause }) => only("cause", cause, inWords(cause)) },
    { title: "Key", cell: ({ last4 }) => (last4 ? <code>{only("last4", last4, `••••${last4}`)}</code> : <Nothing />) },
    { title: "IP", cell: ({ ip }) => only("ip", ip) },
    { title: "Calls", class: "number strong", cell: (call) => count(call.calls) },
  ];
  return (
    <Table
      label="Failed calls"
      columns={columns}
      items={calls}
      keyOf={({ hour, environment, cause, last4, ip }) => JSON.stringify([hour, environment, cause, last4, ip])}
    />
  );
}

const WHEN: Column<AuditEntry> = { title: "When (UTC)", cell: ({ at }) => <Time at={at} seconds /> };
const WHO: Column<AuditEntry> = { title: "Who", cell: (entry) => <Who name={entry.key_name} id={entry.key_id} /> };
const WHENCE: Column<AuditEntry> = {
  title: "From",
  class: "wide",
  cell: (entry) => (
    <span title={entry.user_agent}>
      <Text hover={false}>{entry.source_ip}</Text>
    </span>
  ),
};
const changes = ({ before, after }: AuditEntry): JSX.Element => <Changes before={before} after={after} />;

const ACTIONS: Column<AuditEntry>[] = [
  WHEN,
  WHO,
  { title: "Action", cell: ({ action }) => <Text>{action}</Text> },
  {
    title: "What",
    class: "breaks",
    cell: ({ entity }) => (
      <code>
        <Text>{entity}</Text>
      </code>
    ),
  },
  { title: "Change", class: "wide", cell: changes },
  WHENCE,
];

const EXPORTS: Column<AuditEntry>[] = [
  WHEN,
  WHO,
  { title: "What was asked for", class: "full breaks", cell: changes },
  WHENCE,
];

/** A name, and the id of its key on hover. */
function Who({ name, id }: { name: string; id: string }): JSX.Element {
  return (
    <span title={`${name} (${id})`}>
      <Text hover={false}>{name}</Text>
    </span>
  );
}

const told = (value: unknown): string =>
  value === undefined ? "" : typeof value === "string" ? visible(value) : JSON.stringify(value);

function Changes({ before, after }: Pick<AuditEntry, "before" | "after">): JSX.Element {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  if (fields.length === 0) return <Nothing />;
  const all = fields.map(
    (field) => `${visible(field)}: ${[told(old.get(field)), told(now.get(field))].filter(Boolean).join(" → ")}`,
  );
  return (
    <bdi class="text long changes" title={all.join("\n")}>
      <span>{all.join("; ")}</span>
    </bdi>
  );
}
