// The view: all of it is in the address, so that it can be shared and the browser's Back button works.

import { type ComponentChildren, createContext, type JSX } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import type { Query } from "../api/api";
import { ENVIRONMENTS, type Environment, RANGES, type Session } from "../types";
import { keepKeyOutOfAddress } from "./license_address";
import { FIRST_RANGE, lastRange, wrongWindow } from "./ranges";
import { PAGES, type Page, TABS } from "./tabs";

export const RECORD_FILTERS = [
  "license_id",
  "customer_id",
  "user",
  "hwid",
  "ip",
  "flagged",
  "flag",
  "version",
  "api_key_id",
] as const;
export type RecordFilter = (typeof RECORD_FILTERS)[number];
export const LOG_FILTERS = ["cause", "last4", "ip"] as const;

/** Those that staff with this role may open. */
export const pagesFor = (session: Session): Page[] =>
  PAGES.filter((page) => session.role !== "viewer" || TABS[page].forViewers);

/** Changes of the address: null removes a parameter. */
export type Changes = Record<string, string | null>;

const SCOPE_PARAMETERS = ["environment", "range", "from", "to", "product"];

/** A value in the address that is not one of the known values. */
export interface UnknownValue {
  readonly name: string;
  readonly value: string;
  readonly known: readonly string[];
  /** What it can be, where this is no list. */
  readonly hint?: string;
}

export interface View {
  readonly session: Session;
  readonly page: Page;
  /** The view that the address names, if this is another one because the key does not open it. */
  readonly refused: Page | null;
  readonly environment: Environment;
  /** One of RANGES, or "custom". */
  readonly range: string;
  readonly from: string;
  readonly to: string;
  readonly product: string;
  /** Values in the address that do not exist: the page says so and shows no view. */
  readonly unknown: readonly UnknownValue[];
  /** A parameter of the address, or "". */
  param(name: string): string;
  /** The parameters of every request to the analytics API. */
  readonly scope: Query;
  /** Goes to another view of the page. */
  go(changes: Changes): void;
  /** The address of a view with the same environment, time and product. Filters can change these; "" removes one. */
  href(page: Page, filters?: Record<string, string>): string;
}

export const ViewContext = createContext<View | null>(null);

export function useView(): View {
  const view = useContext(ViewContext);
  if (!view) throw new Error("no view");
  return view;
}

export const isUnknown = (view: View, name: string): boolean => view.unknown.some((each) => each.name === name);

/** The view that the address names, kept up to date. */
export function useAddress(session: Session): View {
  const [search, setSearch] = useState(() => {
    startAtLastRange();
    return location.search;
  });
  useEffect(() => {
    const update = (): void => {
      keepKeyOutOfAddress();
      setSearch(location.search);
    };
    addEventListener("popstate", update);
    return () => removeEventListener("popstate", update);
  }, []);
  return useMemo(() => {
    const show = (params: URLSearchParams): void => {
      history.pushState(null, "", address(params));
      setSearch(location.search);
    };
    return viewOf(session, new URLSearchParams(search), show);
  }, [session, search]);
}

/** Writes the range that was used last into an address that has none, unless it is what such an address shows anyway. */
function startAtLastRange(): void {
  const params = new URLSearchParams(location.search);
  const page = PAGES.find((each) => each === (params.get("view") ?? "overview"));
  const range = lastRange();
  if (!page || !TABS[page].hasRange || range === FIRST_RANGE) return;
  if (["range", "from", "to"].some((name) => params.get(name))) return;
  params.set("range", range);
  history.replaceState(null, "", address(params));
}

function viewOf(session: Session, params: URLSearchParams, show: (params: URLSearchParams) => void): View {
  const param = (name: string): string => params.get(name) ?? "";
  const unknown: UnknownValue[] = [];
  const choice = <T extends string>(name: string, known: readonly T[]): T | undefined => {
    const value = param(name);
    const found = known.find((each) => each === value);
    if (value && found === undefined) unknown.push({ name, value, known });
    return found;
  };
  const allowed = ENVIRONMENTS.filter((name) => session.environments.includes(name));
  const environment = choice("environment", allowed) ?? allowed[0] ?? "production";
  const from = param("from");
  const to = param("to");
  const recent = choice("range", [...RANGES.keys()]) ?? FIRST_RANGE;
  const range = from && to ? "custom" : recent;
  const product = param("product");
  const wanted = choice("view", PAGES) ?? "overview";
  const page = pagesFor(session).includes(wanted) ? wanted : "overview";
  for (const [name, known] of Object.entries(TABS[page].choices ?? {})) choice(name, known);
  if (TABS[page].hasRange) {
    for (const [name, hint] of wrongWindow(from, to)) unknown.push({ name, value: param(name), known: [], hint });
  }
  return {
    session,
    page,
    refused: page === wanted ? null : wanted,
    environment,
    range,
    from,
    to,
    product,
    unknown,
    param,
    scope: { environment, ...(range === "custom" ? { from, to } : { range }), ...(product ? { product } : {}) },
    go(changes) {
      const next = new URLSearchParams(params);
      for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
      show(next);
    },
    href(page, filters = {}) {
      const kept = SCOPE_PARAMETERS.filter((name) => params.get(name)).map((name) => [name, param(name)]);
      const next = new URLSearchParams(Object.fromEntries(kept));
      if (page !== "overview") next.set("view", page);
      for (const [name, value] of Object.entries(filters)) value ? next.set(name, value) : next.delete(name);
      return address(next);
    },
  };
}

function address(params: URLSearchParams): string {
  const search = params.toString();
  return location.pathname + (search ? `?${search}` : "");
}

/** Goes to a view as a link to it does. */
export function useFollow(): (page: Page, filters?: Record<string, string>) => void {
  const view = useView();
  return (page, filters) => follow(view.href(page, filters));
}

/** Shows another view without loading the page again. */
export function follow(href: string): void {
  history.pushState(null, "", href);
  dispatchEvent(new PopStateEvent("popstate"));
  scrollTo(0, 0);
}

interface ViewLinkProps {
  page: Page;
  filters?: Record<string, string>;
  class?: string;
  title?: string;
  current?: boolean;
  data?: Record<`data-${string}`, string>;
  children: ComponentChildren;
}

/** A link to a view. A plain click does not load the page again; the browser handles all other clicks. */
export function ViewLink({ page, filters, class: kind, title, current, data, children }: ViewLinkProps): JSX.Element {
  const view = useView();
  const onClick = (event: MouseEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    follow((event.currentTarget as HTMLAnchorElement).href);
  };
  return (
    <a
      href={view.href(page, filters)}
      class={kind}
      title={title}
      aria-current={current ? "page" : undefined}
      onClick={onClick}
      {...data}
    >
      {children}
    </a>
  );
}
