// One product: what it is, the activity types that arrive, and its history.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Resource, useResource } from "../api/live";
import { ViewLink } from "../frame/view";
import { History } from "../parts/history";
import { type Column, Table } from "../parts/table";
import { CopyButton, Empty, NoValue, Panel, ProblemBox, Skeleton, Text } from "../parts/ui";
import type { Product } from "../types";
import { ArrivedTypes } from "./arrived_types";
import { ChangeProduct } from "./product_forms";
import { productPath } from "./product_path";

export function ProductPage({ id }: { id: string }): JSX.Element {
  const resource = useResource<Product>(productPath(id), {});
  const { data: product, error } = resource;
  return (
    <>
      <p class="back">
        <ViewLink page="products">All products</ViewLink>
      </p>
      {product === null ? (
        <Panel title="Product" name="product">
          {error?.status === 404 ? (
            <Empty title="There is no such product." />
          ) : error ? (
            <ProblemBox problem={error} retry={resource.reload} />
          ) : (
            <Skeleton lines={5} />
          )}
        </Panel>
      ) : (
        <>
          <Facts product={product} resource={resource} />
          <ArrivedTypes product={product} resource={resource} />
          <History kind="product" entity={id} />
        </>
      )}
    </>
  );
}

function Facts({ product, resource }: { product: Product; resource: Resource<Product> }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <Panel
      title="Product"
      name="product"
      actions={
        <div class="buttons">
          <ViewLink class="button" page="licenses" filters={{ product: product.id }}>
            Its licences
          </ViewLink>
          <button type="button" class="button" onClick={() => setOpen(true)}>
            Change
          </button>
        </div>
      }
    >
      {resource.error && <p class="stale">Not up to date: {resource.error.title}. Trying again.</p>}
      <dl class="facts wide-facts">
        <dt>Name</dt>
        <dd data-part="name">
          <strong>{product.name}</strong>
        </dd>
        <dt>Id</dt>
        <dd class="line breaks">
          <code>{product.id}</code> <CopyButton text={product.id} what="Id" />
        </dd>
        <dt>State</dt>
        <dd data-part="active">{product.active ? "active" : "inactive: devices are told so"}</dd>
        <dt>Licence</dt>
        <dd data-part="requires-license">
          {product.requires_license ? "required: events without one are flagged" : "not required"}
        </dd>
        <dt>Developers and companies</dt>
        <dd data-part="profiles">{product.profiles ? "kept" : "not kept"}</dd>
        <dt>Versions</dt>
        <dd data-part="versions">{product.versions.length > 0 ? product.versions.join(", ") : <NoValue />}</dd>
      </dl>
      <h3>Activity types</h3>
      {product.activity_types.length === 0 ? (
        <p class="note">Any type will do.</p>
      ) : (
        <Table
          label="Activity types"
          class="rows"
          columns={TYPES}
          items={product.activity_types}
          keyOf={({ key }) => key}
          row={({ key }) => ({ "data-type": key })}
        />
      )}
      {open && <ChangeProduct product={product} resource={resource} onClose={() => setOpen(false)} />}
    </Panel>
  );
}

const TYPES: Column<Product["activity_types"][number]>[] = [
  { title: "Label", cell: ({ label }) => <Text>{label}</Text> },
  {
    title: "Key",
    cell: ({ key }) => (
      <code>
        <Text>{key}</Text>
      </code>
    ),
  },
  { title: "Level", cell: ({ level }) => level },
];
