// The devices that sent something under a licence, or under those of a customer: activated or not.

import type { JSX } from "preact";
import { ViewLink } from "../frame/view";
import { Countries } from "../parts/countries";
import { count } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { FlagBadges, Panel, Text, Time } from "../parts/ui";
import type { SentByDevice } from "../types";

interface DevicesProps {
  devices: SentByDevice[];
  /** How many there are; `devices` are those that sent last. */
  all: number;
  /** The filters of the records that are counted. */
  records: Record<string, string>;
}

export function SentByDevices({ devices, all, records }: DevicesProps): JSX.Element {
  const columns: Column<SentByDevice>[] = [
    { title: "Device", class: "full breaks", cell: ({ hwid }) => <Device hwid={hwid} records={records} /> },
    {
      title: "Records",
      class: "number strong",
      sort: ({ records: sent }) => sent,
      cell: ({ records: sent }) => count(sent),
    },
    { title: "Flagged", class: "number", sort: ({ flagged }) => flagged, cell: ({ flagged }) => count(flagged) },
    { title: "Flags", class: "badges", cell: ({ flags }) => <FlagBadges flags={flags} /> },
    { title: "Countries", class: "wide", cell: ({ countries }) => <Countries countries={countries} /> },
    { title: "First seen (UTC)", class: "wide", cell: ({ first_seen: at }) => <Time at={at} /> },
    { title: "Last seen (UTC)", sort: ({ last_seen: at }) => at, cell: ({ last_seen: at }) => <Time at={at} /> },
  ];
  const note =
    all > devices.length ? `The ${count(devices.length)} of ${count(all)} that sent last` : "Activated or not";
  return (
    <Panel title="Devices that sent" note={note} name="sent-by-devices">
      <Table
        label="By device"
        class="low"
        columns={columns}
        items={devices}
        keyOf={(each) => each.hwid ?? String(devices.indexOf(each))}
      />
    </Panel>
  );
}

function Device({ hwid, records }: { hwid: string | null; records: Record<string, string> }): JSX.Element {
  if (hwid === null) return <span class="muted">not told</span>;
  return (
    <ViewLink page="records" filters={{ ...records, hwid }} title="Its records">
      <code>
        <Text>{hwid}</Text>
      </code>
    </ViewLink>
  );
}
