// Loads records, page by page.

import { type Query, search } from "../api/api";
import { type Pages, usePages } from "../api/pages";
import type { RecordPage, RecordRow } from "../types";

const PAGE = "50";
const MORE = ["more record", "more records"] as const;

interface RecordList extends Pages<RecordPage> {
  items: RecordRow[] | null;
}

export function useRecords(query: Query): RecordList {
  const list = usePages<RecordPage>(`/api/v1/analytics/records${search({ ...query, limit: PAGE })}`, MORE);
  return { ...list, items: list.pages?.flatMap(({ items }) => items) ?? null };
}
