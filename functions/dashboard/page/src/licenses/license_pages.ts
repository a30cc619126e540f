// Lists of licences, page by page.

import { getPage, type Linked, type Query, search } from "../api/api";
import { type Pages, usePages } from "../api/pages";
import type { ListedLicense } from "../types";

const PAGE = "50";

export type LicensePages = Pages<Linked<ListedLicense>>;

export function useLicenses(query: Query): LicensePages {
  const question = `/api/v1/admin/licenses${search({ ...query, limit: PAGE })}`;
  return usePages<Linked<ListedLicense>>(question, ["more licence", "more licences"], getPage);
}
