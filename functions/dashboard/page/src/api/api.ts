// Requests to the API, and the problems that it answers with.

import type { Session } from "../types";

/** The status of an answer that the page has already. */
const UNCHANGED = 304;

export type Query = Record<string, string | undefined>;

/** Problem details (RFC 9457), or a replacement for them when the answer has none. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string | null = null,
    readonly fields: readonly { field: string; message: string }[] = [],
    readonly retryAfter: number | null = null,
  ) {
    super(title);
  }
}

/** A number that JavaScript would write in another way than it was sent, such as 9007199254740993 or 1.0. */
export class ExactNumber {
  constructor(readonly text: string) {}

  /** A value that JSON.stringify writes as it was sent. All browsers with `context` in JSON.parse have `rawJSON`. */
  get json(): unknown {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    return rawJSON ? rawJSON(this.text) : Number(this.text);
  }
}

let csrf = "";

export async function currentSession(): Promise<Session | null> {
  try {
    const session = (await (await send("GET", "/admin/session")).json()) as Session;
    csrf = session.csrf;
    return session;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

export async function signIn(key: string): Promise<void> {
  await send("POST", "/admin/session", { body: JSON.stringify({ key }) });
}

export async function signOut(): Promise<void> {
  await change("DELETE", "/admin/session");
}

export async function get<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
  const response = await send("GET", path + search(query), signal ? { signal } : {});
  return JSON.parse(await response.text()) as T;
}

/** An answer, and the tag by which the API knows it again. */
export interface Tagged<T> {
  readonly data: T;
  readonly tag: string | null;
}

/** Like `get`; null if the answer is still the one with this tag. */
export async function getChanged<T>(url: string, tag: string | null, signal: AbortSignal): Promise<Tagged<T> | null> {
  const response = await send("GET", url, tag ? { signal, headers: { "If-None-Match": tag } } : { signal });
  if (response.status === UNCHANGED) return null;
  return { data: JSON.parse(await response.text()) as T, tag: response.headers.get("ETag") };
}

/** Like `get`, but every number stays exactly as it is in the answer. */
export async function getExactNumbers<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
  const response = await send("GET", path + search(query), signal ? { signal } : {});
  return JSON.parse(await response.text(), keepExactNumbers as (key: string, value: unknown) => unknown) as T;
}

/** One page of a download. */
export function download(url: string, signal?: AbortSignal): Promise<Response> {
  return send("GET", url, signal ? { signal } : {});
}

/** The address of the next page, or null after the last one. */
export function nextOf(response: Response): string | null {
  return /<([^>]*)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "")?.[1] ?? null;
}

/** A page of a list of the admin API, which tells in a header where the next one is. */
export async function getPage<T>(path: string, query: Query, signal?: AbortSignal): Promise<Linked<T>> {
  const response = await send("GET", path + search(query), signal ? { signal } : {});
  const { items } = JSON.parse(await response.text()) as { items: T[] };
  const next = nextOf(response)?.split("?")[1];
  return { items, next: new URLSearchParams(next).get("cursor") };
}

export interface Linked<T> {
  items: T[];
  /** The cursor of the next page; null on the last one. */
  next: string | null;
}

interface Said {
  body?: unknown;
  /** The ETag of what was read: if it is another one by now, nothing is changed (412). */
  tag?: string | null;
}

/** Changes something. */
export async function change<T>(
  method: "POST" | "DELETE" | "PATCH",
  path: string,
  { body, tag }: Said = {},
): Promise<T | undefined> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await sendWithToken(method, path, { ...init, headers: tag ? { "If-Match": tag } : {} });
  return response.status === 204 ? undefined : ((await response.json()) as T);
}

/** Asks what must not stand in an address. */
export async function ask<T>(path: string, query: Query, body: object, signal?: AbortSignal): Promise<T> {
  const init = { body: JSON.stringify(body), ...(signal ? { signal } : {}) };
  return (await (await sendWithToken("POST", path + search(query), init)).json()) as T;
}

/** If another tab has started a new session, the token is new too: then it is read again. */
async function sendWithToken(method: string, url: string, init: RequestInit = {}): Promise<Response> {
  const attempt = (): Promise<Response> =>
    send(method, url, { ...init, headers: { ...init.headers, "X-CSRF-Token": csrf } });
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof Problem && error.status === 403) || !(await currentSession())) throw error;
    return attempt();
  }
}

export function search(query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

async function send(method: string, url: string, init: RequestInit = {}): Promise<Response> {
  const headers = { Accept: "application/json", ...(init.headers as Record<string, string>) };
  let response: Response;
  try {
    response = await fetch(url, {
      ...init,
      method,
      headers: init.body ? { ...headers, "Content-Type": "application/json" } : headers,
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "No connection", "The service could not be reached.");
  }
  if (!response.ok && response.status !== UNCHANGED) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  try {
    const body = (await response.json()) as Record<string, unknown>;
    return new Problem(
      response.status,
      String(body.title ?? body.message ?? "Failed"),
      String(body.detail ?? `The service answered with status ${response.status}.`),
      body.request_id ? String(body.request_id) : null,
      Array.isArray(body.errors) ? body.errors : [],
      retryAfter,
    );
  } catch {
    const detail = `The service answered with status ${response.status}.`;
    return new Problem(response.status, "Failed", detail, null, [], retryAfter);
  }
}

// Browsers without `context` show such numbers rounded.
function keepExactNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" && context?.source !== undefined && String(value) !== context.source
    ? new ExactNumber(context.source)
    : value;
}
