// System logs: failed calls, staff actions, closed days and exports.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import { LOG_FILTERS, useView } from "../frame/view";
import { ACTION, changes, FROM, WHEN, WHO } from "../parts/audit_entries";
import { type Column, Table } from "../parts/table";
import { Empty, Loaded, Panel, Text, Time } from "../parts/ui";
import type { AuditEntry, SystemLogs } from "../types";
import { FailedCalls } from "./failed_calls";

export function Logs(): JSX.Element {
  const view = useView();
  const given = Object.fromEntries(LOG_FILTERS.map((name) => [name, view.param(name)]));
  const logs = useResource<SystemLogs>("/api/v1/analytics/system-logs", { ...view.scope, ...given });
  return (
    <div class="grid">
      <FailedCalls logs={logs} />
      <Panel title="Staff actions" note="From the audit log, newest first" name="staff-actions">
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
      <Panel title="Exports" note="Who took out what" span={8} name="exports">
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
    </div>
  );
}

const CLOSINGS: Column<SystemLogs["closings"][number]>[] = [
  { title: "Day", cell: ({ day }) => day },
  { title: "Closed at (UTC)", cell: ({ closed_at: at }) => <Time at={at} /> },
];

const ACTIONS: Column<AuditEntry>[] = [
  WHEN,
  WHO,
  ACTION,
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

const EXPORTS: Column<AuditEntry>[] = [
  WHEN,
  WHO,
  { title: "What", cell: ({ entity }) => <Text>{entity}</Text> },
  { title: "Request", class: "full breaks", cell: changes },
  FROM,
];
