// Registers a customer, and changes one.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change, Problem } from "../api/api";
import { Refresh, type Resource } from "../api/live";
import { useView } from "../frame/view";
import { changed, Field, Form, useSubmission } from "../parts/form";
import { EmailField, NameField } from "../parts/name_fields";
import { announce, Dialog } from "../parts/ui";
import type { Customer } from "../types";

interface Typed {
  name: string;
  email: string;
}

interface FieldsProps {
  typed: Typed;
  onChange: (typed: Typed) => void;
}

function Fields({ typed, onChange }: FieldsProps): JSX.Element {
  return (
    <>
      <NameField value={typed.name} onChange={(name) => onChange({ ...typed, name })} />
      <EmailField value={typed.email} onChange={(email) => onChange({ ...typed, email })} />
    </>
  );
}

function NewCustomer({ onClose }: { onClose: () => void }): JSX.Element {
  const view = useView();
  const [typed, setTyped] = useState<Typed>({ name: "", email: "" });
  const [id, setId] = useState("");
  const submission = useSubmission(async () => {
    const body = {
      name: typed.name,
      ...(typed.email.trim() ? { email: typed.email } : {}),
      ...(id.trim() ? { id: id.trim() } : {}),
    };
    const made = await change<Customer>("POST", "/api/v1/admin/customers", { body });
    announce("Customer registered");
    onClose();
    if (made) view.go({ customer: made.id, show: null });
  });
  return (
    <Dialog title="New customer" class="editor" stays onClose={onClose}>
      <Form label="New customer" submission={submission} fields={["name", "email", "id"]} action="Register">
        <Fields typed={typed} onChange={setTyped} />
        <Field
          name="id"
          label="Id (optional)"
          hint="Letters, digits, dots, underscores and hyphens; without one it gets one. It never changes."
        >
          {(given) => (
            <input
              {...given}
              maxLength={64}
              pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
              autocomplete="off"
              spellcheck={false}
              value={id}
              onInput={(event) => setId(event.currentTarget.value)}
            />
          )}
        </Field>
      </Form>
    </Dialog>
  );
}

export function NewCustomerButton(): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button primary" onClick={() => setOpen(true)}>
        New customer
      </button>
      {open && <NewCustomer onClose={() => setOpen(false)} />}
    </>
  );
}

interface ChangeProps {
  customer: Customer;
  resource: Resource<Customer>;
  onClose: () => void;
}

export function ChangeCustomer({ customer, resource, onClose }: ChangeProps): JSX.Element {
  const refresh = useContext(Refresh);
  const [before] = useState({ name: customer.name, email: customer.email ?? "" });
  const [typed, setTyped] = useState<Typed>(before);
  const submission = useSubmission(async () => {
    const { name, email } = changed({ ...before }, { ...typed });
    const body = { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email: email || null }) };
    if (Object.keys(body).length === 0) throw new Problem(0, "Nothing to save", "Nothing is changed yet.");
    const path = `/api/v1/admin/customers/${encodeURIComponent(customer.id)}`;
    await change<Customer>("PATCH", path, { body, tag: resource.tag });
    announce("Customer changed");
    refresh();
    onClose();
  }, resource.reload);
  return (
    <Dialog title="Change customer" class="editor" stays onClose={onClose}>
      <Form label="Customer" submission={submission} fields={["name", "email"]} action="Save">
        <Fields typed={typed} onChange={setTyped} />
      </Form>
    </Dialog>
  );
}
