// Charts over time, drawn by uPlot. A bucket that leads to its records does so by a click or, once the chart has the
// focus, by the arrow keys and Enter.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { useFollow } from "../frame/view";
import { bucketName, localTime } from "../parts/format";
import { Text } from "../parts/ui";
import { type Chart, plotData, plotOptions, seriesOf } from "./plot";

export { type Chart, FEWEST_POINTS, type Series } from "./plot";

/** Whether other colours are to be used than before. */
const COLORS = [matchMedia("(prefers-color-scheme: dark)"), matchMedia("print")];
const TOUCHED = matchMedia("(hover: none)");

const PRINTING = ["beforeprint", "afterprint"] as const;
for (const event of PRINTING) {
  addEventListener(event, () => document.documentElement.classList.toggle("printing", event === "beforeprint"));
}

interface Hover {
  index: number;
  left: number;
  width: number;
}

export function Plot({ chart, summary }: { chart: Chart; summary: string }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const latest = useRef(chart);
  latest.current = chart;
  // new data of the same shape goes into the same plot; another shape needs a new plot
  const shape = JSON.stringify([chart.kind, chart.bucket, chart.top, seriesOf(chart).map(({ label }) => label)]);
  const follow = useFollow();
  const lead = (index: number | null | undefined): void => {
    const filters = typeof index === "number" && chart.starts[index] !== undefined && chart.records?.(index);
    if (filters) follow("records", filters);
  };
  const touched = useRef<number | null>(null);
  const click = (): void => {
    const index = plot.current?.cursor.idx ?? null;
    const isFirst = TOUCHED.matches && touched.current !== index; // the first touch shows the numbers
    touched.current = index;
    if (!isFirst) lead(index);
  };
  const last = chart.starts.length - 1;
  const press = (event: KeyboardEvent): void => {
    const at = hover?.index ?? last + 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const index = Math.min(Math.max(to, 0), last);
      const left = plot.current?.valToPos(plot.current.data[0][index] ?? 0, "x") ?? 0;
      plot.current?.setCursor({ left, top: 0 });
    } else if (event.key === "Enter") lead(hover?.index);
  };

  useEffect(() => {
    // (`redraw` would ask for the range of the axis once more, and widen it)
    const paint = (): void => plot.current?.setData(plotData(latest.current));
    for (const query of COLORS) query.addEventListener("change", paint);
    for (const event of PRINTING) addEventListener(event, paint);
    return () => {
      for (const query of COLORS) query.removeEventListener("change", paint);
      for (const event of PRINTING) removeEventListener(event, paint);
    };
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
      {chart.records ? (
        <div
          class="plot leads"
          ref={frame}
          role="slider"
          tabIndex={0}
          aria-label={`${summary} The table shows the numbers. Arrow keys choose, Enter shows the records.`}
          aria-valuemin={0}
          aria-valuemax={last}
          aria-valuenow={hover?.index ?? last}
          aria-valuetext={valuesText(chart, hover?.index ?? last)}
          onClick={click}
          onKeyDown={press}
        />
      ) : (
        <div class="plot" ref={frame} role="img" aria-label={`${summary} The table shows the numbers.`} />
      )}
      {hover && <Tooltip chart={chart} hover={hover} />}
      <figcaption class="legend">
        {[...seriesOf(chart)].reverse().map((series, index) => (
          <span key={index}>
            <i
              style={series === chart.before ? {} : { background: `var(${series.color})` }}
              class={series === chart.before ? "line before" : chart.kind === "lines" ? "line" : ""}
            />
            <Text>{series.label}</Text>
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
      {[...seriesOf(chart)].reverse().map(({ label, color, values }, index) => (
        <span key={index} class="row">
          <i style={{ background: `var(${color})` }} />
          <Text>{label}</Text>
          <b>{valueText(chart, values[hover.index])}</b>
        </span>
      ))}
      {remark && <span class="muted">{remark}</span>}
      {chart.records && !TOUCHED.matches && <span class="muted">Click for the records</span>}
      {chart.records && TOUCHED.matches && <span class="muted">Touch again for the records</span>}
    </div>
  );
}

/** A value of a chart as text; a dash if there is none. */
export const valueText = (chart: Chart, value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : chart.format(value);

/** A bucket and its values in words. */
function valuesText(chart: Chart, index: number): string {
  const start = chart.starts[index];
  if (start === undefined) return "";
  const values = seriesOf(chart).map(({ label, values }) => `${label}: ${valueText(chart, values[index])}`);
  return [bucketName(start, chart.bucket), ...values].join(", ");
}
