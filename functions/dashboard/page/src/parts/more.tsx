// The buttons under a list that has more pages.

import type { JSX } from "preact";
import type { Pages } from "../api/pages";

export function More<P>({ list, what }: { list: Pages<P>; what: string }): JSX.Element {
  return (
    <div class="buttons">
      {list.hasMore && (
        <button type="button" class="button" onClick={list.reload}>
          First page only
        </button>
      )}
      {list.next !== null && (
        <button type="button" class="button" disabled={list.busy} onClick={list.loadMore}>
          {list.busy ? "Loading…" : `Load more ${what}`}
        </button>
      )}
    </div>
  );
}
