// Where things stand: totals, alerts, trends and, for who may see them, licences and devices.

import type { JSX } from "preact";
import { ChartPanel } from "./chart";
import { Devices } from "./devices";
import { flagName } from "./flags";
import { count, percent, plural } from "./format";
import { Licenses } from "./licenses";
import { type Resource, useResource } from "./live";
import { Mismatches } from "./mismatches";
import { NoRecords } from "./no_records";
import { Spikes } from "./spikes";
import { type Column, Table } from "./table";
import type { Overview as OverviewData } from "./types";
import { Empty, Icon, Loaded, Panel } from "./ui";
import { Versions } from "./versions";
import { Follow, RANGES, useView } from "./view";

const ALERTS = new Map<string, readonly [string, string]>([
  ["INVALID_LICENSE", ["Invalid licences", "Keys nobody issued, or none where one is needed"]],
  ["BYPASSED_ACTIVATION", ["Bypassed activations", "Devices without an active activation"]],
  ["REVOKED_LICENSE", ["Revoked licences", "Records under licences that were revoked"]],
  ["ENVIRONMENT_MISMATCH", ["Environment mismatch", "Keys that belong to another environment"]],
]);

export function Overview(): JSX.Element {
  const view = useView();
  const overview = useResource<OverviewData>("/api/v1/analytics/overview", view.scope);
  const sees = view.session.role !== "viewer";
  return (
    <div class="grid">
      {sees && <Spikes />}
      <Loaded resource={overview} lines={12}>
        {(data) =>
          data.stats.total_records === 0 ? (
            <NoRecords />
          ) : (
            <>
              <Stats data={data} />
              {sees && <Alerts data={data} />}
              <Trend data={data} span={sees ? 8 : 12} />
              {sees && <Activations data={data} />}
              <ActiveUsers data={data} />
              <Versions data={data} />
            </>
          )
        }
      </Loaded>
      {sees && hasRecords(overview) && (
        <>
          <Licenses />
          <Devices />
          <Mismatches />
        </>
      )}
    </div>
  );
}

const hasRecords = (overview: Resource<OverviewData>): boolean => (overview.data?.stats.total_records ?? 0) > 0;

function Stats({ data }: { data: OverviewData }): JSX.Element {
  const view = useView();
  const { stats } = data;
  const range = RANGES.get(view.range);
  const during = range ? `last ${range}` : "in range";
  const days = stats.unique_users_days;
  const counted = days ? `over ${plural(days, "UTC day")}` : during;
  return (
    <dl class="stats span-12" data-panel="stats">
      <Stat title="Total records" name="total_records" value={stats.total_records} note="all time" />
      <Stat title="Clean" name="clean_records" value={stats.clean_records} kind="clean">
        <b data-stat="clean_percent">{percent(stats.clean_percent)}</b> of all time
      </Stat>
      <Stat title="Flagged" name="flagged_records" value={stats.flagged_records} kind="flagged">
        <b data-stat="flagged_percent">{percent(stats.flagged_percent)}</b> of all time
      </Stat>
      <Stat title="Recent activity" name="recent_activity" value={stats.recent_activity}>
        <b data-stat="range_clean">{count(stats.range_clean)}</b> clean,{" "}
        <b data-stat="range_flagged">{count(stats.range_flagged)}</b> flagged, {during}
      </Stat>
      <Stat title="Unique users" name="unique_users" value={stats.unique_users} note={counted} />
      <Stat title="Unique devices" name="unique_devices" value={stats.unique_devices} note={counted} />
    </dl>
  );
}

interface StatProps {
  title: string;
  name: string;
  value: number;
  kind?: string;
  note?: string;
  children?: JSX.Element | (JSX.Element | string)[];
}

function Stat({ title, name, value, kind = "", note, children }: StatProps): JSX.Element {
  return (
    <div class={`card ${kind}`}>
      <dt>{title}</dt>
      <dd class="figure" data-stat={name}>
        {count(value)}
      </dd>
      <dd class="note">{children ?? note}</dd>
    </div>
  );
}

function Alerts({ data }: { data: OverviewData }): JSX.Element {
  return (
    <section class="alerts span-12" aria-label="Piracy alerts" data-panel="alerts">
      {data.alerts.map(({ flag, records, before, change }) => (
        <Follow
          key={flag}
          class={`card alert ${records > 0 ? "raised" : ""}`}
          page="records"
          filters={{ flag }}
          data={{ "data-alert": flag }}
        >
          <h2>
            <Icon name="alert" /> {ALERTS.get(flag)?.[0] ?? flagName(flag)}
          </h2>
          <p class="figure" data-stat="records">
            {count(records)}
          </p>
          <p class="change" title={`${plural(before, "record")} in the range before`}>
            <Change change={change} />
          </p>
          <p class="note">{ALERTS.get(flag)?.[1]}</p>
        </Follow>
      ))}
    </section>
  );
}

function Change({ change }: { change: number }): JSX.Element {
  if (change === 0) return <span class="same">same as in the range before</span>;
  return (
    <>
      <span class={change > 0 ? "risen" : "fallen"}>
        <span aria-hidden="true">{change > 0 ? "▲" : "▼"}</span> {count(Math.abs(change))}{" "}
        {change > 0 ? "more" : "fewer"}
      </span>{" "}
      than in the range before
    </>
  );
}

const open = (closed: boolean | undefined): string | undefined => (closed === false ? "so far" : undefined);

function Trend({ data, span }: { data: OverviewData; span: number }): JSX.Element {
  const { trend, bucket, stats } = data;
  return (
    <ChartPanel
      title="Records"
      note={`Clean and flagged, per ${bucket}`}
      name="trend"
      span={span}
      summary={`Records per ${bucket}: ${count(stats.range_clean)} clean and ${count(stats.range_flagged)} flagged in all.`}
      chart={{
        kind: "stacked bars",
        bucket,
        starts: trend.map(({ start }) => start),
        series: [
          { label: "Clean", color: "--clean", values: trend.map(({ clean }) => clean) },
          { label: "Flagged", color: "--flagged", values: trend.map(({ flagged }) => flagged) },
        ],
        format: count,
        remark: (index) => open(trend[index]?.closed),
      }}
    />
  );
}

function ActiveUsers({ data }: { data: OverviewData }): JSX.Element {
  const days = data.active_users;
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
      summary={`Distinct users over ${plural(days.length, "day")}, each counted once per window.`}
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
        format: count,
        remark: (index) => open(days[index]?.closed),
      }}
    />
  );
}

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
  [301, "active already"],
  [302, "limit reached"],
  [400, "deactivated"],
  [401, "inactive already"],
]);

const CODES: Column<OverviewData["activations"]["codes"][number]>[] = [
  { title: "Call", cell: ({ action }) => action },
  {
    title: "Answer",
    cell: ({ code }) => (
      <>
        {code} <span class="muted">{MEANINGS.get(code)}</span>
      </>
    ),
  },
  { title: "Calls", class: "number", cell: ({ calls }) => count(calls) },
];

function Activations({ data }: { data: OverviewData }): JSX.Element {
  const { granted, blocked, codes } = data.activations;
  return (
    <Panel
      title="Licence checks"
      note="Verify, activate, deactivate: what devices were answered"
      span={4}
      name="activations"
    >
      {codes.length === 0 ? (
        <Empty title="No device asked in this range." />
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
