// Forms that change something: what is wrong is said beside its field, and nothing typed is lost.

import { type ComponentChildren, createContext, type JSX } from "preact";
import { useContext, useId, useRef, useState } from "preact/hooks";
import { Problem } from "../api/api";
import { SignedOut } from "../api/live";
import { ProblemBox } from "./ui";

const CHANGED_MEANWHILE = 412;

export interface Submission {
  busy: boolean;
  problem: Problem | null;
  /** Runs what the form is for; not again before that has ended. */
  submit: (event: Event) => void;
}

/** Runs a form's change, and keeps what went wrong. `changedMeanwhile`: loads what somebody else made of it. */
export function useSubmission(run: () => Promise<void>, changedMeanwhile?: () => void): Submission {
  const signedOut = useContext(SignedOut);
  const running = useRef(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await run();
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return signedOut();
      if (error instanceof Problem && error.status === CHANGED_MEANWHILE) {
        changedMeanwhile?.();
        setProblem(new Problem(CHANGED_MEANWHILE, "Somebody changed it meanwhile", CHECK));
      } else {
        setProblem(error instanceof Problem ? error : new Problem(0, "Failed", String(error)));
      }
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, problem, submit };
}

const CHECK = "What it is now has been loaded; what you typed is still here. Look at both, and save again.";

const Wrong = createContext<Problem | null>(null);

interface FormProps {
  submission: Submission;
  /** What the button says. */
  action: string;
  label: string;
  /** The fields that the form shows what is wrong with; other problems are shown above the button. */
  fields: readonly string[];
  /** Another button, beside the one that submits. */
  beside?: ComponentChildren;
  danger?: boolean;
  children: ComponentChildren;
}

export function Form({ submission, action, label, fields, beside, danger, children }: FormProps): JSX.Element {
  const { busy, problem, submit } = submission;
  return (
    <form class="form" aria-label={label} onSubmit={submit} noValidate={false}>
      <Wrong.Provider value={problem}>{children}</Wrong.Provider>
      {problem && <ProblemBox problem={withoutFields(problem, fields)} />}
      <div class="buttons">
        {beside}
        <button type="submit" class={`button ${danger ? "danger solid" : "primary"}`} disabled={busy}>
          {busy ? "Working…" : action}
        </button>
      </div>
    </form>
  );
}

/** Without what is said beside its field. */
function withoutFields(problem: Problem, shown: readonly string[]): Problem {
  const others = problem.fields.filter(({ field }) => !shown.includes(root(field)));
  const { status, title, detail, requestId, retryAfter } = problem;
  const isAllShown = problem.fields.length > 0 && others.length === 0;
  return new Problem(status, title, isAllShown ? "Look at the fields above." : detail, requestId, others, retryAfter);
}

/** "versions" of "versions.3". */
const root = (field: string): string => field.split(/[.[]/)[0] ?? field;

interface FieldProps {
  /** As the API calls it. */
  name: string;
  label: string;
  hint?: ComponentChildren;
  children: (given: { id: string; name: string; "aria-invalid"?: true; "aria-describedby"?: string }) => JSX.Element;
}

/** A field with its label, and what is wrong with it. */
export function Field({ name, label, hint, children }: FieldProps): JSX.Element {
  const id = useId();
  const wrong = useContext(Wrong)?.fields.filter(({ field }) => root(field) === name) ?? [];
  const described = [hint && `${id}-hint`, wrong.length > 0 && `${id}-wrong`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        name,
        ...(wrong.length > 0 ? { "aria-invalid": true } : {}),
        ...(described ? { "aria-describedby": described } : {}),
      })}
      {hint && (
        <p class="note" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {wrong.length > 0 && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrong.map(({ message }) => message).join("; ")}
        </p>
      )}
    </div>
  );
}

interface CheckProps {
  name: string;
  label: string;
  hint?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function Check({ name, label, hint, checked, onChange }: CheckProps): JSX.Element {
  const id = useId();
  return (
    <div class="check">
      <input
        type="checkbox"
        id={id}
        name={name}
        checked={checked}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && (
        <p class="note" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** The fields whose values differ from what was there. */
export function changed<T extends Record<string, unknown>>(before: T, after: T): Partial<T> {
  const differing = Object.entries(after).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  );
  return Object.fromEntries(differing) as Partial<T>;
}
