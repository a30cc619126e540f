// An export as one file: its pages are followed to the end and checked.

import { download, nextOf, Problem } from "../api/api";
import { count } from "./format";

export type Format = "csv" | "ndjson";

export interface Progress {
  pages: number;
  rows: number;
  size: number;
}

const NEWLINE = 0x0a;
const TRIES = 5;
const PAUSE_MS = 2000;
const DIGEST_BYTES = 32;
const TYPES = { csv: "text/csv;charset=utf-8", ndjson: "application/x-ndjson" };

/** All pages of an export. Throws a Problem if they are not the rows that the last page confirms. */
export async function fetchAll(
  first: string,
  format: Format,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<Blob> {
  const pages: Uint8Array<ArrayBuffer>[] = [];
  const progress: Progress = { pages: 0, rows: format === "csv" ? -1 : 0, size: 0 };
  let digest: Uint8Array<ArrayBuffer> = new Uint8Array(DIGEST_BYTES);
  for (let url: string | null = first; url !== null; ) {
    const response: Response = await downloadWithRetries(url, signal);
    const page = new Uint8Array(await response.arrayBuffer());
    for (const line of linesOf(page)) {
      digest = await nextDigest(digest, line);
      progress.rows += 1;
    }
    pages.push(page);
    progress.pages += 1;
    progress.size += page.length;
    onProgress({ ...progress, rows: Math.max(progress.rows, 0) });
    url = nextOf(response);
    if (url === null) checkComplete(response, progress.rows, digest);
  }
  return new Blob(pages, { type: TYPES[format] });
}

/** One page. It is requested again if the server or the network failed. */
async function downloadWithRetries(url: string, signal: AbortSignal): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await download(url, signal);
    } catch (error) {
      const passing = error instanceof Problem && (error.status === 0 || error.status >= 500);
      if (!passing || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, (error.retryAfter ?? 0) * 1000 || PAUSE_MS));
      signal.throwIfAborted();
    }
  }
}

/** The lines of a page, each with its end. */
function* linesOf(page: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < page.length; ) {
    const end = page.indexOf(NEWLINE, start);
    const next = end < 0 ? page.length : end + 1;
    yield page.subarray(start, next);
    start = next;
  }
}

/** SHA-256 of the digest so far and the next line. So the whole can be checked page by page. */
async function nextDigest(digest: Uint8Array, line: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const both = new Uint8Array(digest.length + line.length);
  both.set(digest);
  both.set(line, digest.length);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", both));
}

function checkComplete(last: Response, rows: number, digest: Uint8Array): void {
  const expected = last.headers.get("Export-Rows");
  const hexadecimal = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (expected !== String(rows) || last.headers.get("Export-SHA-256") !== hexadecimal) {
    const arrived = `${count(rows)} of ${expected ?? "an unknown number of"} rows arrived`;
    const detail = `${arrived}, or some were changed on the way.`;
    throw new Problem(0, "Incomplete export", `${detail} Please export again.`);
  }
}
