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
  const hits = useNamed(value);
  const chosen = meant(value, hits);
  return (
    <Field name="customer_id" label="Customer" hint={chosen ? `Id ${chosen.id}` : "Name or id"}>
      {(given) => <CustomerInput given={{ ...given, required: true }} hits={hits} value={value} onChange={onChange} />}
    </Field>
  );
}

/** The same to filter by: asks for the customer of a list, by id, when Enter is pressed or one is chosen. */
export function CustomerFilter({ id, onChosen }: { id: string; onChosen: (id: string | null) => void }): JSX.Element {
  const view = useView();
  const [typed, setTyped] = useState(id);
  const hits = useNamed(typed);
  const choose = async (): Promise<void> => {
    const text = typed.trim();
    const chosen = text ? await customerId(view, text).catch(() => text) : null;
    if (chosen !== (id || null)) onChosen(chosen);
  };
  return (
    <CustomerInput
      given={{ class: "lookup", "aria-label": "Customer", placeholder: "Any customer: name or id", onChange: choose }}
      hits={hits}
      value={typed}
      onChange={setTyped}
    />
  );
}

/** Those whom the text may mean, as it is typed. */
function useNamed(value: string): SearchHit[] {
  const view = useView();
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
  return hits;
}

interface CustomerInputProps extends CustomerFieldProps {
  given: Partial<Record<"id" | "name" | "class" | "placeholder" | "aria-label" | "aria-describedby", string>> & {
    required?: boolean;
    "aria-invalid"?: true;
    /** Called when the reader has done with it. */
    onChange?: () => void;
  };
  hits: readonly SearchHit[];
}

function CustomerInput({ given, hits, value, onChange }: CustomerInputProps): JSX.Element {
  const list = useId();
  const titles = hits.map(({ title }) => title);
  return (
    <>
      <input
        {...given}
        list={list}
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
  );
}
