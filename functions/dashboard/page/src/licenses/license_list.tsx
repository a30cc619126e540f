// All licences of an environment, or one of them.

import type { JSX } from "preact";
import { search } from "../api/api";
import { CustomerFilter } from "../customers/customer_field";
import { SEATS, STATES, WITHIN } from "../frame/tabs";
import { useView } from "../frame/view";
import { ExportButton, type Exported } from "../parts/export";
import { LoadedPages } from "../parts/loaded_pages";
import { Panel } from "../parts/ui";
import type { ProductName } from "../types";
import { IssueButton } from "./issue_license";
import { LicensePage } from "./license_page";
import { useLicenses } from "./license_pages";
import { LicenseTable } from "./license_table";

const CHOSEN = ["state", "seats", "expires_within"] as const;
const FILTERS = [...CHOSEN, "customer_id"] as const;
const SEAT_NAMES: Readonly<Record<(typeof SEATS)[number], string>> = { full: "all used", over: "over the limit" };

const EXPORTED: Exported = {
  path: "/api/v1/admin/exports/licenses",
  name: "licences",
  file: "licences",
  which: "match the filters, with their customers and when they were last seen, without their keys",
  formats: ["csv"],
};

export function LicenseTab({ products }: { products: ProductName[] | null }): JSX.Element {
  const id = useView().param("license");
  return (
    <div class="grid">{id ? <LicensePage key={id} id={id} products={products} /> : <List products={products} />}</div>
  );
}

function List({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const query = {
    environment: view.environment,
    product_id: view.product,
    sort: view.param("sort"),
    ...Object.fromEntries(FILTERS.map((name) => [name, view.param(name)])),
  };
  const list = useLicenses(query);
  const isFiltered = FILTERS.some((name) => view.param(name)) || view.product !== "";
  return (
    <Panel
      title="Licences"
      note={`In ${view.environment}. Last seen: the newest record under a licence's product`}
      name="license-list"
      actions={
        <div class="buttons">
          <ExportButton what={EXPORTED} query={query} />
          <IssueButton products={products} />
        </div>
      }
    >
      <Filters key={search(query)} />
      <LoadedPages
        list={list}
        what="licences"
        none={isFiltered ? "No licence matches." : "No licence has been issued here."}
        lines={8}
      >
        {(items) => <LicenseTable label="Licences" licenses={items} sortable />}
      </LoadedPages>
    </Panel>
  );
}

function Filters(): JSX.Element {
  const view = useView();
  const choose = (name: (typeof CHOSEN)[number], any: string, options: readonly (readonly [string, string])[]) => (
    <select
      aria-label={any}
      value={view.param(name)}
      onChange={(event) => view.go({ [name]: event.currentTarget.value || null })}
    >
      <option value="">{any}</option>
      {options.map(([value, text]) => (
        <option key={value} value={value} selected={value === view.param(name)}>
          {text}
        </option>
      ))}
    </select>
  );
  const isFiltered = FILTERS.some((name) => view.param(name));
  return (
    <div class="list-head choosers" role="search" aria-label="Licences">
      {choose(
        "state",
        "Any state",
        STATES.map((state) => [state, state]),
      )}
      {choose(
        "seats",
        "Any number of devices",
        SEATS.map((each) => [each, SEAT_NAMES[each]]),
      )}
      {choose(
        "expires_within",
        "Any expiry",
        WITHIN.map((days) => [days, `in the next ${days} days`]),
      )}
      <CustomerFilter id={view.param("customer_id")} onChosen={(id) => view.go({ customer_id: id })} />
      {isFiltered && (
        <button
          type="button"
          class="button"
          onClick={() => view.go(Object.fromEntries(FILTERS.map((name) => [name, null])))}
        >
          Clear
        </button>
      )}
    </div>
  );
}
