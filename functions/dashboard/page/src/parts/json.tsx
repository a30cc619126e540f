// JSON as a tree that can be folded.

import type { JSX } from "preact";
import { ExactNumber } from "../api/api";

const OPEN_DEPTH = 3;
const MOST_CHILDREN = 200;

export function Json({ value, depth = 0 }: { value: unknown; depth?: number }): JSX.Element {
  if (value instanceof ExactNumber) return <span class="json-number">{value.text}</span>;
  if (value === null || typeof value !== "object") return <Leaf value={value} />;
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return <span class="json-mark">{left + right}</span>;
  return (
    <details open={depth < OPEN_DEPTH}>
      <summary>
        <span class="json-mark">{left}</span>
        <span class="json-size">
          {entries.length} {entries.length === 1 ? "entry" : "entries"} {right}
        </span>
      </summary>
      <ul>
        {entries.slice(0, MOST_CHILDREN).map(([key, item]) => (
          <li key={key}>
            <span class="json-key">{Array.isArray(value) ? key : JSON.stringify(key)}</span>
            <span class="json-mark">: </span>
            <Json value={item} depth={depth + 1} />
          </li>
        ))}
        {entries.length > MOST_CHILDREN && (
          <li class="muted">and {entries.length - MOST_CHILDREN} more. The raw body shows them all.</li>
        )}
      </ul>
      <span class="json-mark">{right}</span>
    </details>
  );
}

function Leaf({ value }: { value: unknown }): JSX.Element {
  const kind = value === null ? "null" : typeof value;
  return <span class={`json-${kind}`}>{JSON.stringify(value)}</span>;
}

/** The JSON text of a value, with its numbers as they were sent. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (item instanceof ExactNumber ? item.json : item), 2);
}
