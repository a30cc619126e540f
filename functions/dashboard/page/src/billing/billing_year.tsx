// The users of twelve months: who was new, who came again, who was lost.

import type { JSX } from "preact";
import type { Resource } from "../api/live";
import { Plot } from "../charts/chart";
import type { Chart } from "../charts/plot";
import { ViewLink } from "../frame/view";
import { count, dayName, monthName } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Loaded, NoValue, Panel } from "../parts/ui";
import type { Definition, MonthRow, MonthsReport } from "../types";
import { ReportFile } from "./billing_file";

interface YearProps {
  months: Resource<MonthsReport>;
  query: { environment: string; application: string; from: string; to: string };
  /** The one that is shown above. */
  month: string;
}

export function Year({ months, query, month }: YearProps): JSX.Element {
  return (
    <Panel
      title="Twelve months"
      note={`${monthName(query.from)} to ${monthName(query.to)}. A month's users are new, returning from the month before, or back after longer.`}
      name="year"
      actions={<ReportFile path="/api/v1/reports/months" query={query} name={`months-${query.from}-${query.to}`} />}
    >
      <Loaded resource={months} lines={10}>
        {({ rows, definition }) => (
          <>
            <Plot chart={chartOf(rows)} summary={summaryOf(rows)} />
            <Table
              label="Twelve months, table"
              columns={columnsOf(definition)}
              items={[...rows].reverse()}
              keyOf={(row) => row.month}
              row={(row) => ({ "data-month": row.month, ...(row.month === month ? { "aria-current": "true" } : {}) })}
            />
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function chartOf(rows: MonthRow[]): Chart {
  const series = (label: string, color: string, name: "new" | "returning" | "back") => ({
    label,
    color,
    values: rows.map((row) => row[name]),
  });
  return {
    kind: "stacked bars",
    bucket: "month",
    starts: rows.map((row) => `${row.month}-01T00:00:00Z`),
    series: [
      series("returning", "--series-1", "returning"),
      series("back", "--series-4", "back"),
      series("new", "--series-3", "new"),
    ],
    format: count,
    remark: (index) => {
      const row = rows[index];
      return row && (row.final ? `${count(row.users)} users, final` : `${count(row.users)} users so far`);
    },
  };
}

const summaryOf = (rows: MonthRow[]): string => {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!(first && last)) return "";
  return `Users of each month: ${count(first.users)} in ${monthName(first.month)}, ${count(last.users)} in ${monthName(last.month)}.`;
};

function columnsOf({ counts }: Definition): Column<MonthRow>[] {
  const number = (title: string, name: "users" | "new" | "returning" | "back" | "records"): Column<MonthRow> => ({
    title,
    class: name === "users" ? "number strong" : name === "records" ? "number wide" : "number",
    ...(counts[name] ? { hint: counts[name] } : {}),
    cell: (row) => <span data-stat={name}>{count(row[name])}</span>,
    sort: (row) => row[name],
  });
  return [
    {
      title: "Month",
      cell: (row) => (
        <ViewLink page="billing" filters={{ month: row.month }}>
          {monthName(row.month)}
        </ViewLink>
      ),
      sort: (row) => row.month,
    },
    number("Users", "users"),
    number("New", "new"),
    number("Returning", "returning"),
    number("Back", "back"),
    {
      title: "Lost",
      class: "number",
      ...(counts.lost ? { hint: counts.lost } : {}),
      cell: ({ lost }) => (lost === null ? <NoValue /> : <span data-stat="lost">{count(lost)}</span>),
      sort: ({ lost }) => lost,
    },
    number("Records", "records"),
    {
      title: "State",
      cell: ({ final, through }) =>
        final ? (
          <span class="badge final">final</span>
        ) : (
          <span class="badge so-far" title={`Up to ${dayName(through)}`}>
            so far
          </span>
        ),
    },
  ];
}
