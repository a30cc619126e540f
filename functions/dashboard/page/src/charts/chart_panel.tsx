// A panel with a chart, and a table with the same numbers.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { ViewLink } from "../frame/view";
import { type Column, Table } from "../parts/table";
import { Panel, Segments, Text } from "../parts/ui";
import { Plot, valueText } from "./chart";
import { type Chart, FEWEST_POINTS, seriesOf } from "./plot";

interface ChartPanelProps {
  title: string;
  note?: ComponentChildren;
  span?: number;
  name: string;
  chart: Chart;
  /** One sentence that says what the chart shows. */
  summary: string;
  children?: ComponentChildren;
}

/** Shows a chart or its table, as the reader chooses. */
export function ChartPanel({ title, note, span, name, chart, summary, children }: ChartPanelProps): JSX.Element {
  const [chosen, choose] = useState<"chart" | "table" | null>(null);
  const form = chosen ?? (chart.starts.length < FEWEST_POINTS ? "table" : "chart");
  const actions = (
    <Segments
      label={`${title} as`}
      class="small"
      options={[
        ["chart", "Chart"],
        ["table", "Table"],
      ]}
      value={form}
      onChange={choose}
    />
  );
  return (
    <Panel title={title} note={note} {...(span ? { span } : {})} name={name} actions={actions}>
      {form === "chart" ? <Plot chart={chart} summary={summary} /> : <ChartTable title={title} chart={chart} />}
      {children}
    </Panel>
  );
}

function ChartTable({ title, chart }: { title: string; chart: Chart }): JSX.Element {
  const { bucket, starts, remark, records } = chart;
  const nameOf = (index: number): string | undefined =>
    starts[index]?.slice(0, { hour: 16, day: 10, month: 7 }[bucket]).replace("T", " ");
  const columns: Column<number>[] = [
    {
      title: { hour: "Hour (UTC)", day: "Day (UTC)", month: "Month" }[bucket],
      cell: (index) => (
        <>
          {records ? (
            <ViewLink page="records" filters={records(index)} title={`Show the records of this ${bucket}`}>
              {nameOf(index)}
            </ViewLink>
          ) : (
            nameOf(index)
          )}{" "}
          <span class="muted">{remark?.(index)}</span>
        </>
      ),
      sort: (index) => starts[index] ?? null,
    },
    ...seriesOf(chart).map(({ label, values }) => ({
      title: label,
      heading: <Text>{label}</Text>,
      class: "number",
      cell: (index: number) => valueText(chart, values[index]),
      sort: (index: number) => values[index] ?? null,
    })),
  ];
  const newestFirst = starts.map((_, index) => index).reverse();
  return (
    <Table
      label={`${title}, table`}
      class="low"
      columns={columns}
      items={newestFirst}
      keyOf={(index) => starts[index] ?? ""}
    />
  );
}
