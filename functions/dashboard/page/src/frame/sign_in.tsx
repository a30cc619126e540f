// Signing in with a staff key.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { currentSession, Problem, signIn } from "../api/api";
import { plural } from "../parts/format";
import { Icon } from "../parts/ui";
import type { Session } from "../types";

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
      setError(
        "Your browser did not store the session cookie. This needs HTTPS, or http://127.0.0.1 on this computer.",
      );
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
          An administrator can create a staff key for you. It starts a session of 8 hours. The browser does not store
          the key.
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
      return "This key is unknown or no longer valid.";
    case 403:
      return "This key cannot sign in: it is not a staff key, or it is not allowed from your IP address.";
    case 429:
      return `Too many wrong keys came from your IP address. Try again in ${plural(problem.retryAfter ?? 60, "second")}.`;
    default:
      return `${problem.title}: ${problem.detail}`;
  }
}
