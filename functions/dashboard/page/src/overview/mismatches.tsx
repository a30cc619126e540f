// Licence keys that belong to another environment.

import type { JSX } from "preact";
import type { Resource } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { count, wholeDays } from "../parts/format";
import { CustomerLink } from "../parts/links";
import { type Column, Table } from "../parts/table";
import { Empty, Loaded, NoValue, Panel, Time } from "../parts/ui";
import { useSorting } from "../parts/use_sorting";
import type { Mismatches as MismatchesData } from "../types";

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
          <CustomerLink customer={customer} environment={customer.environment} />{" "}
          <span class="muted">in {customer.environment}</span>
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
