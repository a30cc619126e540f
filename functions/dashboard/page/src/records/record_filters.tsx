// The form that filters records. It takes what people have; the address gets ids.

import type { JSX } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { Problem, search } from "../api/api";
import { SignedOut } from "../api/live";
import { takenFromAddress } from "../frame/license_address";
import { RECORD_FILTERS, type RecordFilter, useView } from "../frame/view";
import { FLAGS, flagName } from "../parts/flags";
import { announce, ProblemBox, Text } from "../parts/ui";
import type { RecordRow } from "../types";
import { type Answer, answerTo, type Choice, type NamedFilter } from "./named_filters";

const FIELDS: readonly (readonly [NamedFilter, string, string])[] = [
  ["version", "Version", "4.12.1"],
  ["user", "User", "Whole id"],
  ["hwid", "Device", "Id or beginning"],
  ["ip", "IP address", "203.0.113.7"],
  ["license_id", "Licence", "Key or last four"],
  ["customer_id", "Customer", "Name or id"],
  ["api_key_id", "API key", "Name or last four"],
];
const LABELS = new Map<RecordFilter, string>(FIELDS.map(([filter, label]) => [filter, label]));

/** Why a field was not taken, and what it may be instead. */
type Open = readonly [NamedFilter, Exclude<Answer, { value: string }>];

interface RecordFiltersProps {
  active: readonly RecordFilter[];
  /** The records that are shown. */
  rows: readonly RecordRow[];
}

export function RecordFilters({ active, rows }: RecordFiltersProps): JSX.Element {
  const view = useView();
  const signedOut = useContext(SignedOut);
  const form = useRef<HTMLFormElement>(null);
  const [open, setOpen] = useState(() => active.length > 0 || matchMedia("(min-width: 720px)").matches);
  const [asked, setAsked] = useState<readonly Open[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  /** Only the last of several searches counts, and none once another view is shown. */
  const turn = useRef(0);
  const shown = search({ ...view.scope, ...Object.fromEntries(active.map((name) => [name, view.param(name)])) });

  useEffect(
    () => () => {
      turn.current += 1;
      setAsked([]);
      setProblem(null);
      setBusy(false);
    },
    [shown],
  );

  const apply = async (chosen?: Choice, replaced?: NamedFilter): Promise<void> => {
    if (!form.current) return;
    turn.current += 1;
    const mine = turn.current;
    const given = valuesOf(form.current);
    if (replaced) given.delete(replaced);
    if (chosen) given.set(chosen.filter, chosen.value);
    const isSet = (name: NamedFilter): boolean => chosen?.filter === name || given.get(name) === view.param(name);
    const named = FIELDS.map(([name]) => name).filter((name) => given.get(name) && !isSet(name));
    setBusy(named.length > 0);
    setProblem(null);
    try {
      const answers = await Promise.all(
        named.map(async (name) => [name, await answerTo(view, name, given.get(name) ?? "", rows)] as const),
      );
      if (turn.current !== mine) return;
      const left = answers.flatMap(([name, answer]) => ("value" in answer ? [] : [[name, answer] as const]));
      for (const [name, answer] of answers) if ("value" in answer) given.set(name, answer.value);
      setAsked(left);
      if (left.length > 0) return announce(left.map(([, { said }]) => said).join(" "));
      const environment = chosen && chosen.environment !== view.environment ? { environment: chosen.environment } : {};
      view.go({ ...Object.fromEntries(RECORD_FILTERS.map((name) => [name, given.get(name) ?? null])), ...environment });
    } catch (error) {
      if (turn.current !== mine) return;
      if (error instanceof Problem && error.status === 401) return signedOut();
      setProblem(error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error)));
    } finally {
      if (turn.current === mine) setBusy(false);
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with what stood in the address
  useEffect(() => {
    const field = form.current?.elements.namedItem("license_id");
    const text = takenFromAddress();
    if (!text || !(field instanceof HTMLInputElement)) return;
    field.value = text;
    setOpen(true);
    void apply();
  }, []);

  return (
    <details class="filters" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Filters{active.length > 0 && ` (${active.length})`}</summary>
      {/* `dialog`: what is typed gets into no address, even if nothing of the page works */}
      <form
        key={shown}
        ref={form}
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void apply();
        }}
        role="search"
        aria-label="Records"
      >
        <Flags onChange={() => form.current?.requestSubmit()} />
        {FIELDS.map(([name, label, wanted]) => (
          <label key={name}>
            {label}
            <input
              name={name}
              type="search"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              placeholder={wanted}
              defaultValue={view.param(name)}
              aria-invalid={asked.some(([of]) => of === name) || undefined}
            />
          </label>
        ))}
        <div class="buttons">
          <button type="submit" class="button primary" disabled={busy}>
            {busy ? "Looking…" : "Apply"}
          </button>
          {active.length > 0 && (
            <button
              type="button"
              class="button"
              onClick={() => view.go(Object.fromEntries(RECORD_FILTERS.map((name) => [name, null])))}
            >
              Clear
            </button>
          )}
        </div>
      </form>
      {asked.map(([name, { said, choices }]) => (
        <div key={name} class="which" data-filter={name}>
          <p>
            <strong>{LABELS.get(name)}:</strong> {said}
          </p>
          {choices.map((choice) => (
            <button
              key={`${choice.environment} ${choice.value}`}
              type="button"
              class="button small"
              onClick={() => void apply(choice, name)}
            >
              <Text>{choice.title}</Text>
              {choice.note && (
                <span class="muted">
                  <Text>{choice.note}</Text>
                </span>
              )}
              {choice.environment !== view.environment && <span class="badge">{choice.environment}</span>}
            </button>
          ))}
        </div>
      ))}
      {problem && <ProblemBox problem={problem} retry={() => void apply()} />}
    </details>
  );
}

function Flags({ onChange }: { onChange: () => void }): JSX.Element {
  const view = useView();
  return (
    <>
      <label>
        Flagged
        <select name="flagged" defaultValue={view.param("flagged")} onChange={onChange}>
          <option value="">any</option>
          <option value="true" selected={view.param("flagged") === "true"}>
            flagged
          </option>
          <option value="false" selected={view.param("flagged") === "false"}>
            clean
          </option>
        </select>
      </label>
      <label>
        Flag
        <select name="flag" onChange={onChange}>
          <option value="">any</option>
          {FLAGS.map((flag) => (
            <option key={flag} value={flag} selected={flag === view.param("flag")}>
              {flagName(flag)}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

/** What stands in the form, without what is empty. */
function valuesOf(form: HTMLFormElement): Map<RecordFilter, string> {
  const data = new FormData(form);
  return new Map(
    RECORD_FILTERS.map((name) => [name, String(data.get(name) ?? "").trim()] as const).filter(([, value]) => value),
  );
}
