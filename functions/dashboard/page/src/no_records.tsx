// What to check when there are no records.

import { Fragment, type JSX } from "preact";
import { Panel, Text } from "./ui";
import { useView, ViewLink } from "./view";

export function NoRecords(): JSX.Element {
  const view = useView();
  const others = view.session.environments.filter((name) => name !== view.environment);
  return (
    <Panel
      title={`0 records in ${view.environment}`}
      note="Nothing has arrived yet, or it went to another environment."
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
        <li>
          <strong>Send a record yourself:</strong>
          <pre class="code" tabIndex={0}>
            {`curl ${location.origin}/api/v1/telemetry -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" -d '{"data_type":"text","text_data":"hello"}'`}
          </pre>
        </li>
      </ol>
    </Panel>
  );
}
