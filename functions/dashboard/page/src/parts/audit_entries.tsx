// What an entry of the audit log says, as columns of a table.

import type { JSX } from "preact";
import type { AuditEntry } from "../types";
import type { Column } from "./table";
import { NoValue, Text, Time, visible } from "./ui";

export const WHEN: Column<AuditEntry> = { title: "When (UTC)", cell: ({ at }) => <Time at={at} seconds /> };
export const WHO: Column<AuditEntry> = {
  title: "Who",
  cell: (entry) => <Who name={entry.key_name} id={entry.key_id} />,
};
/** Our own words are shown whole, as license.revoke and license.resume begin alike; anything else is only text. */
export const ACTION: Column<AuditEntry> = {
  title: "Action",
  cell: ({ action }) => (/^[a-z_.]{1,40}$/.test(action) ? action : <Text>{action}</Text>),
};
export const FROM: Column<AuditEntry> = {
  title: "From",
  class: "wide",
  cell: (entry) => (
    <span title={entry.user_agent}>
      <Text hover={false}>{entry.source_ip}</Text>
    </span>
  ),
};
export const changes = ({ before, after }: AuditEntry): JSX.Element => <Changes before={before} after={after} />;

/** A name, and the id of its key on hover. */
function Who({ name, id }: { name: string; id: string }): JSX.Element {
  return (
    <span title={`${name} (${id})`}>
      <Text hover={false}>{name}</Text>
    </span>
  );
}

const valueText = (value: unknown): string =>
  value === undefined ? "" : typeof value === "string" ? visible(value) : JSON.stringify(value);

function Changes({ before, after }: Pick<AuditEntry, "before" | "after">): JSX.Element {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  if (fields.length === 0) return <NoValue />;
  const all = fields.map(
    (field) =>
      `${visible(field)}: ${[valueText(old.get(field)), valueText(now.get(field))].filter(Boolean).join(" → ")}`,
  );
  return (
    <bdi class="text long changes" title={all.join("\n")}>
      <span>{all.join("; ")}</span>
    </bdi>
  );
}
