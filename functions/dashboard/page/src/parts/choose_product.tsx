// Said where all products are chosen, and what is shown is of one.

import type { JSX } from "preact";
import { type Page, TABS } from "../frame/tabs";
import { ViewLink } from "../frame/view";
import type { ProductName } from "../types";
import { Empty, Panel, Skeleton, Text } from "./ui";

interface ChooseProductProps {
  page: Page;
  /** Null while they are not known. */
  products: readonly ProductName[] | null;
  /** What the links keep of the address. */
  filters?: Record<string, string>;
}

export function ChooseProduct({ page, products, filters }: ChooseProductProps): JSX.Element {
  const { title } = TABS[page];
  const registered = products?.filter(({ id }) => !id.startsWith("~"));
  return (
    <Panel title={title} name={page}>
      <Empty title="Choose a product">
        <p>{title} are listed for one product at a time.</p>
        {registered ? (
          <p class="choices">
            {registered.map(({ id, name }) => (
              <ViewLink key={id} page={page} filters={{ ...filters, product: id }} class="button">
                <Text>{name}</Text>
              </ViewLink>
            ))}
            {registered.length === 0 && "No product is registered yet."}
          </p>
        ) : (
          <Skeleton lines={1} />
        )}
      </Empty>
    </Panel>
  );
}
