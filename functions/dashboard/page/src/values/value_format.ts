// Values as text: numbers of any size, and what they are worth.

import { count, plural } from "../parts/format";
import type { ValueDay, Values, ValueType } from "../types";

const plain = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 5 });
const scientific = new Intl.NumberFormat("en-US", { notation: "scientific", maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

const LARGE = 1e9;
const SMALL = 1e-4;

const isExtreme = (value: number): boolean => value !== 0 && (Math.abs(value) >= LARGE || Math.abs(value) < SMALL);

/** "1,234.5", or "1.234E12" where it is very large or small. */
export const number = (value: number): string => (isExtreme(value) ? scientific : plain).format(value);

/** On an axis. */
export const shortNumber = (value: number): string => (isExtreme(value) ? scientific : compact).format(value);

/** "± 1.6%": never less than it is. */
export const errorText = (error: number): string => `± ${Math.ceil(error * 1000) / 10}%`;

export const TYPES: ReadonlyMap<ValueType, string> = new Map([
  ["numeric-single-value", "numbers"],
  ["numeric-xy-axis", "pairs"],
  ["text", "texts"],
]);

const GROUPS = new Map([
  ["~other", "other groups"],
  ["~unknown", "no group"],
]);
const VERSIONS = new Map([
  ["~other", "other versions"],
  ["~unknown", "no version"],
]);

/** What names stand for that no client chose; undefined for one that a client chose. */
export const groupName = (name: string): string | undefined => GROUPS.get(name);
export const versionName = (name: string): string | undefined => VERSIONS.get(name);

/** What is to be said of a bucket: that it is still open, or that it is not complete. */
export function remarks(data: Values): (start: string | undefined) => string | undefined {
  const days = new Map(data.days.map((day) => [day.day, day]));
  return (start) => {
    const day = start === undefined ? undefined : days.get(start.slice(0, 10));
    if (!day) return undefined;
    if (!day.closed) return "so far";
    return incomplete(day) ? "incomplete" : undefined;
  };
}

const incomplete = (day: ValueDay): boolean => day.complete === false;

/** What is missing on closed days, in a sentence; null if nothing is. */
export function missing({ days }: Values): string | null {
  const parts = days.filter(incomplete).map(({ day, missing: left, unread }) => {
    const why = [left ? `${count(left)} not looked at` : "", unread ? `${count(unread)} without a body at hand` : ""];
    return `${day} (${why.filter(Boolean).join(", ") || "counted differently"})`;
  });
  if (parts.length === 0) return null;
  return `Incomplete on ${plural(parts.length, "day")}, in records: ${parts.join("; ")}.`;
}
