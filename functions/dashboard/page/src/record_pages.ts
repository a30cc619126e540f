// Asking for records, page by page.

import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { get, Problem } from "./api";
import { plural } from "./format";
import { SignedOut, Tick } from "./live";
import type { RecordPage, RecordRow } from "./types";
import { announce } from "./ui";

const PAGE = "50";

/** A page of records: a search goes on by itself while it finds nothing, for a page may be empty and not the last. */
async function found(question: string, cursor: string | null, signal?: AbortSignal): Promise<RecordPage> {
  const query = Object.fromEntries(new URLSearchParams(question));
  let page: RecordPage = { items: [], next: cursor };
  do {
    const more = page.next === null ? {} : { cursor: page.next };
    page = await get<RecordPage>("/api/v1/analytics/records", { ...query, limit: PAGE, ...more }, signal);
  } while (page.items.length === 0 && page.next !== null);
  return page;
}

interface State {
  /** What the pages are of. */
  question: string;
  pages: RecordPage[];
  problem: Problem | null;
  busy: boolean;
}

interface Found {
  items: RecordRow[] | null;
  next: string | null;
  problem: Problem | null;
  busy: boolean;
  /** Whether more than the first page is there, which is not asked for again then. */
  paged: boolean;
  more: () => void;
  reload: () => void;
}

/** The pages asked for so far. While that is the first alone, it is asked for again at every tick. */
export function useRecords(question: string): Found {
  const tick = useContext(Tick);
  const signedOut = useContext(SignedOut);
  const [state, setState] = useState<State>({ question: "", pages: [], problem: null, busy: false });
  const [again, setAgain] = useState(0);
  const mine = state.question === question;
  const paged = mine && state.pages.length > 1;

  const failed = useCallback(
    (error: unknown): void => {
      if (error instanceof Problem && error.status === 401) {
        signedOut();
        return;
      }
      const problem = error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error));
      setState((before) => ({
        question,
        pages: before.question === question ? before.pages : [],
        problem,
        busy: false,
      }));
    },
    [question, signedOut],
  );

  useEffect(() => {
    if (paged) return;
    const stop = new AbortController();
    found(question, null, stop.signal).then(
      (page) => setState({ question, pages: [page], problem: null, busy: false }),
      (error: unknown) => {
        if (!stop.signal.aborted) failed(error);
      },
    );
    return () => stop.abort();
  }, [question, failed, paged, again, tick]);

  const next = mine ? (state.pages.at(-1)?.next ?? null) : null;
  const more = (): void => {
    if (!next) return;
    setState((before) => ({ ...before, busy: true }));
    found(question, next).then((page) => {
      setState((before) =>
        before.question === question
          ? { ...before, pages: [...before.pages, page], problem: null, busy: false }
          : before,
      );
      announce(`${plural(page.items.length, "more record")}`);
    }, failed);
  };

  return {
    items: mine && state.pages.length > 0 ? state.pages.flatMap(({ items }) => items) : null,
    next,
    problem: mine ? state.problem : null,
    busy: state.busy,
    paged,
    more,
    reload: () => {
      setState((before) => ({ ...before, pages: before.pages.slice(0, 1) }));
      setAgain((before) => before + 1);
    },
  };
}
