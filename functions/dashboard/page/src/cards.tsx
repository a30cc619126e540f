// Figures and piracy alerts at the top of the overview.

import type { JSX } from "preact";
import { flagName } from "./flags";
import { count, percent, plural } from "./format";
import { type Overview, RANGES } from "./types";
import { Icon } from "./ui";
import { useView, ViewLink } from "./view";

const ALERTS = new Map<string, readonly [string, string]>([
  ["INVALID_LICENSE", ["Invalid licences", "Unknown keys, or no key where one is required"]],
  ["BYPASSED_ACTIVATION", ["Bypassed activations", "Devices without an active activation"]],
  ["REVOKED_LICENSE", ["Revoked licences", "Records with a revoked licence"]],
  ["ENVIRONMENT_MISMATCH", ["Environment mismatch", "Keys that belong to another environment"]],
]);

export function Stats({ data }: { data: Overview }): JSX.Element {
  const view = useView();
  const { stats } = data;
  const range = RANGES.get(view.range);
  const during = range ? `last ${range}` : "in the range";
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

/** A figure; behind `note` or `children` nothing else is said of it. */
export function Stat({ title, name, value, kind = "", note, children }: StatProps): JSX.Element {
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

export function Alerts({ data }: { data: Overview }): JSX.Element {
  return (
    <section class="alerts span-12" aria-label="Piracy alerts" data-panel="alerts">
      {data.alerts.map(({ flag, records, before, change }) => (
        <ViewLink
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
          <p class="change" title={`${plural(before, "record")} in the previous period`}>
            <Change change={change} />
          </p>
          <p class="note">{ALERTS.get(flag)?.[1]}</p>
        </ViewLink>
      ))}
    </section>
  );
}

function Change({ change }: { change: number }): JSX.Element {
  if (change === 0) return <span class="same">same as in the previous period</span>;
  return (
    <>
      <span class={change > 0 ? "risen" : "fallen"}>
        <span aria-hidden="true">{change > 0 ? "▲" : "▼"}</span> {count(Math.abs(change))}{" "}
        {change > 0 ? "more" : "fewer"}
      </span>{" "}
      than in the previous period
    </>
  );
}
