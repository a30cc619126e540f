// Links to the page of a licence and of a customer, wherever one is named.

import type { JSX } from "preact";
import { ViewLink } from "../frame/view";
import { Text } from "./ui";

export function LicenseLink({ id, last4 }: { id: string; last4: string | null }): JSX.Element {
  return (
    <ViewLink page="licenses" filters={{ license: id }} title="Open this licence">
      <code>••••{last4}</code>
    </ViewLink>
  );
}

interface CustomerLinkProps {
  /** `name` is null of one that nobody registered. */
  customer: { id: string; name: string | null };
  /** Where its licences are shown, if that is not the environment of the view. */
  environment?: string;
}

export function CustomerLink({ customer: { id, name }, environment }: CustomerLinkProps): JSX.Element {
  const filters = { customer: id, ...(environment ? { environment } : {}) };
  return (
    <ViewLink page="customers" filters={filters}>
      <Text>{name ?? id}</Text>
    </ViewLink>
  );
}
