// Types in the reference: in a word, and with all their fields.

import type { ComponentChildren, JSX } from "preact";
import { Table } from "../parts/table";
import { nameOf, type Schema } from "./openapi";

/** Text in which `words` stand in backticks. */
export function Words({ children }: { children: string }): JSX.Element {
  return <>{children.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}

/** A type in a word; a component is a link to its section. */
export function Type({ schema }: { schema: Schema }): JSX.Element {
  if (schema.$ref) return <a href={`#schema-${nameOf(schema.$ref)}`}>{nameOf(schema.$ref)}</a>;
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return <>{joined(several.map((each, index) => <Type key={index} schema={each} />))}</>;
  if (schema.const !== undefined) return <code>{JSON.stringify(schema.const)}</code>;
  if (schema.enum)
    return <>{joined(schema.enum.map((each) => <code key={String(each)}>{JSON.stringify(each)}</code>))}</>;
  if (schema.type === "array" && schema.items) {
    return (
      <>
        list of {schema.items.anyOf ? "(" : ""}
        <Type schema={schema.items} />
        {schema.items.anyOf ? ")" : ""}
      </>
    );
  }
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return (
      <>
        object of <Type schema={schema.additionalProperties} />
      </>
    );
  }
  return <>{schema.format === "binary" ? "bytes" : (schema.format ?? schema.type ?? "any")}</>;
}

/** What a type allows, such as "1 to 200" or "at most 64 characters". */
export function limits(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = schema;
  return [
    range(minimum, maximum, ""),
    range(minLength, maxLength, " characters"),
    range(minItems, maxItems, " items"),
    pattern ? `matches ${pattern}` : "",
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
  ]
    .filter(Boolean)
    .join("; ");
}

/** The fields of an object, or the values of an enumeration. */
export function Members({ schema, label }: { schema: Schema; label: string }): JSX.Element | null {
  if (schema.properties) {
    return (
      <Fields
        label={label}
        rows={Object.entries(schema.properties).map(([name, field]) => ({
          name,
          schema: field,
          required: schema.required?.includes(name) ?? false,
          meaning: field.description ?? "",
        }))}
      />
    );
  }
  if (!schema.oneOf?.some((value) => value.title)) return null;
  return (
    <Table
      label={label}
      items={schema.oneOf}
      keyOf={(value) => String(value.const)}
      columns={[
        { title: "Value", cell: (value) => <code>{String(value.const)}</code> },
        { title: "Name", cell: (value) => value.title },
        { title: "Meaning", class: "breaks full", cell: (value) => <Words>{value.description ?? ""}</Words> },
      ]}
    />
  );
}

export interface Field {
  name: string;
  schema: Schema;
  required: boolean;
  meaning: string;
  place?: string;
}

/** Fields or parameters as a table. */
export function Fields({ label, rows }: { label: string; rows: readonly Field[] }): JSX.Element {
  return (
    <Table
      label={label}
      items={rows}
      keyOf={({ name, place }) => `${place}-${name}`}
      columns={[
        {
          title: "Name",
          cell: ({ name, required, place }) => (
            <>
              <code>{name}</code> {required && <span class="badge">required</span>}
              {place && place !== "query" && <span class="muted"> in the {place}</span>}
            </>
          ),
        },
        { title: "Type", class: "breaks full", cell: ({ schema }) => <Type schema={schema} /> },
        {
          title: "Meaning",
          class: "breaks full",
          cell: ({ meaning, schema }) => (
            <>
              <Words>{meaning}</Words>
              {limits(schema) && <span class="muted limits"> {limits(schema)}</span>}
            </>
          ),
        },
      ]}
    />
  );
}

const joined = (parts: JSX.Element[]): ComponentChildren[] =>
  parts.flatMap((part, index) => (index ? [" or ", part] : [part]));

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined) return `${least} to ${most}${unit}`;
  if (most !== undefined) return `at most ${most}${unit}`;
  return least ? `at least ${least}${unit}` : "";
}
