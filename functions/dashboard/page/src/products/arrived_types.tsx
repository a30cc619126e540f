// Activity types that arrive and are not configured: one click configures one.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change, Problem } from "../api/api";
import { type Resource, SignedOut, useResource } from "../api/live";
import { useView } from "../frame/view";
import { isUnknownType } from "../overview/uses";
import { count } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { announce, Empty, Loaded, Panel, ProblemBox, Text } from "../parts/ui";
import type { ActivityTypes, ActivityTypeUses, Product } from "../types";
import { productPath } from "./product_path";

const LEVELS = ["primary", "secondary"] as const;
const CHANGED_MEANWHILE = 412;

interface ArrivedProps {
  product: Product;
  resource: Resource<Product>;
}

export function ArrivedTypes({ product, resource }: ArrivedProps): JSX.Element {
  const { environment } = useView();
  const signedOut = useContext(SignedOut);
  const types = useResource<ActivityTypes>(
    "/api/v1/analytics/activity-types",
    { environment, product: product.id },
    false,
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const configure = async (key: string, level: (typeof LEVELS)[number]): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const body = { activity_types: [...product.activity_types, { key, level }] };
      await change<Product>("PATCH", productPath(product.id), { body, tag: resource.tag });
      announce(`${key} is ${level} now`);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return signedOut();
      setProblem(
        error instanceof Problem && error.status === CHANGED_MEANWHILE
          ? new Problem(
              CHANGED_MEANWHILE,
              "Somebody changed the product meanwhile",
              "It is loaded again. Try once more.",
            )
          : error instanceof Problem
            ? error
            : new Problem(0, "Failed", String(error)),
      );
    } finally {
      setBusy(false);
      resource.reload();
      types.reload();
    }
  };

  const listed = new Set(product.activity_types.map(({ key }) => key));
  /** `~other` are many without names here. */
  const canBeListed = (key: string): boolean => !listed.has(key) && !key.startsWith("~");
  const columns: Column<ActivityTypeUses>[] = [
    { title: "Type", cell: ({ activity_type: key }) => <Text>{key}</Text> },
    { title: "Uses", class: "number", cell: ({ uses }) => count(uses) },
    { title: "First", class: "wide", cell: ({ first_day: day }) => day },
    { title: "Last", class: "wide", cell: ({ last_day: day }) => day },
    {
      title: "Configure as",
      class: "right",
      cell: ({ activity_type: key }) => (
        <span class="license-actions">
          {LEVELS.map((level) => (
            <button
              key={level}
              type="button"
              class="button small"
              disabled={busy || resource.tag === null}
              aria-label={`Configure ${key} as ${level}`}
              onClick={() => configure(key, level)}
            >
              {level === "primary" ? "Primary" : "Secondary"}
            </button>
          ))}
        </span>
      ),
    },
  ];
  return (
    <Panel
      title="Activity types that arrive and are not configured"
      note={
        product.activity_types.length === 0
          ? "Any type will do as long as none is configured. With the first one, events of other types are flagged."
          : "In the last 90 days. Uses before are classified too; flags stay."
      }
      name="arrived-types"
    >
      {problem && <ProblemBox problem={problem} />}
      <Loaded resource={types}>
        {({ items }) => {
          const unknown = items.filter((each) => isUnknownType(each) && canBeListed(each.activity_type));
          return unknown.length === 0 ? (
            <Empty title="All types that arrived in the last 90 days are configured, or none did." />
          ) : (
            <Table
              label="Activity types that are not configured"
              class="rows"
              columns={columns}
              items={unknown}
              keyOf={({ activity_type: key }) => key}
              row={({ activity_type: key }) => ({ "data-activity": key })}
            />
          );
        }}
      </Loaded>
    </Panel>
  );
}
