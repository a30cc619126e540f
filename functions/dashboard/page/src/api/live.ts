// Keeps the page up to date.

import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { getChanged, Problem, type Query, search } from "./api";

const EVERY_MS = 30_000;

/** Counts up each time when the page should load everything again. */
export const Tick = createContext(0);

/** Loads everything again, now. */
export const Refresh = createContext<() => void>(() => {});

/** Called when the session has ended. */
export const SignedOut = createContext<() => void>(() => {});

/** Ticks every 30 seconds while the page is visible and not paused, and at once when it was hidden for longer. */
export function useTicks(paused: boolean): [number, () => void] {
  const [tick, setTick] = useState(0);
  const last = useRef(Date.now());
  const now = useCallback(() => {
    last.current = Date.now();
    setTick((before) => before + 1);
  }, []);
  useEffect(() => {
    if (paused) return;
    const due = (): void => {
      if (!document.hidden && Date.now() - last.current >= EVERY_MS) now();
    };
    const timer = setInterval(due, 1000);
    document.addEventListener("visibilitychange", due);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", due);
    };
  }, [paused, now]);
  return [tick, now];
}

export interface Resource<T> {
  /** The last answer to this question; null until there is one. */
  data: T | null;
  /** The ETag of that answer. */
  tag: string | null;
  /** Why there is no answer, or no newer answer. */
  error: Problem | null;
  loading: boolean;
  reload: () => void;
}

/** A part of an answer. */
export function partOf<T, K extends keyof T>(resource: Resource<T>, name: K): Resource<T[K]> {
  return { ...resource, data: resource.data?.[name] ?? null };
}

interface Loaded<T> {
  question: string;
  data: T | null;
  tag: string | null;
  error: Problem | null;
}

/** Loads once, and again at every tick unless `live` is false and there is an answer. An answer that has not changed is not sent again. */
export function useResource<T>(path: string, query: Query, live = true): Resource<T> {
  const tick = useContext(Tick);
  const signedOut = useContext(SignedOut);
  const question = path + search(query);
  const [state, setState] = useState<Loaded<T>>({ question: "", data: null, tag: null, error: null });
  const known = useRef<Loaded<T>>(state);
  known.current = state;
  const [again, setAgain] = useState(0);
  const updates = live || state.error !== null;
  useEffect(() => {
    const stop = new AbortController();
    const tag = known.current.question === question ? known.current.tag : null;
    getChanged<T>(question, tag, stop.signal).then(
      (found) => {
        if (found) setState({ question, ...found, error: null });
        else setState((before) => (before.error ? { ...before, error: null } : before));
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (error instanceof Problem && error.status === 401) return signedOut();
        const problem = error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error));
        setState((before) => ({
          question,
          data: before.question === question ? before.data : null,
          tag: before.question === question ? before.tag : null,
          error: problem,
        }));
      },
    );
    return () => stop.abort();
  }, [question, signedOut, again, updates ? tick : 0]);
  const current = state.question === question ? state : { data: null, tag: null, error: null };
  return {
    data: current.data,
    tag: current.tag,
    error: current.error,
    loading: current.data === null && current.error === null,
    reload: useCallback(() => setAgain((before) => before + 1), []),
  };
}
