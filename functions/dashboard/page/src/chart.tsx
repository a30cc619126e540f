// Charts over time, drawn by uPlot.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { axisDay, axisHour, bucketName, localTime, short } from "./format";
import { Text } from "./ui";

export interface Series {
  label: string;
  /** A custom property of the stylesheet, such as "--clean". */
  color: string;
  values: (number | null)[];
}

export interface Chart {
  kind: "stacked bars" | "lines";
  bucket: "hour" | "day";
  /** Start times of the buckets, ISO-8601. */
  starts: string[];
  /** Stacked from the bottom up. */
  series: Series[];
  /** A value as text, in the tooltip and the table. */
  format: (value: number) => string;
  /** A value as text, on the axis. */
  axis?: (value: number) => string;
  /** The top of the axis, if the values do not decide it. */
  top?: number;
  /** A remark on a bucket, such as that it is still open. */
  remark?: (index: number) => string | undefined;
}

/** With fewer points a table is easier to read than a chart. */
export const FEWEST_POINTS = 4;

const DARK = matchMedia("(prefers-color-scheme: dark)");
const SECONDS = { hour: 3600, day: 86_400 };
const STEPS = {
  hour: [1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * 3600),
  day: [1, 2, 7, 14, 28, 56].map((days) => days * 86_400),
};

interface Hover {
  index: number;
  left: number;
  width: number;
}

export function Plot({ chart, summary }: { chart: Chart; summary: string }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const [dark, setDark] = useState(DARK.matches);
  const latest = useRef(chart);
  latest.current = chart;
  // new data of the same shape goes into the same plot; another shape needs a new plot
  const shape = JSON.stringify([chart.kind, chart.bucket, chart.top, chart.series.map(({ label }) => label), dark]);

  useEffect(() => {
    const changed = (): void => setDark(DARK.matches);
    DARK.addEventListener("change", changed);
    return () => DARK.removeEventListener("change", changed);
  }, []);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const size = (): { width: number; height: number } => ({
      width: element.clientWidth,
      height: element.clientHeight,
    });
    const onPoint = (self: uPlot): void => {
      const { idx } = self.cursor;
      const at = typeof idx === "number" ? self.data[0][idx] : undefined;
      setHover(
        typeof idx === "number" && at !== undefined && self.cursor.left !== undefined && self.cursor.left >= 0
          ? { index: idx, left: self.valToPos(at, "x") + self.bbox.left / devicePixelRatio, width: self.width }
          : null,
      );
    };
    const made = new uPlot(plotOptions(latest, element, size(), onPoint), plotData(latest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
      setHover(null);
    };
  }, [shape]);

  useEffect(() => plot.current?.setData(plotData(chart)), [chart]);

  return (
    <figure class="chart">
      <div class="plot" ref={frame} role="img" aria-label={`${summary} The table shows the numbers.`} />
      {hover && <Tooltip chart={chart} hover={hover} />}
      <figcaption class="legend">
        {[...chart.series].reverse().map(({ label, color }, index) => (
          <span key={index}>
            <i style={{ background: `var(${color})` }} class={chart.kind === "lines" ? "line" : ""} />
            <Text>{label}</Text>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function Tooltip({ chart, hover }: { chart: Chart; hover: Hover }): JSX.Element | null {
  const start = chart.starts[hover.index];
  if (start === undefined) return null;
  const side = hover.left > hover.width / 2 ? "before" : "after";
  const remark = chart.remark?.(hover.index);
  return (
    <div class={`tooltip ${side}`} style={{ left: `${hover.left}px` }} aria-hidden="true">
      <b>{bucketName(start, chart.bucket)}</b>
      {chart.bucket === "hour" && <span class="muted">{localTime(start)}</span>}
      {[...chart.series].reverse().map(({ label, color, values }, index) => (
        <span key={index} class="row">
          <i style={{ background: `var(${color})` }} />
          <Text>{label}</Text>
          <b>{valueText(chart, values[hover.index])}</b>
        </span>
      ))}
      {remark && <span class="muted">{remark}</span>}
    </div>
  );
}

/** A value of a chart as text; a dash if there is none. */
export const valueText = (chart: Chart, value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : chart.format(value);

/** The data for uPlot: the highest bar of a stack comes first, so that lower bars are drawn over it. */
function plotData(chart: Chart): uPlot.AlignedData {
  const times = chart.starts.map((start) => Date.parse(start) / 1000);
  if (chart.kind === "lines") return [times, ...chart.series.map(({ values }) => values)];
  const sums: (number | null)[][] = [];
  for (const { values } of chart.series) {
    const below = sums.at(-1);
    sums.push(values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return [times, ...sums.reverse()];
}

function plotOptions(
  chart: { readonly current: Chart },
  element: HTMLElement,
  size: { width: number; height: number },
  onPoint: (self: uPlot) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (property: string): string => style.getPropertyValue(property).trim();
  const { kind, bucket, series, top, axis = short } = chart.current;
  const half = SECONDS[bucket] / 2;
  const bars = kind === "stacked bars";
  const font = `12px ${style.fontFamily}`;
  const common = { stroke: color("--muted"), font, ticks: { show: false } };
  const grid = { stroke: color("--line"), width: 1 };
  return {
    ...size,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: { y: false, points: { show: !bars }, drag: { x: false, y: false } },
    padding: [8, bars ? 8 : 24, 0, 0],
    scales: {
      x: { range: (_, low, high) => (bars ? [low - half, high + half] : [low, high > low ? high : low + 1]) },
      y: { range: (_, __, high) => [0, top ?? Math.max(high, 4) * 1.06] },
    },
    axes: [
      {
        ...common,
        grid: { show: false },
        incrs: STEPS[bucket],
        space: 56,
        size: 28,
        values: (_, splits) => splits.map(bucket === "hour" ? axisHour : axisDay),
      },
      {
        ...common,
        grid,
        space: 36,
        size: 46,
        gap: 6,
        incrs: [1, 2, 5]
          .flatMap((step) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].map((ten) => step * ten))
          .sort((a, b) => a - b),
        values: (_, splits) => splits.map(axis),
      },
    ],
    series: [
      {},
      ...(bars ? [...series].reverse() : series).map(({ label, color: property }) => {
        const stroke = color(property);
        if (!bars) {
          const points = { show: chart.current.starts.length < FEWEST_POINTS, size: 6 };
          return { label, stroke, width: 2, points };
        }
        const paths = uPlot.paths.bars?.({ size: [0.8, 56], radius: 0 });
        return { label, fill: stroke, width: 0, points: { show: false }, ...(paths ? { paths } : {}) };
      }),
    ],
    hooks: { setCursor: [onPoint] },
  };
}
