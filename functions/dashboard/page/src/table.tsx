// Tables. Wide ones scroll by themselves, also by keyboard, so that the page never does; on a phone rows are stacked.

// biome-ignore-all lint/a11y/noRedundantRoles: browsers forget a table's meaning where its rows are stacked

import type { ComponentChildren, JSX } from "preact";

export interface Column<T> {
  title: string;
  /** Shown in place of the title. */
  heading?: ComponentChildren;
  /** Shown as a heading; else it is there for those who hear the table. */
  untitled?: boolean;
  /** Says more about the heading. */
  hint?: string;
  /** "number" aligns right, "wide" needs a wide screen; more are in the stylesheet. */
  class?: string;
  cell: (item: T) => ComponentChildren;
}

interface TableProps<T> {
  label: string;
  /** The first one heads its row. */
  columns: readonly Column<T>[];
  items: readonly T[];
  keyOf: (item: T) => string;
  /** Attributes of the row of an item. */
  row?: (item: T) => Record<string, string | undefined>;
  class?: string;
}

export function Table<T>({ label, columns, items, keyOf, row, class: kind = "" }: TableProps<T>): JSX.Element {
  return (
    <div class={`table-frame ${kind}`} role="group" aria-label={label} tabIndex={0}>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, heading = title, untitled, hint, class: of }, index) => (
              <th key={index} role="columnheader" scope="col" class={of} title={hint}>
                {untitled ? <span class="visually-hidden">{title}</span> : heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((item) => (
            <tr key={keyOf(item)} role="row" {...row?.(item)}>
              {columns.map(({ title, untitled, class: of, cell }, index) =>
                index === 0 ? (
                  <th key={index} role="rowheader" scope="row" class={of}>
                    {cell(item)}
                  </th>
                ) : (
                  <td key={index} role="cell" class={of} data-label={untitled ? undefined : title}>
                    {cell(item)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
