// System logs: failed calls, staff actions, closed days and exports.

import type { JSX } from "preact";
import { FailedCalls } from "./failed_calls";
import { useResource } from "./live";
import { type Column, Table } from "./table";
import type { AuditEntry, SystemLogs } from "./types";
import { Empty, Loaded, NoValue, Panel, Text, Time, visible } from "./ui";
import { LOG_FILTERS, useView } from "./view";

export function Logs(): JSX.Element {
  const view = useView();
  const given = Object.fromEntries(LOG_FILTERS.map((name) => [name, view.param(name)]));
  const logs = useResource<SystemLogs>("/api/v1/analytics/system-logs", { ...view.scope, ...given });
  return (
    <div class="grid">
      <FailedCalls logs={logs} />
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
      <Panel title="Exports" note="Who exported records, and which" name="exports">
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

const CLOSINGS: Column<SystemLogs["closings"][number]>[] = [
  { title: "Day", cell: ({ day }) => day },
  { title: "Closed at (UTC)", cell: ({ closed_at: at }) => <Time at={at} /> },
];

const WHEN: Column<AuditEntry> = { title: "When (UTC)", cell: ({ at }) => <Time at={at} seconds /> };
const WHO: Column<AuditEntry> = { title: "Who", cell: (entry) => <Who name={entry.key_name} id={entry.key_id} /> };
const FROM: Column<AuditEntry> = {
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
  FROM,
];

const EXPORTS: Column<AuditEntry>[] = [WHEN, WHO, { title: "Request", class: "full breaks", cell: changes }, FROM];

/** A name, and the id of its key on hover. */
function Who({ name, id }: { name: string; id: string }): JSX.Element {
  return (
    <span title={`${name} (${id})`}>
      <Text hover={false}>{name}</Text>
    </span>
  );
}

const valueText = (value: unknown): string =>
  value === undefined ? "" : typeof value === "string" ? visible(value) : JSON.stringify(value);

function Changes({ before, after }: Pick<AuditEntry, "before" | "after">): JSX.Element {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  if (fields.length === 0) return <NoValue />;
  const all = fields.map(
    (field) =>
      `${visible(field)}: ${[valueText(old.get(field)), valueText(now.get(field))].filter(Boolean).join(" → ")}`,
  );
  return (
    <bdi class="text long changes" title={all.join("\n")}>
      <span>{all.join("; ")}</span>
    </bdi>
  );
}
