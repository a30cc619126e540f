// Figures and piracy alerts at the top of the overview.

import type { ComponentChildren, JSX } from "preact";
import { duringRange } from "../frame/ranges";
import { useView, ViewLink } from "../frame/view";
import type { Overview } from "../types";
import { flagName } from "./flags";
import { count, percent, plural, wholeDays, windowText } from "./format";
import { Icon } from "./ui";

const ALERTS = new Map<string, readonly [string, string]>([
  ["INVALID_LICENSE", ["Invalid licences", "Unknown keys, or no key where one is required"]],
  ["BYPASSED_ACTIVATION", ["Bypassed activations", "Devices without an active activation"]],
  ["REVOKED_LICENSE", ["Revoked licences", "Records with a revoked licence"]],
  ["ENVIRONMENT_MISMATCH", ["Environment mismatch", "Keys that belong to another environment"]],
]);

export function Stats({ data }: { data: Overview }): JSX.Element {
  const view = useView();
  const { stats, before, users_window: users } = data;
  const during = duringRange(view.range);
  const days = plural(stats.unique_users_days, "UTC day");
  const counted =
    users.from === data.from && users.to >= data.to ? `over ${days}` : `over ${days}: ${windowText(users)}`;
  const records = before && { title: `Compared with ${windowText(before)} (UTC)`, before };
  const actors = before && { title: `Compared with ${wholeDays(before.users_window)}`, before };
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
        <Compared {...records} name="recent_activity" now={stats.recent_activity} />
      </Stat>
      <Stat title="Unique users" name="unique_users" value={stats.unique_users}>
        <span title={wholeDays(users)}>{counted}</span>
        <Compared {...actors} name="unique_users" now={stats.unique_users} />
      </Stat>
      <Stat title="Unique devices" name="unique_devices" value={stats.unique_devices}>
        <span title={wholeDays(users)}>{counted}</span>
        <Compared {...actors} name="unique_devices" now={stats.unique_devices} />
      </Stat>
    </dl>
  );
}

type Comparable = "recent_activity" | "unique_users" | "unique_devices";

interface ComparedProps {
  name: Comparable;
  now: number;
  title?: string;
  /** Missing where there is no window to compare with: then nothing is said. */
  before?: Record<Comparable, number>;
}

/** "▲ 12.0% (before: 1,080)". */
function Compared({ name, now, title, before }: ComparedProps): JSX.Element | null {
  if (!before) return null;
  const was = before[name];
  const change = was === 0 ? null : percent((100 * Math.abs(now - was)) / was);
  return (
    <span class="compared" data-before={name} title={title}>
      {now === was ? (
        "same as before"
      ) : (
        <>
          <span aria-hidden="true">{now > was ? "▲" : "▼"}</span>
          <span class="visually-hidden">{now > was ? "up" : "down"}</span> {change} (before: {count(was)})
        </>
      )}
    </span>
  );
}

interface StatProps {
  title: string;
  name: string;
  value: number;
  kind?: string;
  note?: string;
  children?: ComponentChildren;
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
          {before !== null && change !== null && (
            <p class="change" title={`${plural(before, "record")} in the previous period`}>
              <Change change={change} />
            </p>
          )}
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
