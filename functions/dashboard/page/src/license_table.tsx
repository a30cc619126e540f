// Licences as rows. A heading sorts the whole list: the service does it, not the page.

import type { JSX } from "preact";
import { CustomerLink, Expiry, LastSeen, Seats } from "./license_facts";
import { type Column, Table } from "./table";
import type { ListedLicense } from "./types";
import { NoValue, StateBadge, Text } from "./ui";
import { useView, ViewLink } from "./view";

interface LicenseTableProps {
  label: string;
  licenses: readonly ListedLicense[];
  sortable?: boolean;
  /** Leaves the customer out, where all are of one. */
  ofOne?: boolean;
}

export function LicenseTable({ label, licenses, sortable, ofOne }: LicenseTableProps): JSX.Element {
  const columns = COLUMNS.filter(({ key }) => !(ofOne && key === "customer")).map(({ key, ...column }) =>
    sortable && key ? { ...column, heading: <Sorted by={key} title={column.title} /> } : column,
  );
  return (
    <Table
      label={label}
      columns={columns}
      items={licenses}
      keyOf={({ id }) => id}
      row={({ id }) => ({ "data-license": id })}
    />
  );
}

const COLUMNS: (Column<ListedLicense> & { key?: string })[] = [
  {
    title: "Licence",
    key: "issued",
    cell: ({ id, last_four }) => (
      <ViewLink page="licenses" filters={{ license: id }} title="Open this licence">
        <code>••••{last_four}</code>
      </ViewLink>
    ),
  },
  { title: "Customer", key: "customer", cell: (license) => <CustomerLink license={license} /> },
  {
    title: "Product",
    key: "product",
    cell: ({ product_id: id }) => (id === null ? <span class="muted">any</span> : <Text>{id}</Text>),
  },
  { title: "State", key: "state", cell: ({ state }) => <StateBadge state={state} /> },
  { title: "Devices", key: "seats", class: "number", cell: (license) => <Seats license={license} /> },
  { title: "Ends (UTC)", key: "expires", cell: ({ expires_at: at }) => <Expiry at={at} /> },
  {
    title: "Last seen (UTC)",
    hint: "When the newest record under its product, or under none, came in",
    cell: ({ last_seen: at }) => (at ? <LastSeen at={at} /> : <NoValue />),
  },
];

/** A heading that sorts by its column: upwards, then downwards. */
function Sorted({ by, title }: { by: string; title: string }): JSX.Element {
  const view = useView();
  const sort = view.param("sort") || "issued";
  const direction = sort === by ? "ascending" : sort === `-${by}` ? "descending" : "none";
  return (
    <button
      type="button"
      class="sort"
      data-sorted={direction}
      aria-label={`${title}, ${direction === "none" ? "not sorted" : `sorted ${direction}`}`}
      onClick={() => view.go({ sort: direction === "ascending" ? `-${by}` : by })}
    >
      {title}
      <span aria-hidden="true">{direction === "ascending" ? " ▲" : direction === "descending" ? " ▼" : ""}</span>
    </button>
  );
}
