// What finance bills: the users of a month, of one product or of all, as the reports tell them.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { dayName, monthName } from "../parts/format";
import { Empty, Icon, Loaded, Panel, visible } from "../parts/ui";
import type { ApplicationItem, Applications, MonthsReport } from "../types";
import { DayList } from "./billing_days";
import { Statement } from "./billing_month";
import { Year } from "./billing_year";
import { isMonth, lastFinal, monthOf, plus, yearEnd } from "./months";

const ALL = "*";
const LISTED_MONTHS = 24;

export function Billing(): JSX.Element {
  const { environment } = useView();
  const applications = useResource<Applications>("/api/v1/reports/applications", { environment });
  return (
    <div class="grid billing">
      {applications.data ? (
        <Reports applications={applications.data.items} closed={applications.data.closed_through} />
      ) : (
        <Panel title="Billing" name="billing">
          <Loaded resource={applications} lines={8}>
            {() => null}
          </Loaded>
        </Panel>
      )}
    </div>
  );
}

interface ReportsProps {
  applications: ApplicationItem[];
  /** The last closed day. */
  closed: string | null;
}

function Reports({ applications, closed }: ReportsProps): JSX.Element {
  const view = useView();
  const asked = view.param("month");
  if (closed === null) {
    return (
      <Panel title="Billing" name="billing">
        <Empty title={`No day of ${view.environment} is closed yet.`}>
          <p>A day is usually closed at 01:30 UTC of the day after it. Then its users are final.</p>
        </Empty>
      </Panel>
    );
  }
  const month = asked || lastFinal(closed);
  const application = view.product || ALL;
  const known = isMonth(month) && month <= monthOf(closed);
  return (
    <>
      <Choice applications={applications} application={application} month={month} closed={closed} />
      {known ? (
        <Months key={application} application={application} month={month} closed={closed} />
      ) : (
        <NothingClosed month={month} closed={closed} />
      )}
    </>
  );
}

function Months({ application, month, closed }: { application: string; month: string; closed: string }): JSX.Element {
  const { environment } = useView();
  const to = yearEnd(month, closed);
  const query = { environment, application, from: plus(to, -11), to };
  const months = useResource<MonthsReport>("/api/v1/reports/months", query);
  return (
    <>
      <Statement months={months} application={application} month={month} />
      <Year months={months} query={query} month={month} />
      <DayList application={application} month={month} closed={closed} />
    </>
  );
}

function NothingClosed({ month, closed }: { month: string; closed: string }): JSX.Element {
  const title = isMonth(month)
    ? `No day of ${monthName(month)} is closed yet.`
    : `The address names a month that does not exist: ${visible(month)}`;
  return (
    <Panel title="Billing" name="billing">
      <Empty title={title}>
        <p>The last closed day is {dayName(closed)}.</p>
        <p>
          <ViewLink page="billing" class="button">
            {monthName(lastFinal(closed))}
          </ViewLink>
        </p>
      </Empty>
    </Panel>
  );
}

interface ChoiceProps extends Required<ReportsProps> {
  application: string;
  month: string;
  closed: string;
}

/** The product and the month: both are chosen, never typed. */
function Choice({ applications, application, month, closed }: ChoiceProps): JSX.Element {
  const view = useView();
  const latest = monthOf(closed);
  const listed = Array.from({ length: LISTED_MONTHS }, (_, ago) => plus(latest, -ago));
  const isListed = listed.includes(month);
  const isKnown = applications.some(({ application: id }) => id === application);
  const show = (chosen: string): void => view.go({ month: chosen });
  return (
    <div class="billing-choice" role="search" aria-label="Product and month">
      <label>
        <span>Product</span>
        <select
          name="application"
          value={application}
          onChange={({ currentTarget: { value } }) => view.go({ product: value === ALL ? null : value })}
        >
          {applications.map(({ application: id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          {!isKnown && <option value={application}>{application}</option>}
        </select>
      </label>
      <label>
        <span>Month (UTC)</span>
        <select name="month" value={month} onChange={({ currentTarget: { value } }) => show(value)}>
          {!isListed && <option value={month}>{isMonth(month) ? monthName(month) : visible(month)}</option>}
          {listed.map((each) => (
            <option key={each} value={each}>
              {monthName(each)}
              {each > lastFinal(closed) ? ", so far" : ""}
            </option>
          ))}
        </select>
      </label>
      {isMonth(month) && (
        <div class="steps">
          <button type="button" class="button" aria-label="Month before" onClick={() => show(plus(month, -1))}>
            <Icon name="previous" />
          </button>
          <button
            type="button"
            class="button"
            aria-label="Month after"
            disabled={month >= latest}
            onClick={() => show(plus(month, 1))}
          >
            <Icon name="next" />
          </button>
        </div>
      )}
    </div>
  );
}
