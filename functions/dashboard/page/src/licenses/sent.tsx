// What a licence, or all of a customer's, sent: yesterday, today, and day by day.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { Countries } from "../parts/countries";
import { count, dayName } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Empty, FlagBadges, Loaded, Panel, Time } from "../parts/ui";
import type { LicenseUseAnswer, Sent, SentOnDay } from "../types";
import { SentByDevices } from "./sent_by_devices";

const DAY_MS = 86_400_000;
const RANGE = "30d";

interface SentProps {
  /** Whose records: a parameter of raw data, and its value. */
  by: { license_id: string } | { customer_id: string };
}

export function SentPanel({ by }: SentProps): JSX.Element {
  const view = useView();
  const [kind, id] = "license_id" in by ? ["licenses", by.license_id] : ["customers", by.customer_id];
  const path = `/api/v1/analytics/${kind}/${encodeURIComponent(id)}/use`;
  const use = useResource<LicenseUseAnswer>(path, { environment: view.environment, range: RANGE });
  const records = (first: string, last: string, more: Record<string, string> = {}): Record<string, string> => ({
    ...by,
    from: first,
    to: last,
    range: "",
    product: "",
    ...more,
  });
  const ofMonth = { ...by, range: RANGE, from: "", to: "", product: "" };
  const today = new Date().toISOString().slice(0, 10);
  const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
  const columns: Column<SentOnDay>[] = [
    {
      title: "Day (UTC)",
      cell: ({ day }) => (
        <ViewLink page="records" filters={records(day, day)} title={`Its records of ${dayName(day)}`}>
          {day}
        </ViewLink>
      ),
    },
    {
      title: "Records",
      class: "number strong",
      sort: ({ records: all }) => all,
      cell: ({ records: all }) => count(all),
    },
    { title: "Flagged", class: "number", sort: ({ flagged }) => flagged, cell: ({ flagged }) => count(flagged) },
    { title: "Flags", class: "badges", cell: ({ flags }) => <FlagBadges flags={flags} /> },
    { title: "Devices", class: "number", sort: ({ devices }) => devices, cell: ({ devices }) => count(devices) },
    { title: "IPs", class: "number", cell: ({ ips }) => count(ips) },
    { title: "Countries", class: "wide", cell: ({ countries }) => <Countries countries={countries} /> },
  ];
  return (
    <>
      <Panel
        title={kind === "licenses" ? "What it sent" : "What its licences sent"}
        name="sent"
        note={
          use.data && !use.data.exact ? <NotAll answer={use.data} /> : "In the last 30 days, counted from its records"
        }
        actions={
          <ViewLink class="button" page="records" filters={ofMonth}>
            Its records
          </ViewLink>
        }
      >
        <Loaded resource={use}>
          {({ sent, days }) => (
            <>
              <div class="sent">
                <Told title="Yesterday" of={days.find(({ day }) => day === yesterday)} name="yesterday" />
                <Told title="Today so far" of={days.find(({ day }) => day === today)} name="today" />
                <Told title="30 days" of={sent} name="month" />
              </div>
              {days.length === 0 ? (
                <Empty title="No record came in these days." />
              ) : (
                <Table label="By day" class="low" columns={columns} items={days} keyOf={({ day }) => day} />
              )}
            </>
          )}
        </Loaded>
      </Panel>
      {use.data && use.data.devices.length > 0 && (
        <SentByDevices devices={use.data.devices} all={use.data.sent.devices} records={ofMonth} />
      )}
    </>
  );
}

function NotAll({ answer: { note, counted_from: from } }: { answer: LicenseUseAnswer }): JSX.Element {
  return (
    <strong data-part="inexact">
      {note}
      {from && (
        <>
          {" "}
          Since <Time at={from} />; what is older is not in these numbers.
        </>
      )}
    </strong>
  );
}

function Told({ title, of, name }: { title: string; of: Sent | undefined; name: string }): JSX.Element {
  return (
    <section data-sent={name} aria-label={title}>
      <h3>{title}</h3>
      {of === undefined || of.records === 0 ? (
        <p class="muted">No records</p>
      ) : (
        <>
          <p>
            <b class="figure">{count(of.records)}</b> records, {count(of.flagged)} flagged
          </p>
          <p>
            {count(of.devices)} devices, {count(of.ips)} IPs, <Countries countries={of.countries} />
          </p>
          <p>
            <FlagBadges flags={of.flags} />
          </p>
        </>
      )}
    </section>
  );
}
