// Customers with more devices than their licences allow.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import { useView } from "../frame/view";
import { useLicenses } from "../licenses/license_pages";
import { LicenseTable } from "../licenses/license_table";
import { count } from "../parts/format";
import { CustomerLink, LicenseLink } from "../parts/links";
import { LoadedPages } from "../parts/loaded_pages";
import { type Column, Table } from "../parts/table";
import { Empty, Loaded, Panel } from "../parts/ui";
import type { DeviceExcess } from "../types";

type Excess = DeviceExcess["items"][number];

/** More devices than any licence has: only what is over its limit is listed. */
const NO_THRESHOLD = "1000000000";
const RANGE = "30d";

export function OverLimit(): JSX.Element {
  return (
    <>
      <Seen />
      <Activated />
    </>
  );
}

const COLUMNS: Column<Excess>[] = [
  {
    title: "Customer",
    cell: ({ customer_id: id, name }) =>
      id === null ? <span class="muted">{name}</span> : <CustomerLink customer={{ id, name }} />,
  },
  {
    title: "Licence",
    cell: ({ license_id: id, last4 }) => id && <LicenseLink id={id} last4={last4} />,
  },
  { title: "Devices", class: "number strong", sort: ({ devices }) => devices, cell: ({ devices }) => count(devices) },
  { title: "Allowed", class: "number", sort: ({ limit }) => limit, cell: ({ limit }) => count(limit ?? 0) },
  { title: "Too many", class: "number", cell: ({ devices, limit }) => count(devices - (limit ?? 0)) },
];

/** By what their records show, whether the devices were activated or not. */
function Seen(): JSX.Element {
  const { environment } = useView();
  const excess = useResource<DeviceExcess>("/api/v1/analytics/devices/excess", {
    environment,
    range: RANGE,
    threshold: NO_THRESHOLD,
  });
  return (
    <Panel
      title="Over their limit: devices seen"
      note={`Devices that sent records in the last 30 days. ${excess.data?.note ?? ""}`}
      name="over-limit"
    >
      <Loaded resource={excess}>
        {({ items }) => {
          const over = items.filter(({ kind, over: is }) => kind === "license" && is);
          return over.length === 0 ? (
            <Empty title="Nobody is over the limit." />
          ) : (
            <Table
              label="Customers over their limit"
              columns={COLUMNS}
              items={over}
              keyOf={({ license_id: id }) => id ?? ""}
              row={({ customer_id: id }) => ({ "data-customer": id ?? "" })}
            />
          );
        }}
      </Loaded>
    </Panel>
  );
}

/** By the registry: where a limit was lowered, or more were imported. */
function Activated(): JSX.Element {
  const { environment } = useView();
  const list = useLicenses({ environment, seats: "over" });
  return (
    <Panel
      title="Over their limit: devices activated"
      note="Where a limit was lowered, or more devices were imported than it allows"
      name="over-seats"
    >
      <LoadedPages list={list} what="licences" none="No licence has more active devices than it allows.">
        {(items) => <LicenseTable label="Licences over their limit" licenses={items} />}
      </LoadedPages>
    </Panel>
  );
}
