// How the rows of a table are sorted.

/** By the column with this title. */
export interface Sorting {
  column: string;
  descending: boolean;
}

/** What a row is sorted by; null goes last, in both directions. */
export type SortValue = string | number | null;

/** How a table is sorted (null: as its rows were given), and how to change that. */
export type SortState = readonly [Sorting | null, (sorting: Sorting | null) => void];

const texts = new Intl.Collator("en", { numeric: true });

/** The rows in another order; rows with the same value keep theirs. */
export function sorted<T>(items: readonly T[], rank: (item: T) => SortValue, descending: boolean): T[] {
  const turn = descending ? -1 : 1;
  return items
    .map((item) => [item, rank(item)] as const)
    .sort(([, a], [, b]) =>
      a === null || b === null ? Number(a === null) - Number(b === null) : turn * compared(a, b),
    )
    .map(([item]) => item);
}

/** After another press of a heading: numbers the highest first and texts the lowest, then reversed, then as given. */
export function pressed<T>(
  sorting: Sorting | null,
  column: string,
  items: readonly T[],
  rank: (item: T) => SortValue,
): Sorting | null {
  const first = items.some((item) => typeof rank(item) === "number");
  if (sorting?.column !== column) return { column, descending: first };
  return sorting.descending === first ? { column, descending: !first } : null;
}

const compared = (a: string | number, b: string | number): number =>
  typeof a === "number" && typeof b === "number" ? a - b : texts.compare(String(a), String(b));
