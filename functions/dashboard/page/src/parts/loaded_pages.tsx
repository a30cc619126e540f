// A list that is loaded page by page: what is wrong, that it is loading, that it is empty, or its items and more of them.

import type { ComponentChildren, JSX } from "preact";
import type { Pages } from "../api/pages";
import { More } from "./more";
import { Empty, ProblemBox, Skeleton } from "./ui";

interface LoadedPagesProps<T> {
  list: Pages<{ items: T[] }>;
  /** What many of them are called. */
  what: string;
  /** Said where there is none. */
  none: string;
  /** How many lines stand for those that are loading. */
  lines?: number;
  children: (items: T[]) => ComponentChildren;
}

export function LoadedPages<T>({ list, what, none, lines = 3, children }: LoadedPagesProps<T>): JSX.Element {
  const { pages, problem, reload, hasMore, next } = list;
  const items = pages?.flatMap((page) => page.items);
  return (
    <>
      {problem && <ProblemBox problem={problem} retry={reload} />}
      {items ? items.length > 0 ? children(items) : <Empty title={none} /> : !problem && <Skeleton lines={lines} />}
      {(hasMore || next !== null) && (
        <div class="more">
          <More list={list} what={what} />
        </div>
      )}
    </>
  );
}
