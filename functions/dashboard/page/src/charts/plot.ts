// What uPlot draws of a chart, and how.

import uPlot from "uplot";
import { axisDay, axisHour, axisMonth, short } from "../parts/format";

export interface Series {
  label: string;
  /** A custom property of the stylesheet, such as "--clean". */
  color: string;
  values: (number | null)[];
}

export interface Chart {
  kind: "stacked bars" | "lines";
  bucket: "hour" | "day" | "month";
  /** Start times of the buckets, ISO-8601. */
  starts: string[];
  /** Stacked from the bottom up. */
  series: Series[];
  /** The same of the window before, bucket by bucket: a thin line over everything else. */
  before?: Series | null;
  /** A value as text, in the tooltip and the table. */
  format: (value: number) => string;
  /** A value as text, on the axis. */
  axis?: (value: number) => string;
  /** The values may be fractions, or negative: they are no counts. */
  ofAnySize?: boolean;
  /** The top of the axis, if the values do not decide it. */
  top?: number;
  /** A remark on a bucket, such as that it is still open. */
  remark?: (index: number) => string | undefined;
  /** Filters of the records of a bucket, to which it leads. */
  records?: ((index: number) => Record<string, string>) | undefined;
}

/** With fewer points a table is easier to read than a chart. */
export const FEWEST_POINTS = 4;

const SECONDS = { hour: 3600, day: 86_400, month: 30 * 86_400 };
const STEPS = {
  hour: [1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * 3600),
  day: [1, 2, 7, 14, 28, 56].map((days) => days * 86_400),
};

const WHOLE_STEPS = [1, 2, 5]
  .flatMap((step) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].map((ten) => step * ten))
  .sort((a, b) => a - b);
const AXIS = { hour: axisHour, day: axisDay, month: axisMonth };
/** In a narrower chart every other month has its name. */
const NARROW = 480;

const NO_POINTS = { show: false };

/** All series, the one of the window before last. */
export const seriesOf = ({ series, before }: Chart): Series[] => (before ? [...series, before] : series);

/** The data for uPlot: the highest bar of a stack comes first, so that lower bars are drawn over it. */
export function plotData(chart: Chart): uPlot.AlignedData {
  const times = chart.starts.map((start) => Date.parse(start) / 1000);
  const before = chart.before ? [chart.before.values] : [];
  if (chart.kind === "lines") return [times, ...chart.series.map(({ values }) => values), ...before];
  const sums: (number | null)[][] = [];
  for (const { values } of chart.series) {
    const below = sums.at(-1);
    sums.push(values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return [times, ...sums.reverse(), ...before];
}

/** The ends of an axis that has zero and all values on it. */
function around(low: number | null, high: number | null): [number, number] {
  const [least, most] = [Math.min(low ?? 0, 0), Math.max(high ?? 0, 0)];
  return least === most ? [0, 1] : [least * 1.06, most * 1.06];
}

export function plotOptions(
  chart: { readonly current: Chart },
  element: HTMLElement,
  size: { width: number; height: number },
  onPoint: (self: uPlot) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (property: string) => (): string => style.getPropertyValue(property).trim();
  const { kind, bucket, series, before, top, ofAnySize, axis = short } = chart.current;
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
      y: { range: (_, low, high) => (ofAnySize ? around(low, high) : [0, top ?? Math.max(high, 4) * 1.06]) },
    },
    axes: [
      {
        ...common,
        grid: { show: false },
        // months are not of one length, and each has its name
        ...(bucket === "month" ? { splits: (self: uPlot) => [...self.data[0]] } : { incrs: STEPS[bucket] }),
        space: 56,
        size: 28,
        values: ({ width }, splits) =>
          splits.map((at, index) => (bucket === "month" && width < NARROW && index % 2 ? "" : AXIS[bucket](at))),
      },
      {
        ...common,
        grid,
        space: 36,
        size: 46,
        gap: 6,
        ...(ofAnySize ? {} : { incrs: WHOLE_STEPS }),
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
        return { label, fill: stroke, width: 0, points: NO_POINTS, ...(paths ? { paths } : {}) };
      }),
      ...(before
        ? [{ label: before.label, stroke: color(before.color), width: 1.5, dash: [4, 4], points: NO_POINTS }]
        : []),
    ],
    hooks: { setCursor: [onPoint] },
  };
}
