// The session, and the frame around every view.

import type { ComponentChildren, JSX } from "preact";
import { useCallback, useEffect, useErrorBoundary, useRef, useState } from "preact/hooks";
import { currentSession, Problem, signOut } from "../api/api";
import { Refresh, SignedOut, Tick, useResource, useTicks } from "../api/live";
import { WithConfirmation } from "../licenses/license_actions";
import { localTime, timeOfDay } from "../parts/format";
import { Announcer, Icon, ProblemBox, Skeleton } from "../parts/ui";
import { type ProductNames, RANGES, type Session } from "../types";
import { LazyTab } from "./lazy";
import { SearchButton } from "./search_button";
import { SignIn } from "./sign_in";
import { TABS } from "./tabs";
import { Toolbar } from "./toolbar";
import { Refused, UnknownAddress } from "./unknown";
import { isUnknown, pagesFor, useAddress, type View, ViewContext, ViewLink } from "./view";

export function App(): JSX.Element {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | null>(null);
  const loadSession = useCallback(() => {
    setProblem(null);
    currentSession().then(setSession, (error) => setProblem(error));
  }, []);
  useEffect(loadSession, [loadSession]);
  const signedOut = useCallback(() => setSession(null), []);
  return (
    <SignedOut.Provider value={signedOut}>
      <Announcer />
      {problem ? (
        <main class="sign-in">
          <ProblemBox problem={problem} retry={loadSession} />
        </main>
      ) : session === undefined ? (
        <main class="sign-in">
          <Skeleton lines={3} />
        </main>
      ) : session === null ? (
        <SignIn onSignedIn={setSession} />
      ) : (
        <Shell session={session} onSignedOut={signedOut} />
      )}
    </SignedOut.Provider>
  );
}

function Shell({ session, onSignedOut }: { session: Session; onSignedOut: () => void }): JSX.Element {
  const view = useAddress(session);
  const [paused, setPaused] = useState(false);
  const [tick, refresh] = useTicks(paused);
  const [problem, setProblem] = useState<Problem | null>(null);
  const shown = shownParts(view);
  useTitle(shown);
  const endSession = async (): Promise<void> => {
    try {
      await signOut();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status !== 401) return setProblem(error);
    }
    onSignedOut();
  };
  return (
    <ViewContext.Provider value={view}>
      <Tick.Provider value={tick}>
        <Refresh.Provider value={refresh}>
          <WithConfirmation>
            <a class="skip" href="#content">
              Skip to content
            </a>
            <header class="top" data-environment={isUnknown(view, "environment") ? undefined : view.environment}>
              <div class="brand">
                <img
                  src={document.querySelector<HTMLLinkElement>("link[rel=icon]")?.href ?? ""}
                  alt=""
                  width="28"
                  height="28"
                />
                <h1>Telemetry Analytics</h1>
              </div>
              <Tabs view={view} />
              <p class="printed">{shown.join(" · ")}</p>
              <SearchButton />
              <div class="account">
                <span class="who" title={`Role: ${session.role}`}>
                  {session.name}
                </span>
                <button type="button" class="button quiet" onClick={endSession}>
                  Sign out
                </button>
              </div>
            </header>
            {problem && (
              <div class="signing-out">
                <ProblemBox problem={problem} retry={endSession} />
              </div>
            )}
            <WithProducts view={view} tick={tick} paused={paused} onPause={setPaused} onRefresh={refresh} />
          </WithConfirmation>
        </Refresh.Provider>
      </Tick.Provider>
    </ViewContext.Provider>
  );
}

interface WithProductsProps {
  view: View;
  tick: number;
  paused: boolean;
  onPause: (paused: boolean) => void;
  onRefresh: () => void;
}

function WithProducts({ view, tick, paused, onPause, onRefresh }: WithProductsProps): JSX.Element {
  const products = useResource<ProductNames>("/api/v1/analytics/products", { environment: view.environment }, false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [view.page, view.unknown.length]);
  const names = products.data?.items ?? [];
  return (
    <>
      <Toolbar products={names}>
        <Freshness tick={tick} paused={paused} onPause={onPause} onRefresh={onRefresh} />
      </Toolbar>
      <main id="content" ref={main} tabIndex={-1}>
        {view.unknown.length > 0 ? (
          <UnknownAddress />
        ) : (
          <ErrorBoundary view={view}>
            <Refused />
            <LazyTab page={view.page} products={products.data?.items ?? null} />
          </ErrorBoundary>
        )}
      </main>
      <footer>
        <span>All times are UTC. Hover over one to see your local time.</span>
        <span>Version {VERSION}</span>
      </footer>
    </>
  );
}

/** Shows a view. If the view fails, the frame stays and the reader can open another view. */
function ErrorBoundary({ view, children }: { view: View; children: ComponentChildren }): JSX.Element {
  const [error, reset] = useErrorBoundary((cause) => console.error(cause));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `reset` is new every time, but only another view needs it
  useEffect(reset, [view]);
  if (error) return <ProblemBox problem={new Problem(0, "This view cannot be shown", String(error))} retry={reset} />;
  return <>{children}</>;
}

function Tabs({ view }: { view: View }): JSX.Element {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [view.page]);
  return (
    <nav aria-label="Views" ref={nav}>
      {pagesFor(view.session).map((page) => (
        <ViewLink key={page} page={page} current={page === view.page}>
          {TABS[page].title}
        </ViewLink>
      ))}
      <a href="/docs">API</a>
    </nav>
  );
}

interface FreshnessProps {
  tick: number;
  paused: boolean;
  onPause: (paused: boolean) => void;
  onRefresh: () => void;
}

function Freshness({ tick, paused, onPause, onRefresh }: FreshnessProps): JSX.Element {
  const [at, setAt] = useState(Date.now());
  useEffect(() => setAt(Date.now()), [tick]);
  return (
    <div class="freshness">
      <span title={localTime(at)}>
        {paused ? "Paused since" : <span class="updated">Updated</span>} <b>{timeOfDay(at)}</b> UTC
      </span>
      <button type="button" class="button quiet" aria-label="Refresh now" title="Refresh now" onClick={onRefresh}>
        <Icon name="refresh" />
      </button>
      <button
        type="button"
        class="button quiet"
        aria-pressed={paused}
        aria-label="Pause updates"
        title={paused ? "Update every 30 seconds again" : "Updates every 30 seconds. Press to pause."}
        onClick={() => onPause(!paused)}
      >
        <Icon name={paused ? "play" : "pause"} />
      </button>
    </div>
  );
}

/** What is shown: the tab, the environment, and the range and the product if it is about them. */
function shownParts(view: View): string[] {
  if (view.unknown.length > 0) return ["Unknown address"];
  const { title, hasRange, hasProduct, needsProduct } = TABS[view.page];
  const range = RANGES.get(view.range) ?? `${view.from} to ${view.to}`;
  const product = view.product || (needsProduct ? "no product" : "all products");
  return [title, view.environment, ...(hasRange ? [range] : []), ...(hasProduct ? [product] : [])];
}

/** The window's title: as much of it as tells windows apart. */
function useTitle(shown: string[]): void {
  const title = [...shown.slice(0, 3), "Telemetry Analytics"].join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
