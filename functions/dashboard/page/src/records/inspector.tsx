// One whole record: its flags and their reasons, its payload, and the bytes that were sent.

import { Fragment, type JSX } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { download, getExactNumbers, nextOf, Problem } from "../api/api";
import { SignedOut, Tick } from "../api/live";
import { useView, ViewLink } from "../frame/view";
import { LicenseActions } from "../licenses/license_actions";
import { flagName } from "../parts/flags";
import { bytes, CONFIDENCE } from "../parts/format";
import { Json, jsonText } from "../parts/json";
import { CustomerLink, LicenseLink } from "../parts/links";
import { save } from "../parts/save";
import { ShowOnly } from "../parts/show_only";
import {
  announce,
  CopyButton,
  Dialog,
  FlagBadge,
  Icon,
  NoValue,
  ProblemBox,
  Skeleton,
  StateBadge,
  Text,
  Time,
} from "../parts/ui";
import type { RecordDetail, RecordRow } from "../types";

interface InspectorProps {
  id: string;
  /** The records of the list, for the buttons to the next and the previous one. */
  rows: RecordRow[];
  names: Map<string, string>;
}

export function Inspector({ id, rows, names }: InspectorProps): JSX.Element {
  const view = useView();
  const place = rows.findIndex((row) => row.id === id);
  const to = (row: RecordRow | undefined): void => {
    if (row) view.go({ record: row.id });
  };
  const actions = (
    <>
      <button
        type="button"
        class="button quiet"
        aria-label="Newer record"
        disabled={place <= 0}
        onClick={() => to(rows[place - 1])}
      >
        <Icon name="previous" />
      </button>
      <button
        type="button"
        class="button quiet"
        aria-label="Older record"
        disabled={place < 0 || place >= rows.length - 1}
        onClick={() => to(rows[place + 1])}
      >
        <Icon name="next" />
      </button>
    </>
  );
  return (
    <Dialog title="Record" class="drawer" actions={actions} onClose={() => view.go({ record: null })}>
      <Detail key={id} id={id} names={names} />
    </Dialog>
  );
}

function Detail({ id, names }: { id: string; names: Map<string, string> }): JSX.Element {
  const { environment } = useView();
  const signedOut = useContext(SignedOut);
  const tick = useContext(Tick);
  const [record, setRecord] = useState<RecordDetail | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [again, setAgain] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    getExactNumbers<RecordDetail>(
      `/api/v1/analytics/records/${encodeURIComponent(id)}`,
      { environment },
      stop.signal,
    ).then(
      (found) => {
        setRecord(found);
        setProblem(null);
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (error instanceof Problem && error.status === 401) return signedOut();
        setProblem(error instanceof Problem ? error : new Problem(0, "Unreadable answer", String(error)));
      },
    );
    return () => stop.abort();
    // a record never changes, but the state of its licence may
  }, [id, environment, signedOut, again, tick]);
  if (!record) {
    return problem ? (
      <ProblemBox problem={problem} retry={() => setAgain((before) => before + 1)} />
    ) : (
      <Skeleton lines={12} />
    );
  }
  return (
    <div class="inspector">
      {record.damage && <p class="message">Damaged: {record.damage}.</p>}
      {record.forgotten && <p class="message">Its user or device is forgotten: neither is shown, nor the body.</p>}
      {record.message && <p class="message">{record.message}</p>}
      <Flags record={record} />
      <Facts record={record} names={names} />
      <Part title="Payload" copy={record.payload === null ? null : jsonText(record.payload)}>
        {record.payload === null ? (
          <p class="note">There is no payload: the body is not JSON, is too large to show, or cannot be read.</p>
        ) : (
          <div class="json" data-part="payload">
            <Json value={record.payload} />
          </div>
        )}
      </Part>
      <RawBody record={record} />
      <Part title="Context" copy={jsonText(record.context)}>
        <div class="json">
          <Json value={record.context} />
        </div>
      </Part>
    </div>
  );
}

function RawBody({ record: { id, raw } }: { record: RecordDetail }): JSX.Element {
  if (raw === null) {
    return (
      <Part title="Raw body" copy={null}>
        <p class="note">The body cannot be read.</p>
      </Part>
    );
  }
  if ("href" in raw) {
    return (
      <Part title="Raw body" copy={null}>
        <p class="note">Too large to show: {bytes(raw.bytes)}.</p>
        <button type="button" class="button" onClick={() => saveBody(raw.href, id)}>
          <Icon name="download" /> Download
        </button>
      </Part>
    );
  }
  const text = "text" in raw ? raw.text : raw.base64;
  return (
    <Part title="Raw body" copy={text}>
      {"base64" in raw && <p class="note">The body is not text. It is shown as base64.</p>}
      <pre class="code" tabIndex={0} data-part="raw">
        {text}
      </pre>
    </Part>
  );
}

/** All parts of a body, as one file. */
async function saveBody(href: string, id: string): Promise<void> {
  const parts: Blob[] = [];
  try {
    for (let url: string | null = href; url !== null; ) {
      const response: Response = await download(url);
      parts.push(await response.blob());
      url = nextOf(response);
    }
  } catch (error) {
    return announce(error instanceof Problem ? `${error.title}: ${error.detail}` : String(error));
  }
  save(new Blob(parts), `record-${id}`);
}

function Flags({ record }: { record: RecordDetail }): JSX.Element | null {
  const later = record.flags_judged_later;
  const evidence = new Map(Object.entries(record.context.evidence));
  if (record.flags.length === 0 && !later?.length) {
    return (
      <p class="badges">
        <span class="badge clean">clean</span>
      </p>
    );
  }
  return (
    <dl class="evidence">
      {record.flags.map((flag) => (
        <div key={flag}>
          <dt>
            <FlagBadge flag={flag} />
          </dt>
          <dd>
            <Text>{evidence.get(flag) ?? ""}</Text>
          </dd>
        </div>
      ))}
      {later?.length ? (
        <div>
          <dt>Flagged later</dt>
          <dd>
            <Text>{later.map(flagName).join(", ")}</Text>
          </dd>
        </div>
      ) : null}
    </dl>
  );
}

/** Who is behind the record, as it looks today. */
function Company({ record: { company, product } }: { record: RecordDetail }): JSX.Element {
  const name = <Text hover={false}>{company.name ?? company.id ?? ""}</Text>;
  const missing =
    company.source === "domain" || company.network_file === "used"
      ? null
      : company.network_file === "none"
        ? "no network file: addresses tell nothing"
        : "the network file cannot be read";
  return (
    <span class="breaks">
      {company.kind === "none" ? (
        <NoValue />
      ) : company.kind === "company" && company.id ? (
        <ViewLink page="companies" filters={{ product, open: company.id }} title="Show this company">
          {name}
        </ViewLink>
      ) : (
        name
      )}{" "}
      <span class="muted">
        {[
          company.kind === "network" ? "network only" : CONFIDENCE[company.confidence],
          company.source && `by its ${company.source}`,
          missing,
        ]
          .filter(Boolean)
          .join(", ")}
      </span>{" "}
      {company.country && <Text>{company.country}</Text>}
    </span>
  );
}

function Facts({ record, names }: { record: RecordDetail; names: Map<string, string> }): JSX.Element {
  const { license, customer, api_key: key } = record;
  return (
    <dl class="facts">
      <dt>Received</dt>
      <dd>
        <Time at={record.received_at} seconds /> UTC
      </dd>
      <dt>Event time</dt>
      <dd>
        {record.event_at ? (
          <>
            <Time at={record.event_at} seconds /> UTC
          </>
        ) : (
          <NoValue />
        )}
      </dd>
      <dt>Product</dt>
      <dd>
        <Text>{names.get(record.product) ?? record.product}</Text> <ShowOnly name="version" value={record.version} />
      </dd>
      <dt>User</dt>
      <dd>
        <ShowOnly name="user" value={record.user} />{" "}
        {record.user && (
          <ViewLink page="developers" filters={{ product: record.product, name: record.user }}>
            among developers
          </ViewLink>
        )}
      </dd>
      <dt>Device</dt>
      <dd class="breaks">
        <ShowOnly name="hwid" value={record.hwid} />
      </dd>
      <dt>Address</dt>
      <dd>
        <ShowOnly name="ip" value={record.ip} /> {record.country}
      </dd>
      <dt>Company</dt>
      <dd data-part="company">
        <Company record={record} />
      </dd>
      <dt>Licence</dt>
      <dd class="line" data-part="license">
        {license ? (
          <>
            <LicenseLink id={license.id} last4={license.last4} /> <StateBadge state={license.state} />{" "}
            <ShowOnly name="license_id" value={license.id}>
              only its records
            </ShowOnly>{" "}
            <LicenseActions
              license={{ ...license, customer: customer?.name ?? customer?.id ?? null, product: record.product }}
            />
          </>
        ) : (
          <NoValue />
        )}
      </dd>
      <dt>Customer</dt>
      <dd class="line" data-part="customer">
        {customer ? (
          <>
            <CustomerLink customer={customer} />{" "}
            <ShowOnly name="customer_id" value={customer.id}>
              only its records
            </ShowOnly>
          </>
        ) : (
          <NoValue />
        )}
      </dd>
      <dt>Kind</dt>
      <dd>
        <Kind record={record} />
      </dd>
      <dt>API key</dt>
      <dd>
        <ShowOnly name="api_key_id" value={key.id}>
          <Text hover={false}>{key.name ?? key.id}</Text>
        </ShowOnly>{" "}
        {key.last4 && <code class="muted">••••{key.last4}</code>}
      </dd>
      <dt>Kept until</dt>
      <dd>
        <Time at={record.expires_at} /> UTC
      </dd>
      <dt>Id</dt>
      <dd class="line breaks">
        <code>{record.id}</code> <CopyButton text={record.id} what="Id" />
      </dd>
    </dl>
  );
}

function Kind({ record: { dialect, data_type: type, group } }: { record: RecordDetail }): JSX.Element {
  const given = [dialect, type, group].filter((each): each is string => Boolean(each));
  return (
    <>
      {given.map((each, index) => (
        <Fragment key={index}>
          {index > 0 && " · "}
          <Text>{each}</Text>
        </Fragment>
      ))}
    </>
  );
}

function Part({ title, copy, children }: { title: string; copy: string | null; children: unknown }): JSX.Element {
  return (
    <section>
      <header>
        <h3>{title}</h3>
        {copy !== null && <CopyButton text={copy} what={title} />}
      </header>
      {children as JSX.Element}
    </section>
  );
}
