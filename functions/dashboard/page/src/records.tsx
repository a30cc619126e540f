// View Raw Data: the records themselves, newest first.

import type { JSX } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { get, Problem, type Query, search } from "./api";
import { ExportButton } from "./export";
import { FLAGS, flagName } from "./flags";
import { plural } from "./format";
import { Inspector } from "./inspector";
import { SignedOut, Tick } from "./live";
import { ShowOnly } from "./show_only";
import { type Column, Table } from "./table";
import type { Product, RecordPage, RecordRow } from "./types";
import { announce, Empty, FlagBadge, Nothing, Panel, ProblemBox, Skeleton, Text, Time } from "./ui";
import { Follow, RECORD_FILTERS, type RecordFilter, useView } from "./view";

const PAGE = "50";
const SHOWN_OF_DEVICE = 12;

const LABELS: Record<RecordFilter, string> = {
  license_id: "Licence id",
  customer_id: "Customer id",
  user: "User",
  hwid: "Device (hwid)",
  ip: "IP address",
  flagged: "Flagged",
  flag: "Flag",
  version: "Version",
  api_key_id: "API key id",
};

export function Records({ products }: { products: Product[] }): JSX.Element {
  const view = useView();
  const given = RECORD_FILTERS.filter((name) => view.param(name));
  const query: Query = { ...view.scope, ...Object.fromEntries(given.map((name) => [name, view.param(name)])) };
  const records = useRecords(search(query));
  const names = new Map(products.map(({ id, name }) => [id, name]));
  const shown = view.param("record");
  return (
    <div class="grid">
      <Panel
        title="Raw data"
        note="Every record as it was received, newest first"
        name="records"
        actions={<ExportButton query={query} />}
      >
        <Filters given={given} />
        {records.problem && <ProblemBox problem={records.problem} retry={records.reload} />}
        {records.items === null ? (
          !records.problem && <Skeleton lines={10} />
        ) : records.items.length === 0 ? (
          <NoMatch filtered={given.length > 0} />
        ) : (
          <>
            <RecordTable rows={records.items} names={names} />
            <div class="more">
              <span class="note" data-stat="shown">
                {plural(records.items.length, "record")} shown{records.next === null && ", all there are"}
                {records.paged && "; not updated while there are older ones among them"}
              </span>
              <div class="buttons">
                {records.paged && (
                  <button type="button" class="button" onClick={records.reload}>
                    Newest only
                  </button>
                )}
                {records.next !== null && (
                  <button type="button" class="button" disabled={records.busy} onClick={records.more}>
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

/** A page of records: a search goes on by itself while it finds nothing, for a page may be empty and not the last. */
async function found(question: string, cursor: string | null, signal?: AbortSignal): Promise<RecordPage> {
  const query = Object.fromEntries(new URLSearchParams(question));
  let page: RecordPage = { items: [], next: cursor };
  do {
    const more = page.next === null ? {} : { cursor: page.next };
    page = await get<RecordPage>("/api/v1/analytics/records", { ...query, limit: PAGE, ...more }, signal);
  } while (page.items.length === 0 && page.next !== null);
  return page;
}

interface State {
  /** What the pages are of. */
  question: string;
  pages: RecordPage[];
  problem: Problem | null;
  busy: boolean;
}

interface Found {
  items: RecordRow[] | null;
  next: string | null;
  problem: Problem | null;
  busy: boolean;
  /** Whether more than the first page is there, which is not asked for again then. */
  paged: boolean;
  more: () => void;
  reload: () => void;
}

/** The pages asked for so far. While that is the first alone, it is asked for again at every tick. */
function useRecords(question: string): Found {
  const tick = useContext(Tick);
  const signedOut = useContext(SignedOut);
  const [state, setState] = useState<State>({ question: "", pages: [], problem: null, busy: false });
  const [again, setAgain] = useState(0);
  const mine = state.question === question;
  const paged = mine && state.pages.length > 1;

  const failed = useCallback(
    (error: unknown): void => {
      if (error instanceof Problem && error.status === 401) {
        signedOut();
        return;
      }
      const problem = error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error));
      setState((before) => ({
        question,
        pages: before.question === question ? before.pages : [],
        problem,
        busy: false,
      }));
    },
    [question, signedOut],
  );

  useEffect(() => {
    if (paged) return;
    const stop = new AbortController();
    found(question, null, stop.signal).then(
      (page) => setState({ question, pages: [page], problem: null, busy: false }),
      (error: unknown) => {
        if (!stop.signal.aborted) failed(error);
      },
    );
    return () => stop.abort();
  }, [question, failed, paged, again, tick]);

  const next = mine ? (state.pages.at(-1)?.next ?? null) : null;
  const more = (): void => {
    if (!next) return;
    setState((before) => ({ ...before, busy: true }));
    found(question, next).then((page) => {
      setState((before) =>
        before.question === question
          ? { ...before, pages: [...before.pages, page], problem: null, busy: false }
          : before,
      );
      announce(`${plural(page.items.length, "more record")}`);
    }, failed);
  };

  return {
    items: mine && state.pages.length > 0 ? state.pages.flatMap(({ items }) => items) : null,
    next,
    problem: mine ? state.problem : null,
    busy: state.busy,
    paged,
    more,
    reload: () => {
      setState((before) => ({ ...before, pages: before.pages.slice(0, 1) }));
      setAgain((before) => before + 1);
    },
  };
}

function NoMatch({ filtered }: { filtered: boolean }): JSX.Element {
  const view = useView();
  const clear = Object.fromEntries(RECORD_FILTERS.map((name) => [name, null]));
  return (
    <Empty title="0 records">
      {filtered ? (
        <p>
          Nothing in {view.environment} matches the filters in this time range.{" "}
          <button type="button" class="link" onClick={() => view.go(clear)}>
            Clear the filters
          </button>
        </p>
      ) : (
        <p>
          Nothing was received in {view.environment} in this time range. Check the environment toggle, the API key your
          SDK uses, and the <Follow page="logs">system logs</Follow>; or look at{" "}
          <button type="button" class="link" onClick={() => view.go({ range: "90d", from: null, to: null })}>
            the last 90 days
          </button>
          .
        </p>
      )}
    </Empty>
  );
}

function Filters({ given }: { given: readonly RecordFilter[] }): JSX.Element {
  const view = useView();
  const [open, setOpen] = useState(() => given.length > 0 || matchMedia("(min-width: 720px)").matches);
  const apply = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    view.go(Object.fromEntries(RECORD_FILTERS.map((name) => [name, String(form.get(name) ?? "").trim() || null])));
  };
  const atOnce = (event: Event): void => (event.currentTarget as HTMLSelectElement).form?.requestSubmit();
  const text = (name: RecordFilter): JSX.Element => (
    <label key={name}>
      {LABELS[name]}
      <input name={name} type="search" autocomplete="off" spellcheck={false} defaultValue={view.param(name)} />
    </label>
  );
  return (
    <details class="filters" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Filters{given.length > 0 && ` (${given.length})`}</summary>
      <form
        key={search(Object.fromEntries(given.map((name) => [name, view.param(name)])))}
        onSubmit={apply}
        role="search"
        aria-label="Records"
      >
        <label>
          Flagged
          <select name="flagged" defaultValue={view.param("flagged")} onChange={atOnce}>
            <option value="">any</option>
            <option value="true" selected={view.param("flagged") === "true"}>
              flagged
            </option>
            <option value="false" selected={view.param("flagged") === "false"}>
              clean
            </option>
          </select>
        </label>
        <label>
          Flag
          <select name="flag" onChange={atOnce}>
            <option value="">any</option>
            {FLAGS.map((flag) => (
              <option key={flag} value={flag} selected={flag === view.param("flag")}>
                {flagName(flag)}
              </option>
            ))}
          </select>
        </label>
        {(["version", "user", "hwid", "ip", "license_id", "customer_id", "api_key_id"] as const).map(text)}
        <div class="buttons">
          <button type="submit" class="button primary">
            Apply
          </button>
          {given.length > 0 && (
            <button
              type="button"
              class="button"
              onClick={() => view.go(Object.fromEntries(RECORD_FILTERS.map((name) => [name, null])))}
            >
              Clear
            </button>
          )}
        </div>
      </form>
    </details>
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
          <code>{hwid && <Text hover={false}>{[...hwid].slice(0, SHOWN_OF_DEVICE).join("")}</Text>}</code>
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
    { title: "Group", class: "wide", cell: ({ group }) => (group ? <Text>{group}</Text> : <Nothing />) },
  ];
  return (
    <Table
      label="Records"
      columns={columns}
      items={rows}
      keyOf={({ id }) => id}
      row={({ id }) => ({ "data-record": id, "aria-current": id === shown ? "true" : undefined })}
    />
  );
}
