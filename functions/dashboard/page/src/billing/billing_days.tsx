// The closed days of a month, each with its report's digest.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import { useView } from "../frame/view";
import { count, dayName, monthName } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Loaded, NoValue, Panel, Time } from "../parts/ui";
import type { DailyReport, DailyRow, Definition } from "../types";
import { ReportFile } from "./billing_file";
import { lastDay } from "./months";

/** Of a digest's 64 characters; the file has them all. */
const SHOWN = 12;

interface DayListProps {
  application: string;
  month: string;
  /** The last closed day. */
  closed: string;
}

export function DayList({ application, month, closed }: DayListProps): JSX.Element {
  const { environment } = useView();
  const last = lastDay(month);
  const query = { environment, application, from: `${month}-01`, to: last < closed ? last : closed };
  const days = useResource<DailyReport>("/api/v1/reports/daily", query, false);
  return (
    <Panel
      title={`Days of ${monthName(month)}`}
      note="Closed days; each report follows from the one before. Users of days do not add up to those of the month: who comes on two days counts once."
      name="days"
      actions={<ReportFile path="/api/v1/reports/daily" query={query} name={`days-${month}`} />}
    >
      <Loaded resource={days} lines={10}>
        {({ rows, definition }) => (
          <Table label="Days" columns={columnsOf(definition)} items={rows} keyOf={(row) => row.day} row={attributes} />
        )}
      </Loaded>
    </Panel>
  );
}

const attributes = (row: DailyRow): { "data-day": string } => ({ "data-day": row.day });

type Counted = "users" | "all_users" | "devices" | "users_30" | "records" | "flagged";

function columnsOf({ counts }: Definition): Column<DailyRow>[] {
  const number = (title: string, name: Counted, kind = ""): Column<DailyRow> => ({
    title,
    class: `number ${kind}`,
    ...(counts[name] ? { hint: counts[name] } : {}),
    cell: (row) => <span data-stat={name}>{count(row[name])}</span>,
    sort: (row) => row[name],
  });
  return [
    { title: "Day (UTC)", cell: ({ day }) => dayName(day), sort: ({ day }) => day },
    number("Users", "users", "strong"),
    number("Users, 30 days", "users_30", "wide"),
    number("All users", "all_users", "wide"),
    number("Devices", "devices", "wide"),
    number("Records", "records"),
    number("Flagged", "flagged"),
    {
      title: "Closed at (UTC)",
      class: "wide",
      cell: ({ closed_at }) => (closed_at ? <Time at={closed_at} /> : <NoValue />),
    },
    {
      title: "Digest",
      class: "wide",
      cell: ({ digest }) => (digest ? <code title={digest}>{digest.slice(0, SHOWN)}</code> : <NoValue />),
    },
  ];
}
