// The users of one month: how many, whether that is final, and what a user is.

import type { ComponentChildren, JSX } from "preact";
import { ReportFile } from "./billing_file";
import { count, dayName, monthName } from "./format";
import type { Resource } from "./live";
import { lastDay } from "./months";
import type { Definition, MonthRow, MonthsReport } from "./types";
import { CopyButton, Empty, FlagBadge, Loaded, Panel, Time } from "./ui";
import { useView } from "./view";

interface StatementProps {
  months: Resource<MonthsReport>;
  application: string;
  month: string;
}

export function Statement({ months, application, month }: StatementProps): JSX.Element {
  const { environment } = useView();
  const row = months.data?.rows.find((each) => each.month === month);
  const query = { environment, application, ...(row?.final ? { month } : windowOf(row)) };
  const file = row && <ReportFile path="/api/v1/reports/active-users" query={query} name={`users-${month}`} />;
  return (
    <Panel title={`Users in ${monthName(month)}`} name="month" actions={file}>
      <Loaded resource={months} lines={6}>
        {({ definition }) => row && <Month row={row} definition={definition} />}
      </Loaded>
    </Panel>
  );
}

/** What the users of a month so far are asked by. */
const windowOf = (row: MonthRow | undefined): Record<string, string> =>
  row ? { days: String(Number(row.through.slice(8))), as_of: row.through } : {};

function Month({ row, definition }: { row: MonthRow; definition: Definition }): JSX.Element {
  return (
    <div class="statement">
      <p class="total">
        <b data-stat="users">{count(row.users)}</b> unique users
      </p>
      <p>
        {row.final ? (
          <span class="badge final">final</span>
        ) : (
          <>
            <span class="badge so-far">so far</span> up to {dayName(row.through)}, the last closed day. It is final when{" "}
            {dayName(lastDay(row.month))} is closed.
          </>
        )}
      </p>
      {row.digest === null ? (
        <Empty title="No report: nothing was known of this product by then.">
          <p>If it is the one you mean, nobody has used it in this month.</p>
        </Empty>
      ) : (
        <dl class="seal">
          <Fact title="Closed at (UTC)">{row.closed_at && <Time at={row.closed_at} seconds />}</Fact>
          <Fact title={`Digest of the report of ${row.through}`}>
            <code class="breaks" data-stat="digest">
              {row.digest}
            </code>
            <CopyButton text={row.digest} what="Digest" />
          </Fact>
        </dl>
      )}
      <details class="meaning">
        <summary>What a user is</summary>
        <p>
          A user is {definition.user}. Counted are {definition.counts.users} ({definition.zone}; {definition.clock}).
          Each counts once.
        </p>
        {definition.excluding_flags.length > 0 && (
          <p class="flags">
            Records with these flags count for nobody:{" "}
            {definition.excluding_flags.map((flag) => (
              <FlagBadge key={flag} flag={flag} />
            ))}
          </p>
        )}
      </details>
    </div>
  );
}

const Fact = ({ title, children }: { title: string; children: ComponentChildren }): JSX.Element => (
  <div>
    <dt>{title}</dt>
    <dd>{children}</dd>
  </div>
);
