// One operation in the reference: who may ask, with what, and what is answered.

import type { JSX } from "preact";
import { CopyButton } from "../parts/ui";
import { type Answer, answerOf, type Content, type Document, nameOf, type Route } from "./openapi";
import { Fields, Members, Type, Words } from "./reference_schema";

interface OperationProps {
  document: Document;
  route: Route;
}

export function OperationSection({ document, route }: OperationProps): JSX.Element {
  const { operationId: id, method, path, aliases, parameters = [], requestBody, responses } = route;
  return (
    <article class="panel operation" id={id} aria-labelledby={`${id}-title`} tabIndex={-1}>
      <h3 id={`${id}-title`}>
        <a href={`#${id}`} class="route">
          <span class={`method ${method.toLowerCase()}`}>{method}</span> <code class="breaks">{path}</code>
        </a>
      </h3>
      <p>
        <Words>{route.summary}</Words>
      </p>
      {route.description && (
        <p class="note">
          <Words>{route.description}</Words>
        </p>
      )}
      {aliases.length > 0 && (
        <p class="note breaks">
          Also{" "}
          {aliases.map((alias, index) => (
            <span key={alias}>
              {index > 0 && ", "}
              <code>{alias}</code>
            </span>
          ))}
        </p>
      )}
      <p class="note">
        <Keys security={route.security} />
      </p>
      {parameters.length > 0 && (
        <>
          <h4>Parameters</h4>
          <Fields
            label={`Parameters of ${method} ${path}`}
            rows={parameters.map(({ name, in: place, required = false, description = "", schema }) => ({
              name,
              place,
              required,
              schema,
              meaning: description || schema.description || "",
            }))}
          />
        </>
      )}
      {requestBody && (
        <>
          <h4>Body</h4>
          <Contents document={document} contents={requestBody.content} label={`Body of ${method} ${path}`} />
        </>
      )}
      <h4>Answers</h4>
      {Object.entries(responses)
        .sort()
        .map(([status, answer]) => (
          <AnswerDetails
            key={status}
            document={document}
            status={status}
            answer={answerOf(document, answer)}
            label={`${status} of ${method} ${path}`}
          />
        ))}
    </article>
  );
}

function Keys({ security }: { security: Record<string, unknown>[] }): JSX.Element {
  const names = security.map((each) => Object.keys(each)[0]).filter((name) => name !== undefined);
  if (names.length === 0) return <>Open to all.</>;
  return (
    <>
      Key:{" "}
      {names.map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <a href={`#key-${name}`}>{name}</a>
        </span>
      ))}
      {names.length < security.length && ", or none"}
    </>
  );
}

interface AnswerDetailsProps {
  document: Document;
  status: string;
  answer: Answer;
  label: string;
}

function AnswerDetails({ document, status, answer, label }: AnswerDetailsProps): JSX.Element {
  const { description, headers = {}, content = {} } = answer;
  return (
    <details open={status.startsWith("2")}>
      <summary>
        <b class={`status s${status[0]}`}>{status}</b> <Words>{description}</Words>
      </summary>
      <div class="inside">
        {Object.entries(headers).map(([name, header]) => (
          <p key={name} class="note">
            Header <code>{name}</code>: <Words>{header.description}</Words>
          </p>
        ))}
        {Object.keys(content).length === 0 ? (
          <p class="note">No body.</p>
        ) : (
          <Contents document={document} contents={content} label={label} />
        )}
      </div>
    </details>
  );
}

interface ContentsProps {
  document: Document;
  contents: Record<string, Content>;
  label: string;
}

function Contents({ document, contents, label }: ContentsProps): JSX.Element {
  return (
    <>
      {Object.entries(contents).map(([mediaType, { schema, examples = {} }]) => (
        <div key={mediaType} class="content">
          <p>
            <code>{mediaType}</code>: <Type schema={schema} />
          </p>
          <Members
            schema={schema.$ref ? shownInPlace(document, schema.$ref) : schema}
            label={`${mediaType}, ${label}`}
          />
          {Object.entries(examples).map(([name, { summary, value }]) => (
            <Example key={name} title={summary} value={value} />
          ))}
        </div>
      ))}
    </>
  );
}

/** Problems are the same everywhere: their fields are shown once, in the section of the component. */
function shownInPlace(document: Document, reference: string): Content["schema"] {
  const name = nameOf(reference);
  return name === "Problem" ? {} : (document.components.schemas[name] ?? {});
}

function Example({ title, value }: { title: string; value: unknown }): JSX.Element {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <figure class="example">
      <figcaption>
        Example: {title} <CopyButton text={text} what={`Example ${title}`} />
      </figcaption>
      <pre class="json" tabIndex={0}>
        {text}
      </pre>
    </figure>
  );
}
