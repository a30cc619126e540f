// What to check when there are no records.

import { Fragment, type JSX } from "preact";
import { useView, ViewLink } from "../frame/view";
import type { ProductName } from "../types";
import { Panel, Text } from "./ui";

/** `products` are those there are; null while they are not known. */
export function NoRecords({ products }: { products: readonly ProductName[] | null }): JSX.Element {
  const view = useView();
  const noSuch = isNoProduct(view.product, products);
  const others = view.session.environments.filter((name) => name !== view.environment);
  return (
    <Panel
      title={noSuch ? noProduct(view.product) : `0 records in ${view.environment}`}
      note={
        noSuch && products ? (
          <ThoseThereAre products={products} />
        ) : (
          "Nothing has arrived yet, or it went to another environment."
        )
      }
      name="no-records"
    >
      <ol class="checks">
        <li>
          <strong>The environment.</strong> The API key decides which environment a record goes to, not the SDK.
          {others.length > 0 && (
            <>
              {" "}
              Look at{" "}
              {others.map((name, index) => (
                <Fragment key={name}>
                  {index > 0 && " or "}
                  <button type="button" class="link" onClick={() => view.go({ environment: name, product: null })}>
                    {name}
                  </button>
                </Fragment>
              ))}
              .
            </>
          )}
        </li>
        <li>
          <strong>The API key.</strong> It must be an SDK key of {view.environment} that may <em>ingest</em>. Keys of{" "}
          {view.environment} start with <code>tk_{view.environment.slice(0, 4)}_</code>.
        </li>
        {view.session.role !== "viewer" && (
          <li>
            <strong>The system logs.</strong> They count refused calls by the key's last four characters, the IP address
            and the cause. <ViewLink page="logs">Open the system logs</ViewLink>
          </li>
        )}
        {view.product && (
          <li>
            <strong>The product filter.</strong> Only{" "}
            <code>
              <Text>{view.product}</Text>
            </code>{" "}
            is shown.{" "}
            <button type="button" class="link" onClick={() => view.go({ product: null })}>
              Show all products
            </button>
          </li>
        )}
        {products && (
          <li>
            <strong>Send a record yourself:</strong>
            <pre class="code" tabIndex={0}>
              {`curl -sS ${location.origin}/api/v1/telemetry -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" -d ${quoted(JSON.stringify(exampleFor(view.product, products)))}`}
            </pre>
          </li>
        )}
      </ol>
    </Panel>
  );
}

const isNoProduct = (product: string, products: readonly ProductName[] | null): boolean =>
  product !== "" && products !== null && !products.some(({ id }) => id === product);

const noProduct = (product: string): string => `There is no product “${product}”`;

/** Said on any view where a product is asked for that there is not. */
export function NoProduct({ products }: { products: readonly ProductName[] | null }): JSX.Element | null {
  const { product } = useView();
  if (!products || !isNoProduct(product, products)) return null;
  return (
    <p>
      <strong>
        <Text>{noProduct(product)}</Text>.
      </strong>{" "}
      <ThoseThereAre products={products} />
    </p>
  );
}

function ThoseThereAre({ products }: { products: readonly ProductName[] }): JSX.Element {
  if (products.length === 0) return <>No product is registered yet.</>;
  return (
    <>
      There are:{" "}
      {products.map(({ id }, index) => (
        <Fragment key={id}>
          {index > 0 && ", "}
          <Text>{id}</Text>
        </Fragment>
      ))}
    </>
  );
}

/** An event that is complete: it is answered with code 830 if its product is registered. */
function exampleFor(product: string, products: readonly ProductName[]): Record<string, string> {
  const registered = products.map(({ id }) => id).filter((id) => !id.startsWith("~"));
  const product_id = registered.includes(product) ? product : (registered[0] ?? "my-product");
  return { data_type: "text", data_group: "test", text_data: "hello", product_id };
}

/** One word of the shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
