// The overview: totals, alerts, trends and, for those who may see them, licences and devices.

import type { JSX } from "preact";
import { partOf, type Resource, useResource } from "../api/live";
import { ChartPanel } from "../charts/chart_panel";
import { useView } from "../frame/view";
import { Alerts, Stats } from "../parts/cards";
import { count, plural, windowText } from "../parts/format";
import { NoRecords } from "../parts/no_records";
import { Loaded } from "../parts/ui";
import type { NotableLicenses, Overview as OverviewData, ProductName } from "../types";
import { Activations } from "./activations";
import { bucketFilters } from "./bucket_filters";
import { Devices, THRESHOLD } from "./devices";
import { LIMIT, Licenses } from "./licenses";
import { Mismatches } from "./mismatches";
import { Spikes } from "./spikes";
import { UnknownTypes, Uses } from "./uses";
import { Versions } from "./versions";

export function Overview({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const overview = useResource<OverviewData>("/api/v1/analytics/overview", view.scope);
  const seesAll = view.session.role !== "viewer";
  return (
    <div class="grid">
      {seesAll && <Spikes products={products} />}
      <Loaded resource={overview} lines={12}>
        {(data) =>
          data.stats.total_records === 0 ? (
            <NoRecords products={products} />
          ) : (
            <>
              <Stats data={data} />
              {seesAll && <Alerts data={data} />}
              <Trend data={data} span={seesAll ? 8 : 12} />
              {seesAll && <Activations data={data} />}
              <ActiveUsers data={data} />
              <Versions data={data} />
              <Uses data={data} />
              {data.product && <UnknownTypes product={data.product} products={products} />}
            </>
          )
        }
      </Loaded>
      {seesAll && hasRecords(overview) && <LicensePanels />}
    </div>
  );
}

/** Three panels, one request. */
function LicensePanels(): JSX.Element {
  const query = { ...useView().scope, limit: LIMIT, threshold: THRESHOLD };
  const licenses = useResource<NotableLicenses>("/api/v1/analytics/licenses", query);
  return (
    <>
      <Licenses top={partOf(licenses, "top")} />
      <Devices excess={partOf(licenses, "devices")} />
      <Mismatches mismatches={partOf(licenses, "mismatches")} />
    </>
  );
}

const hasRecords = (overview: Resource<OverviewData>): boolean => (overview.data?.stats.total_records ?? 0) > 0;

const open = (closed: boolean | undefined): string | undefined => (closed === false ? "so far" : undefined);

const recordsOf = (bucket: OverviewData["trend"][number] | undefined): number | null =>
  bucket ? bucket.clean + bucket.flagged : null;

function Trend({ data, span }: { data: OverviewData; span: number }): JSX.Element {
  const seesRecords = useView().session.role !== "viewer";
  const { trend, bucket, stats, before } = data;
  const [clean, flagged] = [count(stats.range_clean), count(stats.range_flagged)];
  return (
    <ChartPanel
      title="Records"
      note={
        <>
          Clean and flagged, per {bucket}: {windowText(data)} (UTC)
          {before && <>, compared with {windowText(before)}</>}
        </>
      }
      name="trend"
      span={span}
      summary={`Records per ${bucket}: ${clean} clean and ${flagged} flagged in total.`}
      chart={{
        kind: "stacked bars",
        bucket,
        starts: trend.map(({ start }) => start),
        series: [
          { label: "Clean", color: "--clean", values: trend.map(({ clean }) => clean) },
          { label: "Flagged", color: "--flagged", values: trend.map(({ flagged }) => flagged) },
        ],
        before: before && {
          label: "All records before",
          color: "--before",
          values: trend.map((_, index) => recordsOf(before.trend[index])),
        },
        format: count,
        remark: (index) => open(trend[index]?.closed),
        records: seesRecords ? (index) => bucketFilters(bucket, trend[index]?.start ?? "") : undefined,
      }}
    />
  );
}

function ActiveUsers({ data }: { data: OverviewData }): JSX.Element {
  const seesRecords = useView().session.role !== "viewer";
  const { active_users: days, before } = data;
  const last = days.at(-1);
  return (
    <ChartPanel
      title="Active users"
      note={
        last && (
          <>
            {plural(last.users, "user")} {last.closed ? `on ${last.day}` : "today so far"}, {count(last.users_7)} in 7
            days, {count(last.users_30)} in 30
          </>
        )
      }
      name="active-users"
      span={12}
      summary={`Unique users over ${plural(days.length, "day")}. Each user is counted once per period.`}
      chart={{
        kind: "lines",
        bucket: "day",
        starts: days.map(({ day }) => `${day.slice(0, 10)}T00:00:00Z`),
        series: [
          { label: "Users per day", color: "--series-1", values: days.map(({ users }) => users) },
          { label: "Devices per day", color: "--series-2", values: days.map(({ devices }) => devices) },
          { label: "Users in 7 days", color: "--series-3", values: days.map((day) => day.users_7) },
          { label: "Users in 30 days", color: "--series-4", values: days.map((day) => day.users_30) },
        ],
        before: before && {
          label: "Users per day before",
          color: "--before",
          values: days.map((_, index) => before.active_users[index]?.users ?? null),
        },
        format: count,
        remark: (index) => open(days[index]?.closed),
        records: seesRecords ? (index) => bucketFilters("day", days[index]?.day ?? "") : undefined,
      }}
    />
  );
}
