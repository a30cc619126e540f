// All customers, those over their limit, or one of them.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { getPage, type Linked } from "../api/api";
import { usePages } from "../api/pages";
import { useView, ViewLink } from "../frame/view";
import { plural } from "../parts/format";
import { LoadedPages } from "../parts/loaded_pages";
import { type Column, Table } from "../parts/table";
import { Empty, NoValue, Panel, Segments, Text, Time } from "../parts/ui";
import type { Customer, ProductName } from "../types";
import { NewCustomerButton } from "./customer_forms";
import { CustomerPage } from "./customer_page";
import { OverLimit } from "./over_limit";

const PAGE = "200";

export function Customers({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const id = view.param("customer");
  if (id) {
    return (
      <div class="grid">
        <CustomerPage key={id} id={id} products={products} />
      </div>
    );
  }
  return (
    <div class="grid">
      <div class="list-head">
        <Segments
          label="Which customers"
          options={[
            ["all", "All"],
            ["over", "Over their limit"],
          ]}
          value={view.param("show") === "over" ? "over" : "all"}
          onChange={(shown) => view.go({ show: shown === "over" ? "over" : null })}
        />
        <NewCustomerButton />
      </div>
      {view.param("show") === "over" ? <OverLimit /> : <List />}
    </div>
  );
}

function List(): JSX.Element {
  const [typed, setTyped] = useState("");
  const list = usePages<Linked<Customer>>(
    `/api/v1/admin/customers?limit=${PAGE}`,
    ["more customer", "more customers"],
    getPage,
  );
  const loaded = list.pages?.flatMap((page) => page.items) ?? [];
  const isPart = list.next !== null;
  return (
    <Panel
      title="Customers"
      note={`The same in all environments${isPart ? `; the first ${plural(loaded.length, "customer")} by id` : ""}`}
      name="customer-list"
    >
      <div class="list-head" role="search" aria-label="Customers">
        <input
          type="search"
          class="lookup"
          aria-label={isPart ? "Search those shown" : "Search"}
          placeholder="Name, id or e-mail"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      <LoadedPages list={list} what="customers" none="No customer is registered." lines={8}>
        {(customers) => <Rows customers={customers.filter((each) => fits(each, typed))} isPart={isPart} />}
      </LoadedPages>
    </Panel>
  );
}

function Rows({ customers, isPart }: { customers: readonly Customer[]; isPart: boolean }): JSX.Element {
  if (customers.length === 0) {
    return (
      <Empty title="No customer matches.">
        {isPart && <p>Only those loaded so far were looked at; the search at the top finds all.</p>}
      </Empty>
    );
  }
  return (
    <Table
      label="Customers"
      columns={COLUMNS}
      items={customers}
      keyOf={({ id }) => id}
      row={({ id }) => ({ "data-customer": id })}
    />
  );
}

const COLUMNS: Column<Customer>[] = [
  {
    title: "Customer",
    sort: ({ name }) => name,
    cell: ({ id, name }) => (
      <ViewLink page="customers" filters={{ customer: id }} title={name}>
        <Text hover={false}>{name}</Text>
      </ViewLink>
    ),
  },
  {
    title: "Id",
    sort: ({ id }) => id,
    cell: ({ id }) => (
      <code>
        <Text>{id}</Text>
      </code>
    ),
  },
  { title: "E-mail", cell: ({ email }) => (email === null ? <NoValue /> : <Text>{email}</Text>) },
  {
    title: "Registered (UTC)",
    class: "wide",
    sort: ({ created_at: at }) => at,
    cell: ({ created_at: at }) => <Time at={at} />,
  },
];

/** Whether this is somewhere in its name, id or e-mail. */
function fits({ id, name, email }: Customer, typed: string): boolean {
  const wanted = typed.trim().toLowerCase();
  return [name, id, email ?? ""].some((text) => text.toLowerCase().includes(wanted));
}
