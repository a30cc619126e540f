// How a licence's seats, end and customer are written.

import type { JSX } from "preact";
import { count } from "../parts/format";
import { CustomerLink } from "../parts/links";
import { NoValue, Time } from "../parts/ui";
import type { ListedLicense } from "../types";

type Seats = Pick<ListedLicense, "active_activations" | "activation_limit">;

export function Seats({
  license: { active_activations: used, activation_limit: limit },
}: {
  license: Seats;
}): JSX.Element {
  if (limit <= 0) {
    return (
      <>
        {count(used)} <span class="muted">no limit</span>
      </>
    );
  }
  const kind = used > limit ? "badge piracy" : used === limit ? "badge license" : "";
  return (
    <span class={kind} title={used > limit ? "Over the limit" : undefined}>
      {count(used)} of {count(limit)}
    </span>
  );
}

/** When it ends or ended. */
export function Expiry({ at }: { at: string | null }): JSX.Element {
  return at ? <Time at={at} /> : <span class="muted">never</span>;
}

export function LastSeen({ at }: { at: string | null }): JSX.Element {
  return at ? <Time at={at} /> : <NoValue />;
}

type Whose = Pick<ListedLicense, "customer_id" | "customer_name">;

export function Owner({ license: { customer_id: id, customer_name: name } }: { license: Whose }): JSX.Element {
  if (id === null) return <span class="muted">no customer</span>;
  return <CustomerLink customer={{ id, name }} />;
}
