// What people have of a licence, customer, user, device, address or API key, turned into what records are filtered by.
//
// All of it goes through the search, because any field may be given a licence key by mistake, and a filter stands in the
// address. What is no id is never put there: neither while the search is under way, nor when it fails.

import { find, KEYS, LONGEST_TEXT, MADE_KEY, SHORTEST_KEY, SHORTEST_TEXT } from "../api/search_api";
import { isLicenseId } from "../frame/license_address";
import type { RecordFilter, View } from "../frame/view";
import type { Environment, HitKind, RecordRow, SearchHit } from "../types";

export type NamedFilter = Exclude<RecordFilter, "flagged" | "flag">;

/** What a filter can be set to. */
export interface Choice {
  filter: NamedFilter;
  value: string;
  title: string;
  note: string | null;
  environment: Environment;
}

/** What became of what was typed: a value; or what is said instead, with some to choose from. */
export type Answer = { value: string } | { said: string; choices: readonly Choice[] };

/** Characters. */
const LONGEST_VERSION = 64;
const MOST_CHOICES = 8;

const KINDS: Readonly<Record<NamedFilter, readonly HitKind[]>> = {
  license_id: ["license", "key"],
  customer_id: ["customer"],
  user: ["user", "developer"],
  hwid: ["device", "developer"],
  ip: ["ip"],
  version: [],
  api_key_id: ["api_key"],
};

const WANTED: Readonly<Record<NamedFilter, (text: string, view: View) => string>> = {
  license_id: (_, { environment }) =>
    `No licence of ${environment} is called so, and no record was sent with such a key. Give the whole key, its last four characters, or the licence's id.`,
  customer_id: (text) => `No customer is called “${text}”. Give the beginning of a word of its name, or its id.`,
  user: (text, { environment }) => `No user “${text}” was counted in ${environment}. Give the whole id, as it is sent.`,
  hwid: (text, { environment }) =>
    `No device “${text}” was counted in ${environment}. Give the whole id, or the beginning of one in the list below.`,
  ip: () => "This is no IP address. Give a whole one, as 203.0.113.7 or 2001:db8::1.",
  version: () => "This is no version. Give it as it is sent, as 4.12.1.",
  api_key_id: (_, { environment }) =>
    `No SDK key of ${environment} is called so. Give its name, its id, its last four characters, or the whole key.`,
};

/** Raises a Problem when the search fails. `rows` are the records that are shown, of which the list prints a part. */
export async function answerTo(
  view: View,
  filter: NamedFilter,
  text: string,
  rows: readonly RecordRow[],
): Promise<Answer> {
  if (text.length < SHORTEST_TEXT || (text.length > LONGEST_TEXT && (filter === "user" || filter === "hwid")))
    return filter === "license_id" ? nothing(view, filter, text) : { value: text };
  if (text.length > LONGEST_TEXT) return nothing(view, filter, text);
  const { items } = await find(view, text, undefined, [...new Set([...KINDS[filter], ...KEYS])]);
  if (filter !== "license_id" && text.length >= SHORTEST_KEY) {
    const keys = items.filter(({ kind }) => kind === "license" || kind === "key");
    if (keys.length > 0)
      return {
        said: "This is a licence key. It belongs into the field Licence.",
        choices: keys.map(choiceOf("license_id")),
      };
  }
  if (filter === "version") return isVersion(text, items) ? { value: text } : nothing(view, filter, text);
  const choices = items.filter(({ kind }) => KINDS[filter].includes(kind)).map(choiceOf(filter));
  if (filter === "hwid") choices.push(...shown(view, text, rows));
  return answerOf(view, filter, text, distinct(choices));
}

function answerOf(view: View, filter: NamedFilter, text: string, choices: readonly Choice[]): Answer {
  const here = choices.filter(({ environment }) => environment === view.environment);
  const whole = here.find(({ value }) => value === text);
  const [first] = here;
  if (whole) return { value: whole.value };
  if (first && here.length === 1) return { value: first.value };
  if (choices.length === 0) return nothing(view, filter, text);
  const said = here.length > 0 ? "There are several. Which one?" : "It is not of this environment.";
  return { said, choices: (here.length > 0 ? here : choices).slice(0, MOST_CHOICES) };
}

const nothing = (view: View, filter: NamedFilter, text: string): Answer => ({
  said: WANTED[filter](text, view),
  choices: [],
});

/** A version may be any text; one that looks like a key is none. */
const isVersion = (text: string, items: readonly SearchHit[]): boolean =>
  text.length <= LONGEST_VERSION &&
  !MADE_KEY.test(text) &&
  !isLicenseId(text) &&
  !items.some(({ kind }) => kind === "api_key" && text.length >= SHORTEST_KEY);

/** A developer is filtered by what it calls itself, which is its title. */
const choiceOf =
  (filter: NamedFilter) =>
  ({ kind, id, title, note, environment }: SearchHit): Choice => ({
    filter,
    value: kind === "developer" ? title : id,
    title,
    note,
    environment,
  });

/** Devices of the list whose ids begin so: it prints their first characters. */
function shown(view: View, text: string, rows: readonly RecordRow[]): Choice[] {
  const begins = text.toLowerCase();
  return rows.flatMap(({ hwid }) =>
    hwid?.toLowerCase().startsWith(begins)
      ? [{ filter: "hwid" as const, value: hwid, title: hwid, note: null, environment: view.environment }]
      : [],
  );
}

function distinct(choices: readonly Choice[]): Choice[] {
  return [...new Map(choices.map((each) => [`${each.environment}\n${each.value}`, each])).values()];
}
