// Loads records, page by page.

import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { get, Problem } from "./api";
import { plural } from "./format";
import { SignedOut, Tick } from "./live";
import type { RecordPage, RecordRow } from "./types";
import { announce } from "./ui";

const PAGE = "50";

/** The next page with records. A page may be empty without being the last, so the search goes on by itself. */
async function nextFilledPage(question: string, cursor: string | null, signal?: AbortSignal): Promise<RecordPage> {
  const query = Object.fromEntries(new URLSearchParams(question));
  let page: RecordPage = { items: [], next: cursor };
  do {
    const after = page.next === null ? {} : { cursor: page.next };
    page = await get<RecordPage>("/api/v1/analytics/records", { ...query, limit: PAGE, ...after }, signal);
  } while (page.items.length === 0 && page.next !== null);
  return page;
}

interface State {
  /** The query that the pages answer. */
  question: string;
  pages: RecordPage[];
  problem: Problem | null;
  busy: boolean;
}

interface RecordList {
  items: RecordRow[] | null;
  next: string | null;
  problem: Problem | null;
  busy: boolean;
  /** Whether older pages are loaded. Then the first page is not updated. */
  hasOlder: boolean;
  loadOlder: () => void;
  reload: () => void;
}

/** The pages loaded so far. While there is only the first, it is loaded again at every tick. */
export function useRecords(question: string): RecordList {
  const tick = useContext(Tick);
  const signedOut = useContext(SignedOut);
  const [state, setState] = useState<State>({ question: "", pages: [], problem: null, busy: false });
  const [reloads, setReloads] = useState(0);
  const isCurrent = state.question === question;
  const hasOlder = isCurrent && state.pages.length > 1;

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
    if (hasOlder) return;
    const stop = new AbortController();
    nextFilledPage(question, null, stop.signal).then(
      (page) => setState({ question, pages: [page], problem: null, busy: false }),
      (error: unknown) => {
        if (!stop.signal.aborted) failed(error);
      },
    );
    return () => stop.abort();
  }, [question, failed, hasOlder, reloads, tick]);

  const next = isCurrent ? (state.pages.at(-1)?.next ?? null) : null;
  const loadOlder = (): void => {
    if (!next) return;
    setState((before) => ({ ...before, busy: true }));
    nextFilledPage(question, next).then((page) => {
      setState((before) =>
        before.question === question
          ? { ...before, pages: [...before.pages, page], problem: null, busy: false }
          : before,
      );
      announce(`${plural(page.items.length, "more record")}`);
    }, failed);
  };

  return {
    items: isCurrent && state.pages.length > 0 ? state.pages.flatMap(({ items }) => items) : null,
    next,
    problem: isCurrent ? state.problem : null,
    busy: state.busy,
    hasOlder,
    loadOlder,
    reload: () => {
      setState((before) => ({ ...before, pages: before.pages.slice(0, 1) }));
      setReloads((before) => before + 1);
    },
  };
}
