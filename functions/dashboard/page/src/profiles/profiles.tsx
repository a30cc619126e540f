// What the lists of companies and of developers have in common.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Problem, type Query } from "../api/api";
import type { Pages } from "../api/pages";
import { isKey } from "../api/search_api";
import type { Page } from "../frame/tabs";
import { useView, ViewLink } from "../frame/view";
import { Stat } from "../parts/cards";
import { ExportButton, type Exported } from "../parts/export";
import { CONFIDENCE, count, dayName, percent, plural } from "../parts/format";
import { More } from "../parts/more";
import { NoProduct } from "../parts/no_records";
import { ProductChoice } from "../parts/product_choice";
import { type Column, isForRow, Table } from "../parts/table";
import { Empty, NoValue, Panel, ProblemBox, Segments, Skeleton, Text } from "../parts/ui";
import type {
  CompanyList,
  DeveloperList,
  ProductName,
  ProfileActivity,
  ProfileCompany,
  ProfileOrder,
  ProfileTotals,
  ProfileUses,
} from "../types";

const CHOICES: readonly (readonly [ProfileOrder, string])[] = [
  ["active", "Active"],
  ["new", "New"],
  ["growing", "Growing"],
  ["quiet", "Quiet"],
];
const WINDOW_DAYS = 30;

/** How a list differs from the other one. */
export interface Kind {
  page: Page & ("companies" | "developers");
  title: string;
  /** "company", "companies". */
  names: readonly [string, string];
  exported: Exported;
  /** Parameters beside `name`, and what their fields are called. */
  filters: readonly (readonly [string, string])[];
  /** Who is in a list, by its order. */
  meant: Record<ProfileOrder, string>;
}

/** The parameters that choose a product's list: those of the address. */
export function useListQuery(kind: Kind): Query {
  const view = useView();
  const filters = Object.fromEntries(
    ["name", ...kind.filters.map(([name]) => name)].map((each) => [each, view.param(each)]),
  );
  return { environment: view.environment, product: view.product, ...filters };
}

interface ListProps<T extends { id: string }> {
  kind: Kind;
  query: Query;
  products: ProductName[] | null;
  list: Pages<(CompanyList | DeveloperList) & { items: T[]; new: T[] }>;
  columns: Column<T>[];
}

/** A product's list, with all that is said of it. */
export function ProfileList<T extends { id: string }>({
  kind,
  query,
  products,
  list,
  columns,
}: ListProps<T>): JSX.Element {
  const view = useView();
  const first = list.pages?.[0];
  const seesNames = view.session.role !== "viewer";
  if (!first) {
    return (
      <Panel title={kind.title} name={kind.page}>
        {list.problem ? <ProblemBox problem={list.problem} retry={list.reload} /> : <Skeleton lines={10} />}
      </Panel>
    );
  }
  if (!first.profiles) {
    return (
      <Panel title={kind.title} name={kind.page}>
        <Empty title={`The ${kind.names[1]} of this product are not listed.`}>
          <NoProduct products={products} />
          <p>Its profiles are not turned on.</p>
        </Empty>
      </Panel>
    );
  }
  return (
    <>
      {first.totals && <Totals totals={first.totals} />}
      <Panel
        title={kind.title}
        note={<AsOf list={first} />}
        name={kind.page}
        actions={seesNames && <ExportButton what={kind.exported} query={query} />}
      >
        {first.missing && <p class="note hint">{first.missing}</p>}
        {seesNames ? (
          <Rows kind={kind} first={first} list={list} columns={columns} />
        ) : (
          <Empty title="Names are for administrators.">
            <p>Your key has the role viewer: it sees how many there are, and not who they are.</p>
          </Empty>
        )}
      </Panel>
    </>
  );
}

type RowsProps<T extends { id: string }> = Pick<ListProps<T>, "kind" | "list" | "columns"> & {
  first: CompanyList | DeveloperList;
};

function Rows<T extends { id: string }>({ kind, first, list, columns }: RowsProps<T>): JSX.Element {
  const view = useView();
  const order = first.order;
  const rows = (list.pages ?? []).flatMap((page) => [...page.new, ...page.items]);
  const shown = (list.pages ?? []).reduce((sum, { items }) => sum + items.length, 0);
  const isFiltered = ["name", ...kind.filters.map(([name]) => name)].some((name) => view.param(name));
  return (
    <>
      <div class="list-head">
        <Segments
          label="Order"
          class="small"
          options={CHOICES}
          value={order}
          onChange={(chosen) => view.go({ order: chosen === "active" ? null : chosen })}
        />
        <span class="note">{kind.meant[order]}</span>
      </div>
      <Filters kind={kind} />
      {list.problem && <ProblemBox problem={list.problem} retry={list.reload} />}
      {rows.length === 0 ? (
        <Empty title={`0 ${kind.names[1]}`}>
          <p>
            {first.closed_day === null
              ? "The first day of this product has not been closed yet."
              : isFiltered
                ? "Nobody matches the filters in this order."
                : "Nobody is meant by this order."}
          </p>
        </Empty>
      ) : (
        <>
          <Table
            label={kind.title}
            columns={columns}
            items={rows}
            keyOf={({ id }) => id}
            row={({ id }) => ({
              class: "opens",
              "data-profile": id,
              "aria-current": id === view.param("open") ? "true" : undefined,
              onClick: (event) => isForRow(event) && view.go({ open: id }),
            })}
          />
          <div class="more">
            <span class="note" data-stat="shown">
              {count(shown)} of {plural(first.total ?? 0, ...kind.names)} shown
              {first.listed !== null &&
                (first.total ?? 0) >= first.listed &&
                !isFiltered &&
                ". The rest is in the export"}
              {list.hasMore && ". The list is not updated while it shows more than its first page."}
            </span>
            <More list={list} what={kind.names[1]} />
          </div>
        </>
      )}
    </>
  );
}

/** Buttons under a list that leads on. */
function AsOf({ list: { closed_day: day, view } }: { list: CompanyList | DeveloperList }): JSX.Element {
  if (day === null) return <>No day is closed yet</>;
  return (
    <span data-stat="as-of">
      As of {dayName(day)}: numbers end with this closed day
      {view ? `, as days were attributed anew (view ${view})` : ""}
    </span>
  );
}

function Totals({ totals }: { totals: ProfileTotals }): JSX.Element {
  const { developers, companies, uses, unattributed } = totals;
  const during = `active in the last ${WINDOW_DAYS} days`;
  return (
    <dl class="stats four span-12" data-panel="totals">
      <Stat title="Developers" name="developers" value={developers} note={during} />
      <Stat title="Companies" name="companies" value={companies} note={during} />
      <Stat title="Uses" name="uses" value={uses.total}>
        <b>{count(uses.primary)}</b> primary, <b>{count(uses.secondary)}</b> secondary,{" "}
        <b>{count(uses.unclassified)}</b> unclassified
      </Stat>
      <Stat title="Uses of no known company" name="unattributed" value={unattributed.total}>
        {uses.total ? percent((100 * unattributed.total) / uses.total) : percent(0)} of all
      </Stat>
    </dl>
  );
}

function Filters({ kind }: { kind: Kind }): JSX.Element {
  const view = useView();
  const fields = [["name", "Name begins with"] as const, ...kind.filters];
  const active = fields.filter(([name]) => view.param(name));
  const [open, setOpen] = useState(() => active.length > 0 || matchMedia("(min-width: 720px)").matches);
  const [problem, setProblem] = useState<Problem | null>(null);
  const apply = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const typed = fields.map(([name]) => [name, String(form.get(name) ?? "").trim()] as const);
    setProblem(null);
    try {
      const texts = typed.filter(([name, text]) => text && text !== view.param(name));
      const keys = await Promise.all(texts.map(([, text]) => isKey(view, text)));
      if (keys.includes(true)) return setProblem(A_KEY);
      view.go(Object.fromEntries(typed.map(([name, text]) => [name, text || null])));
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error)));
    }
  };
  return (
    <details class="filters" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Filters{active.length > 0 && ` (${active.length})`}</summary>
      <form
        key={active.map(([name]) => `${name}=${view.param(name)}`).join("&")}
        onSubmit={apply}
        role="search"
        aria-label={kind.title}
      >
        {fields.map(([name, label]) => (
          <label key={name}>
            {label}
            <input name={name} type="search" autocomplete="off" spellcheck={false} defaultValue={view.param(name)} />
          </label>
        ))}
        <div class="buttons">
          <button type="submit" class="button primary">
            Apply
          </button>
          {active.length > 0 && (
            <button
              type="button"
              class="button"
              onClick={() => view.go(Object.fromEntries(fields.map(([name]) => [name, null])))}
            >
              Clear
            </button>
          )}
        </div>
      </form>
      {problem && <ProblemBox problem={problem} />}
    </details>
  );
}

// A filter stands in the address.
const A_KEY = new Problem(0, "This is a key", "Nobody is called so. Look for it in the search: Ctrl K, or ⌘ K.");

/** Said where all products are chosen: lists are of one. */
export function ChooseProduct({ kind: { page, title } }: { kind: Kind }): JSX.Element {
  return <ProductChoice page={page} title={title} why={`${title} are listed for one product at a time.`} />;
}

// ── cells

interface Shown {
  activity: ProfileActivity | null;
  active_today: boolean | null;
  new_today: boolean;
}

/** What is new since the closed day. */
export function Today({ item }: { item: Pick<Shown, "active_today" | "new_today"> }): JSX.Element | null {
  if (item.new_today) return <span class="badge new">new today</span>;
  return item.active_today ? <span class="badge clean">active today</span> : null;
}

/** The columns that both lists have: when, how often, how much. */
export function activityColumns<T extends Shown>(): Column<T>[] {
  const of = (cell: (activity: ProfileActivity) => ComponentChildren) => (item: T) =>
    item.activity ? cell(item.activity) : <NoValue />;
  return [
    { title: "Last seen", cell: of(({ last_day }) => last_day) },
    {
      title: "Active days",
      class: "number",
      hint: "UTC days with a use among the last 30, compared with the 30 before",
      cell: of(({ active_days, active_days_before }) => <Compared now={active_days} before={active_days_before} />),
    },
    {
      title: "Primary uses",
      class: "number",
      hint: "Of the last 30 days",
      cell: of(({ uses }) => <span data-stat="primary">{count(uses.primary)}</span>),
    },
    {
      title: "Secondary uses",
      class: "number",
      hint: "Of the last 30 days",
      cell: of(({ uses }) => <span data-stat="secondary">{count(uses.secondary)}</span>),
    },
    {
      title: "13 weeks",
      hint: "All uses of each week, from Monday to Sunday",
      cell: of(({ weeks }) => <Trend weeks={weeks} />),
    },
  ];
}

/** A number, and how it has changed. */
export function Compared({ now, before }: { now: number; before: number }): JSX.Element {
  const change = now - before;
  return (
    <>
      {count(now)}{" "}
      <span class="muted" title={`${count(before)} in the 30 days before`}>
        {change === 0 ? "±0" : `${change > 0 ? "+" : "−"}${count(Math.abs(change))}`}
      </span>
    </>
  );
}

const BAR = 5;
const HEIGHT = 20;

/** Uses by week as small bars. */
export function Trend({ weeks }: { weeks: number[] }): JSX.Element {
  const most = Math.max(1, ...weeks);
  const told = `Uses of each of ${weeks.length} weeks, oldest first: ${weeks.map(count).join(", ")}`;
  return (
    <svg
      class="trend"
      role="img"
      aria-label={told}
      viewBox={`0 0 ${weeks.length * BAR} ${HEIGHT}`}
      width={weeks.length * BAR}
      height={HEIGHT}
    >
      <title>{told}</title>
      {weeks.map((uses, index) => {
        const height = uses ? Math.max(2, (uses / most) * HEIGHT) : 1;
        return (
          <rect
            key={index}
            class={uses ? "some" : "none"}
            x={index * BAR}
            y={HEIGHT - height}
            width={BAR - 1}
            height={height}
          />
        );
      })}
    </svg>
  );
}

/** How sure it is, and what told it. */
export function Certainty({ company, carried = false }: { company: ProfileCompany; carried?: boolean }): JSX.Element {
  return (
    <span class="muted">
      {[CONFIDENCE[company.confidence], `by its ${company.source}`, carried && "carried from an earlier day"]
        .filter(Boolean)
        .join(", ")}
    </span>
  );
}

/** A company's name, which opens it. */
export function CompanyLink({ company }: { company: ProfileCompany }): JSX.Element {
  return (
    <ViewLink page="companies" filters={{ open: company.id }} title={`Show the company ${company.id}`}>
      <Text hover={false}>{company.name}</Text>
    </ViewLink>
  );
}

const USES: Column<ProfileUses["activities"][number]>[] = [
  { title: "Activity", cell: ({ activity_type, label }) => <Text>{label ?? activity_type}</Text> },
  { title: "Level", cell: ({ level }) => (level === "unclassified" ? <span class="muted">{level}</span> : level) },
  { title: "Uses", class: "number", cell: ({ uses }) => count(uses) },
];

/** Uses by activity type, as the product classifies them now. */
export function UsesByActivity({ uses, label }: { uses: ProfileUses; label: string }): JSX.Element {
  return (
    <>
      <p class="note">
        {plural(uses.total, "use")}: {count(uses.primary)} primary, {count(uses.secondary)} secondary,{" "}
        {count(uses.unclassified)} unclassified
      </p>
      {uses.activities.length > 0 && (
        <Table
          label={label}
          class="rows"
          columns={USES}
          items={uses.activities}
          keyOf={({ activity_type }) => activity_type}
        />
      )}
    </>
  );
}

/** A part of a detail with its own heading. */
export function Section({
  title,
  name,
  children,
}: {
  title: string;
  name: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section data-part={name}>
      <header>
        <h3>{title}</h3>
      </header>
      {children}
    </section>
  );
}
