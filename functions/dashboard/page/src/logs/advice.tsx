// What to do about calls that failed.

import { Fragment, type JSX } from "preact";
import { CAUSES, type FailedCall, type FailedCallCause } from "../types";

const ADVICE: Readonly<Record<FailedCallCause, string>> = {
  bad_key:
    "The call had no key, or one that was never issued. Compare its last four characters with those of the key that the SDK should send.",
  inactive_key: "The key was revoked or has expired. Issue another one and give it to the SDK.",
  forbidden:
    "The key is of another environment than the call names, or may not do this. The SDK needs a key of its environment that may ingest.",
  address_not_allowed:
    "The key works from its allowed networks only. Send from one of these, or issue a key for this one.",
  malformed: "Nothing in the body could be read; it is stored as it came. Compare it with the reference of the API.",
  unavailable: "The storage did not answer in time. The SDK was asked to send again.",
  unknown_route: "No route has this path and method. Correct the address that the SDK sends to.",
  failed: "A fault of this service. It is told in the service's log.",
};

const KNOWN: readonly string[] = CAUSES;

export const isKnown = (cause: string): cause is FailedCallCause => KNOWN.includes(cause);

/** A known cause as words; an unknown one stays as it is. */
export const causeText = (cause: string): string => (isKnown(cause) ? cause.replaceAll("_", " ") : cause);

/** For each cause among the calls. */
export function Advice({ calls }: { calls: readonly FailedCall[] }): JSX.Element | null {
  const causes = CAUSES.filter((known) => calls.some(({ cause }) => cause === known));
  if (causes.length === 0) return null;
  return (
    <dl class="facts advice" aria-label="What to do">
      {causes.map((cause) => (
        <Fragment key={cause}>
          <dt>{causeText(cause)}</dt>
          <dd>{ADVICE[cause]}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
