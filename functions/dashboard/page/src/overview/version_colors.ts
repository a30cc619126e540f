// The colour of each version: it keeps it, whatever range is shown and whenever, and no two that are shown share one.
//
// What a version is called decides its colour, and which ones are taken already; this browser remembers by a number that
// is made of the name, so that nothing a client sends is kept.

const KEY = "version-colors";
const COLORS = 12;
const MOST_REMEMBERED = 500;

type Remembered = Map<string, number>;

/** Custom properties of the stylesheet by version, in the order of the versions: at most twelve of them. */
export function versionColors(versions: readonly string[]): Map<string, string> {
  const remembered = recall();
  const chosen = new Map<string, number>();
  const taken = new Set<number>();
  for (const version of versions.slice(0, COLORS)) {
    const known = remembered.get(nameOf(version));
    if (known === undefined || taken.has(known)) continue;
    chosen.set(version, known);
    taken.add(known);
  }
  for (const version of versions.slice(0, COLORS)) {
    if (chosen.has(version)) continue;
    const color = freeColor(hash(version) % COLORS, taken, remembered);
    chosen.set(version, color);
    taken.add(color);
    remembered.set(nameOf(version), color);
  }
  remember(remembered);
  return new Map(versions.slice(0, COLORS).map((version) => [version, `--series-${(chosen.get(version) ?? 0) + 1}`]));
}

/** The first one from `wanted` on that is not taken, if there is one that no other version had, that one. */
function freeColor(wanted: number, taken: ReadonlySet<number>, remembered: Remembered): number {
  const order = Array.from({ length: COLORS }, (_, step) => (wanted + step) % COLORS).filter((at) => !taken.has(at));
  const used = new Set(remembered.values());
  return order.find((color) => !used.has(color)) ?? order[0] ?? wanted;
}

const nameOf = (version: string): string => hash(version).toString(36);

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

let kept: Remembered | null = null;

function recall(): Remembered {
  if (kept) return kept;
  try {
    const pairs: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    kept = new Map((Array.isArray(pairs) ? pairs : []).filter(isPair));
  } catch {
    kept = new Map(); // the browser keeps nothing, or something else was kept
  }
  return kept;
}

function remember(remembered: Remembered): void {
  while (remembered.size > MOST_REMEMBERED) remembered.delete(remembered.keys().next().value ?? "");
  try {
    localStorage.setItem(KEY, JSON.stringify([...remembered]));
  } catch {
    // then it is remembered until the page is closed
  }
}

const isPair = (pair: unknown): pair is [string, number] =>
  Array.isArray(pair) && typeof pair[0] === "string" && Number.isInteger(pair[1]) && pair[1] >= 0 && pair[1] < COLORS;
