// The parts of the API's description that the reference shows.

export interface Schema {
  $ref?: string;
  type?: string;
  description?: string;
  title?: string;
  const?: unknown;
  enum?: unknown[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  format?: string;
  pattern?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  "x-status"?: number;
  "x-class"?: string;
}

export interface Content {
  schema: Schema;
  examples?: Record<string, { summary: string; value: unknown }>;
}

export interface Answer {
  $ref?: string;
  description: string;
  headers?: Record<string, { description: string }>;
  content?: Record<string, Content>;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, Answer>;
  security: Record<string, unknown>[];
  "x-alias-of"?: string;
}

export interface Document {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
    securitySchemes: Record<string, { description: string }>;
  };
}

/** An operation, where it is, and the other paths that do the same. */
export interface Route extends Operation {
  method: string;
  path: string;
  aliases: string[];
}

/** All operations, in the order of the document; aliases are with what they stand for. */
export function routesOf(document: Document): Route[] {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  return all
    .filter((each) => !each["x-alias-of"])
    .map((each) => ({
      ...each,
      aliases: all.filter((other) => other["x-alias-of"] === each.operationId).map(({ path }) => path),
    }));
}

/** The last part of a reference: the name of the component. */
export const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf("/") + 1);

/** The answer that a reference stands for. */
export function answerOf(document: Document, answer: Answer): Answer {
  return (answer.$ref && document.components.responses[nameOf(answer.$ref)]) || answer;
}

/** The section of a problem, from the value of its `type`. */
export const problemId = (type: unknown): string => String(type).slice(String(type).indexOf("#") + 1);
