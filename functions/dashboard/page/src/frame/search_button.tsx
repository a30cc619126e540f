// Opens the search, by its button or by Ctrl+K (⌘K on a Mac). Its code is loaded when it is first needed.

import type { ComponentType, JSX } from "preact";
import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../api/api";
import { Dialog, Icon, ProblemBox } from "../parts/ui";
import type { SearchHit } from "../types";
import type { PaletteProps } from "./palette";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const SHORTCUT = IS_MAC ? "⌘K" : "Ctrl K";
const MODIFIER = IS_MAC ? "Meta" : "Control";

let loaded: ComponentType<PaletteProps> | null = null;

async function load(): Promise<void> {
  loaded ??= (await import("./palette")).Palette;
}

/** It may be needed soon. If it cannot be loaded, opening it says so. */
const prepare = (): void => {
  load().catch(() => {});
};

export function SearchButton(): JSX.Element {
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState(false);
  const [, shown] = useState(loaded);
  const recent = useRef<SearchHit[]>([]);
  const show = useCallback((): void => {
    setFailed(false);
    setOpen(true);
    load().then(
      () => shown(() => loaded),
      () => setFailed(true),
    );
  }, []);
  // before the button can be seen: from then on the keys work
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === MODIFIER) prepare();
      const isOurs = (IS_MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey) && !event.altKey;
      if (!isOurs || event.shiftKey || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) show();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [show]);
  const Palette = loaded;
  return (
    <>
      <button
        type="button"
        class="button search"
        aria-keyshortcuts={IS_MAC ? "Meta+K" : "Control+K"}
        onPointerEnter={prepare}
        onFocus={prepare}
        onClick={show}
      >
        <Icon name="search" /> <span class="what">Search</span>{" "}
        <span class="shortcut" aria-hidden="true">
          {SHORTCUT}
        </span>
      </button>
      {open && Palette && <Palette recent={recent.current} onClose={() => setOpen(false)} />}
      {open && failed && (
        <Dialog title="Search" onClose={() => setOpen(false)}>
          <ProblemBox problem={NOT_LOADED} retry={() => location.reload()} />
        </Dialog>
      )}
    </>
  );
}

// A browser may remember that a module could not be loaded, and a newer version of the page has other modules.
const NOT_LOADED = new Problem(0, "The search could not be loaded", "The page has to be loaded again.");
