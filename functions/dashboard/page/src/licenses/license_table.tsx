// Licences as rows.

import type { JSX } from "preact";
import { type SORTED_BY, STATES } from "../frame/tabs";
import { useView } from "../frame/view";
import { LicenseLink } from "../parts/links";
import type { SortState } from "../parts/sorting";
import { type Column, Table } from "../parts/table";
import { StateBadge, Text } from "../parts/ui";
import type { ListedLicense } from "../types";
import { Expiry, LastSeen, Owner, Seats } from "./license_facts";

interface LicenseTableProps {
  label: string;
  licenses: readonly ListedLicense[];
  /** Whether a heading sorts the whole list: the service does it, as the address says. */
  sortable?: boolean;
  /** Leaves the customer out, where all are of one. */
  ofOne?: boolean;
}

export function LicenseTable({ label, licenses, sortable, ofOne }: LicenseTableProps): JSX.Element {
  const sorting = useLicenseSorting();
  const columns = COLUMNS.filter(({ by }) => !(ofOne && by === "customer"));
  return (
    <Table
      label={label}
      columns={columns}
      items={licenses}
      keyOf={({ id }) => id}
      row={({ id }) => ({ "data-license": id })}
      {...(sortable ? { sorting, presorted: true } : {})}
    />
  );
}

/** What is in the address, as `-seats`, as a table takes it. */
function useLicenseSorting(): SortState {
  const view = useView();
  const text = view.param("sort");
  const column = COLUMNS.find(({ by }) => by && by === text.replace(/^-/, ""));
  return [
    column ? { column: column.title, descending: text.startsWith("-") } : null,
    (sorting) => {
      const by = COLUMNS.find(({ title }) => title === sorting?.column)?.by;
      view.go({ sort: by ? `${sorting?.descending ? "-" : ""}${by}` : null });
    },
  ];
}

/** `by`: how the service calls the order. */
const COLUMNS: (Column<ListedLicense> & { by?: (typeof SORTED_BY)[number] })[] = [
  {
    title: "Licence",
    by: "issued",
    sort: ({ created_at: at }) => at,
    cell: ({ id, last_four: last4 }) => <LicenseLink id={id} last4={last4} />,
  },
  {
    title: "Customer",
    by: "customer",
    sort: ({ customer_id: id, customer_name: name }) => name ?? id,
    cell: (license) => <Owner license={license} />,
  },
  {
    title: "Product",
    by: "product",
    sort: ({ product_id: id }) => id,
    cell: ({ product_id: id }) => (id === null ? <span class="muted">any</span> : <Text>{id}</Text>),
  },
  {
    title: "State",
    by: "state",
    sort: ({ state }) => STATES.indexOf(state),
    cell: ({ state }) => <StateBadge state={state} />,
  },
  {
    title: "Devices",
    by: "seats",
    class: "number",
    sort: ({ active_activations: used }) => used,
    cell: (license) => <Seats license={license} />,
  },
  {
    title: "Ends (UTC)",
    by: "expires",
    sort: ({ expires_at: at }) => at,
    cell: ({ expires_at: at }) => <Expiry at={at} />,
  },
  {
    title: "Last seen (UTC)",
    hint: "When the newest record under its product, or under none, came in",
    cell: (license) => <LastSeen license={license} />,
  },
];
