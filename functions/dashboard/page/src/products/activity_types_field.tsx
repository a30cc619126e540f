// The activity types that a product lists, as rows of a form.

import type { JSX } from "preact";
import { Field } from "../parts/form";
import { Icon } from "../parts/ui";
import type { ActivityLevel } from "../types";

export interface TypedType {
  key: string;
  /** Empty: the key. */
  label: string;
  level: ActivityLevel;
}

interface TypesProps {
  types: readonly TypedType[];
  onChange: (types: TypedType[]) => void;
}

export function ActivityTypesField({ types, onChange }: TypesProps): JSX.Element {
  const set = (at: number, some: Partial<TypedType>): void =>
    onChange(types.map((each, index) => (index === at ? { ...each, ...some } : each)));
  const named = (what: string, index: number): string => `${what} of activity type ${index + 1}`;
  return (
    <Field
      name="activity_types"
      label="Activity types"
      hint="Without any, every type will do. With some, events of others are flagged."
    >
      {(given) => (
        <div class="types" role="group" {...given}>
          {types.map(({ key, label, level }, index) => (
            <div class="type" key={index}>
              <input
                aria-label={named("Key", index)}
                placeholder="Key, as events send it"
                required
                spellcheck={false}
                value={key}
                onInput={(event) => set(index, { key: event.currentTarget.value })}
              />
              <input
                aria-label={named("Label", index)}
                placeholder="Label (optional)"
                value={label}
                onInput={(event) => set(index, { label: event.currentTarget.value })}
              />
              <select
                aria-label={named("Level", index)}
                value={level}
                onChange={(event) => set(index, { level: event.currentTarget.value as ActivityLevel })}
              >
                <option value="primary">primary</option>
                <option value="secondary">secondary</option>
              </select>
              <button
                type="button"
                class="button quiet"
                aria-label={`Remove activity type ${index + 1}`}
                onClick={() => onChange(types.filter((_, each) => each !== index))}
              >
                <Icon name="close" />
              </button>
            </div>
          ))}
          <button
            type="button"
            class="button small"
            onClick={() => onChange([...types, { key: "", label: "", level: "primary" }])}
          >
            Add a type
          </button>
        </div>
      )}
    </Field>
  );
}
