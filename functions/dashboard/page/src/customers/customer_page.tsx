// One customer: its licences, what these sent, and its history.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Resource, useResource } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { IssueButton } from "../licenses/issue_license";
import { useLicenses } from "../licenses/license_pages";
import { LicenseTable } from "../licenses/license_table";
import { SentPanel } from "../licenses/sent";
import { History } from "../parts/history";
import { LoadedPages } from "../parts/loaded_pages";
import { CopyButton, Empty, NoValue, Panel, ProblemBox, Skeleton, Text, Time } from "../parts/ui";
import type { Customer, ProductName } from "../types";
import { ChangeCustomer } from "./customer_forms";

interface PageProps {
  id: string;
  products: ProductName[] | null;
}

export function CustomerPage({ id, products }: PageProps): JSX.Element {
  const customer = useResource<Customer>(`/api/v1/admin/customers/${encodeURIComponent(id)}`, {});
  const isNobody = customer.data === null && customer.error?.status === 404;
  return (
    <>
      <p class="back">
        <ViewLink page="customers">All customers</ViewLink>
      </p>
      {customer.data ? (
        <Facts customer={customer.data} resource={customer} />
      ) : (
        <Panel title="Customer" name="customer">
          {isNobody ? (
            <Empty title="Nobody registered this customer.">
              <p>
                Licences that were imported may name <code>{id}</code> all the same: they are below.
              </p>
            </Empty>
          ) : customer.error ? (
            <ProblemBox problem={customer.error} retry={customer.reload} />
          ) : (
            <Skeleton lines={4} />
          )}
        </Panel>
      )}
      <Licenses id={id} customer={customer.data} products={products} />
      <SentPanel by={{ customer_id: id }} />
      <History kind="customer" entity={id} />
    </>
  );
}

function Facts({ customer, resource }: { customer: Customer; resource: Resource<Customer> }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <Panel
      title="Customer"
      name="customer"
      actions={
        <button type="button" class="button" onClick={() => setOpen(true)}>
          Change
        </button>
      }
    >
      {resource.error && <p class="stale">Not up to date: {resource.error.title}. Trying again.</p>}
      <dl class="facts wide-facts">
        <dt>Name</dt>
        <dd data-part="name">
          <strong>{customer.name}</strong>
        </dd>
        <dt>E-mail</dt>
        <dd data-part="email">{customer.email === null ? <NoValue /> : <Text>{customer.email}</Text>}</dd>
        <dt>Id</dt>
        <dd class="line breaks">
          <code>{customer.id}</code> <CopyButton text={customer.id} what="Id" />
        </dd>
        <dt>Registered (UTC)</dt>
        <dd>
          <Time at={customer.created_at} />
        </dd>
      </dl>
      {open && <ChangeCustomer customer={customer} resource={resource} onClose={() => setOpen(false)} />}
    </Panel>
  );
}

interface LicensesProps extends PageProps {
  customer: Customer | null;
}

function Licenses({ id, customer, products }: LicensesProps): JSX.Element {
  const { environment } = useView();
  const list = useLicenses({ environment, customer_id: id });
  return (
    <Panel
      title="Licences"
      note={`In ${environment}`}
      name="customer-licenses"
      actions={customer && <IssueButton products={products} customer={customer} />}
    >
      <LoadedPages list={list} what="licences" none={`No licence in ${environment}.`}>
        {(items) => <LicenseTable label="Licences of this customer" licenses={items} ofOne />}
      </LoadedPages>
    </Panel>
  );
}
