// Raw data: the records themselves, newest first.

import type { JSX } from "preact";
import type { Query } from "../api/api";
import { RECORD_FILTERS, useView, ViewLink } from "../frame/view";
import { ExportButton } from "../parts/export";
import { plural } from "../parts/format";
import { NoProduct } from "../parts/no_records";
import { ShowOnly } from "../parts/show_only";
import { type Column, isForRow, Table } from "../parts/table";
import { Empty, FlagBadge, NoValue, Panel, ProblemBox, Skeleton, Text, Time } from "../parts/ui";
import type { ProductName, RecordRow } from "../types";
import { Inspector } from "./inspector";
import { RecordFilters } from "./record_filters";
import { useRecords } from "./record_pages";

const DEVICE_CHARACTERS = 12;
const RECORDS = {
  path: "/api/v1/analytics/export",
  name: "records",
  file: "telemetry",
  which: "match the time range and the filters, with every field",
};

export function Records({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const active = RECORD_FILTERS.filter((name) => view.param(name));
  const query: Query = { ...view.scope, ...Object.fromEntries(active.map((name) => [name, view.param(name)])) };
  const records = useRecords(query);
  const names = new Map((products ?? []).map(({ id, name }) => [id, name]));
  const shown = view.param("record");
  return (
    <div class="grid">
      <Panel
        title="Raw data"
        note="Every record as it was received, newest first"
        name="records"
        actions={<ExportButton what={RECORDS} query={query} />}
      >
        <RecordFilters active={active} rows={records.items ?? []} />
        {records.problem && <ProblemBox problem={records.problem} retry={records.reload} />}
        {records.items === null ? (
          !records.problem && <Skeleton lines={10} />
        ) : records.items.length === 0 ? (
          <NoMatch filtered={active.length > 0} products={products} />
        ) : (
          <>
            <RecordTable rows={records.items} names={names} />
            <div class="more">
              <span class="note" data-stat="shown">
                {plural(records.items.length, "record")} shown{records.next === null && " (all)"}
                {records.hasMore && ". The list is not updated while it shows older records."}
              </span>
              <div class="buttons">
                {records.hasMore && (
                  <button type="button" class="button" onClick={records.reload}>
                    Newest only
                  </button>
                )}
                {records.next !== null && (
                  <button type="button" class="button" disabled={records.busy} onClick={records.loadMore}>
                    {records.busy ? "Loading…" : "Load older records"}
                  </button>
                )}
              </div>
            </div>
          </>
        )}
      </Panel>
      {shown && <Inspector id={shown} rows={records.items ?? []} names={names} />}
    </div>
  );
}

function NoMatch({ filtered, products }: { filtered: boolean; products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const clear = Object.fromEntries(RECORD_FILTERS.map((name) => [name, null]));
  return (
    <Empty title="0 records">
      <NoProduct products={products} />
      {filtered ? (
        <p>
          No record in {view.environment} matches the filters in this time range.{" "}
          <button type="button" class="link" onClick={() => view.go(clear)}>
            Clear the filters
          </button>
        </p>
      ) : (
        <p>
          Nothing was received in {view.environment} in this time range. Check the environment, the API key that your
          SDK uses and the <ViewLink page="logs">system logs</ViewLink>, or look at{" "}
          <button type="button" class="link" onClick={() => view.go({ range: "90d", from: null, to: null })}>
            the last 90 days
          </button>
          .
        </p>
      )}
    </Empty>
  );
}

function RecordTable({ rows, names }: { rows: RecordRow[]; names: Map<string, string> }): JSX.Element {
  const view = useView();
  const shown = view.param("record");
  const columns: Column<RecordRow>[] = [
    {
      title: "Received (UTC)",
      cell: (row) => (
        <button type="button" class="link" title="Inspect this record" onClick={() => view.go({ record: row.id })}>
          <Time at={row.received_at} seconds />
        </button>
      ),
    },
    {
      title: "Flags",
      class: "badges",
      cell: ({ flags }) =>
        flags.length === 0 ? (
          <span class="badge clean">clean</span>
        ) : (
          flags.map((flag) => <FlagBadge key={flag} flag={flag} />)
        ),
    },
    { title: "Product", class: "wide", cell: ({ product }) => <Text>{names.get(product) ?? product}</Text> },
    { title: "Version", cell: ({ version }) => <ShowOnly name="version" value={version} /> },
    { title: "User", class: "full", cell: ({ user }) => <ShowOnly name="user" value={user} /> },
    {
      title: "Device",
      class: "wide",
      cell: ({ hwid }) => (
        <ShowOnly name="hwid" value={hwid}>
          <code>{hwid && <Text hover={false}>{[...hwid].slice(0, DEVICE_CHARACTERS).join("")}</Text>}</code>
        </ShowOnly>
      ),
    },
    {
      title: "IP",
      class: "wide",
      cell: ({ ip, country }) => (
        <span class="beside">
          <ShowOnly name="ip" value={ip} /> <span class="muted">{country && <Text>{country}</Text>}</span>
        </span>
      ),
    },
    {
      title: "Licence",
      cell: ({ license }) => (
        <ShowOnly name="license_id" value={license?.id ?? null}>
          <code>••••{license?.last4}</code>
        </ShowOnly>
      ),
    },
    {
      title: "Customer",
      cell: ({ customer }) => (
        <ShowOnly name="customer_id" value={customer?.id ?? null}>
          {customer && <Text hover={false}>{customer.name ?? customer.id}</Text>}
        </ShowOnly>
      ),
    },
    { title: "Group", class: "wide", cell: ({ group }) => (group ? <Text>{group}</Text> : <NoValue />) },
  ];
  return (
    <Table
      label="Records"
      columns={columns}
      items={rows}
      keyOf={({ id }) => id}
      row={({ id }) => ({
        class: "opens",
        "data-record": id,
        "aria-current": id === shown ? "true" : undefined,
        onClick: (event) => isForRow(event) && view.go({ record: id }),
      })}
    />
  );
}
