// What a product's telemetry says: its groups of values, and one of them.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { count } from "../parts/format";
import { NoProduct } from "../parts/no_records";
import { ProductChoice } from "../parts/product_choice";
import { type Column, Table } from "../parts/table";
import { Empty, Loaded, Panel, Text, Time } from "../parts/ui";
import type { ProductName, ValueGroup, Values as ValuesData } from "../types";
import { groupName, missing, TYPES, versionName } from "./value_format";
import { NumberSeriesPanels } from "./value_numbers";
import { PairSeriesPanels } from "./value_pairs";
import { TextSeriesPanels } from "./value_texts";

export function Values({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const registered = products?.filter(({ id }) => !id.startsWith("~"));
  const product = view.product || (registered?.length === 1 ? (registered[0]?.id ?? "") : "");
  return <div class="grid">{product ? <OfProduct product={product} products={products} /> : <ChooseProduct />}</div>;
}

function ChooseProduct(): JSX.Element {
  const group = useView().param("group");
  const why = "Values are told for one product at a time.";
  return <ProductChoice page="values" title="Values" why={why} filters={{ group }} />;
}

function OfProduct({ product, products }: { product: string; products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const [group, version] = [view.param("group"), view.param("version")];
  const query = { ...view.scope, product, ...(group ? { group, ...(version ? { version } : {}) } : {}) };
  const values = useResource<ValuesData>("/api/v1/analytics/values", query);
  return (
    <Loaded resource={values} lines={10}>
      {(data) => (group ? <Group data={data} /> : <Groups data={data} products={products} />)}
    </Loaded>
  );
}

// ── all groups

function Groups({ data, products }: { data: ValuesData; products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const note = missing(data);
  return (
    <Panel
      title="Values"
      note="What this product sends in numbers, pairs and texts, by data group. Open one for its course and its versions."
      name="values"
    >
      {data.groups.length === 0 ? (
        <Empty title="No values in this range">
          <NoProduct products={products} />
          <p>
            Events of GetKeyManager's SDKs have them, unless they are malformed; product usage has none.
            {view.session.role !== "viewer" && (
              <>
                {" "}
                <ViewLink page="records">Look at the raw data</ViewLink>
              </>
            )}
          </p>
        </Empty>
      ) : (
        <Table
          label="Groups of values"
          class="rows"
          columns={GROUPS}
          items={data.groups}
          keyOf={({ group, type }) => `${type} ${group}`}
          row={({ group, type }) => ({ "data-group": group, "data-type": type })}
        />
      )}
      {note && <p class="note hint">{note}</p>}
    </Panel>
  );
}

const GROUPS: Column<ValueGroup>[] = [
  {
    title: "Group",
    cell: ({ group }) => (
      <ViewLink page="values" filters={{ group }} title={`Show the values of ${group}`}>
        {groupName(group) ?? <Text hover={false}>{group}</Text>}
      </ViewLink>
    ),
    sort: ({ group }) => group,
  },
  { title: "Type", cell: ({ type }) => TYPES.get(type), sort: ({ type }) => TYPES.get(type) ?? type },
  {
    title: "Values",
    class: "number",
    cell: ({ values }) => <span data-stat="values">{count(values)}</span>,
    sort: ({ values }) => values,
  },
  { title: "Versions", class: "number", cell: ({ versions }) => count(versions), sort: ({ versions }) => versions },
  {
    title: "Last seen (UTC)",
    class: "wide",
    cell: ({ last_seen: at }) => <Time at={at} />,
    sort: ({ last_seen: at }) => at,
  },
];

// ── one of them

function Group({ data }: { data: ValuesData }): JSX.Element {
  const view = useView();
  const { group, version, series } = data;
  const note = missing(data);
  return (
    <>
      <div class="values-head" data-panel="value-group">
        <p class="back">
          <ViewLink page="values">All groups</ViewLink>
        </p>
        <h2>{groupName(group ?? "") ?? <Text>{group ?? ""}</Text>}</h2>
        {version && (
          <p>
            Version <strong>{versionName(version) ?? <Text>{version}</Text>}</strong> alone.{" "}
            <button type="button" class="link" onClick={() => view.go({ version: null })}>
              All versions
            </button>
          </p>
        )}
        {note && <p class="note hint">{note}</p>}
      </div>
      {series.length === 0 && (
        <Panel title="Nothing here" name="no-values">
          <Empty title="This group has no values in this range.">
            <p>
              <ViewLink page="values">See which groups have some</ViewLink>
            </p>
          </Empty>
        </Panel>
      )}
      {series.map((each) =>
        each.type === "numeric-single-value" ? (
          <NumberSeriesPanels key={each.type} data={data} series={each} />
        ) : each.type === "numeric-xy-axis" ? (
          <PairSeriesPanels key={each.type} data={data} series={each} />
        ) : (
          <TextSeriesPanels key={each.type} data={data} series={each} />
        ),
      )}
    </>
  );
}
