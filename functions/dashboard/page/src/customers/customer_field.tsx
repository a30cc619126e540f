// A field for a customer, who is typed by name or id: the search tells who may be meant.

import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { find, SHORTEST_TEXT } from "../api/search_api";
import { useView, type View } from "../frame/view";
import { Field } from "../parts/form";
import type { SearchHit } from "../types";

const PAUSE_MS = 150;

/** Those whose name has a word that begins so, or whose id this is. */
async function named(view: View, text: string, signal?: AbortSignal): Promise<SearchHit[]> {
  const typed = text.trim();
  return typed.length < SHORTEST_TEXT ? [] : (await find(view, typed, signal, ["customer"])).items;
}

/** The one whose id or name this is; nobody if several have this name. */
function meant(text: string, hits: readonly SearchHit[]): SearchHit | undefined {
  const typed = text.trim();
  const same = hits.filter(({ title }) => title.toLowerCase() === typed.toLowerCase());
  return hits.find(({ id }) => id === typed) ?? (same.length === 1 ? same[0] : undefined);
}

/** The id of the customer that was typed; the text itself if it names nobody, or several. */
export const customerId = async (view: View, text: string): Promise<string> =>
  meant(text, await named(view, text))?.id ?? text.trim();

interface CustomerFieldProps {
  value: string;
  onChange: (value: string) => void;
}

export function CustomerField({ value, onChange }: CustomerFieldProps): JSX.Element {
  const view = useView();
  const list = useId();
  const [hits, setHits] = useState<SearchHit[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: customers are the same in every view
  useEffect(() => {
    const stop = new AbortController();
    // without an answer it is a field like any other: what is wrong is told when the form is sent
    const ask = (): unknown => named(view, value, stop.signal).then(setHits, () => {});
    const timer = setTimeout(ask, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [value]);
  const chosen = meant(value, hits);
  const titles = hits.map(({ title }) => title);
  return (
    <Field name="customer_id" label="Customer" hint={chosen ? `Id ${chosen.id}` : "Name or id"}>
      {(given) => (
        <>
          <input
            {...given}
            list={list}
            required
            autocomplete="off"
            spellcheck={false}
            value={value}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          <datalist id={list}>
            {hits.map(({ id, title }) => (
              <option key={id} value={titles.filter((each) => each === title).length === 1 ? title : id}>
                {id}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
