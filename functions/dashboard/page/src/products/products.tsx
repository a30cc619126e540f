// All products, or one of them.

import type { JSX } from "preact";
import { getPage, type Linked } from "../api/api";
import { usePages } from "../api/pages";
import { useView, ViewLink } from "../frame/view";
import { count } from "../parts/format";
import { LoadedPages } from "../parts/loaded_pages";
import { type Column, Table } from "../parts/table";
import { NoValue, Panel, Text } from "../parts/ui";
import type { Product } from "../types";
import { NewProductButton } from "./product_forms";
import { ProductPage } from "./product_page";

const PAGE = "100";

export function Products(): JSX.Element {
  const id = useView().param("open");
  return <div class="grid">{id ? <ProductPage key={id} id={id} /> : <List />}</div>;
}

function List(): JSX.Element {
  const list = usePages<Linked<Product>>(
    `/api/v1/admin/products?limit=${PAGE}`,
    ["more product", "more products"],
    getPage,
  );
  return (
    <Panel title="Products" note="The same in all environments" name="product-list" actions={<NewProductButton />}>
      <LoadedPages list={list} what="products" none="No product is registered." lines={6}>
        {(items) => (
          <Table
            label="Products"
            columns={COLUMNS}
            items={items}
            keyOf={({ id }) => id}
            row={({ id }) => ({ "data-product": id })}
          />
        )}
      </LoadedPages>
    </Panel>
  );
}

const COLUMNS: Column<Product>[] = [
  {
    title: "Product",
    cell: ({ id, name }) => (
      <>
        <ViewLink page="products" filters={{ open: id }} title={name}>
          <Text hover={false}>{name}</Text>
        </ViewLink>
        <span class="second">
          <code>
            <Text>{id}</Text>
          </code>
        </span>
      </>
    ),
  },
  {
    title: "State",
    cell: ({ active }) => <span class={`badge ${active ? "state-active" : ""}`}>{active ? "active" : "inactive"}</span>,
  },
  { title: "Licence", cell: ({ requires_license: is }) => (is ? "required" : <span class="muted">not required</span>) },
  { title: "Versions", class: "number", cell: ({ versions }) => some(versions.length) },
  { title: "Activity types", class: "number", cell: ({ activity_types: types }) => some(types.length) },
  { title: "Developers and companies", class: "wide", cell: ({ profiles }) => (profiles ? "kept" : <NoValue />) },
];

const some = (number: number): JSX.Element | string => (number > 0 ? count(number) : <NoValue />);
