// Tables. A wide table scrolls inside its frame, also by keyboard, so that the page never does. On a phone each row is
// a block.

// biome-ignore-all lint/a11y/noRedundantRoles: browsers do not announce a table as one when its rows are blocks

import type { ComponentChildren, HTMLAttributes, JSX } from "preact";
import { useState } from "preact/hooks";
import { pressed, type Sorting, type SortState, type SortValue, sorted } from "./sorting";

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
  /** By what the rows are sorted when the reader presses the heading; without it, it cannot be pressed. */
  sort?: (item: T) => SortValue;
}

interface TableProps<T> {
  label: string;
  /** The first one is the heading of its row. */
  columns: readonly Column<T>[];
  items: readonly T[];
  keyOf: (item: T) => string;
  /** Attributes of the row of an item. */
  row?: (item: T) => HTMLAttributes<HTMLTableRowElement> & Record<`data-${string}`, string>;
  /** Where the sorting is kept, such as useSorting("licenses"); without it, in the table as long as it is shown. */
  sorting?: SortState;
  /** The items come sorted as `sorting` says, from a server that has more of them. */
  presorted?: boolean;
  class?: string;
}

export function Table<T>(props: TableProps<T>): JSX.Element {
  const { label, columns, items: given, keyOf, row, sorting, presorted = false, class: kind = "" } = props;
  const own = useState<Sorting | null>(null);
  const [by, sortBy] = sorting ?? own;
  const rank = columns.find(({ title }) => title === by?.column)?.sort;
  const items = by && rank && !presorted ? sorted(given, rank, by.descending) : given;
  return (
    <div class={`table-frame ${kind}`} role="group" aria-label={label} tabIndex={0}>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, heading = title, untitled, hint, class: of, sort }, index) => (
              <th
                key={index}
                role="columnheader"
                scope="col"
                class={of}
                title={hint}
                aria-sort={sort && by?.column === title ? (by.descending ? "descending" : "ascending") : undefined}
              >
                {untitled ? (
                  <span class="visually-hidden">{title}</span>
                ) : sort ? (
                  <button type="button" class="sort" onClick={() => sortBy(pressed(by, title, given, sort))}>
                    {heading}
                  </button>
                ) : (
                  heading
                )}
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
