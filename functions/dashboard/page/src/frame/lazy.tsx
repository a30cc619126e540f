// Loads the code of a tab when it is opened.

import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "../api/api";
import { ProblemBox, Skeleton } from "../parts/ui";
import type { ProductName } from "../types";
import { PAGES, type Page } from "./tabs";

export interface TabProps {
  /** Null until they are known. */
  products: ProductName[] | null;
}

type Tab = ComponentType<TabProps>;

const CODE: Readonly<Record<Page, () => Promise<Tab>>> = {
  overview: () => import("../overview/overview").then(({ Overview }) => Overview),
  companies: () => import("../profiles/companies").then(({ Companies }) => Companies),
  developers: () => import("../profiles/developers").then(({ Developers }) => Developers),
  billing: () => import("../billing/billing").then(({ Billing }) => Billing),
  licenses: () => import("../licenses/license_list").then(({ LicenseTab }) => LicenseTab),
  customers: () => import("../customers/customers").then(({ Customers }) => Customers),
  products: () => import("../products/products").then(({ Products }) => Products),
  values: () => import("../values/values").then(({ Values }) => Values),
  records: () => import("../records/records").then(({ Records }) => Records),
  logs: () => import("../logs/logs").then(({ Logs }) => Logs),
};

const loaded = new Map<Page, Tab>();

async function load(page: Page): Promise<void> {
  loaded.set(page, await CODE[page]());
}

/** Begins to load the code of a view, before anything is known of who is there. */
export function preload(view: string): void {
  const page = PAGES.find((each) => each === view);
  if (page) load(page).catch(() => {}); // the tab says so when it is shown
}

/** A tab, once its code is there. */
export function LazyTab({ page, ...props }: TabProps & { page: Page }): JSX.Element {
  const [failed, setFailed] = useState<Page | null>(null);
  const [, showAgain] = useState(0);
  const Tab = loaded.get(page);
  useEffect(() => {
    if (Tab) return; // not what is loaded by now: that was not shown
    let isCurrent = true;
    setFailed(null);
    load(page).then(
      () => isCurrent && showAgain((before) => before + 1),
      () => isCurrent && setFailed(page),
    );
    return () => {
      isCurrent = false;
    };
  }, [page, Tab]);
  if (Tab) return <Tab {...props} />;
  return failed === page ? <ProblemBox problem={NOT_LOADED} retry={() => location.reload()} /> : <Skeleton lines={6} />;
}

// A browser may remember that a module could not be loaded, and a newer version of the page has other modules.
const NOT_LOADED = new Problem(0, "This view could not be loaded", "The page has to be loaded again.");
