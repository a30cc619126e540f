// A staff key in exchange for a session.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { currentSession, Problem, signIn } from "./api";
import { plural } from "./format";
import type { Session } from "./types";
import { Icon } from "./ui";

interface SignInProps {
  onSignedIn: (session: Session) => void;
}

export function SignIn({ onSignedIn }: SignInProps): JSX.Element {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Sign in · Telemetry Analytics";
    input.current?.focus();
  }, []);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const key = input.current?.value.trim() ?? "";
    if (!key) return setError("Enter a staff key.");
    setBusy(true);
    setError("");
    try {
      await signIn(key);
      const session = await currentSession();
      if (session) return onSignedIn(session);
      setError("Your browser did not keep the session cookie. It needs https, or http://127.0.0.1 on this machine.");
    } catch (problem) {
      setError(refusal(problem));
      input.current?.select();
    } finally {
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <form class="panel" onSubmit={submit} aria-labelledby="sign-in">
        <img
          src={document.querySelector<HTMLLinkElement>("link[rel=icon]")?.href ?? ""}
          alt=""
          width="44"
          height="44"
        />
        <h1 id="sign-in">Telemetry Analytics</h1>
        <label for="key">Staff key</label>
        <input
          id="key"
          ref={input}
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          placeholder="tk_staff_…"
          aria-describedby="key-note key-error"
          aria-invalid={error !== ""}
        />
        <p id="key-note" class="note">
          An administrator makes staff keys. The key is exchanged for a session of 8 hours and not kept in the browser.
        </p>
        <p id="key-error" class="refusal" role="alert">
          {error && (
            <>
              <Icon name="alert" /> {error}
            </>
          )}
        </p>
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}

function refusal(problem: unknown): string {
  if (!(problem instanceof Problem)) return String(problem);
  switch (problem.status) {
    case 401:
      return "This key is not known, or no longer good.";
    case 403:
      return "This key may not sign in: it is not a staff key, or not allowed from your address.";
    case 429:
      return `Too many wrong keys came from your address. Try again in ${plural(problem.retryAfter ?? 60, "second")}.`;
    default:
      return `${problem.title}: ${problem.detail}`;
  }
}
