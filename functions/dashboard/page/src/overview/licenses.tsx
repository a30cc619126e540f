// The licences with the most flagged records.

import type { JSX } from "preact";
import type { Resource } from "../api/live";
import { ViewLink } from "../frame/view";
import { LicenseActions } from "../licenses/license_actions";
import { Countries } from "../parts/countries";
import { count, wholeDays } from "../parts/format";
import { CustomerLink, LicenseLink } from "../parts/links";
import { type Column, Table } from "../parts/table";
import { Empty, FlagBadges, Loaded, Panel, StateBadge, Text, Time } from "../parts/ui";
import { useSorting } from "../parts/use_sorting";
import type { TopLicense, TopLicenses } from "../types";

/** How many are shown. */
export const LIMIT = "20";

export function Licenses({ top }: { top: Resource<TopLicenses> }): JSX.Element {
  const sorting = useSorting("licenses");
  const { data } = top;
  const worth = data?.note ?? (data?.exact ? "Exact, for all closed days in the range" : "");
  const note = data && `${wholeDays(data.window)}. ${worth}`;
  return (
    <Panel title="Top licences by flagged records" note={note} name="licenses">
      <Loaded resource={top} lines={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No licence has flagged records in this range." />
          ) : (
            <Table
              label="Top licences"
              sorting={sorting}
              columns={COLUMNS}
              items={items}
              keyOf={({ fingerprint, product }) => JSON.stringify([fingerprint, product])}
              row={(license) => ({ "data-license": license.license_id ?? license.fingerprint })}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

const COLUMNS: Column<TopLicense>[] = [
  { title: "Licence, customer", cell: (license) => <Name license={license} />, sort: nameOf },
  {
    title: "Product, state",
    cell: ({ product, state }) => (
      <>
        <Text>{product}</Text>
        {state && (
          <span class="second">
            <StateBadge state={state} />
          </span>
        )}
      </>
    ),
    sort: ({ product }) => product,
  },
  {
    title: "Flagged",
    class: "number strong",
    cell: (license) => <Numbers license={license} />,
    sort: ({ flagged }) => flagged,
  },
  {
    title: "Flags",
    class: "badges",
    cell: ({ flags }) => <FlagBadges flags={flags} />,
  },
  { title: "Devices", class: "number", cell: ({ devices }) => count(devices), sort: ({ devices }) => devices },
  { title: "IPs", class: "number", cell: ({ ips }) => count(ips), sort: ({ ips }) => ips },
  {
    title: "Countries",
    class: "wide",
    cell: ({ countries }) => <Countries countries={countries} />,
    sort: ({ countries }) => countries.length,
  },
  {
    title: "Last seen (UTC)",
    class: "wide",
    cell: (license) => (
      <>
        <Time at={license.last_seen} />{" "}
        <span class="second">
          since <Time at={license.first_seen} />
        </span>
      </>
    ),
    sort: ({ last_seen }) => last_seen,
  },
  {
    title: "Actions",
    untitled: true,
    class: "right",
    cell: ({ license_id: id, last4, customer, product, state }) =>
      id &&
      state && (
        <LicenseActions
          license={{ id, last4: last4 ?? "", customer: customer?.name ?? customer?.id ?? null, product, state }}
        />
      ),
  },
];

function nameOf({ customer }: TopLicense): string | null {
  return customer && (customer.name ?? customer.id);
}

function Name({ license }: { license: TopLicense }): JSX.Element {
  const { license_id: id, last4, customer, fingerprint } = license;
  return (
    <>
      {id ? (
        <LicenseLink id={id} last4={last4} />
      ) : (
        <span title={`Fingerprint ${fingerprint}`}>
          <code>{last4 ? `••••${last4}` : fingerprint.slice(0, 8)}</code> <span class="muted">not issued here</span>
        </span>
      )}
      <span class="second">{customer ? <CustomerLink customer={customer} /> : "no customer"}</span>
    </>
  );
}

/** Flagged records and all; those of an issued licence lead to the records. */
function Numbers({ license: { license_id: id, flagged, records } }: { license: TopLicense }): JSX.Element {
  const linked = (number: number, filters: Record<string, string>, title: string): JSX.Element | string =>
    id ? (
      <ViewLink page="records" filters={{ license_id: id, ...filters }} title={title}>
        {count(number)}
      </ViewLink>
    ) : (
      count(number)
    );
  return (
    <>
      {linked(flagged, { flagged: "true" }, "Show the flagged records of this licence")}{" "}
      <span class="second">of {linked(records, {}, "Show all records of this licence")}</span>
    </>
  );
}
