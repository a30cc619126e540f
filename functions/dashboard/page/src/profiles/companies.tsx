// The companies that use a product, and one of them with its developers.

import type { JSX } from "preact";
import { search } from "../api/api";
import { type Pages, usePages } from "../api/pages";
import { useView, ViewLink } from "../frame/view";
import { Countries } from "../parts/countries";
import { count, dayName, plural } from "../parts/format";
import { More } from "../parts/more";
import { type Column, Table } from "../parts/table";
import { CopyButton, Dialog, NoValue, ProblemBox, Skeleton, Text } from "../parts/ui";
import type { CompanyDetail, CompanyItem, CompanyList, ProductName, UseAtCompany } from "../types";
import { DeveloperLink } from "./developer_link";
import {
  activityColumns,
  Certainty,
  ChooseProduct,
  Compared,
  type Kind,
  ProfileList,
  Section,
  Today,
  Trend,
  UsesByActivity,
  useListQuery,
} from "./profiles";

const PAGE = "25";
const MORE = ["more company", "more companies"] as const;
const MORE_DEVELOPERS = ["more developer", "more developers"] as const;

const KIND: Kind = {
  page: "companies",
  title: "Companies",
  names: ["company", "companies"],
  exported: {
    path: "/api/v1/analytics/companies/export",
    name: "companies",
    file: "companies",
    which: "used this product in the last 90 days and match the filters",
  },
  filters: [["country", "Country, as DE"]],
  meant: {
    active: "By developers in the last 30 days",
    new: "First seen in the last 30 days",
    growing: "More developers than in the 30 days before",
    quiet: "Used in two of the four weeks before, and not at all for 14 days",
  },
};

export function Companies({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  return <div class="grid">{view.product ? <OfProduct products={products} /> : <ChooseProduct kind={KIND} />}</div>;
}

function OfProduct({ products }: { products: ProductName[] | null }): JSX.Element {
  const view = useView();
  const query = useListQuery(KIND);
  const asked = search({ ...query, order: view.param("order"), limit: PAGE });
  const list = usePages<CompanyList>(`/api/v1/analytics/companies${asked}`, MORE);
  const open = view.session.role === "viewer" ? "" : view.param("open");
  return (
    <>
      <ProfileList kind={KIND} query={query} products={products} list={list} columns={COLUMNS} />
      {open && <Company key={open} id={open} />}
    </>
  );
}

const COLUMNS: Column<CompanyItem>[] = [
  { title: "Company", cell: (company) => <Name company={company} /> },
  {
    title: "Developers",
    class: "number strong",
    hint: "Active in the last 30 days, compared with the 30 before",
    cell: ({ developers, developers_before: before }) =>
      developers === null ? <NoValue /> : <Compared now={developers} before={before ?? 0} />,
  },
  ...activityColumns<CompanyItem>(),
  { title: "Countries", class: "wide", cell: ({ countries }) => <Countries countries={countries} /> },
];

function Name({ company }: { company: CompanyItem }): JSX.Element {
  const view = useView();
  return (
    <>
      <span class="beside">
        <button
          type="button"
          class="link"
          title={`Show the company ${company.id}`}
          onClick={() => view.go({ open: company.id })}
        >
          <Text hover={false}>{company.name}</Text>
        </button>{" "}
        <Today item={company} />
      </span>
      <span class="second">
        {company.name !== company.id && (
          <>
            <Text>{company.id}</Text>{" "}
          </>
        )}
        <Certainty company={company} />
      </span>
    </>
  );
}

// ── one of them

function Company({ id }: { id: string }): JSX.Element {
  const view = useView();
  const asked = search({ environment: view.environment, product: view.product, limit: PAGE });
  const list = usePages<CompanyDetail>(
    `/api/v1/analytics/companies/${encodeURIComponent(id)}${asked}`,
    MORE_DEVELOPERS,
  );
  const first = list.pages?.[0];
  return (
    <Dialog title="Company" class="drawer" onClose={() => view.go({ open: null })}>
      {first ? (
        <Detail company={first} list={list} />
      ) : list.problem ? (
        <ProblemBox problem={list.problem} retry={list.reload} />
      ) : (
        <Skeleton lines={12} />
      )}
    </Dialog>
  );
}

function Detail({ company: told, list }: { company: CompanyDetail; list: Pages<CompanyDetail> }): JSX.Element {
  const { company, activity } = told;
  const developers = (list.pages ?? []).flatMap(({ items }) => items);
  return (
    <div class="inspector">
      <dl class="facts">
        <dt>Name</dt>
        <dd data-part="name">
          <strong>
            <Text>{company.name}</Text>
          </strong>{" "}
          <Today item={{ active_today: told.active_today, new_today: false }} />
        </dd>
        <dt>Id</dt>
        <dd class="line breaks">
          <code>
            <Text>{company.id}</Text>
          </code>{" "}
          <CopyButton text={company.id} what="Id" />
        </dd>
        <dt>Told</dt>
        <dd>
          <Certainty company={company} />
        </dd>
        <dt>First seen</dt>
        <dd>{dayName(told.first_day)}</dd>
        <dt>Last seen</dt>
        <dd>{dayName(told.last_day)}</dd>
        <dt>Developers</dt>
        <dd>
          {told.developers === null ? (
            <NoValue />
          ) : (
            <>
              <Compared now={told.developers} before={told.developers_before ?? 0} /> in the last 30 days
            </>
          )}
        </dd>
        <dt>Countries</dt>
        <dd>{told.countries.length > 0 ? <Text>{told.countries.join(" ")}</Text> : <NoValue />}</dd>
        <dt>13 weeks</dt>
        <dd>{activity ? <Trend weeks={activity.weeks} /> : <NoValue />}</dd>
        <dt>As of</dt>
        <dd>{told.closed_day ? dayName(told.closed_day) : <NoValue />}</dd>
      </dl>
      {told.missing && <p class="note hint">{told.missing}</p>}
      {activity && (
        <Section title="Uses in the last 30 days" name="uses">
          <UsesByActivity uses={activity.uses} label="Uses by activity" />
        </Section>
      )}
      <Section title="Developers" name="developers">
        {list.problem && <ProblemBox problem={list.problem} retry={list.reload} />}
        {developers.length === 0 ? (
          <p class="note">Nobody is known by name.</p>
        ) : (
          <>
            <Table
              label="Developers of this company"
              columns={DEVELOPERS}
              items={developers}
              keyOf={({ developer }) => developer?.id ?? ""}
            />
            <div class="more">
              <ViewLink page="developers" filters={{ company: company.id }}>
                Among all developers
              </ViewLink>
              <More list={list} what="developers" />
            </div>
          </>
        )}
      </Section>
      {told.anonymous && (
        <Section title="Uses that nobody did by name" name="anonymous">
          <p class="note">All there ever were; the last on {dayName(told.anonymous.activity.last_day)}</p>
          <UsesByActivity uses={told.anonymous.uses} label="Uses that nobody did by name" />
        </Section>
      )}
    </div>
  );
}

const DEVELOPERS: Column<UseAtCompany>[] = [
  {
    title: "Developer",
    cell: ({ developer, forgotten }) =>
      developer ? <DeveloperLink developer={developer} forgotten={forgotten} /> : <NoValue />,
  },
  { title: "Last seen", cell: ({ activity }) => activity.last_day },
  {
    title: "Primary uses",
    class: "number",
    hint: "All there ever were",
    cell: ({ activity: { uses } }) => count(uses.primary),
  },
  {
    title: "Secondary uses",
    class: "number",
    hint: "All there ever were",
    cell: ({ activity: { uses } }) => count(uses.secondary),
  },
  { title: "13 weeks", cell: ({ activity }) => <Trend weeks={activity.weeks} /> },
  {
    title: "Ever",
    class: "number",
    hint: "All uses there ever were",
    cell: ({ uses }) => <span title={plural(uses.total, "use")}>{count(uses.total)}</span>,
  },
];
