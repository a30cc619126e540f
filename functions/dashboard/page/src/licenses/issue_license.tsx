// The dialog that issues licences: one or many, to a customer who may be new.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change } from "../api/api";
import { Refresh } from "../api/live";
import { CustomerField, customerId } from "../customers/customer_field";
import { useView } from "../frame/view";
import { Field, Form, useSubmission } from "../parts/form";
import { count, plural } from "../parts/format";
import { EmailField, NameField } from "../parts/name_fields";
import { announce, Dialog, Segments, Text } from "../parts/ui";
import type { Customer, ProductName } from "../types";
import { IssuedKeys } from "./issued_keys";
import { Batch } from "./issuing";
import { ExpiryField, endOf, LimitField, ProductField } from "./license_fields";

const MOST = 100;
const FIELDS = ["name", "email", "customer_id", "product_id", "activation_limit", "expires_at", "license_key"];

type Whose = "new" | "known" | "nobody";

interface IssueProps {
  products: ProductName[] | null;
  /** Whose licence it will be, if that is known. */
  customer?: Customer;
  onClose: () => void;
}

export function IssueDialog({ products, customer, onClose }: IssueProps): JSX.Element {
  const view = useView();
  const refresh = useContext(Refresh);
  const [whose, setWhose] = useState<Whose>("new");
  const [typed, setTyped] = useState({ name: "", email: "", known: "", limit: "", last: "", many: "1", key: "" });
  const [product, setProduct] = useState(products?.some(({ id }) => id === view.product) ? view.product : "");
  const [owner, setOwner] = useState<Customer | null>(customer ?? null);
  const [batch, setBatch] = useState<Batch | null>(null);
  const [, setIssued] = useState(0);
  const [done, setDone] = useState(false);
  const set = (name: keyof typeof typed) => (value: string) => setTyped((before) => ({ ...before, [name]: value }));

  /** The customer's id; one who is new is registered first, and once. */
  const ownerId = async (): Promise<string | null> => {
    if (owner) return owner.id;
    if (whose === "nobody") return null;
    if (whose === "known") return customerId(view, typed.known);
    const body = { name: typed.name, ...(typed.email.trim() ? { email: typed.email } : {}) };
    const created = await change<Customer>("POST", "/api/v1/admin/customers", { body });
    setOwner(created ?? null);
    return created?.id ?? null;
  };

  const submission = useSubmission(async () => {
    const terms = {
      customer_id: await ownerId(),
      product_id: product || null,
      expires_at: endOf(typed.last),
      activation_limit: Number(typed.limit || 0),
    };
    const key = typed.key.trim() || null;
    const issuing = batch ?? new Batch(view.environment, key ? 1 : Number(typed.many), key);
    setBatch(issuing);
    try {
      await issuing.run(terms, () => setIssued(issuing.issued.length));
    } catch (error) {
      if (issuing.isUntouched) setBatch(null);
      throw error;
    }
    setDone(true);
    announce(`${plural(issuing.issued.length, "licence")} issued`);
  });

  const issued = batch?.issued ?? [];
  const left = (batch?.total ?? Number(typed.many)) - issued.length;
  const closed = (): void => {
    if (issued.length > 0 || (owner && !customer)) refresh();
    onClose();
  };
  return (
    <Dialog title={done ? "Issued" : "Issue licences"} class="editor" stays onClose={closed}>
      {(done || issued.length > 0) && (
        <>
          <p class="done" role="status">
            {plural(issued.length, "licence")} issued in {view.environment}
            {owner && (
              <>
                {" "}
                to <Text>{owner.name}</Text>
              </>
            )}
            {!done && `, ${count(left)} to go`}. Keys can be shown again on the page of each licence.
          </p>
          <IssuedKeys issued={issued} />
        </>
      )}
      {!done && (
        <Form
          label="New licences"
          submission={submission}
          fields={FIELDS}
          action={issued.length > 0 ? `Issue the other ${count(left)}` : left > 1 ? `Issue ${count(left)}` : "Issue"}
        >
          {owner ? (
            <p class="line" data-part="owner">
              Customer: <Text>{owner.name}</Text> <code>{owner.id}</code>
              {!customer && <span class="muted">– has been registered</span>}
            </p>
          ) : (
            <Segments
              label="Whose licence"
              options={[
                ["new", "New customer"],
                ["known", "Existing"],
                ["nobody", "Nobody yet"],
              ]}
              value={whose}
              onChange={setWhose}
            />
          )}
          {!owner && whose === "new" && (
            <div class="columns">
              <NameField label="Customer's name" value={typed.name} onChange={set("name")} />
              <EmailField value={typed.email} onChange={set("email")} />
            </div>
          )}
          {!owner && whose === "known" && <CustomerField value={typed.known} onChange={set("known")} />}
          <div class="columns">
            <ProductField products={products} value={product} onChange={setProduct} />
            <LimitField value={typed.limit} onChange={set("limit")} />
            <ExpiryField value={typed.last} onChange={set("last")} />
            <Field name="many" label="How many licences">
              {(given) => (
                <input
                  {...given}
                  type="number"
                  required
                  min={1}
                  max={MOST}
                  disabled={batch !== null || typed.key !== ""}
                  value={typed.many}
                  onInput={(event) => set("many")(event.currentTarget.value)}
                />
              )}
            </Field>
          </div>
          <details>
            <summary>A key of your own</summary>
            <Field name="license_key" label="Licence key" hint="8 to 256 characters; without one it is made here">
              {(given) => (
                <input
                  {...given}
                  minLength={8}
                  maxLength={256}
                  autocomplete="off"
                  spellcheck={false}
                  disabled={batch !== null}
                  value={typed.key}
                  onInput={(event) => set("key")(event.currentTarget.value)}
                />
              )}
            </Field>
          </details>
        </Form>
      )}
    </Dialog>
  );
}

/** The button that opens it. */
export function IssueButton(props: Omit<IssueProps, "onClose">): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button primary" onClick={() => setOpen(true)}>
        Issue licences
      </button>
      {open && <IssueDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
}
