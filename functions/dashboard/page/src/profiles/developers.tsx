// The developers who use a product, and one of them with what is known of it.

import type { JSX } from "preact";
import { search } from "../api/api";
import { useResource } from "../api/live";
import { usePages } from "../api/pages";
import { useView, ViewLink } from "../frame/view";
import { count, dayName, plural } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { CopyButton, Dialog, Loaded, NoValue, Text, Time } from "../parts/ui";
import type {
  DeveloperDetail,
  DeveloperItem,
  DeveloperList,
  ProductName,
  ProfileLink,
  RecordPage,
  RecordRow,
  UseAtCompany,
} from "../types";
import { Called, DeveloperLink } from "./developer_link";
import {
  activityColumns,
  Certainty,
  ChooseProduct,
  CompanyLink,
  type Kind,
  ProfileList,
  Section,
  Today,
  Trend,
  UsesByActivity,
  useListQuery,
} from "./profiles";

const PAGE = "25";
const MORE = ["more developer", "more developers"] as const;
const RECENT = { range: "30d", limit: "10" };
const DEVICE = "device";
const DEVICE_CHARACTERS = 8;

const KIND: Kind = {
  page: "developers",
  title: "Developers",
  names: ["developer", "developers"],
  exported: {
    path: "/api/v1/analytics/developers/export",
    name: "developers",
    file: "developers",
    which: "used this product in the last 90 days and match the filters",
  },
  filters: [["company", "Company, by its id"]],
  meant: {
    active: "By active days in the last 30 days",
    new: "First seen in the last 30 days",
    growing: "More active days than in the 30 days before",
    quiet: "Active in two of the four weeks before, and not at all for 14 days",
  },
};

export function Developers({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  return <div class="grid">{view.product ? <OfProduct products={products} /> : <ChooseProduct kind={KIND} />}</div>;
}

function OfProduct({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const query = useListQuery(KIND);
  const asked = search({ ...query, order: view.param("order"), limit: PAGE });
  const list = usePages<DeveloperList>(`/api/v1/analytics/developers${asked}`, MORE);
  const open = view.session.role === "viewer" ? "" : view.param("open");
  return (
    <>
      <ProfileList kind={KIND} query={query} products={products} list={list} columns={COLUMNS} />
      {open && <Developer key={open} id={open} />}
    </>
  );
}

const COLUMNS: Column<DeveloperItem>[] = [
  { title: "Developer", cell: (developer) => <Name developer={developer} /> },
  {
    title: "Company",
    class: "full",
    cell: ({ company, carried }) =>
      company ? (
        <>
          <CompanyLink company={company} />
          <span class="second">
            <Certainty company={company} carried={carried} />
          </span>
        </>
      ) : (
        <NoValue />
      ),
  },
  ...activityColumns<DeveloperItem>(),
];

function Name({ developer }: { developer: DeveloperItem }): JSX.Element {
  const view = useView();
  return (
    <>
      <span class="beside">
        <button
          type="button"
          class="link"
          title={developer.name ?? "Show this developer"}
          onClick={() => view.go({ open: developer.id })}
        >
          <Called developer={developer} />
        </button>{" "}
        <Today item={developer} />
      </span>
      {developer.id_type && (
        <span class="second">
          <Text>{developer.id_type}</Text>
        </span>
      )}
    </>
  );
}

// ── one of them

function Developer({ id }: { id: string }): JSX.Element {
  const view = useView();
  const found = useResource<DeveloperDetail>(`/api/v1/analytics/developers/${encodeURIComponent(id)}`, {
    environment: view.environment,
    product: view.product,
  });
  return (
    <Dialog title="Developer" class="drawer" onClose={() => view.go({ open: null })}>
      <Loaded resource={found} lines={12}>
        {(developer) => <Detail developer={developer} />}
      </Loaded>
    </Dialog>
  );
}

function Detail({ developer }: { developer: DeveloperDetail }): JSX.Element {
  const { activity, company, links, shared_devices: shared } = developer;
  const last = developer.at
    .map((each) => each.activity.last_day)
    .sort()
    .at(-1);
  return (
    <div class="inspector">
      {developer.forgotten && (
        <p class="message">This developer asked to be forgotten. Its numbers stay; its name does not.</p>
      )}
      <dl class="facts">
        <dt>Name</dt>
        <dd class="breaks" data-part="name">
          <strong>
            <Called developer={developer} forgotten={developer.forgotten} />
          </strong>{" "}
          {developer.id_type && <Text>{developer.id_type}</Text>}{" "}
          <Today item={{ active_today: developer.active_today, new_today: false }} />
        </dd>
        <dt>Id</dt>
        <dd class="line breaks">
          <code>{developer.id}</code> <CopyButton text={developer.id} what="Id" />
        </dd>
        <dt>Company</dt>
        <dd>
          {company ? (
            <>
              <CompanyLink company={company} /> <Certainty company={company} carried={developer.carried} />
            </>
          ) : (
            <NoValue />
          )}
        </dd>
        <dt>First seen</dt>
        <dd>{dayName(developer.first_day)}</dd>
        <dt>Last seen</dt>
        <dd>{last ? dayName(last) : <NoValue />}</dd>
        <dt>13 weeks</dt>
        <dd>{activity ? <Trend weeks={activity.weeks} /> : <NoValue />}</dd>
        <dt>As of</dt>
        <dd>{developer.closed_day ? dayName(developer.closed_day) : <NoValue />}</dd>
      </dl>
      {activity && (
        <Section title="Uses in the last 30 days" name="uses">
          <UsesByActivity uses={activity.uses} label="Uses by activity" />
        </Section>
      )}
      <Section title="Companies" name="companies">
        <Table
          label="Companies of this developer"
          columns={AT}
          items={developer.at}
          keyOf={(each) => each.company?.id ?? ""}
        />
      </Section>
      <Section title="Linked ids" name="links">
        {links.length === 0 ? (
          <p class="note">No other developer was seen on the same device.</p>
        ) : (
          <ul class="links">
            {links.map((link) => (
              <Linked key={link.id + link.device} link={link} />
            ))}
          </ul>
        )}
        {shared > 0 && (
          <p class="note">
            {plural(shared, "device")} of more than three users {shared === 1 ? "links" : "link"} nobody.
          </p>
        )}
      </Section>
      {developer.name !== null && !developer.forgotten && <Recent name={developer.name} type={developer.id_type} />}
    </div>
  );
}

const AT: Column<UseAtCompany>[] = [
  {
    title: "Company",
    cell: ({ company }) =>
      company ? (
        <>
          <CompanyLink company={company} />
          <span class="second">
            <Certainty company={company} />
          </span>
        </>
      ) : (
        <span class="muted">none known</span>
      ),
  },
  { title: "Last seen", cell: ({ activity }) => activity.last_day },
  { title: "Ever", class: "number", hint: "All uses there ever were", cell: ({ uses }) => count(uses.total) },
  { title: "13 weeks", cell: ({ activity }) => <Trend weeks={activity.weeks} /> },
  {
    title: "Versions",
    class: "breaks",
    cell: ({ versions }) => (versions.length > 0 ? <Text>{versions.join(", ")}</Text> : <NoValue />),
  },
  {
    title: "Countries",
    cell: ({ countries }) => (countries.length > 0 ? <Text>{countries.join(" ")}</Text> : <NoValue />),
  },
];

/** The evidence, in words. */
function Linked({ link }: { link: ProfileLink }): JSX.Element {
  return (
    <li class="breaks">
      <DeveloperLink developer={link} />{" "}
      <span class="muted">
        {link.id_type && `${link.id_type}: `}both used the device <code>{link.device.slice(0, DEVICE_CHARACTERS)}</code>{" "}
        on {dayName(link.seen_on)}
        {link.undone && ". Staff has said that they are not one"}
      </span>
    </li>
  );
}

/** Newest records of the developer, and the way to all of them. */
function Recent({ name, type }: { name: string; type: string | null }): JSX.Element {
  const view = useView();
  const filter = type === DEVICE ? { hwid: name } : { user: name };
  const query = { environment: view.environment, product: view.product, ...filter, ...RECENT };
  const found = useResource<RecordPage>("/api/v1/analytics/records", query, false);
  return (
    <Section title="Recent events" name="recent">
      <Loaded resource={found}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="note">No event in the last 30 days.</p>
          ) : (
            <Table
              label="Recent events"
              class="rows"
              columns={recordColumns(filter)}
              items={items}
              keyOf={({ id }) => id}
            />
          )
        }
      </Loaded>
      <p>
        <ViewLink page="records" filters={{ ...filter, range: "30d", from: "", to: "" }}>
          All events of the last 30 days
        </ViewLink>
      </p>
    </Section>
  );
}

const recordColumns = (filter: Record<string, string>): Column<RecordRow>[] => [
  {
    title: "Received (UTC)",
    cell: ({ id, received_at }) => (
      <ViewLink page="records" filters={{ ...filter, range: "30d", from: "", to: "", record: id }}>
        <Time at={received_at} seconds />
      </ViewLink>
    ),
  },
  { title: "Group", cell: ({ group }) => (group ? <Text>{group}</Text> : <NoValue />) },
  { title: "Version", cell: ({ version }) => (version ? <Text>{version}</Text> : <NoValue />) },
];
