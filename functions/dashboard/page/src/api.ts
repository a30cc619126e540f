// Asking the API, and what it says when it cannot answer.

import type { Session } from "./types";

export type Query = Record<string, string | undefined>;

/** Problem details (RFC 9457), or what stands in for them when not even those came. */
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

/** A number that JavaScript would not give back as it was sent, such as 9007199254740993 or 1.0. */
export class ExactNumber {
  constructor(readonly text: string) {}

  /** What JSON.stringify writes as it came. Browsers that tell what a number was written like have `rawJSON` too. */
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

/** As `get`, with every number exactly as it stands in the answer. */
export async function getExactly<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
  const response = await send("GET", path + search(query), signal ? { signal } : {});
  return JSON.parse(await response.text(), exactly as (key: string, value: unknown) => unknown) as T;
}

/** A page of a download: the answer itself. */
export function download(url: string, signal?: AbortSignal): Promise<Response> {
  return send("GET", url, signal ? { signal } : {});
}

/** Where what a page is of goes on. */
export function nextOf(response: Response): string | null {
  return /<([^>]*)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "")?.[1] ?? null;
}

/** Changes something. A session begun anew in another tab has another token, so that is asked for once more. */
export async function change<T>(method: "POST" | "DELETE", path: string): Promise<T | undefined> {
  const attempt = (): Promise<Response> => send(method, path, { headers: { "X-CSRF-Token": csrf } });
  let response: Response;
  try {
    response = await attempt();
  } catch (error) {
    if (!(error instanceof Problem && error.status === 403) || !(await currentSession())) throw error;
    response = await attempt();
  }
  return response.status === 204 ? undefined : ((await response.json()) as T);
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
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  try {
    const told = (await response.json()) as Record<string, unknown>;
    return new Problem(
      response.status,
      String(told.title ?? told.message ?? "Failed"),
      String(told.detail ?? `The service answered with status ${response.status}.`),
      told.request_id ? String(told.request_id) : null,
      Array.isArray(told.errors) ? told.errors : [],
      retryAfter,
    );
  } catch {
    const detail = `The service answered with status ${response.status}.`;
    return new Problem(response.status, "Failed", detail, null, [], retryAfter);
  }
}

// Browsers that give no `context` yet show such numbers rounded.
function exactly(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" && context?.source !== undefined && String(value) !== context.source
    ? new ExactNumber(context.source)
    : value;
}
