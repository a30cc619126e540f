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

const NOT_TOLD = "Of a licence of any product only records that name no product are looked at";

/** When its newest record came in. Of a licence of any product nobody can tell that there is none. */
export function LastSeen({ license: { last_seen: at, product_id: product } }: { license: Seen }): JSX.Element {
  if (at) return <Time at={at} />;
  if (product !== null) return <NoValue />;
  return (
    <span class="muted" title={NOT_TOLD}>
      not told
      <span class="visually-hidden">: {NOT_TOLD}</span>
    </span>
  );
}

type Seen = Pick<ListedLicense, "last_seen" | "product_id">;
type Whose = Pick<ListedLicense, "customer_id" | "customer_name">;

export function Owner({ license: { customer_id: id, customer_name: name } }: { license: Whose }): JSX.Element {
  if (id === null) return <span class="muted">no customer</span>;
  return <CustomerLink customer={{ id, name }} />;
}
