// The ranges of time that have a name, and which one was used last.

import { RANGES } from "../types";

const KEY = "range";

/** Shown the first time. */
export const FIRST_RANGE = "30d";

/** In the order of the toolbar, with what is written there. */
export const RANGE_CHOICES = [
  ["today", "Today"],
  ["yesterday", "Yesterday"],
  ["24h", "24h"],
  ["7d", "7d"],
  ["30d", "30d"],
  ["90d", "90d"],
  ["this_month", "This month"],
  ["last_month", "Last month"],
] as const;

/** "last 30 days", "yesterday": when something was; of days that were chosen, "in the range". */
export function duringRange(range: string): string {
  const name = RANGES.get(range);
  if (name === undefined) return "in the range";
  return /^\d/.test(name) ? `last ${name}` : name;
}

/** The range that the reader chose last, in this browser. */
export function lastRange(): string {
  try {
    const range = localStorage.getItem(KEY);
    return range !== null && RANGES.has(range) ? range : FIRST_RANGE;
  } catch {
    return FIRST_RANGE; // the browser keeps nothing
  }
}

export function rememberRange(range: string): void {
  try {
    localStorage.setItem(KEY, range);
  } catch {
    // then the next visit begins as the first one
  }
}

/** What is wrong with a window of the address: by parameter, what it should be. Nothing if it has none. */
export function wrongWindow(from: string, to: string): Map<string, string> {
  const wrong = new Map<string, string>();
  if (!from && !to) return wrong;
  const [since, until] = [momentOf(from), momentOf(to)];
  if (since === null) wrong.set("from", HINT);
  if (until === null) wrong.set("to", HINT);
  if (since !== null && until !== null && since > until) wrong.set("from", "it must not be after the end");
  return wrong;
}

const HINT = "it can be a UTC day, such as 2026-11-21, and so must the other end";

/** Milliseconds since the epoch of a UTC day or of an instant with its zone; null for anything else. */
function momentOf(text: string): number | null {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  if (!isDay && !/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const at = Date.parse(text);
  // of the 31st of a short month browsers make the 1st of the next
  if (Number.isNaN(at) || (isDay && new Date(at).toISOString().slice(0, 10) !== text)) return null;
  return at;
}
