// The versions in use: their shares, and how the shares change.

import type { JSX } from "preact";
import { ChartPanel } from "../charts/chart_panel";
import type { Chart } from "../charts/plot";
import { useView, ViewLink } from "../frame/view";
import { count, percent, points } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Empty, NoValue, Panel, Text } from "../parts/ui";
import { useSorting } from "../parts/use_sorting";
import type { Overview } from "../types";
import { bucketFilters } from "./bucket_filters";
import { versionColors } from "./version_colors";

const COLORED = 6;
const LISTED = 12;
const NO_VERSION = "~unknown";
const GREY_VERSIONS = new Map([
  ["~other", "--series-other"],
  [NO_VERSION, "--series-unknown"],
]);
const NAMES = new Map([
  ["~other", "other versions"],
  [NO_VERSION, "no version"],
]);

export function Versions({ data }: { data: Overview }): JSX.Element {
  const seesAll = useView().session.role !== "viewer";
  const { versions } = data;
  if (versions.length === 0) {
    return (
      <Panel title="Versions" name="versions">
        <Empty title="Nothing was received in this range." />
      </Panel>
    );
  }
  const named = versions.map(({ version }) => version).filter((version) => !GREY_VERSIONS.has(version));
  const colors = new Map([...versionColors(named.slice(0, COLORED)), ...GREY_VERSIONS]);
  return (
    <>
      <Panel
        title="Versions"
        note="Share of the records in the range, and its change from the first half of the range to the second"
        span={5}
        name="versions"
      >
        <Shares data={data} colors={colors} />
      </Panel>
      <ChartPanel
        title="Roll-out"
        note={`Each version's share, per ${data.bucket}`}
        name="version-trend"
        span={7}
        summary={`Share of each version per ${data.bucket}.`}
        chart={shareChart(data, colors, seesAll)}
      />
    </>
  );
}

function Shares({ data, colors }: { data: Overview; colors: Map<string, string> }): JSX.Element {
  const seesAll = useView().session.role !== "viewer";
  const changes = changesOf(data);
  const sorting = useSorting("versions");
  const more = data.versions.length - LISTED;
  const fill = (version: string): { background: string } => ({
    background: `var(${colors.get(version) ?? "--series-other"})`,
  });
  const columns: Column<Overview["versions"][number]>[] = [
    {
      title: "Version",
      cell: ({ version }) => (
        <span class="beside">
          <i class="swatch" style={fill(version)} />
          {GREY_VERSIONS.has(version) ? (
            <span class="muted">{NAMES.get(version)}</span>
          ) : seesAll ? (
            <ViewLink page="records" filters={{ version }}>
              <Text>{version}</Text>
            </ViewLink>
          ) : (
            <Text>{version}</Text>
          )}
        </span>
      ),
      sort: ({ version }) => version,
    },
    {
      title: "Records",
      class: "number",
      cell: ({ records }) => <span data-stat="records">{count(records)}</span>,
      sort: ({ records }) => records,
    },
    {
      title: "Share",
      class: "number share",
      cell: ({ version, percent: share }) => (
        <>
          <span class="bar" aria-hidden="true">
            <i style={{ width: `${Math.min(share, 100)}%`, ...fill(version) }} />
          </span>
          <span data-stat="percent">{percent(share)}</span>
        </>
      ),
    },
    {
      title: "Change",
      hint: "Share in the second half of the range compared with the first half",
      class: "number",
      cell: ({ version }) => {
        const change = changes.get(version) ?? null;
        return change === null ? <NoValue /> : points(change);
      },
      sort: ({ version }) => changes.get(version) ?? null,
    },
  ];
  return (
    <>
      <Table
        label="Versions"
        sorting={sorting}
        class="rows"
        columns={columns}
        items={data.versions.slice(0, LISTED)}
        keyOf={({ version }) => version}
        row={({ version }) => ({ "data-version": version })}
      />
      {more > 0 && <p class="note">and {more} more, each with fewer records.</p>}
    </>
  );
}

function shareChart(data: Overview, colors: Map<string, string>, seesRecords: boolean): Chart {
  const buckets = data.version_trend.map(({ versions }) => new Map(Object.entries(versions)));
  const totals = buckets.map((versions) => [...versions.values()].reduce((sum, n) => sum + n, 0));
  const share = (index: number, records: number): number | null => {
    const total = totals[index] ?? 0;
    return total ? (100 * records) / total : null;
  };
  const named = data.versions
    .map(({ version }) => version)
    .filter((version) => !GREY_VERSIONS.has(version))
    .slice(0, COLORED);
  const shown = [...named, NO_VERSION];
  const rest = buckets.map((versions, index) => {
    const known = shown.reduce((sum, version) => sum + (versions.get(version) ?? 0), 0);
    return share(index, (totals[index] ?? 0) - known);
  });
  const series = shown.map((version) => ({
    label: NAMES.get(version) ?? version,
    color: colors.get(version) ?? "--series-other",
    values: buckets.map((versions, index) => share(index, versions.get(version) ?? 0)),
  }));
  series.push({ label: "all others", color: "--series-other", values: rest });
  return {
    kind: "stacked bars",
    bucket: data.bucket,
    starts: data.version_trend.map(({ start }) => start),
    series: series.filter(({ values }) => values.some((value) => value)),
    format: percent,
    axis: (value) => `${value}%`,
    top: 100,
    remark: (index) => (totals[index] ? `of ${count(totals[index] ?? 0)} records` : "no records"),
    records: seesRecords ? (index) => bucketFilters(data.bucket, data.version_trend[index]?.start ?? "") : undefined,
  };
}

/** How each version's share of the second half of the range differs from that of the first, in percentage points; null
 *  where one of them has no records to compare. */
function changesOf(data: Overview): Map<string, number | null> {
  const middle = Math.floor(data.version_trend.length / 2);
  const halves = [data.version_trend.slice(0, middle), data.version_trend.slice(middle)].map((buckets) => {
    const sums = new Map<string, number>();
    let total = 0;
    for (const { versions } of buckets) {
      for (const [version, records] of Object.entries(versions)) {
        sums.set(version, (sums.get(version) ?? 0) + records);
        total += records;
      }
    }
    return (version: string): number | null => (total ? (100 * (sums.get(version) ?? 0)) / total : null);
  });
  const change = (version: string): number | null => {
    const [before, after] = halves.map((share) => share(version));
    return before == null || after == null ? null : after - before;
  };
  return new Map(data.versions.map(({ version }) => [version, change(version)]));
}
