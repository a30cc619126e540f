// What a customer or a product is called, and where a customer is reached: fields of forms.

import type { JSX } from "preact";
import { Field } from "./form";

interface TextFieldProps {
  value: string;
  onChange: (value: string) => void;
}

export function NameField({ label = "Name", value, onChange }: TextFieldProps & { label?: string }): JSX.Element {
  return (
    <Field name="name" label={label}>
      {(given) => (
        <input
          {...given}
          required
          maxLength={200}
          autocomplete="off"
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function EmailField({ value, onChange }: TextFieldProps): JSX.Element {
  return (
    <Field name="email" label="E-mail (optional)">
      {(given) => (
        <input
          {...given}
          type="email"
          maxLength={254}
          autocomplete="off"
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
