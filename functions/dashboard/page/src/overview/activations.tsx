// The answers that devices got when they checked their licence.

import type { JSX } from "preact";
import { count } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Empty, Panel } from "../parts/ui";
import type { Overview } from "../types";

const MEANINGS = new Map([
  [200, "valid"],
  [201, "not assigned"],
  [202, "no activation"],
  [203, "product inactive"],
  [204, "blocked"],
  [205, "expired"],
  [210, "invalid key"],
  [215, "no identifier"],
  [300, "activated"],
  [301, "already active"],
  [302, "limit reached"],
  [400, "deactivated"],
  [401, "already inactive"],
]);

const CODES: Column<Overview["activations"]["codes"][number]>[] = [
  { title: "Call", cell: ({ action }) => action, sort: ({ action }) => action },
  {
    title: "Answer",
    cell: ({ code }) => (
      <>
        {code} <span class="muted">{MEANINGS.get(code)}</span>
      </>
    ),
    sort: ({ code }) => code,
  },
  { title: "Calls", class: "number", cell: ({ calls }) => count(calls), sort: ({ calls }) => calls },
];

export function Activations({ data }: { data: Overview }): JSX.Element {
  const { granted, blocked, codes } = data.activations;
  return (
    <Panel
      title="Licence checks"
      note="Answers to devices that verify, activate or deactivate"
      span={4}
      name="activations"
    >
      {codes.length === 0 ? (
        <Empty title="No licence was checked in this range." />
      ) : (
        <>
          <dl class="pair">
            <div>
              <dt>Granted</dt>
              <dd class="figure" data-stat="granted">
                {count(granted)}
              </dd>
            </div>
            <div>
              <dt>Blocked</dt>
              <dd class="figure" data-stat="blocked">
                {count(blocked)}
              </dd>
            </div>
          </dl>
          <Table
            label="Answers by code"
            class="low"
            columns={CODES}
            items={[...codes].sort((a, b) => b.calls - a.calls)}
            keyOf={({ action, code }) => `${action} ${code}`}
          />
        </>
      )}
    </Panel>
  );
}
