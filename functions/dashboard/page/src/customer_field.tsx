// A field for a customer, who is typed by name or id.

import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { getPage, type Linked } from "./api";
import { Field } from "./form";
import { type Pages, usePages } from "./pages";
import type { Customer } from "./types";

const PAGE = "200";

export const customersOf = (pages: Pages<Linked<Customer>>): Customer[] =>
  (pages.pages ?? []).flatMap((page) => page.items);

/** The first customers, to choose from. */
export function useCustomers(): Customer[] {
  return customersOf(
    usePages<Linked<Customer>>(`/api/v1/admin/customers?limit=${PAGE}`, ["more customer", "more customers"], getPage),
  );
}

/** The id of the customer that was typed; the text itself if it names none or several of these. */
export function customerNamed(text: string, customers: readonly Customer[]): string {
  const typed = text.trim();
  if (customers.some(({ id }) => id === typed)) return typed;
  const named = customers.filter(({ name }) => name.toLowerCase() === typed.toLowerCase());
  return named.length === 1 ? (named[0]?.id ?? typed) : typed;
}

interface CustomerFieldProps {
  customers: readonly Customer[];
  value: string;
  onChange: (value: string) => void;
}

export function CustomerField({ customers, value, onChange }: CustomerFieldProps): JSX.Element {
  const list = useId();
  const chosen = customers.find(({ id }) => id === customerNamed(value, customers));
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
            {customers.map(({ id, name }) => (
              <option key={id} value={namesOne(name, customers) ? name : id}>
                {id}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

const namesOne = (name: string, customers: readonly Customer[]): boolean =>
  customers.filter((each) => each.name === name).length === 1;
