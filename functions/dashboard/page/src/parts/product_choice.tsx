// The choice of a product, where all are chosen and one is needed.

import type { JSX } from "preact";
import { useResource } from "../api/live";
import type { Page } from "../frame/tabs";
import { useView, ViewLink } from "../frame/view";
import type { ProductNames } from "../types";
import { Empty, Loaded, Panel, Text } from "./ui";

interface ProductChoiceProps {
  page: Page;
  title: string;
  /** What is so for one product at a time, as a sentence. */
  why: string;
  /** Parameters of the address that stay as they are. */
  filters?: Readonly<Record<string, string>>;
}

/** Its products are loaded by itself: if that fails it says so, and can be tried again. */
export function ProductChoice({ page, title, why, filters = {} }: ProductChoiceProps): JSX.Element {
  const { environment } = useView();
  const names = useResource<ProductNames>("/api/v1/analytics/products", { environment });
  return (
    <Panel title={title} name={page}>
      <Empty title="Choose a product">
        <p>{why}</p>
        <Loaded resource={names} lines={1}>
          {({ items }) => {
            const registered = items.filter(({ id }) => !id.startsWith("~"));
            return (
              <p class="choices">
                {registered.map(({ id, name }) => (
                  <ViewLink key={id} page={page} filters={{ ...filters, product: id }} class="button">
                    <Text>{name}</Text>
                  </ViewLink>
                ))}
                {registered.length === 0 && "No product is registered yet."}
              </p>
            );
          }}
        </Loaded>
      </Empty>
    </Panel>
  );
}
