// Spikes: all that are open now, and those of the time range that have ended.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useResource } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { LicenseActions } from "../licenses/license_actions";
import { count, plural } from "../parts/format";
import { CustomerLink, LicenseLink } from "../parts/links";
import { type Column, Table } from "../parts/table";
import { Icon, NoValue, ProblemBox, Text, Time } from "../parts/ui";
import type { ProductName, Spike, SpikeLicense, Spikes as SpikesData } from "../types";
import { SaidOf, SpikeActions } from "./spike_actions";
import { beginning, customerOf, type Evidence, spikeSentence } from "./spike_sentence";

const ENDED_SHOWN = 2;

/** Open spike alerts, then the latest that have ended; null if there are none. */
export function Spikes({ products }: { products: ProductName[] | null }): JSX.Element | null {
  const view = useView();
  const [all, setAll] = useState(false);
  const [withMuted, setWithMuted] = useState(false);
  const current = useResource<SpikesData>("/api/v1/analytics/alerts", { ...view.scope, state: "current" });
  if (current.error && !current.data) return <ProblemBox problem={current.error} retry={current.reload} />;
  const spikes = current.data?.items ?? [];
  const muted = spikes.filter(({ muted }) => muted !== null);
  const open = spikes.filter((spike) => spike.closed_at === null && !muted.includes(spike));
  const ended = spikes.filter(({ closed_at: closed }) => closed !== null);
  const shown = [...open, ...(withMuted ? muted : []), ...(all ? ended : ended.slice(0, ENDED_SHOWN))];
  const hidden = all ? 0 : Math.max(ended.length - ENDED_SHOWN, 0);
  if (spikes.length === 0) return null;
  return (
    <section class="spikes span-12" aria-label="Spike alerts" data-panel="spikes">
      {shown.map((spike) => (
        <SpikeAlert key={spike.id} spike={spike} products={products} />
      ))}
      {(hidden > 0 || muted.length > 0) && (
        <p class="note more-spikes">
          {muted.length > 0 && (
            <button type="button" class="link" aria-pressed={withMuted} onClick={() => setWithMuted(!withMuted)}>
              {withMuted ? "Hide" : "Show"} {count(muted.length)} muted
            </button>
          )}
          {hidden > 0 && (
            <button type="button" class="link" onClick={() => setAll(true)}>
              Show {plural(hidden, "earlier spike")}
            </button>
          )}
        </p>
      )}
    </section>
  );
}

function SpikeAlert({ spike, products }: { spike: Spike; products: ProductName[] | null }): JSX.Element {
  const ended = spike.closed_at !== null;
  const calm = ended || spike.acknowledged !== null;
  const sentence = spikeSentence(spike, products);
  const [first, ...others] = spike.so_far?.licenses ?? [];
  return (
    <article class={`spike ${ended ? "ended" : calm ? "seen" : ""}`} data-spike={spike.id}>
      <Icon name="alert" />
      <div>
        <h2>
          <Text>{sentence}</Text> {ended && <span class="badge">ended</span>}
          {spike.muted && <span class="badge">muted</span>}
        </h2>
        <p class="note">
          <Text>{beginning(spike)}</Text> {ended ? "From" : "Since"} <Time at={spike.opened_at} />, last seen in the
          hour of <Time at={spike.last_seen} />.
        </p>
        {(spike.acknowledged || spike.muted) && (
          <p class="note" data-said>
            <SaidOf spike={spike} />
          </p>
        )}
      </div>
      <div class="spike-actions">
        <ViewLink class="button small" page="records" filters={filters(spike)}>
          See the records
        </ViewLink>
        {first?.license_id && (
          <ViewLink class="button small" page="licenses" filters={{ license: first.license_id }}>
            Open licence
          </ViewLink>
        )}
        {first?.customer && (
          <ViewLink class="button small" page="customers" filters={{ customer: first.customer.id }}>
            Open customer
          </ViewLink>
        )}
        {first && <Act license={first} product={spike.product} />}
        <SpikeActions spike={spike} about={sentence} />
      </div>
      {others.length > 0 && (
        <details>
          <summary>{plural(others.length, "more licence", "more licences")}</summary>
          <Table
            label="More licences of this spike"
            columns={LICENSES}
            items={others}
            keyOf={({ fingerprint }) => fingerprint}
          />
        </details>
      )}
    </article>
  );
}

function Act({ license, product }: { license: SpikeLicense; product: string | null }): JSX.Element | null {
  const { license_id: id, state, last4 } = license;
  if (!id || !state) return null;
  return <LicenseActions license={{ id, last4: last4 ?? "", customer: customerOf(license), product, state }} />;
}

const LICENSES: Column<SpikeLicense>[] = [
  {
    title: "Licence",
    cell: ({ license_id: id, last4, fingerprint }) =>
      id ? <LicenseLink id={id} last4={last4} /> : <code title={`Fingerprint ${fingerprint}`}>••••{last4}</code>,
  },
  {
    title: "Customer",
    cell: ({ customer }) => (customer ? <CustomerLink customer={customer} /> : <NoValue />),
    sort: customerOf,
  },
  { title: "Flagged", class: "number strong", cell: ({ flagged }) => count(flagged), sort: ({ flagged }) => flagged },
  {
    title: "Devices",
    class: "number",
    cell: ({ devices, devices_at_least: least }) => `${least ? "≥ " : ""}${count(devices)}`,
    sort: ({ devices }) => devices,
  },
  {
    title: "Limit",
    class: "number",
    cell: ({ limit }) => (limit === null ? <NoValue /> : count(limit)),
    sort: ({ limit }) => limit,
  },
  {
    title: "Actions",
    untitled: true,
    class: "right",
    cell: (license) => <Act license={license} product={null} />,
  },
];

/** Filters for its flagged records, or for the records of its API key, from its first day to its last day or today. */
function filters(spike: Spike): Record<string, string> {
  const { license, api_key: key }: Evidence = spike.evidence;
  const told = spike.so_far?.licenses ?? [];
  const only = told.length === 1 ? told[0]?.license_id : license?.license_id;
  return {
    product: spike.product ?? "",
    ...(key ? { api_key_id: key.id } : { flagged: "true" }),
    license_id: only ?? "",
    range: "",
    from: spike.so_far?.first_day ?? spike.opened_at.slice(0, 10),
    to: spike.so_far?.last_day ?? (spike.closed_at === null ? new Date().toISOString() : spike.last_seen).slice(0, 10),
  };
}
