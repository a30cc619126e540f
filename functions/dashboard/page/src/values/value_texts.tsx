// The texts of a group: which are frequent, and from which versions they come.

import type { JSX } from "preact";
import { count, percent } from "../parts/format";
import { type Column, Table } from "../parts/table";
import { Panel, Text } from "../parts/ui";
import type { TextCount, TextSeries, TextVersion, Values } from "../types";
import { CountsPanel, VersionCell } from "./value_parts";

const OTHER = "~other";

export function TextSeriesPanels({ data, series }: { data: Values; series: TextSeries }): JSX.Element {
  return (
    <>
      <Frequent series={series} />
      <Panel title="Texts by version" note="Those with the most texts first" span={5} name="value-versions">
        <Table
          label="Texts by version"
          class="rows"
          columns={VERSIONS}
          items={series.versions}
          keyOf={({ version }) => version}
          row={({ version }) => ({ "data-version": version })}
        />
      </Panel>
      <CountsPanel data={data} counts={series.buckets} what="texts" span={12} />
    </>
  );
}

function Frequent({ series: { texts, values } }: { series: TextSeries }): JSX.Element {
  if (texts === null) {
    return (
      <Panel title="Texts" span={7} name="texts">
        <p class="note">{count(values)} came. Which they are only an admin is told: a text may name somebody.</p>
      </Panel>
    );
  }
  const hasOthers = texts.some(({ text }) => text === OTHER);
  return (
    <Panel
      title="Texts"
      note={
        hasOthers
          ? "The most frequent. What has no name here is among the others, so a text may have come more often than it says."
          : `All ${count(values)} of them`
      }
      span={7}
      name="texts"
    >
      <Table
        label="Texts"
        class="rows"
        columns={columnsOf(values)}
        items={texts}
        keyOf={({ text }) => text}
        row={({ text }) => ({ "data-text": text })}
      />
    </Panel>
  );
}

function columnsOf(all: number): Column<TextCount>[] {
  const share = (values: number): number => (all ? (100 * values) / all : 0);
  return [
    {
      title: "Text",
      cell: ({ text }) => (text === OTHER ? <span class="muted">all others</span> : <Text>{text}</Text>),
    },
    { title: "Times", class: "number", cell: ({ values }) => <span data-stat="values">{count(values)}</span> },
    {
      title: "Share",
      class: "number share",
      cell: ({ text, values }) => (
        <>
          <span class="bar" aria-hidden="true">
            <i
              style={{
                width: `${Math.min(share(values), 100)}%`,
                background: `var(${text === OTHER ? "--series-other" : "--series-1"})`,
              }}
            />
          </span>
          <span data-stat="percent">{percent(share(values))}</span>
        </>
      ),
    },
  ];
}

const VERSIONS: Column<TextVersion>[] = [
  { title: "Version", cell: ({ version }) => <VersionCell version={version} /> },
  { title: "Texts", class: "number", cell: ({ values }) => <span data-stat="values">{count(values)}</span> },
];
