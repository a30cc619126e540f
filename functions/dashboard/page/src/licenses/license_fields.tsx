// The fields of what a licence allows.

import type { JSX } from "preact";
import { Field } from "../parts/form";
import type { ProductName } from "../types";

/** What records without a registered product count for: no product that can be licensed. */
const UNKNOWN = "~unknown";

interface FieldProps {
  value: string;
  onChange: (value: string) => void;
}

export function ProductField({
  products,
  value,
  onChange,
}: FieldProps & { products: ProductName[] | null }): JSX.Element {
  const known = (products ?? []).filter(({ id }) => id !== UNKNOWN);
  return (
    <Field name="product_id" label="Product">
      {(given) => (
        <select {...given} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">Any product</option>
          {known.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
          {value && !known.some(({ id }) => id === value) && <option value={value}>{value}</option>}
        </select>
      )}
    </Field>
  );
}

export function LimitField({ value, onChange }: FieldProps): JSX.Element {
  return (
    <Field name="activation_limit" label="Devices (empty: no limit)">
      {(given) => (
        <input
          {...given}
          type="number"
          min={0}
          max={1_000_000}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function ExpiryField({ value, onChange }: FieldProps): JSX.Element {
  return (
    <Field name="expires_at" label="Last day, UTC (empty: never ends)">
      {(given) => (
        <input {...given} type="date" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      )}
    </Field>
  );
}

/** The last second of a UTC day; null without one. */
export const endOf = (day: string): string | null => (day ? `${day}T23:59:59Z` : null);

const SECOND_MS = 1000;

/** The last UTC day before an end, which may be the midnight after it; "" without one. */
export const lastDayOf = (end: string | null): string =>
  end ? new Date(Date.parse(end) - SECOND_MS).toISOString().slice(0, 10) : "";
