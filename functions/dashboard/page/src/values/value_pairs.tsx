// The pairs of numbers of a group: the latest, and between what they lie.

import type { JSX } from "preact";
import { count } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Panel, Time } from "../parts/ui";
import type { PairSeries, PairVersion, Span, Values } from "../types";
import { number } from "./value_format";
import { CountsPanel, Figure, VersionCell } from "./value_parts";

export function PairSeriesPanels({ data, series }: { data: Values; series: PairSeries }): JSX.Element {
  const { total, latest, buckets } = series;
  return (
    <>
      <dl class="alerts span-12" data-panel="pair-stats">
        <Figure title="Pairs" name="values" note="exact">
          {count(total.values)}
        </Figure>
        <Figure title="Latest x and y" name="latest" note={<Time at={latest.received_at} />}>
          {number(latest.x)} and {number(latest.y)}
        </Figure>
        <Figure title="x" name="x" note="smallest to largest, exact">
          {range(total.x)}
        </Figure>
        <Figure title="y" name="y" note="smallest to largest, exact">
          {range(total.y)}
        </Figure>
      </dl>
      <Panel title="Pairs by version" note="Those with the most pairs first" span={7} name="value-versions">
        <Table
          label="Pairs by version"
          class="rows"
          columns={COLUMNS}
          items={series.versions}
          keyOf={({ version }) => version}
          row={({ version }) => ({ "data-version": version })}
        />
      </Panel>
      <CountsPanel
        data={data}
        counts={buckets.map(({ start, stats }) => ({ start, values: stats?.values ?? 0 }))}
        what="pairs"
        span={5}
      />
    </>
  );
}

const range = ({ min, max }: Span): string => (min === max ? number(min) : `${number(min)} to ${number(max)}`);

const COLUMNS: Column<PairVersion>[] = [
  { title: "Version", cell: ({ version }) => <VersionCell version={version} /> },
  { title: "Pairs", class: "number", cell: ({ values }) => <span data-stat="values">{count(values)}</span> },
  { title: "x", class: "number", cell: ({ x }) => range(x) },
  { title: "y", class: "number", cell: ({ y }) => range(y) },
];
