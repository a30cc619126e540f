// A value of a record that becomes a filter when it is pressed.

import type { ComponentChildren, JSX } from "preact";
import { type RecordFilter, useView } from "../frame/view";
import { NoValue, Text } from "./ui";

interface ShowOnlyProps {
  name: RecordFilter;
  value: string | null;
  /** Shown in place of the value. */
  children?: ComponentChildren;
}

export function ShowOnly({ name, value, children }: ShowOnlyProps): JSX.Element {
  const view = useView();
  if (value === null || value === "") return <NoValue />;
  const shown = children ?? <Text hover={false}>{value}</Text>;
  if (view.param(name) === value) return <span title={value}>{shown}</span>;
  return (
    <button
      type="button"
      class="cell"
      title={`${value} – show only this`}
      onClick={() => view.go({ [name]: value, record: null })}
    >
      {shown}
    </button>
  );
}
