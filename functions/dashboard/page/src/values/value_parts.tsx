// What the panels of all types of values have in common.

import type { ComponentChildren, JSX } from "preact";
import { ChartPanel } from "../charts/chart_panel";
import { useView } from "../frame/view";
import { count } from "../parts/format";
import { Text } from "../parts/ui";
import type { Values } from "../types";
import { remarks, versionName } from "./value_format";

/** A figure with its name; `note` says what it is worth. */
export function Figure({ title, name, children, note }: FigureProps): JSX.Element {
  return (
    <div class="card">
      <dt>{title}</dt>
      <dd class="figure" data-stat={name}>
        {children}
      </dd>
      <dd class="note">{note}</dd>
    </div>
  );
}

interface FigureProps {
  title: string;
  name: string;
  note?: ComponentChildren;
  children: ComponentChildren;
}

/** A version; pressed, it is the only one that is shown. */
export function VersionCell({ version }: { version: string }): JSX.Element {
  const view = useView();
  const shown = versionName(version);
  const text = shown ? <span class="muted">{shown}</span> : <Text hover={false}>{version}</Text>;
  if (view.param("version") === version) return <span title={version}>{text}</span>;
  return (
    <button type="button" class="cell" title={`${version} – show only this`} onClick={() => view.go({ version })}>
      {text}
    </button>
  );
}

interface CountsProps {
  data: Values;
  /** How many values each bucket has. */
  counts: { start: string; values: number }[];
  what: string;
  span: number;
}

/** How many values came, over time. */
export function CountsPanel({ data, counts, what, span }: CountsProps): JSX.Element {
  const remark = remarks(data);
  const total = counts.reduce((sum, { values }) => sum + values, 0);
  return (
    <ChartPanel
      title={`How many ${what}`}
      note={`Per ${data.bucket}, ${count(total)} in all`}
      name="value-counts"
      span={span}
      summary={`How many ${what} came per ${data.bucket}: ${count(total)} in all.`}
      chart={{
        kind: "stacked bars",
        bucket: data.bucket,
        starts: counts.map(({ start }) => start),
        series: [{ label: what, color: "--series-1", values: counts.map(({ values }) => values) }],
        format: count,
        remark: (index) => remark(counts[index]?.start),
      }}
    />
  );
}
