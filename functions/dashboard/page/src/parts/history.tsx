// All that was ever done to one thing, from the audit log.

import type { JSX } from "preact";
import { getPage, type Linked, search } from "../api/api";
import { usePages } from "../api/pages";
import { useView } from "../frame/view";
import type { AuditEntry } from "../types";
import { changes, FROM, WHEN, WHO } from "./audit_entries";
import { LoadedPages } from "./loaded_pages";
import { type Column, Table } from "./table";
import { Panel, Text } from "./ui";

const PAGE = "20";

const COLUMNS: Column<AuditEntry>[] = [
  WHEN,
  WHO,
  { title: "Action", cell: ({ action }) => <Text>{action.split(".")[1] ?? action}</Text> },
  { title: "Change", class: "full breaks", cell: changes },
  FROM,
];

export function History({ kind, entity }: { kind: "license" | "customer" | "product"; entity: string }): JSX.Element {
  const question = `/api/v1/admin/history${search({ environment: useView().environment, kind, entity, limit: PAGE })}`;
  const list = usePages<Linked<AuditEntry>>(question, ["older change", "older changes"], getPage);
  return (
    <Panel title="History" note="What staff did, newest first; nothing of it is ever changed" name="history">
      <LoadedPages
        list={list}
        what="changes"
        none="Staff never changed it: it was imported, or made with the demo."
        lines={4}
      >
        {(entries) => <Table label="History" columns={COLUMNS} items={entries} keyOf={({ id }) => id} />}
      </LoadedPages>
    </Panel>
  );
}
