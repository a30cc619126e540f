// Spikes: all that are open now, and those of the time range that have ended.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { count, plural } from "./format";
import { useResource } from "./live";
import type { FlaggedEvidence, KeyEvidence, Spike, Spikes as SpikesData } from "./types";
import { Icon, ProblemBox, Text, Time } from "./ui";
import { useView, ViewLink } from "./view";

/** Of flagged records or of a key: what one kind has, the other has not. */
type Evidence = Partial<FlaggedEvidence & KeyEvidence>;

const ENDED_SHOWN = 2;

/** Open spike alerts, then the latest that have ended; null if there are none. */
export function Spikes(): JSX.Element | null {
  const view = useView();
  const [all, setAll] = useState(false);
  const current = useResource<SpikesData>("/api/v1/analytics/alerts", { ...view.scope, state: "current" });
  if (current.error && !current.data) return <ProblemBox problem={current.error} retry={current.reload} />;
  const spikes = current.data?.items ?? [];
  const open = spikes.filter(({ closed_at: closed }) => closed === null);
  const ended = spikes.filter(({ closed_at: closed }) => closed !== null);
  const shown = [...open, ...(all ? ended : ended.slice(0, ENDED_SHOWN))];
  const hidden = all ? 0 : Math.max(ended.length - ENDED_SHOWN, 0);
  if (shown.length === 0) return null;
  return (
    <section class="spikes span-12" aria-label="Spike alerts" data-panel="spikes">
      {shown.map((spike) => (
        <SpikeAlert key={spike.id} spike={spike} />
      ))}
      {hidden > 0 && (
        <p class="note">
          <button type="button" class="link" onClick={() => setAll(true)}>
            Show {plural(hidden, "earlier spike")}
          </button>
        </p>
      )}
    </section>
  );
}

function SpikeAlert({ spike }: { spike: Spike }): JSX.Element {
  const ended = spike.closed_at !== null;
  return (
    <article class={`spike ${ended ? "ended" : ""}`} data-spike={spike.id}>
      <Icon name="alert" />
      <div>
        <h2>
          <Title spike={spike} /> {ended && <span class="badge">ended</span>}
        </h2>
        <p>
          <Text>{sentence(spike)}</Text>
        </p>
        <p class="note">
          {ended ? "from" : "since"} <Time at={spike.opened_at} />, last seen in the hour of{" "}
          <Time at={spike.last_seen} />
        </p>
      </div>
      <ViewLink class="button" page="records" filters={filters(spike)}>
        See the records
      </ViewLink>
    </article>
  );
}

function Title({ spike: { product, evidence } }: { spike: Spike }): JSX.Element {
  const { api_key: key }: Evidence = evidence;
  return (
    <>
      {key ? "Spike of events with API key" : "Spike in"} <Text>{key ? (key.name ?? key.id) : (product ?? "")}</Text>
    </>
  );
}

function sentence({ cause, evidence }: Spike): string {
  const { flagged, events, most_expected: expected, license }: Evidence = evidence;
  const number = events ?? flagged;
  if (number === undefined) return cause.replaceAll("_", " ");
  const what = plural(number, events === undefined ? "flagged record" : "event");
  const where = license ? `since midnight with licence ••••${license.last4 ?? ""}` : "in an hour";
  const usual = expected === undefined ? "" : `, but at most ${count(expected)} were expected`;
  return `${what} ${where}${usual}.`;
}

/** Filters for its flagged records, or for the records of its API key, from its first day to its last day or today. */
function filters(spike: Spike): Record<string, string> {
  const { license, api_key: key }: Evidence = spike.evidence;
  return {
    product: spike.product ?? "",
    ...(key ? { api_key_id: key.id } : { flagged: "true" }),
    license_id: license?.license_id ?? "",
    range: "",
    from: spike.opened_at.slice(0, 10),
    to: (spike.closed_at === null ? new Date().toISOString() : spike.last_seen).slice(0, 10),
  };
}
