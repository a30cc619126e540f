// The users of one month: how many, whether that is final, and what a user is.

import type { ComponentChildren, JSX } from "preact";
import type { Resource } from "../api/live";
import { useView } from "../frame/view";
import { count, dayName, monthName } from "../parts/format";
import { CopyButton, Empty, FlagBadge, Loaded, NoValue, Panel, Time } from "../parts/ui";
import type { Definition, MonthRow, MonthsReport } from "../types";
import { ReportFile } from "./billing_file";
import { lastDay } from "./months";

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
  const { counts } = definition;
  return (
    <div class="statement">
      <div class="figures">
        <p class="total">
          <b data-stat="users">{count(row.users)}</b> unique users
        </p>
        <dl>
          <Fact title="New" hint={counts.new}>
            {count(row.new)}
          </Fact>
          <Fact title="Returning" hint={counts.returning}>
            {count(row.returning)}
          </Fact>
          <Fact title="Back" hint={counts.back}>
            {count(row.back)}
          </Fact>
          <Fact title="Lost" hint={counts.lost}>
            {row.lost === null ? <NoValue /> : count(row.lost)}
          </Fact>
        </dl>
      </div>
      <p>
        {row.final ? (
          <>
            <span class="badge final">final</span> The same for ever.
          </>
        ) : (
          <>
            <span class="badge so-far">so far</span> Up to {dayName(row.through)}, the last closed day. It is final when{" "}
            {dayName(lastDay(row.month))} is closed.
          </>
        )}
      </p>
      {row.digest === null ? (
        <Empty title="There is no report: nothing was known of this product by then.">
          <p>If it is the one that you mean, nobody used it in this month.</p>
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
      <p class="meaning">
        A user is the one that a record names; where it names none, its device. Everyone counts once who has a record in
        the month without any of the flags below. Days are UTC days, by the time when the server received the record.
      </p>
      {definition.excluding_flags.length > 0 && (
        <details>
          <summary>Flags that keep a record from counting</summary>
          <p class="badges">
            {definition.excluding_flags.map((flag) => (
              <FlagBadge key={flag} flag={flag} />
            ))}
          </p>
        </details>
      )}
    </div>
  );
}

interface FactProps {
  title: string;
  hint?: string | undefined;
  children: ComponentChildren;
}

const Fact = ({ title, hint, children }: FactProps): JSX.Element => (
  <div title={hint}>
    <dt>{title}</dt>
    <dd>{children}</dd>
  </div>
);
