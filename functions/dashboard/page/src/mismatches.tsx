// Licence keys that belong to another environment.

import type { JSX } from "preact";
import { count, wholeDays } from "./format";
import type { Resource } from "./live";
import { type Column, Table } from "./table";
import type { Mismatches as MismatchesData } from "./types";
import { Empty, Loaded, NoValue, Panel, Text, Time } from "./ui";
import { useSorting } from "./use_sorting";
import { useView, ViewLink } from "./view";

const COLUMNS: Column<MismatchesData["items"][number]>[] = [
  {
    title: "Key",
    cell: ({ last4, fingerprint }) => <code title={`Fingerprint ${fingerprint}`}>••••{last4}</code>,
  },
  {
    title: "Customer",
    cell: ({ customer }) =>
      customer ? (
        <span class="beside">
          <Text>{customer.name ?? customer.id}</Text> <span class="muted">in {customer.environment}</span>
        </span>
      ) : (
        <NoValue />
      ),
    sort: ({ customer }) => customer && (customer.name ?? customer.id),
  },
  { title: "Records", class: "number strong", cell: ({ records }) => count(records), sort: ({ records }) => records },
  {
    title: "Last seen (UTC)",
    class: "full",
    cell: (item) => (
      <>
        <Time at={item.last_seen} />{" "}
        <span class="second">
          since <Time at={item.first_seen} />
        </span>
      </>
    ),
    sort: ({ last_seen }) => last_seen,
  },
];

export function Mismatches({ mismatches }: { mismatches: Resource<MismatchesData> }): JSX.Element {
  const view = useView();
  const sorting = useSorting("mismatches");
  return (
    <Panel
      title="Environment mismatches"
      note={[
        mismatches.data && `${wholeDays(mismatches.data.window)}.`,
        `Keys used in ${view.environment} that belong to another environment.`,
        mismatches.data?.note,
      ]
        .filter(Boolean)
        .join(" ")}
      span={6}
      name="mismatches"
      actions={
        <ViewLink class="button small" page="records" filters={{ flag: "ENVIRONMENT_MISMATCH" }}>
          Records
        </ViewLink>
      }
    >
      <Loaded resource={mismatches}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No key of another environment was used in this range." />
          ) : (
            <Table
              label="Environment mismatches"
              sorting={sorting}
              columns={COLUMNS}
              items={items}
              keyOf={({ fingerprint }) => fingerprint}
            />
          )
        }
      </Loaded>
    </Panel>
  );
}
