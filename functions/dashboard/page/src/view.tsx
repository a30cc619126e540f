// What is looked at, all of it in the address: a view can be shared, and Back goes back.

import { type ComponentChildren, createContext, type JSX } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
import type { Query } from "./api";
import type { Environment, Session } from "./types";

export const RANGES = { "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days" } as const;
export const ENVIRONMENTS: readonly Environment[] = ["production", "staging", "development"];
export const RECORD_FILTERS = ["license_id", "customer_id", "user", "hwid", "ip", "flagged", "flag", "version", "api_key_id"] as const;
export const LOG_FILTERS = ["cause", "last4", "ip"] as const;

export type Page = "overview" | "records" | "logs";

/** Changes of the address: null takes a parameter away. */
export type Changes = Record<string, string | null>;

const OF_SCOPE = ["environment", "range", "from", "to", "product"];

export interface View {
  readonly session: Session;
  readonly page: Page;
  readonly environment: Environment;
  /** One of RANGES, or "custom". */
  readonly range: string;
  readonly from: string;
  readonly to: string;
  readonly product: string;
  /** A parameter of the address, or "". */
  param(name: string): string;
  /** What every question to the analytics API begins with. */
  readonly scope: Query;
  /** Goes elsewhere within the page. */
  go(changes: Changes): void;
  /** The address of another view of the same environment, time and product, but for what filters name; "" is none. */
  href(page: Page, filters?: Record<string, string>): string;
}

export const ViewContext = createContext<View | null>(null);

export function useView(): View {
  const view = useContext(ViewContext);
  if (!view) throw new Error("no view");
  return view;
}

/** The view the address says, kept up to date. */
export function useAddress(session: Session): View {
  const [search, setSearch] = useState(location.search);
  useEffect(() => {
    const moved = (): void => setSearch(location.search);
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  return useMemo(() => {
    const show = (params: URLSearchParams): void => {
      history.pushState(null, "", address(params));
      setSearch(location.search);
    };
    return viewOf(session, new URLSearchParams(search), show);
  }, [session, search]);
}

function viewOf(session: Session, params: URLSearchParams, show: (params: URLSearchParams) => void): View {
  const param = (name: string): string => params.get(name) ?? "";
  const allowed = ENVIRONMENTS.filter((name) => session.environments.includes(name));
  const environment = allowed.find((name) => name === param("environment")) ?? allowed[0] ?? "production";
  const from = param("from");
  const to = param("to");
  const range = from && to ? "custom" : param("range") in RANGES ? param("range") : "24h";
  const product = param("product");
  const asked = param("view");
  const mayRead = session.role !== "viewer";
  return {
    session,
    page: mayRead && (asked === "records" || asked === "logs") ? asked : "overview",
    environment,
    range,
    from,
    to,
    product,
    param,
    scope: { environment, ...(range === "custom" ? { from, to } : { range }), ...(product ? { product } : {}) },
    go(changes) {
      const next = new URLSearchParams(params);
      for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
      show(next);
    },
    href(page, filters = {}) {
      const kept = OF_SCOPE.filter((name) => params.get(name)).map((name) => [name, param(name)]);
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

interface FollowProps {
  page: Page;
  filters?: Record<string, string>;
  class?: string;
  title?: string;
  current?: boolean;
  data?: Record<`data-${string}`, string>;
  children: ComponentChildren;
}

/** A link within the page, followed without loading it again; anything but a plain click is the browser's. */
export function Follow({ page, filters, class: kind, title, current, data, children }: FollowProps): JSX.Element {
  const view = useView();
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(null, "", (event.currentTarget as HTMLAnchorElement).href);
    dispatchEvent(new PopStateEvent("popstate"));
    scrollTo(0, 0);
  };
  return (
    <a
      href={view.href(page, filters)}
      class={kind}
      title={title}
      aria-current={current ? "page" : undefined}
      onClick={follow}
      {...data}
    >
      {children}
    </a>
  );
}
