// The numbers of a group: what they are in all, over time, and by version.

import type { JSX } from "preact";
import { ChartPanel } from "../charts/chart_panel";
import { count } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Panel } from "../parts/ui";
import type { NumberSeries, NumberStats, NumberVersion, Values } from "../types";
import { errorText, number, remarks, shortNumber } from "./value_format";
import { CountsPanel, Figure, VersionCell } from "./value_parts";

interface PanelsProps {
  data: Values;
  series: NumberSeries;
}

export function NumberSeriesPanels({ data, series }: PanelsProps): JSX.Element {
  const { total, buckets } = series;
  return (
    <>
      <Total total={total} />
      <Versions series={series} />
      <Course data={data} series={series} />
      <CountsPanel
        data={data}
        counts={buckets.map(({ start, stats }) => ({ start, values: stats?.values ?? 0 }))}
        what="numbers"
        span={5}
      />
    </>
  );
}

function Total({ total }: { total: NumberStats }): JSX.Element {
  const error = errorText(total.error);
  return (
    <dl class="stats span-12" data-panel="number-stats">
      <Figure title="Numbers" name="values" note="exact">
        {count(total.values)}
      </Figure>
      <Figure title="Smallest" name="min" note="exact">
        {number(total.min)}
      </Figure>
      <Figure title="Mean" name="mean" note="exact">
        {number(total.mean)}
      </Figure>
      <Figure title="Median (p50)" name="p50" note={error}>
        {number(total.p50)}
      </Figure>
      <Figure title="p95" name="p95" note={error}>
        {number(total.p95)}
      </Figure>
      <Figure title="Largest" name="max" note="exact">
        {number(total.max)}
      </Figure>
    </dl>
  );
}

function Course({ data, series: { buckets } }: PanelsProps): JSX.Element {
  const remark = remarks(data);
  const of = (pick: (stats: NumberStats) => number): (number | null)[] =>
    buckets.map(({ stats }) => (stats ? pick(stats) : null));
  const worst = Math.max(0, ...buckets.map(({ stats }) => stats?.error ?? 0));
  return (
    <ChartPanel
      title="Median, mean and p95"
      note={`Per ${data.bucket}. Median and p95 ${errorText(worst)}, the mean is exact.`}
      name="number-course"
      span={7}
      summary={`Median, mean and 95th percentile per ${data.bucket}.`}
      chart={{
        kind: "lines",
        bucket: data.bucket,
        starts: buckets.map(({ start }) => start),
        series: [
          { label: "Median (p50)", color: "--series-1", values: of(({ p50 }) => p50) },
          { label: "Mean", color: "--series-2", values: of(({ mean }) => mean) },
          { label: "p95", color: "--series-4", values: of(({ p95 }) => p95) },
        ],
        format: number,
        axis: shortNumber,
        ofAnySize: true,
        remark: (index) => remark(buckets[index]?.start),
      }}
    />
  );
}

function Versions({ series }: { series: NumberSeries }): JSX.Element {
  return (
    <Panel title="Numbers by version" note="Those with the most numbers first" name="value-versions">
      <Table
        label="Numbers by version"
        class="rows"
        columns={COLUMNS}
        items={series.versions}
        keyOf={({ version }) => version}
        row={({ version }) => ({ "data-version": version })}
      />
    </Panel>
  );
}

type Measure = "min" | "mean" | "p50" | "p95" | "max";

const measured = (title: string, name: Measure, kind = ""): Column<NumberVersion> => ({
  title,
  class: `number ${kind}`,
  cell: (row) => <span data-stat={name}>{number(row[name])}</span>,
  sort: (row) => row[name],
});

const COLUMNS: Column<NumberVersion>[] = [
  { title: "Version", cell: ({ version }) => <VersionCell version={version} />, sort: ({ version }) => version },
  {
    title: "Numbers",
    class: "number",
    cell: ({ values }) => <span data-stat="values">{count(values)}</span>,
    sort: ({ values }) => values,
  },
  measured("p95", "p95", "strong"),
  measured("Median", "p50"),
  {
    title: "Error",
    class: "number",
    hint: "By how much median and p95 may be off, at most. All else is exact.",
    cell: ({ error }) => <span class="muted">{errorText(error)}</span>,
  },
  measured("Mean", "mean"),
  measured("Smallest", "min", "wide"),
  measured("Largest", "max", "wide"),
];
