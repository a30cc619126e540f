// Sorting of a table that is kept in the address.

import { useView } from "../frame/view";
import type { SortState } from "./sorting";

/** As `sort_<table>=Devices` or `sort_<table>=-Devices`. */
export function useSorting(table: string): SortState {
  const view = useView();
  const name = `sort_${table}`;
  const text = view.param(name);
  const descending = text.startsWith("-");
  return [
    text ? { column: descending ? text.slice(1) : text, descending } : null,
    (sorting) => view.go({ [name]: sorting && `${sorting.descending ? "-" : ""}${sorting.column}` }),
  ];
}
