// The search: finds whatever people have, over all tabs.

import type { JSX } from "preact";
import { useContext, useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { Problem } from "../api/api";
import { SignedOut } from "../api/live";
import { find, hrefOf, KINDS, LONGEST_TEXT, SHORTEST_TEXT } from "../api/search_api";
import { plural } from "../parts/format";
import { Icon, ProblemBox, Text } from "../parts/ui";
import type { SearchHit, SearchResult } from "../types";
import { TABS } from "./tabs";
import { follow, pagesFor, useView, type View } from "./view";

/** So long nothing is asked for after a key was pressed. */
const PAUSE_MS = 150;
const MOST_RECENT = 5;
const API_KEY = /^tk_\w{8,}$/;

export interface PaletteProps {
  /** What was opened before, the last first. Only this page's memory has it. */
  recent: SearchHit[];
  onClose: () => void;
}

interface Entry {
  kind: string;
  title: string;
  note: string | null;
  href: string;
  hit?: SearchHit;
}

interface Found {
  /** What was asked: an answer to something else is not shown. */
  question: string;
  result: SearchResult | null;
  problem: Problem | null;
}

const NOTHING: Found = { question: "", result: null, problem: null };

export function Palette({ recent, onClose }: PaletteProps): JSX.Element {
  const view = useView();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const text = typed.trim();
  const { found, isWaiting, hurry, retry } = useSearch(view, text);
  const entries = useMemo(
    () => [
      ...tabs(view, text),
      ...(text ? (found.result?.items ?? []) : recent).map((hit) => entryOf(view, hit, text === "")),
      ...failedCalls(view, text),
    ],
    [view, text, found, recent],
  );
  const chosen = Math.min(active, entries.length - 1);
  /** Enter was pressed before there was an answer to this text: its first entry is opened then. */
  const [eager, setEager] = useState<string | null>(null);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [id, chosen]);
  const choose = (entry: Entry): void => {
    const { hit } = entry;
    if (hit) recent.splice(0, MOST_RECENT, ...[hit, ...recent.filter(({ id }) => id !== hit.id)].slice(0, MOST_RECENT));
    dialog.current?.close();
    follow(entry.href);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the answer is there, and not before
  useEffect(() => {
    if (eager === null || isWaiting) return;
    setEager(null);
    const [first] = entries;
    if (eager === text && first) choose(first);
  }, [eager, isWaiting]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && entries.length > 0) {
      event.preventDefault();
      setActive((chosen + step + entries.length) % entries.length);
    }
    const entry = entries[chosen];
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (entry && (event.ctrlKey || event.metaKey)) window.open(entry.href, "_blank", "noopener");
    else if (entry) choose(entry);
    else if (isWaiting) {
      setEager(text);
      hurry();
    }
  };

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the dialog closes it; Escape does so without code
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Search"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="asked">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="Search everything"
          aria-expanded={entries.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={entries.length > 0 ? `${id}-${chosen}` : undefined}
          aria-describedby={`${id}-status`}
          placeholder={placeholder(view)}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          maxLength={LONGEST_TEXT}
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setActive(0);
            setEager(null);
          }}
          onKeyDown={onKeyDown}
        />
        <button type="button" class="button quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div class="entries" id={`${id}-list`} role="listbox" aria-label="Results" hidden={entries.length === 0}>
        {entries.map((entry, index) => (
          <a
            key={entry.href}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            href={entry.href}
            aria-selected={index === chosen}
            onPointerMove={() => setActive(index)}
            onClick={(event) => {
              if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
              event.preventDefault();
              choose(entry);
            }}
          >
            <span class="kind">{entry.kind}</span>
            <span class="name">
              <Text>{entry.title}</Text>
              {entry.note && (
                <span class="note">
                  <Text>{entry.note}</Text>
                </span>
              )}
            </span>
            {entry.hit && entry.hit.environment !== view.environment && (
              <span class="badge">{entry.hit.environment}</span>
            )}
          </a>
        ))}
      </div>
      <div class="said" id={`${id}-status`} role="status">
        <Said view={view} text={text} found={found} isWaiting={isWaiting} count={entries.length} />
      </div>
      {found.problem && !isWaiting && <ProblemBox problem={found.problem} retry={retry} />}
    </dialog>
  );
}

interface SaidProps {
  view: View;
  text: string;
  found: Found;
  isWaiting: boolean;
  count: number;
}

/** How far the search is, in a few words. */
function Said({ view, text, found, isWaiting, count }: SaidProps): JSX.Element {
  if (isWaiting) return <>Searching…</>;
  if (found.problem && text.length >= SHORTEST_TEXT) return <>The search failed.</>;
  if (text.length < SHORTEST_TEXT) return <>{text ? "Type one more character." : hint(view)}</>;
  const more = (found.result?.more ?? []).map((kind) => KINDS[kind].toLowerCase());
  const there = more.length > 0 ? `There may be more of: ${more.join(", ")}. Type more to tell them apart.` : "";
  if (count > 0) {
    return (
      <>
        {plural(count, "result")}
        {there && `. ${there}`}
      </>
    );
  }
  return (
    <>
      Nothing in {view.environment} is called so. {there || hint(view)}
    </>
  );
}

const isViewer = (view: View): boolean => view.session.role === "viewer";

const placeholder = (view: View): string =>
  isViewer(view) ? "A product or a tab" : "A key, a name, an id, an address …";

const hint = (view: View): string =>
  isViewer(view)
    ? "Products are found by the beginning of a word, and by id."
    : "Customers, products and companies are found by the beginning of a word; licences by the key or its last four characters; users, devices, IP addresses and records by the whole of it.";

/** Tabs with a word that begins so; all of them while nothing is typed. */
function tabs(view: View, text: string): Entry[] {
  const begins = text.toLowerCase();
  return pagesFor(view.session)
    .filter((page) => ` ${TABS[page].title.toLowerCase()}`.includes(` ${begins}`))
    .map((page) => ({ kind: "Tab", title: TABS[page].title, note: null, href: view.href(page) }));
}

/** What became of calls with an API key: whoever has one that does not work looks for it here. */
function failedCalls(view: View, text: string): Entry[] {
  if (!API_KEY.test(text) || !pagesFor(view.session).includes("logs")) return [];
  const last4 = text.slice(-4);
  const href = view.href("logs", { last4, range: "7d", from: "", to: "" });
  return [{ kind: TABS.logs.title, title: `Failed calls of ••••${last4}`, note: "last 7 days", href }];
}

const entryOf = (view: View, hit: SearchHit, isRecent: boolean): Entry => ({
  kind: KINDS[hit.kind],
  title: hit.title,
  note: isRecent ? "Opened before" : hit.note,
  href: hrefOf(view, hit),
  hit,
});

interface SearchState {
  found: Found;
  isWaiting: boolean;
  /** Asks now. */
  hurry: () => void;
  retry: () => void;
}

/** Asks a moment after the last key. Only the answer to what is typed now is ever given. */
function useSearch(view: View, text: string): SearchState {
  const signedOut = useContext(SignedOut);
  const [found, setFound] = useState<Found>(NOTHING);
  const [attempt, setAttempt] = useState(0);
  const question = text.length < SHORTEST_TEXT ? "" : `${view.environment}\n${text}\n${attempt}`;
  const askNow = useRef<() => void>(() => {});
  // biome-ignore lint/correctness/useExhaustiveDependencies: the question has all of it
  useEffect(() => {
    if (!question) return;
    const stop = new AbortController();
    let isAsked = false;
    const run = (): void => {
      if (isAsked) return;
      isAsked = true;
      find(view, text, stop.signal).then(
        (result) => !stop.signal.aborted && setFound({ question, result, problem: null }),
        (error: unknown) => {
          if (stop.signal.aborted) return;
          if (error instanceof Problem && error.status === 401) return signedOut();
          const problem = error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error));
          setFound({ question, result: null, problem });
        },
      );
    };
    askNow.current = run;
    const timer = setTimeout(run, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [question]);
  const isCurrent = found.question === question;
  return {
    found: isCurrent ? found : NOTHING,
    isWaiting: question !== "" && !isCurrent,
    hurry: () => askNow.current(),
    retry: () => setAttempt((before) => before + 1),
  };
}
