// Asks what a text means. It may be a licence key: it goes into the body of a request, and nowhere else.

import { PAGES, type Page } from "../frame/tabs";
import { pagesFor, type View } from "../frame/view";
import type { HitKind, SearchHit, SearchResult } from "../types";
import { ask } from "./api";

/** Characters. */
export const SHORTEST_TEXT = 2;
export const LONGEST_TEXT = 256;
export const SHORTEST_KEY = 8;

/** The form of the licence keys that are made here. */
export const MADE_KEY = /^[A-Z\d]{5}(-[A-Z\d]{5}){3,}$/i;

/** Looked for whatever the field: the keys that must not be taken for something else. */
export const KEYS = ["license", "key", "api_key"] as const satisfies readonly HitKind[];

export function find(
  view: View,
  text: string,
  signal?: AbortSignal,
  kinds?: readonly HitKind[],
): Promise<SearchResult> {
  return ask<SearchResult>("/api/v1/analytics/search", { environment: view.environment }, { text, kinds }, signal);
}

/** Whether a text is a licence's key, or an API key: then it must not stand in an address. */
export async function isKey(view: View, text: string): Promise<boolean> {
  if (text.length < SHORTEST_KEY || text.length > LONGEST_TEXT) return false;
  return MADE_KEY.test(text) || (await find(view, text, undefined, KEYS)).items.length > 0;
}

export const KINDS: Readonly<Record<HitKind, string>> = {
  record: "Record",
  license: "Licence",
  key: "Unknown key",
  api_key: "API key",
  user: "User",
  device: "Device",
  developer: "Developer",
  ip: "IP address",
  product: "Product",
  customer: "Customer",
  company: "Company",
};

/** Filters of records, whatever product they are of; of long ago too. */
const records = (filters: Record<string, string>): Place => ["records", { range: "90d", ...filters }];

type Place = readonly [string, Record<string, string>];

/** Where a hit leads to: a tab, and what is shown in it; the second place is for who has no such tab. */
const PLACES: Readonly<Record<HitKind, (hit: SearchHit) => readonly [Place, Place?]>> = {
  record: ({ id }) => [["records", { record: id }]],
  license: ({ id }) => [["licenses", { license: id }], records({ license_id: id })],
  key: ({ id }) => [records({ license_id: id })],
  api_key: ({ id }) => [records({ api_key_id: id })],
  user: ({ id }) => [records({ user: id })],
  device: ({ id }) => [records({ hwid: id })],
  developer: ({ id, product }) => [["developers", { product: product ?? "", open: id }]],
  ip: ({ id }) => [records({ ip: id })],
  product: ({ id }) => [
    ["products", { open: id }],
    ["overview", { product: id }],
  ],
  customer: ({ id }) => [["customers", { customer: id }], records({ customer_id: id })],
  company: ({ id, product }) => [["companies", { product: product ?? "", open: id }]],
};

/** The address of what was found. */
export function hrefOf(view: View, hit: SearchHit): string {
  const pages: readonly string[] = pagesFor(view.session);
  const places = PLACES[hit.kind](hit);
  const [page, filters] = places.find((place) => place && pages.includes(place[0])) ?? places[0];
  const known = PAGES.find((each): each is Page => each === page) ?? "overview";
  const range: Record<string, string> = filters.range ? { from: "", to: "" } : {};
  return view.href(known, { environment: hit.environment, product: "", ...range, ...filters });
}
