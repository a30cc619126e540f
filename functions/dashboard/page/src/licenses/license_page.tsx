// One licence: what it allows, what it sent, its devices and its history.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { get, Problem } from "../api/api";
import { type Resource, SignedOut, useResource } from "../api/live";
import { isLicenseId } from "../frame/license_address";
import { useView, ViewLink } from "../frame/view";
import { History } from "../parts/history";
import { announce, CopyButton, Empty, Panel, ProblemBox, Skeleton, StateBadge, Text, Time } from "../parts/ui";
import type { LicenseWithKey, ListedLicense, ProductName } from "../types";
import { LicenseDevices } from "./devices_of_license";
import { LicenseActions } from "./license_actions";
import { Expiry, LastSeen, Owner, Seats } from "./license_facts";
import { AssignDialog, ChangeDialog } from "./license_forms";
import { SentPanel } from "./sent";

interface PageProps {
  id: string;
  products: ProductName[] | null;
}

export function LicensePage({ id, products }: PageProps): JSX.Element {
  if (!isLicenseId(id)) {
    return (
      <Panel title="Licence" name="license">
        <Empty title="This is no licence's id.">
          <p>A licence key is looked for with the search at the top.</p>
        </Empty>
      </Panel>
    );
  }
  return <KnownLicense id={id} products={products} />;
}

function KnownLicense({ id, products }: PageProps): JSX.Element {
  const environment = useView().environment;
  const path = `/api/v1/admin/licenses/${encodeURIComponent(id)}/card`;
  const card = useResource<ListedLicense>(path, { environment });
  const { data: license, error } = card;
  return (
    <>
      <p class="back">
        <ViewLink page="licenses">All licences</ViewLink>
      </p>
      {license === null ? (
        <Panel title="Licence" name="license">
          {error?.status === 404 ? (
            <Empty title={`There is no such licence in ${environment}.`}>
              <p>It may be in another environment: choose that above.</p>
            </Empty>
          ) : error ? (
            <ProblemBox problem={error} retry={card.reload} />
          ) : (
            <Skeleton lines={6} />
          )}
        </Panel>
      ) : (
        <>
          <Facts license={license} card={card} products={products} />
          <SentPanel by={{ license_id: id }} />
          <LicenseDevices license={license} onChanged={card.reload} />
          <History kind="license" entity={id} />
        </>
      )}
    </>
  );
}

interface FactsProps {
  license: ListedLicense;
  card: Resource<ListedLicense>;
  products: ProductName[] | null;
}

function Facts({ license, card, products }: FactsProps): JSX.Element {
  const [form, setForm] = useState<"change" | "assign" | null>(null);
  const { id, last_four: last4, product_id: product, customer_id: customer, state } = license;
  const close = (): void => setForm(null);
  return (
    <Panel
      title={`Licence ••••${last4}`}
      name="license"
      actions={
        <div class="buttons">
          {customer === null && state === "available" && (
            <button type="button" class="button small" onClick={() => setForm("assign")}>
              Assign
            </button>
          )}
          <button type="button" class="button small" onClick={() => setForm("change")}>
            Change
          </button>
          <LicenseActions license={{ id, last4, customer: license.customer_name ?? customer, product, state }} />
        </div>
      }
    >
      {card.error && <p class="stale">Not up to date: {card.error.title}. Trying again.</p>}
      <dl class="facts wide-facts">
        <dt>State</dt>
        <dd data-state={state}>
          <StateBadge state={state} />
        </dd>
        <dt>Customer</dt>
        <dd>
          <Owner license={license} />
        </dd>
        <dt>Product</dt>
        <dd>{product === null ? <span class="muted">any</span> : <ProductLink id={product} products={products} />}</dd>
        <dt>Active devices</dt>
        <dd data-part="seats">
          <Seats license={license} />
        </dd>
        <dt>Ends (UTC)</dt>
        <dd data-part="expiry">
          <Expiry at={license.expires_at} />
        </dd>
        <dt>Issued (UTC)</dt>
        <dd>
          <Time at={license.created_at} />
        </dd>
        <dt>Last seen (UTC)</dt>
        <dd>
          <LastSeen license={license} />
        </dd>
        <dt>Key</dt>
        <dd class="line breaks">
          <Key key={id} id={id} last4={last4} />
        </dd>
        <dt>Id</dt>
        <dd class="line breaks">
          <code>{id}</code> <CopyButton text={id} what="Id" />
        </dd>
      </dl>
      {form === "change" && <ChangeDialog license={license} card={card} products={products} onClose={close} />}
      {form === "assign" && <AssignDialog license={license} card={card} onClose={close} />}
    </Panel>
  );
}

function ProductLink({ id, products }: { id: string; products: ProductName[] | null }): JSX.Element {
  return (
    <ViewLink page="products" filters={{ open: id }} title={id}>
      <Text hover={false}>{products?.find((each) => each.id === id)?.name ?? id}</Text>
    </ViewLink>
  );
}

/** The key itself: asked for only when somebody wants to see it. */
function Key({ id, last4 }: { id: string; last4: string }): JSX.Element {
  const signedOut = useContext(SignedOut);
  const [key, setKey] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const show = async (): Promise<void> => {
    setProblem(null);
    try {
      const { license_key } = await get<LicenseWithKey>(`/api/v1/admin/licenses/${encodeURIComponent(id)}`, {});
      setKey(license_key);
      announce("The key is shown");
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return signedOut();
      setProblem(error instanceof Problem ? error : new Problem(0, "Failed", String(error)));
    }
  };
  if (problem) return <ProblemBox problem={problem} retry={show} />;
  if (key === null) {
    return (
      <>
        <code>••••{last4}</code>
        <button type="button" class="button small" onClick={show}>
          Show key
        </button>
      </>
    );
  }
  return (
    <>
      <code data-part="key">{key}</code> <CopyButton text={key} what="Key" />
      <button type="button" class="button small" onClick={() => setKey(null)}>
        Hide
      </button>
    </>
  );
}
