// The devices that are active under a licence, and were.

import type { JSX } from "preact";
import { useContext, useState } from "preact/hooks";
import { change, getPage, type Linked } from "../api/api";
import { Refresh } from "../api/live";
import { usePages } from "../api/pages";
import { ViewLink } from "../frame/view";
import { Form, useSubmission } from "../parts/form";
import { LoadedPages } from "../parts/loaded_pages";
import { type Column, Table } from "../parts/table";
import { announce, Dialog, Panel, Text, Time } from "../parts/ui";
import type { Activation, License } from "../types";

const PAGE = "50";

/** The last 30 days and every product, whatever the address says. */
const WHENEVER = { range: "30d", from: "", to: "", product: "" };

interface DevicesProps {
  license: { id: string; last_four: string };
  onChanged: () => void;
}

export function LicenseDevices({ license, onChanged }: DevicesProps): JSX.Element {
  const [asked, setAsked] = useState<Activation | null>(null);
  const path = `/api/v1/admin/licenses/${encodeURIComponent(license.id)}/activations?limit=${PAGE}`;
  const list = usePages<Linked<Activation>>(path, ["more device", "more devices"], getPage);
  const columns: Column<Activation>[] = [
    {
      title: "Device",
      class: "full breaks",
      cell: ({ identifier }) => (
        <ViewLink page="records" filters={{ hwid: identifier, ...WHENEVER }} title="Records of this device">
          <code>
            <Text>{identifier}</Text>
          </code>
        </ViewLink>
      ),
    },
    {
      title: "State",
      cell: ({ state }) => <span class={`badge ${state === "active" ? "state-active" : ""}`}>{state}</span>,
    },
    { title: "Since (UTC)", class: "wide", cell: ({ first_seen: at }) => <Time at={at} /> },
    {
      title: "Changed (UTC)",
      hint: "When it was last activated or deactivated",
      cell: ({ last_seen: at }) => <Time at={at} />,
    },
    {
      title: "Actions",
      untitled: true,
      class: "right",
      cell: (activation) =>
        activation.state === "active" && (
          <button
            type="button"
            class="button small"
            aria-label={`Deactivate ${activation.identifier}`}
            onClick={() => setAsked(activation)}
          >
            Deactivate
          </button>
        ),
    },
  ];
  return (
    <Panel title="Activated devices" note="Devices that took a seat, and those that gave it back" name="activations">
      <LoadedPages list={list} what="devices" none="No device was ever activated.">
        {(items) => (
          <Table
            label="Activated devices"
            columns={columns}
            items={items}
            keyOf={({ id }) => id}
            row={({ id }) => ({ "data-activation": id })}
          />
        )}
      </LoadedPages>
      {asked && (
        <Deactivation
          license={license}
          activation={asked}
          onClose={() => setAsked(null)}
          onDone={() => {
            list.reload();
            onChanged();
          }}
        />
      )}
    </Panel>
  );
}

interface DeactivationProps {
  license: { id: string; last_four: string };
  activation: Activation;
  onClose: () => void;
  onDone: () => void;
}

function Deactivation({ license, activation, onClose, onDone }: DeactivationProps): JSX.Element {
  const refresh = useContext(Refresh);
  const [done, setDone] = useState(false);
  const submission = useSubmission(async () => {
    const path = `/api/v1/admin/licenses/${encodeURIComponent(license.id)}/deactivate`;
    await change<License>("POST", path, { body: { identifier: activation.identifier } });
    setDone(true);
    announce("Device deactivated");
    onDone();
    refresh();
  });
  const device = (
    <code>
      <Text>{activation.identifier}</Text>
    </code>
  );
  return (
    <Dialog title="Deactivate this device?" class="confirmation" onClose={onClose}>
      {done ? (
        <p class="done" role="status">
          {device} is deactivated.
        </p>
      ) : (
        <Form label="Deactivate" submission={submission} fields={[]} action="Deactivate device" danger>
          <p>
            {device} gives back its seat under licence <code>••••{license.last_four}</code>.
          </p>
          <p>
            It can activate itself again while the licence has room. To keep it out, lower the limit, suspend or revoke.
          </p>
        </Form>
      )}
    </Dialog>
  );
}
