// Keeps the page up to date.

import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { get, Problem, type Query, search } from "./api";

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
  /** Why there is no answer, or no newer answer. */
  error: Problem | null;
  loading: boolean;
  reload: () => void;
}

/** Loads once, and again at every tick unless `live` is false. */
export function useResource<T>(path: string, query: Query, live = true): Resource<T> {
  const tick = useContext(Tick);
  const signedOut = useContext(SignedOut);
  const question = path + search(query);
  const [state, setState] = useState<{ question: string; data: T | null; error: Problem | null }>({
    question: "",
    data: null,
    error: null,
  });
  const [again, setAgain] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    get<T>(question, {}, stop.signal).then(
      (data) => setState({ question, data, error: null }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (error instanceof Problem && error.status === 401) return signedOut();
        const problem = error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error));
        setState((before) => ({
          question,
          data: before.question === question ? before.data : null,
          error: problem,
        }));
      },
    );
    return () => stop.abort();
  }, [question, signedOut, again, live ? tick : 0]);
  const current = state.question === question ? state : { data: null, error: null };
  return {
    data: current.data,
    error: current.error,
    loading: current.data === null && current.error === null,
    reload: useCallback(() => setAgain((before) => before + 1), []),
  };
}
