// Registers a product, and changes one.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change, Problem } from "../api/api";
import { Refresh, type Resource } from "../api/live";
import { useView } from "../frame/view";
import { Check, changed, Field, Form, useSubmission } from "../parts/form";
import { NameField } from "../parts/name_fields";
import { announce, Dialog } from "../parts/ui";
import type { Product } from "../types";
import { ActivityTypesField, type TypedType } from "./activity_types_field";
import { productPath } from "./product_path";

interface Typed extends Record<string, unknown> {
  name: string;
  active: boolean;
  requires_license: boolean;
  profiles: boolean;
  /** One on each line. */
  versions: string;
  activity_types: TypedType[];
}

const FIELDS = ["id", "name", "versions", "activity_types"];
const EMPTY: Typed = {
  name: "",
  active: true,
  requires_license: false,
  profiles: false,
  versions: "",
  activity_types: [],
};

const typedOf = (product: Product): Typed => ({
  name: product.name,
  active: product.active,
  requires_license: product.requires_license,
  profiles: product.profiles,
  versions: product.versions.join("\n"),
  activity_types: product.activity_types.map(({ key, label, level }) => ({
    key,
    label: label === key ? "" : label,
    level,
  })),
});

/** As the API takes it. */
function bodyOf({ versions, activity_types: types, ...rest }: Partial<Typed>): Record<string, unknown> {
  const lines = versions
    ?.split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const given = types
    ?.filter(({ key }) => key.trim())
    .map(({ key, label, level }) => ({ key, level, ...(label.trim() ? { label } : {}) }));
  return {
    ...rest,
    ...(lines ? { versions: [...new Set(lines)] } : {}),
    ...(given ? { activity_types: given } : {}),
  };
}

function Fields({ typed, onChange }: { typed: Typed; onChange: (typed: Typed) => void }): JSX.Element {
  const set = (some: Partial<Typed>): void => onChange({ ...typed, ...some });
  return (
    <>
      <NameField value={typed.name} onChange={(name) => set({ name })} />
      <Check
        name="active"
        label="Active"
        hint="Of an inactive product devices are told so, and may not run"
        checked={typed.active}
        onChange={(active) => set({ active })}
      />
      <Check
        name="requires_license"
        label="Requires a licence"
        hint="Events without a licence key are flagged"
        checked={typed.requires_license}
        onChange={(requires_license) => set({ requires_license })}
      />
      <Check
        name="profiles"
        label="Keep developers and companies"
        hint="Off: nothing is written for them. On: known everywhere within a minute"
        checked={typed.profiles}
        onChange={(profiles) => set({ profiles })}
      />
      <Field name="versions" label="Versions (one on each line)">
        {(given) => (
          <textarea
            {...given}
            rows={4}
            spellcheck={false}
            value={typed.versions}
            onInput={(event) => set({ versions: event.currentTarget.value })}
          />
        )}
      </Field>
      <ActivityTypesField types={typed.activity_types} onChange={(activity_types) => set({ activity_types })} />
    </>
  );
}

function NewProduct({ onClose }: { onClose: () => void }): JSX.Element {
  const view = useView();
  const refresh = useContext(Refresh);
  const [typed, setTyped] = useState(EMPTY);
  const [id, setId] = useState("");
  const submission = useSubmission(async () => {
    const made = await change<Product>("POST", "/api/v1/admin/products", { body: { id: id.trim(), ...bodyOf(typed) } });
    announce("Product registered");
    refresh();
    onClose();
    if (made) view.go({ open: made.id });
  });
  return (
    <Dialog title="New product" class="editor" stays onClose={onClose}>
      <Form label="New product" submission={submission} fields={FIELDS} action="Register">
        <Field name="id" label="Id" hint="As events send it; case matters, and it never changes">
          {(given) => (
            <input
              {...given}
              required
              maxLength={64}
              autocomplete="off"
              spellcheck={false}
              value={id}
              onInput={(event) => setId(event.currentTarget.value)}
            />
          )}
        </Field>
        <Fields typed={typed} onChange={setTyped} />
      </Form>
    </Dialog>
  );
}

export function NewProductButton(): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button primary" onClick={() => setOpen(true)}>
        New product
      </button>
      {open && <NewProduct onClose={() => setOpen(false)} />}
    </>
  );
}

interface ChangeProps {
  product: Product;
  resource: Resource<Product>;
  onClose: () => void;
}

export function ChangeProduct({ product, resource, onClose }: ChangeProps): JSX.Element {
  const refresh = useContext(Refresh);
  const [before] = useState(() => typedOf(product));
  const [typed, setTyped] = useState(before);
  const submission = useSubmission(async () => {
    const body = bodyOf(changed(before, typed));
    if (Object.keys(body).length === 0) throw new Problem(0, "Nothing to save", "Nothing is changed yet.");
    await change<Product>("PATCH", productPath(product.id), { body, tag: resource.tag });
    announce("Product changed");
    refresh();
    onClose();
  }, resource.reload);
  return (
    <Dialog title="Change product" class="editor" stays onClose={onClose}>
      <Form label="Product" submission={submission} fields={FIELDS} action="Save">
        <Fields typed={typed} onChange={setTyped} />
      </Form>
    </Dialog>
  );
}
