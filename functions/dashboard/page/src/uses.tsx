// Product usage: how often each activity type was used. Uses are not records: one record may sum up many.

import type { JSX } from "preact";
import { bucketName, count, percent, plural } from "./format";
import { type Column, Table } from "./table";
import type { Overview, UsedActivity } from "./types";
import { Panel, Text } from "./ui";

const NAMES = new Map([
  ["~other", "other types"],
  ["~unknown", "no type"],
]);

export function Uses({ data }: { data: Overview }): JSX.Element | null {
  const { activities, bucket, product, stats } = data;
  if (activities.length === 0) return null;
  const columns: Column<UsedActivity>[] = [
    { title: "Activity", cell: ({ activity_type, label }) => <Activity type={activity_type} label={label} /> },
    {
      title: "Level",
      cell: ({ activity_type, level }) =>
        level ?? <span class="muted">{product && !NAMES.has(activity_type) ? "not configured" : ""}</span>,
    },
    { title: "Uses", class: "number", cell: ({ uses }) => <span data-stat="uses">{count(uses)}</span> },
    { title: "Share", class: "number", cell: ({ uses }) => percent((100 * uses) / stats.uses) },
    {
      title: "First",
      hint: `The first ${bucket} of the range with any`,
      cell: (row) => bucketName(row.first_seen, bucket),
    },
    {
      title: "Last",
      hint: `The last ${bucket} of the range with any`,
      cell: (row) => bucketName(row.last_seen, bucket),
    },
  ];
  return (
    <Panel
      title="Product usage"
      note={`${plural(stats.uses, "use")} in the range. One record may stand for many uses.`}
      span={12}
      name="uses"
    >
      <Table
        label="Uses by activity"
        class="rows"
        columns={columns}
        items={activities}
        keyOf={({ activity_type }) => activity_type}
        row={({ activity_type }) => ({ "data-activity": activity_type })}
      />
    </Panel>
  );
}

function Activity({ type, label }: { type: string; label: string | null }): JSX.Element {
  const named = NAMES.get(type);
  if (named) return <span class="muted">{named}</span>;
  if (label === null || label === type) return <Text>{type}</Text>;
  return (
    <span>
      <Text>{label}</Text>{" "}
      <span class="muted">
        <Text>{type}</Text>
      </span>
    </span>
  );
}
