// The tabs of the page: what the frame knows of each. Their code is loaded when they are opened (lazy.tsx).

import { FLAGS } from "../parts/flags";
import type { LicenseState, ProfileOrder } from "../types";

interface Tab {
  title: string;
  /** Whether a viewer may open it. */
  forViewers?: boolean;
  /** Whether the range of time in the toolbar is about it. */
  hasRange?: boolean;
  /** Whether the product in the toolbar is about it. */
  hasProduct?: boolean;
  /** Whether it shows nothing until a product is chosen. */
  needsProduct?: boolean;
  /** Parameters of its address, other than those of every tab, that have one of these values or none. */
  choices?: Readonly<Record<string, readonly string[]>>;
}

export const ORDERS = ["active", "new", "growing", "quiet"] as const satisfies readonly ProfileOrder[];

export const STATES = [
  "available",
  "assigned",
  "active",
  "suspended",
  "expired",
  "revoked",
] as const satisfies readonly LicenseState[];
export const SEATS = ["full", "over"] as const;
export const WITHIN = ["7", "30", "90"] as const;
export const SORTED_BY = ["issued", "expires", "seats", "customer", "product", "state"] as const;
const SORTS = SORTED_BY.flatMap((name) => [name, `-${name}`]);

const ALL = {
  overview: {
    title: "Overview",
    forViewers: true,
    hasRange: true,
    hasProduct: true,
  },
  companies: {
    title: "Companies",
    forViewers: true,
    hasProduct: true,
    needsProduct: true,
    choices: { order: ORDERS },
  },
  developers: {
    title: "Developers",
    forViewers: true,
    hasProduct: true,
    needsProduct: true,
    choices: { order: ORDERS },
  },
  billing: {
    title: "Billing",
    forViewers: true,
  },
  licenses: {
    title: "Licences",
    hasProduct: true,
    choices: { state: STATES, seats: SEATS, sort: SORTS, expires_within: WITHIN },
  },
  customers: {
    title: "Customers",
    choices: { show: ["over"] },
  },
  products: {
    title: "Products",
  },
  values: {
    title: "Values",
    forViewers: true,
    hasRange: true,
    hasProduct: true,
    needsProduct: true,
  },
  records: {
    title: "Raw data",
    hasRange: true,
    hasProduct: true,
    choices: { flagged: ["true", "false"], flag: FLAGS },
  },
  logs: {
    title: "System logs",
    hasRange: true,
    hasProduct: true,
  },
} as const satisfies Record<string, Tab>;

export type Page = keyof typeof ALL;

/** In the order in which they are shown. */
export const TABS: Readonly<Record<Page, Tab>> = ALL;
export const PAGES = Object.keys(ALL) as Page[];
