// Small parts that all views use.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/api";
import type { Resource } from "../api/live";
import { flagClass, flagName } from "./flags";
import { count, localTime, minute, moment } from "./format";

/** Tells screen readers what has just happened. */
export function announce(text: string): void {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

export function Announcer(): JSX.Element {
  return <div id="announcer" class="visually-hidden" aria-live="polite" />;
}

const ICONS = {
  alert: "M12 8v5m0 3.5v.01M10.3 4 2.8 17.2A2 2 0 0 0 4.5 20h15a2 2 0 0 0 1.7-2.8L13.7 4a2 2 0 0 0-3.4 0Z",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v10H9zM5 15V5h10",
  download: "M12 4v11m0 0 4-4m-4 4-4-4M5 19h14",
  next: "M9 6l6 6-6 6",
  pause: "M9 6v12M15 6v12",
  play: "M8 5.5v13l10.5-6.5z",
  previous: "M15 6l-6 6 6 6",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.2 15.2 20 20",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.5M20 4.5v5h-5",
} as const;

export function Icon({ name }: { name: keyof typeof ICONS }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={ICONS[name]} />
    </svg>
  );
}

interface TextProps {
  children: string;
  /** Whether hovering shows the whole of a long text; false if the element around it does so already. */
  hover?: boolean;
}

/** In characters. */
const LONG_TEXT = 12;

/** Text that somebody else chose: of any length, direction and script. It does not disturb what is around it. */
export function Text({ children: text, hover = true }: TextProps): JSX.Element {
  const shown = visible(text);
  if (shown.length <= LONG_TEXT) return <bdi class="text">{shown}</bdi>;
  return (
    <bdi class="text long" title={hover ? text : undefined}>
      <span>{shown}</span>
    </bdi>
  );
}

/** The text; for invisible text its characters, such as "U+200B U+FEFF". */
export function visible(text: string): string {
  if (/[^\s\p{Cc}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text)) return text;
  return [...text].map((each) => `U+${each.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}`).join(" ");
}

/** An instant in UTC; hovering shows it in the reader's time zone. */
export function Time({ at, seconds = false }: { at: string; seconds?: boolean }): JSX.Element {
  return (
    <time dateTime={at} title={localTime(at)}>
      {seconds ? moment(at) : minute(at)}
    </time>
  );
}

export function FlagBadge({ flag, records }: { flag: string; records?: number }): JSX.Element {
  return (
    <span class={`badge ${flagClass(flag)}`} title={flag}>
      <Text hover={false}>{flagName(flag)}</Text>
      {records !== undefined && <b>{count(records)}</b>}
    </span>
  );
}

/** Each flag with its records, the most frequent first. */
export function FlagBadges({ flags }: { flags: Record<string, number> }): JSX.Element {
  const all = Object.entries(flags).sort(([, a], [, b]) => b - a);
  return (
    <>
      {all.map(([flag, records]) => (
        <FlagBadge key={flag} flag={flag} records={records} />
      ))}
    </>
  );
}

/** States whose badge has its own colour. */
const STATES_WITH_COLOR = new Set(["active", "suspended", "expired", "revoked"]);

export function StateBadge({ state }: { state: string }): JSX.Element {
  return (
    <span class={`badge ${STATES_WITH_COLOR.has(state) ? `state-${state}` : ""}`}>
      <Text>{state}</Text>
    </span>
  );
}

export const NoValue = (): JSX.Element => <span class="muted nothing">–</span>;

interface PanelProps {
  title: string;
  note?: ComponentChildren;
  actions?: ComponentChildren;
  span?: number;
  name?: string;
  children: ComponentChildren;
}

/** A part of the page with its own heading. */
export function Panel({ title, note, actions, span = 12, name, children }: PanelProps): JSX.Element {
  const id = useId();
  return (
    <section class={`panel span-${span}`} aria-labelledby={id} data-panel={name}>
      <header>
        <div>
          <h2 id={id}>{title}</h2>
          {note && <p class="note">{note}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

export function Skeleton({ lines = 4 }: { lines?: number }): JSX.Element {
  return (
    <div class="skeleton" role="status">
      <span class="visually-hidden">Loading…</span>
      {Array.from({ length: lines }, (_, index) => (
        <i key={index} />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </div>
  );
}

export function ProblemBox({ problem, retry }: { problem: Problem; retry?: () => void }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <Icon name="alert" />
      <div>
        <p>
          <strong>{problem.title}</strong>
        </p>
        <p>{problem.detail}</p>
        {problem.fields.length > 0 && (
          <ul>
            {problem.fields.map(({ field, message }) => (
              <li key={field}>
                <code>{field}</code>: {message}
              </li>
            ))}
          </ul>
        )}
        {problem.requestId && (
          <p class="note">
            Request <code>{problem.requestId}</code>
          </p>
        )}
      </div>
      {retry && (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

interface LoadedProps<T> {
  resource: Resource<T>;
  lines?: number;
  children: (data: T) => ComponentChildren;
}

/** Shows what was loaded; before that, that it is loading, or why it failed. */
export function Loaded<T>({ resource, lines, children }: LoadedProps<T>): JSX.Element {
  const { data, error, reload } = resource;
  if (data === null) return error ? <ProblemBox problem={error} retry={reload} /> : <Skeleton lines={lines ?? 4} />;
  return (
    <>
      {error && <p class="stale">Not up to date: {error.title}. Trying again.</p>}
      {children(data)}
    </>
  );
}

interface SegmentsProps<T extends string> {
  label: string;
  options: readonly (readonly [T, string])[];
  /** Null if nothing is chosen. */
  value: T | null;
  onChange: (value: T) => void;
  class?: string;
}

/** A choice of one from a few options. */
export function Segments<T extends string>(props: SegmentsProps<T>): JSX.Element {
  const name = useId();
  return (
    <fieldset class={`segments ${props.class ?? ""}`}>
      <legend class="visually-hidden">{props.label}</legend>
      {props.options.map(([value, text]) => (
        <label key={value} data-value={value}>
          <input
            type="radio"
            name={name}
            value={value}
            checked={value === props.value}
            onChange={() => props.onChange(value)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface DialogProps {
  title: string;
  class?: string;
  actions?: ComponentChildren;
  /** Whether a click beside it leaves it open, because something is typed into it. */
  stays?: boolean;
  /** Called when the dialog is closed in any way. */
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, class: kind = "", actions, stays, onClose, children }: DialogProps): JSX.Element {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = (): void => dialog.current?.close();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the dialog closes it; Escape does so without code
    <dialog
      ref={dialog}
      class={kind}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => !stays && event.target === dialog.current && close()}
    >
      <div class="sheet">
        <header>
          <h2 id={id}>{title}</h2>
          <div class="actions">
            {actions}
            <button type="button" class="button quiet" aria-label="Close" onClick={close}>
              <Icon name="close" />
            </button>
          </div>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      announce(`${what} could not be copied`);
      return;
    }
    announce(`${what} copied`);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" class="button quiet" onClick={copy} aria-label={`Copy ${what.toLowerCase()}`}>
      <Icon name="copy" /> {copied ? "Copied" : "Copy"}
    </button>
  );
}
