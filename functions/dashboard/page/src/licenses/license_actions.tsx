// Suspend, resume and revoke a licence. The page always asks before it does so.

import { type ComponentChildren, createContext, type JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change, Problem } from "../api/api";
import { Refresh, SignedOut } from "../api/live";
import { announce, Dialog, ProblemBox, StateBadge, Text } from "../parts/ui";
import type { License, LicenseState } from "../types";

type Action = "suspend" | "resume" | "revoke";

export interface ActionTarget {
  id: string;
  last4: string;
  customer: string | null;
  product: string | null;
  state: LicenseState;
}

const POSSIBLE_ACTIONS = new Map<string, readonly Action[]>([
  ["available", ["revoke"]],
  ["assigned", ["suspend", "revoke"]],
  ["active", ["suspend", "revoke"]],
  ["suspended", ["resume", "revoke"]],
  ["expired", ["revoke"]],
]);

const TEXTS: Record<Action, { button: string; effect: string }> = {
  suspend: {
    button: "Suspend",
    effect: "Devices get the answer “blocked” and their records are flagged until the licence is resumed.",
  },
  resume: { button: "Resume", effect: "The licence becomes active again and keeps its activations." },
  revoke: {
    button: "Revoke",
    effect:
      "You cannot undo this: a revoked licence can never be used again. Devices get the answer “blocked” and their " +
      "records are flagged as “Revoked licence”.",
  },
};

interface Question {
  action: Action;
  license: ActionTarget;
}

const AskContext = createContext<(question: Question) => void>(() => {});

/** Shows the question. It stays open even if an update removes the button that was pressed. */
export function WithConfirmation({ children }: { children: ComponentChildren }): JSX.Element {
  const [question, setQuestion] = useState<Question | null>(null);
  return (
    <AskContext.Provider value={setQuestion}>
      {children}
      {question && <Confirmation {...question} onClose={() => setQuestion(null)} />}
    </AskContext.Provider>
  );
}

export function LicenseActions({ license }: { license: ActionTarget }): JSX.Element | null {
  const ask = useContext(AskContext);
  const possible = POSSIBLE_ACTIONS.get(license.state);
  if (!possible) return null;
  const name = `licence ${license.last4}`;
  return (
    <span class="license-actions">
      {possible.map((action) => (
        <button
          key={action}
          type="button"
          class={`button small ${action === "revoke" ? "danger" : ""}`}
          aria-label={`${TEXTS[action].button} ${name}`}
          onClick={() => ask({ action, license })}
        >
          {TEXTS[action].button}
        </button>
      ))}
    </span>
  );
}

function Confirmation({ action, license: target, onClose }: Question & { onClose: () => void }): JSX.Element {
  const refresh = useContext(Refresh);
  const signedOut = useContext(SignedOut);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [done, setDone] = useState<License | null>(null);
  const words = TEXTS[action];

  const run = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const after = await change<License>("POST", `/api/v1/admin/licenses/${encodeURIComponent(target.id)}/${action}`);
      if (!after) return;
      setDone(after);
      announce(`Licence ${target.last4} is now ${after.state}`);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return signedOut();
      setProblem(error instanceof Problem ? error : new Problem(0, "Failed", String(error)));
    } finally {
      setBusy(false);
    }
  };
  const afterClose = (): void => {
    onClose();
    if (done || problem) refresh();
  };
  const close = (event: Event): void => (event.currentTarget as HTMLElement).closest("dialog")?.close();

  return (
    <Dialog title={`${words.button} this licence?`} class="confirmation" onClose={afterClose}>
      <dl class="facts">
        <dt>Licence</dt>
        <dd>
          <code>••••{target.last4}</code>
        </dd>
        <dt>Customer</dt>
        <dd>{target.customer === null ? "none" : <Text>{target.customer}</Text>}</dd>
        <dt>Product</dt>
        <dd>{target.product === null ? "none" : <Text>{target.product}</Text>}</dd>
        <dt>State</dt>
        <dd data-state={done?.state ?? target.state}>
          <StateBadge state={done?.state ?? target.state} />
        </dd>
      </dl>
      {done ? (
        <p class="done" role="status">
          Licence <code>••••{target.last4}</code>{" "}
          {target.customer !== null && (
            <>
              of <Text>{target.customer}</Text>{" "}
            </>
          )}
          is now <strong>{done.state}</strong>. It can take up to a minute until this works everywhere.
        </p>
      ) : (
        <p>{words.effect}</p>
      )}
      {problem && <ProblemBox problem={problem} />}
      <div class="buttons">
        <button type="button" class="button" onClick={close}>
          {done ? "Close" : "Cancel"}
        </button>
        {!done && (
          <button
            type="button"
            class={`button ${action === "revoke" ? "danger solid" : "primary"}`}
            disabled={busy}
            onClick={run}
          >
            {busy ? "Working…" : `${words.button} licence`}
          </button>
        )}
      </div>
    </Dialog>
  );
}
