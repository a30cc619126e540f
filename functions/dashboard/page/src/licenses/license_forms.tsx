// Changes what a licence allows, and gives it to a customer.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change, Problem } from "../api/api";
import { Refresh, type Resource } from "../api/live";
import { CustomerField, customerId } from "../customers/customer_field";
import { useView } from "../frame/view";
import { changed, Form, useSubmission } from "../parts/form";
import { announce, Dialog } from "../parts/ui";
import type { License, ListedLicense, ProductName } from "../types";
import { ExpiryField, endOf, LimitField, lastDayOf, ProductField } from "./license_fields";

interface DialogProps {
  license: ListedLicense;
  card: Resource<ListedLicense>;
  onClose: () => void;
}

const FIELDS = ["product_id", "customer_id", "expires_at", "activation_limit"];

const typedOf = (license: ListedLicense) => ({
  product_id: license.product_id ?? "",
  customer_id: license.customer_name ?? license.customer_id ?? "",
  expires_at: lastDayOf(license.expires_at),
  activation_limit: license.activation_limit > 0 ? String(license.activation_limit) : "",
});

/** Sends only what was changed here: what somebody else changed meanwhile stays. */
export function ChangeDialog({
  license,
  card,
  products,
  onClose,
}: DialogProps & { products: ProductName[] | null }): JSX.Element {
  const refresh = useContext(Refresh);
  const view = useView();
  const [before] = useState(() => typedOf(license));
  const [typed, setTyped] = useState(before);
  const set = (name: keyof typeof typed) => (value: string) => setTyped((was) => ({ ...was, [name]: value }));
  const submission = useSubmission(async () => {
    const { product_id, customer_id, expires_at, activation_limit } = changed(before, typed);
    const body = {
      ...(product_id === undefined ? {} : { product_id: product_id || null }),
      ...(customer_id === undefined ? {} : { customer_id: await customerId(view, customer_id) }),
      ...(expires_at === undefined ? {} : { expires_at: endOf(expires_at) }),
      ...(activation_limit === undefined ? {} : { activation_limit: Number(activation_limit || 0) }),
    };
    if (Object.keys(body).length === 0) throw new Problem(0, "Nothing to save", "Nothing is changed yet.");
    const path = `/api/v1/admin/licenses/${encodeURIComponent(license.id)}`;
    await change<License>("PATCH", path, { body, tag: card.tag });
    announce("Licence changed");
    refresh();
    onClose();
  }, card.reload);
  return (
    <Dialog title={`Change licence ••••${license.last_four}`} class="editor" stays onClose={onClose}>
      <Form label="Licence" submission={submission} fields={FIELDS} action="Save">
        <div class="columns">
          <ProductField products={products} value={typed.product_id} onChange={set("product_id")} />
          <LimitField value={typed.activation_limit} onChange={set("activation_limit")} />
          <ExpiryField value={typed.expires_at} onChange={set("expires_at")} />
        </div>
        {before.customer_id !== "" && <CustomerField value={typed.customer_id} onChange={set("customer_id")} />}
      </Form>
    </Dialog>
  );
}

export function AssignDialog({ license, card, onClose }: DialogProps): JSX.Element {
  const refresh = useContext(Refresh);
  const view = useView();
  const [typed, setTyped] = useState("");
  const submission = useSubmission(async () => {
    const body = { customer_id: await customerId(view, typed) };
    const path = `/api/v1/admin/licenses/${encodeURIComponent(license.id)}/assign`;
    await change<License>("POST", path, { body, tag: card.tag });
    announce("Licence assigned");
    refresh();
    onClose();
  }, card.reload);
  return (
    <Dialog title={`Assign licence ••••${license.last_four}`} class="editor" stays onClose={onClose}>
      <Form label="Assign" submission={submission} fields={["customer_id"]} action="Assign">
        <CustomerField value={typed} onChange={setTyped} />
      </Form>
    </Dialog>
  );
}
