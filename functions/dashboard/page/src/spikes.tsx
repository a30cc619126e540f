// Spikes that are going on.

import type { JSX } from "preact";
import { count, plural } from "./format";
import { useResource } from "./live";
import type { Spikes as SpikesData } from "./types";
import { Icon, ProblemBox, Time } from "./ui";
import { Follow, useView } from "./view";

type Spike = SpikesData["items"][number];

/** The open spike alerts; nothing while there are none. */
export function Spikes(): JSX.Element | null {
  const view = useView();
  const spikes = useResource<SpikesData>("/api/v1/analytics/alerts", { ...view.scope, state: "open" });
  if (spikes.error && !spikes.data) return <ProblemBox problem={spikes.error} retry={spikes.reload} />;
  const items = spikes.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <section class="spikes span-12" aria-label="Open spike alerts" data-panel="spikes">
      {items.map((spike) => (
        <article key={spike.id} class="spike">
          <Icon name="alert" />
          <div>
            <h2>Spike in {spike.product}</h2>
            <p>{sentence(spike)}</p>
            <p class="note">
              since <Time at={spike.opened_at} />, last in the hour of <Time at={spike.last_seen} />
            </p>
          </div>
          <Follow class="button" page="records" filters={filters(spike)}>
            See the records
          </Follow>
        </article>
      ))}
    </section>
  );
}

function sentence({ cause, evidence }: Spike): string {
  const { flagged, most_expected: expected, license } = evidence;
  if (flagged === undefined) return cause.replaceAll("_", " ");
  const where = license ? `since midnight with licence ••••${license.last4 ?? ""}` : "in an hour";
  const usual = expected === undefined ? "" : `, where at most ${count(expected)} were to be expected`;
  return `${plural(flagged, "flagged record")} ${where}${usual}.`;
}

/** Its flagged records, from the day it began to today. */
function filters(spike: Spike): Record<string, string> {
  return {
    product: spike.product,
    flagged: "true",
    license_id: spike.evidence.license?.license_id ?? "",
    range: "",
    from: spike.opened_at.slice(0, 10),
    to: new Date().toISOString().slice(0, 10),
  };
}
