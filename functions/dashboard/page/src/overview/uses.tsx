// Product usage: how often each activity type was used. Uses are not records: one record may sum up many.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { count, minute, percent, plural } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Panel, Text } from "../parts/ui";
import { useSorting } from "../parts/use_sorting";
import type { ActivityTypes, ActivityTypeUses, Overview, ProductName, UsedActivity } from "../types";

/** Products send it by themselves: it needs no configuration. */
const CALL_HOME = "CALL_HOME";
const NAMES = new Map([
  ["~other", "other types"],
  ["~unknown", "no type"],
]);

export function Uses({ data }: { data: Overview }): JSX.Element | null {
  const { activities, bucket, product, stats } = data;
  const sorting = useSorting("uses");
  if (activities.length === 0) return null;
  const began = (instant: string): string => (bucket === "day" ? instant.slice(0, 10) : minute(instant));
  const columns: Column<UsedActivity>[] = [
    {
      title: "Activity",
      cell: ({ activity_type, label }) => <Activity type={activity_type} label={label} />,
      sort: ({ activity_type, label }) => label ?? activity_type,
    },
    {
      title: "Type",
      class: "wide",
      cell: ({ activity_type }) => !NAMES.has(activity_type) && <Text>{activity_type}</Text>,
    },
    {
      title: "Level",
      cell: ({ activity_type, level }) =>
        level ?? (
          <span class="muted">
            {product && !NAMES.has(activity_type) && activity_type !== CALL_HOME ? "not configured" : ""}
          </span>
        ),
    },
    { title: "Uses", class: "number", cell: ({ uses }) => count(uses), sort: ({ uses }) => uses },
    { title: "Share", class: "number", cell: ({ uses }) => percent((100 * uses) / stats.uses) },
    {
      title: "First",
      class: "wide",
      hint: `The first ${bucket} of the range with any`,
      cell: (row) => began(row.first_seen),
      sort: (row) => row.first_seen,
    },
    {
      title: "Last",
      class: "wide",
      hint: `The last ${bucket} of the range with any`,
      cell: (row) => began(row.last_seen),
      sort: (row) => row.last_seen,
    },
  ];
  return (
    <Panel
      title="Product usage"
      note={
        <>
          <span data-stat="uses">{count(stats.uses)}</span> {stats.uses === 1 ? "use" : "uses"} in the range. One record
          may stand for many uses.
        </>
      }
      span={12}
      name="uses"
    >
      <Table
        label="Uses by activity"
        sorting={sorting}
        class="rows"
        columns={columns}
        items={activities}
        keyOf={({ activity_type }) => activity_type}
        row={({ activity_type }) => ({ "data-activity": activity_type })}
      />
    </Panel>
  );
}

/** Most that are shown: clients choose these names. */
const MOST_TYPES = 50;

const TYPES: Column<ActivityTypeUses>[] = [
  { title: "Type", cell: ({ activity_type }) => <Activity type={activity_type} label={null} /> },
  {
    title: "Level",
    cell: ({ activity_type }) => !NAMES.has(activity_type) && <span class="muted">not configured</span>,
  },
  { title: "Uses", class: "number", cell: ({ uses }) => count(uses), sort: ({ uses }) => uses },
  {
    title: "First",
    hint: "The first day of the last 90 with any",
    cell: ({ first_day }) => first_day,
    sort: ({ first_day }) => first_day,
  },
  {
    title: "Last",
    hint: "The last day of the last 90 with any",
    cell: ({ last_day }) => last_day,
    sort: ({ last_day }) => last_day,
  },
];

/** What arrived in 90 days, whatever the range is, and the product does not list: loaded once. */
export function UnknownTypes({
  product,
  products,
}: {
  product: string;
  products: ProductName[] | null;
}): JSX.Element | null {
  const { environment, session } = useView();
  const query = { environment, product };
  const types = useResource<ActivityTypes>("/api/v1/analytics/activity-types", query, false);
  const unknown = (types.data?.items ?? []).filter(isUnknownType);
  if (unknown.length === 0) return null;
  const beyond = unknown.length - MOST_TYPES;
  const isRegistered = !product.startsWith("~") && products?.some(({ id }) => id === product);
  return (
    <Panel
      title="Activity types that are not configured"
      note={
        <>
          In the last 90 days. One that is configured later is classified from its beginning; flags stay.
          {beyond > 0 && ` ${plural(beyond, "type")} with fewer uses not shown.`}
        </>
      }
      name="unknown-types"
      actions={
        session.role !== "viewer" &&
        isRegistered && (
          <ViewLink class="button small" page="products" filters={{ open: product }}>
            Configure
          </ViewLink>
        )
      }
    >
      <Table
        label="Activity types that are not configured"
        class="rows"
        columns={TYPES}
        items={unknown.slice(0, MOST_TYPES)}
        keyOf={({ activity_type }) => activity_type}
        row={({ activity_type }) => ({ "data-activity": activity_type })}
      />
    </Panel>
  );
}

/** Whether it arrived, has a name, and the product should list it. */
export const isUnknownType = ({ activity_type, configured }: ActivityTypeUses): boolean =>
  !configured && activity_type !== CALL_HOME && activity_type !== "~unknown";

function Activity({ type, label }: { type: string; label: string | null }): JSX.Element {
  const named = NAMES.get(type);
  if (named) return <span class="muted">{named}</span>;
  return <Text>{label ?? type}</Text>;
}
