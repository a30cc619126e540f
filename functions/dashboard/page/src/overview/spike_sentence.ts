// A spike, told as a person would.

import { count, plural } from "../parts/format";
import { visible } from "../parts/ui";
import type { FlaggedEvidence, KeyEvidence, ProductName, Spike, SpikeLicense } from "../types";

/** Of flagged records or of a key: what one kind has, the other has not. */
export type Evidence = Partial<FlaggedEvidence & KeyEvidence>;

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/** "Orbit Desktop ••••0C33, Aurora Works: 929 flagged records of 130 devices in three days; its limit is 3". */
export function spikeSentence(spike: Spike, products: readonly ProductName[] | null): string {
  const { so_far: soFar, evidence } = spike;
  const { api_key: key }: Evidence = evidence;
  const license = soFar?.licenses[0];
  const who = key
    ? `API key ${visible(key.name ?? key.id)}${last4(key.last4)}`
    : `${visible(productName(spike, products))}${of(license)}`;
  if (!soFar) return `${who}: ${beginning(spike)}`;
  const when = soFar.days === 1 && spike.closed_at === null ? "today" : `in ${inWords(soFar.days, "day")}`;
  const what = key ? plural(soFar.records, "event") : plural(license?.flagged ?? soFar.records, "flagged record");
  const devices = license
    ? ` of ${license.devices_at_least ? "at least " : ""}${plural(license.devices, "device")}`
    : "";
  const limit = license?.limit ? `; its limit is ${count(license.limit)}` : "";
  return `${who}: ${what}${devices} ${when}${limit}`;
}

/** What opened it: "243 flagged records in an hour, but at most 78 were expected." */
export function beginning({ cause, evidence }: Spike): string {
  const { flagged, events, most_expected: expected, license }: Evidence = evidence;
  const number = events ?? flagged;
  if (number === undefined) return cause.replaceAll("_", " ");
  const what = plural(number, events === undefined ? "flagged record" : "event");
  const where = license ? `since midnight with licence ••••${license.last4 ?? ""}` : "in an hour";
  const usual = expected === undefined ? "" : `, but at most ${count(expected)} were expected`;
  return `${what} ${where}${usual}.`;
}

export const customerOf = ({ customer }: SpikeLicense): string | null => customer && (customer.name ?? customer.id);

function productName({ product }: Spike, products: readonly ProductName[] | null): string {
  return products?.find(({ id }) => id === product)?.name ?? product ?? "";
}

function of(license: SpikeLicense | undefined): string {
  if (!license) return "";
  const customer = customerOf(license);
  return `${last4(license.last4)}${customer ? `, ${visible(customer)}` : ""}`;
}

const last4 = (text: string | null): string => (text ? ` ••••${text}` : "");

const inWords = (value: number, one: string): string =>
  `${WORDS[value] ?? count(value)} ${value === 1 ? one : `${one}s`}`;
