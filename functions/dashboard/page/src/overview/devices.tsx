// Licences and customers with more devices than they should have.

import type { JSX } from "preact";
import type { Resource } from "../api/live";
import { ViewLink } from "../frame/view";
import { count, wholeDays } from "../parts/format";
import { CustomerLink, LicenseLink } from "../parts/links";
import { type Column, Table } from "../parts/table";
import { Empty, Loaded, NoValue, Panel, Text } from "../parts/ui";
import { useSorting } from "../parts/use_sorting";
import type { DeviceExcess } from "../types";

type Excess = DeviceExcess["items"][number];

/** The smallest number of devices that is many. */
export const THRESHOLD = "20";

const COLUMNS: Column<Excess>[] = [
  {
    title: "Who",
    sort: ({ name }) => name,
    cell: (item) => (
      <>
        {item.customer_id ? (
          <CustomerLink customer={{ id: item.customer_id, name: item.name }} />
        ) : (
          <Text>{item.name}</Text>
        )}
        <span class="second">
          {item.kind === "license" ? "licence " : "all licences"}
          {item.license_id ? (
            <LicenseLink id={item.license_id} last4={item.last4} />
          ) : (
            item.last4 && <code>••••{item.last4}</code>
          )}
        </span>
      </>
    ),
  },
  {
    title: "Devices",
    class: "number strong",
    cell: (item) =>
      item.license_id || item.customer_id ? (
        <ViewLink page="records" filters={filtersOf(item)} title="Show their records">
          {count(item.devices)}
        </ViewLink>
      ) : (
        count(item.devices)
      ),
    sort: ({ devices }) => devices,
  },
  {
    title: "Limit",
    class: "number",
    cell: ({ limit }) => (limit === null ? <NoValue /> : count(limit)),
    sort: ({ limit }) => limit,
  },
  {
    title: "Over the limit",
    untitled: true,
    class: "right",
    cell: ({ over }) => over && <span class="badge piracy">over limit</span>,
  },
];

export function Devices({ excess }: { excess: Resource<DeviceExcess> }): JSX.Element {
  const sorting = useSorting("devices");
  return (
    <Panel
      title="Many devices"
      note={
        excess.data &&
        `${wholeDays(excess.data.window)}. ${excess.data.note ?? `At least ${THRESHOLD} devices, or more than the limit`}`
      }
      span={6}
      name="devices"
    >
      <Loaded resource={excess}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody has too many devices in this range." />
          ) : (
            <Table
              label="Licences and customers with many devices"
              sorting={sorting}
              columns={COLUMNS}
              items={items}
              keyOf={(item) => JSON.stringify([item.kind, item.license_id, item.customer_id, item.last4])}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

function filtersOf(item: Excess): Record<string, string> {
  return item.license_id ? { license_id: item.license_id } : { customer_id: item.customer_id ?? "" };
}
