// Tables. A wide table scrolls inside its frame, also by keyboard, so that the page never does. On a phone each row is
// a block.

// biome-ignore-all lint/a11y/noRedundantRoles: browsers do not announce a table as one when its rows are blocks

import type { ComponentChildren, HTMLAttributes, JSX } from "preact";

export interface Column<T> {
  title: string;
  /** Shown instead of the title. */
  heading?: ComponentChildren;
  /** Hides the title; a screen reader still reads it. */
  untitled?: boolean;
  /** Explains the heading when the reader points at it. */
  hint?: string;
  /** "number" aligns right, "wide" needs a wide screen; the stylesheet has more. */
  class?: string;
  cell: (item: T) => ComponentChildren;
}

interface TableProps<T> {
  label: string;
  /** The first one is the heading of its row. */
  columns: readonly Column<T>[];
  items: readonly T[];
  keyOf: (item: T) => string;
  /** Attributes of the row of an item. */
  row?: (item: T) => HTMLAttributes<HTMLTableRowElement> & Record<`data-${string}`, string>;
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

/** A click on the row itself, and no end of a selection. Keyboards have the button in the first cell. */
export function isForRow(event: MouseEvent): boolean {
  const isControl = event.target instanceof Element && event.target.closest("button, a") !== null;
  return !isControl && (getSelection()?.isCollapsed ?? true);
}
