// The reference of the API: its description, to read and to search.

import "./style/page.css";
import "./style/reference.css";
import { type JSX, render } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Problem } from "./api/api";
import { plural } from "./parts/format";
import { Announcer, announce, Empty, ProblemBox, Skeleton } from "./parts/ui";
import { type Document, problemId, type Route, routesOf, type Schema } from "./reference/openapi";
import { OperationSection } from "./reference/reference_operation";
import { Members, Words } from "./reference/reference_schema";

const LEADS_NOWHERE = new Problem(0, "No connection", "The description of the API could not be loaded.");

/** Where the contents stand beside the operations. On a narrow screen they stand before them, and are folded. */
const WIDE = matchMedia("(min-width: 1000px)");

function Reference(): JSX.Element {
  const [document, setDocument] = useState<Document | null>(null);
  const [failed, setFailed] = useState(false);
  const load = (): void => {
    setFailed(false);
    fetch("/openapi.json")
      .then((answer) => answer.json())
      .then(setDocument, () => setFailed(true));
  };
  useEffect(load, []);
  return (
    <>
      <Announcer />
      {document ? (
        <Sections document={document} />
      ) : (
        <main id="content" class="reference-main">
          {failed ? <ProblemBox problem={LEADS_NOWHERE} retry={load} /> : <Skeleton lines={8} />}
        </main>
      )}
    </>
  );
}

function Sections({ document }: { document: Document }): JSX.Element {
  const [wanted, setWanted] = useState("");
  const routes = useMemo(() => routesOf(document), [document]);
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text: string): boolean => words.every((word) => text.includes(word));
  const shown = routes.filter((route) => has(textOf(route)));
  const problems = (document.components.schemas.Problem?.properties?.type?.oneOf ?? []).filter((each) =>
    has(wordsOf(each)),
  );
  const types = Object.entries(document.components.schemas).filter(([name, schema]) => has(wordsOf([name, schema])));
  useAnchor();
  useEffect(() => {
    if (wanted) announce(plural(shown.length, "operation"));
  }, [wanted, shown.length]);
  return (
    <>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <header class="top">
        <div class="brand">
          <h1>{document.info.title} API</h1>
          <span class="muted">{document.info.version}</span>
        </div>
        <Search value={wanted} onInput={setWanted} />
      </header>
      <div class="reference">
        <Contents document={document} routes={shown} />
        <main id="content" class="reference-main" tabIndex={-1}>
          {words.length === 0 && <About document={document} />}
          {document.tags.map(({ name, description }) => (
            <Group
              key={name}
              name={name}
              description={description}
              document={document}
              routes={shown.filter((route) => route.tags[0] === name)}
            />
          ))}
          {shown.length === 0 && <Empty title="No operation has these words." />}
          <Problems problems={problems} />
          <Types types={types} />
        </main>
      </div>
    </>
  );
}

function Search({ value, onInput }: { value: string; onInput: (value: string) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  // before the field is painted: whoever sees "press /" may press it at once
  useLayoutEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
        event.preventDefault();
        input.current?.focus();
      }
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  return (
    <div class="search" role="search">
      <input
        ref={input}
        type="search"
        aria-label="Search operations"
        placeholder="Search (press /)"
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}

function Contents({ document, routes }: { document: Document; routes: Route[] }): JSX.Element {
  return (
    <nav class="contents" aria-label="Operations" tabIndex={-1}>
      {document.tags.map(({ name }) => {
        const own = routes.filter((route) => route.tags[0] === name);
        if (own.length === 0) return null;
        return (
          <details key={name} open={WIDE.matches}>
            <summary>{name}</summary>
            <ul>
              {own.map(({ operationId: id, method, path }) => (
                <li key={id}>
                  <a href={`#${id}`}>
                    <span class={`method ${method.toLowerCase()}`}>{method}</span> <span class="breaks">{path}</span>
                  </a>
                </li>
              ))}
            </ul>
          </details>
        );
      })}
      <ul>
        <li>
          <a href="#problems">Problems</a>
        </li>
        <li>
          <a href="#types">Types</a>
        </li>
        <li>
          <a href="/openapi.json">openapi.json</a>
        </li>
      </ul>
    </nav>
  );
}

function About({ document }: { document: Document }): JSX.Element {
  return (
    <section class="panel" aria-labelledby="about">
      <h2 id="about">About</h2>
      {document.info.description.split("\n\n").map((paragraph) => (
        <p key={paragraph}>
          <Words>{paragraph}</Words>
        </p>
      ))}
      <h3>Keys</h3>
      <dl class="keys">
        {Object.entries(document.components.securitySchemes).map(([name, { description }]) => (
          <div key={name} id={`key-${name}`} tabIndex={-1}>
            <dt>{name}</dt>
            <dd>
              <Words>{description}</Words>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface GroupProps {
  name: string;
  description: string;
  document: Document;
  routes: Route[];
}

function Group({ name, description, document, routes }: GroupProps): JSX.Element | null {
  if (routes.length === 0) return null;
  return (
    <section aria-label={name} class="group">
      <h2>{name}</h2>
      <p class="note">{description}</p>
      {routes.map((route) => (
        <OperationSection key={route.operationId} document={document} route={route} />
      ))}
    </section>
  );
}

function Problems({ problems }: { problems: Schema[] }): JSX.Element | null {
  if (problems.length === 0) return null;
  return (
    <section aria-labelledby="problems" class="group">
      <h2 id="problems" tabIndex={-1}>
        Problems
      </h2>
      <p class="note">
        What our own routes answer when something is wrong (RFC 9457). Their <code>type</code> leads here.
      </p>
      {problems.map((each) => (
        <article
          key={String(each.const)}
          class="panel"
          id={problemId(each.const)}
          aria-labelledby={`${problemId(each.const)}-title`}
          tabIndex={-1}
        >
          <h3 id={`${problemId(each.const)}-title`}>
            <b class={`status s${String(each["x-status"])[0]}`}>{each["x-status"]}</b> {each.title}
          </h3>
          <p class="note">
            <code class="breaks">{String(each.const)}</code>
          </p>
          <p>
            <Words>{each.description ?? ""}</Words>
          </p>
        </article>
      ))}
    </section>
  );
}

function Types({ types }: { types: [string, Schema][] }): JSX.Element | null {
  if (types.length === 0) return null;
  return (
    <section aria-labelledby="types" class="group">
      <h2 id="types" tabIndex={-1}>
        Types
      </h2>
      {types.map(([name, schema]) => (
        <article key={name} class="panel" id={`schema-${name}`} aria-labelledby={`schema-${name}-title`} tabIndex={-1}>
          <h3 id={`schema-${name}-title`}>{name}</h3>
          <p>
            <Words>{schema.description ?? ""}</Words>
          </p>
          <Members schema={schema} label={name} />
        </article>
      ))}
    </section>
  );
}

/** Goes to what the address names: it is there only now, and the reader's keyboard goes there too. */
function useAnchor(): void {
  useEffect(() => {
    const go = (): void => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      target?.scrollIntoView();
      target?.focus({ preventScroll: true });
    };
    if (location.hash) go();
    addEventListener("hashchange", go);
    return () => removeEventListener("hashchange", go);
  }, []);
}

/** All that is searched of an operation. */
function textOf(route: Route): string {
  const parameters = (route.parameters ?? []).map(({ name, description = "" }) => `${name} ${description}`);
  return [
    route.method,
    route.path,
    ...route.aliases,
    route.operationId,
    route.summary,
    route.description,
    ...parameters,
    ...codesIn(route.responses),
  ]
    .join(" ")
    .toLowerCase();
}

/** The codes of the vendors' protocols that answers show; those that an overview counts are not its own. */
const codesIn = (answers: Route["responses"]): string[] =>
  JSON.stringify(answers).match(/(?<="response":{"code":)\d+/g) ?? [];

/** All that a type or a problem says: flags, causes and codes are explained there. */
const wordsOf = (described: unknown): string => JSON.stringify(described).toLowerCase();

const root = document.getElementById("page");
if (root) render(<Reference />, root);
