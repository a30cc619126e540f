// Loads a list, page by page.

import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { plural } from "../parts/format";
import { announce } from "../parts/ui";
import { get, Problem, type Query } from "./api";
import { SignedOut, Tick } from "./live";

export interface PageOfList {
  items: unknown[];
  next: string | null;
}

interface State<P> {
  /** Path and query that the pages answer. */
  question: string;
  pages: P[];
  problem: Problem | null;
  busy: boolean;
}

export interface Pages<P> {
  /** Those loaded so far; null before the first. */
  pages: P[] | null;
  next: string | null;
  problem: Problem | null;
  busy: boolean;
  /** Whether there is more than the first page. Then that is not updated. */
  hasMore: boolean;
  loadMore: () => void;
  reload: () => void;
}

/** The next page with anything on it. A page may be empty without being the last, so the search goes on by itself. */
async function nextFilledPage<P extends PageOfList>(
  read: Read<P>,
  question: string,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<P> {
  const [path = "", search = ""] = question.split("?");
  const query = Object.fromEntries(new URLSearchParams(search));
  for (let after = cursor; ; ) {
    const page: P = await read(path, after === null ? query : { ...query, cursor: after }, signal);
    if (page.items.length > 0 || page.next === null) return page;
    after = page.next;
  }
}

/** Reads one page. */
type Read<P> = (path: string, query: Query, signal?: AbortSignal) => Promise<P>;

/** The pages loaded so far. While there is only the first, it is loaded again at every tick. `more`: what one, and many, of
 *  the next page are called. `read` must be the same each time. */
export function usePages<P extends PageOfList>(
  question: string,
  more: readonly [string, string],
  read: Read<P> = get,
): Pages<P> {
  const tick = useContext(Tick);
  const signedOut = useContext(SignedOut);
  const [state, setState] = useState<State<P>>({ question: "", pages: [], problem: null, busy: false });
  const [reloads, setReloads] = useState(0);
  const isCurrent = state.question === question;
  const hasMore = isCurrent && state.pages.length > 1;

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
    if (hasMore) return;
    const stop = new AbortController();
    nextFilledPage(read, question, null, stop.signal).then(
      (page) => setState({ question, pages: [page], problem: null, busy: false }),
      (error: unknown) => {
        if (!stop.signal.aborted) failed(error);
      },
    );
    return () => stop.abort();
  }, [read, question, failed, hasMore, reloads, tick]);

  const next = isCurrent ? (state.pages.at(-1)?.next ?? null) : null;
  const loadMore = (): void => {
    if (!next) return;
    setState((before) => ({ ...before, busy: true }));
    nextFilledPage(read, question, next).then((page) => {
      setState((before) =>
        before.question === question
          ? { ...before, pages: [...before.pages, page], problem: null, busy: false }
          : before,
      );
      announce(plural(page.items.length, ...more));
    }, failed);
  };

  return {
    pages: isCurrent && state.pages.length > 0 ? state.pages : null,
    next,
    problem: isCurrent ? state.problem : null,
    busy: state.busy,
    hasMore,
    loadMore,
    reload: () => {
      setState((before) => ({ ...before, pages: before.pages.slice(0, 1) }));
      setReloads((before) => before + 1);
    },
  };
}
