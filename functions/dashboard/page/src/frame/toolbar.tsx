// The choice of environment, time range and product.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Segments } from "../parts/ui";
import { ENVIRONMENTS, type ProductName } from "../types";
import { RANGE_CHOICES, rememberRange } from "./ranges";
import { TABS } from "./tabs";
import { isUnknown, useView, type View } from "./view";

const CHOICES = [...RANGE_CHOICES, ["custom", "Custom"] as const];
/** Of what is shown of one record, developer, company or licence. */
const CLOSED = { record: null, open: null, license: null };
const NAMES = { production: "Production", staging: "Staging", development: "Development" };

export function Toolbar({ products, children }: { products: ProductName[]; children: ComponentChildren }): JSX.Element {
  const view = useView();
  const environments = ENVIRONMENTS.filter((name) => view.session.environments.includes(name));
  const { hasRange, hasProduct } = TABS[view.page];
  // the view in which days are being chosen: any other one shows what its address says
  const [choosing, setChoosing] = useState<View | null>(null);
  const range = ["range", "from", "to"].some((name) => isUnknown(view, name)) ? null : view.range;
  const shown = choosing === view ? "custom" : range;
  const choose = (range: string): void => {
    setChoosing(range === "custom" ? view : null);
    if (range === "custom") return;
    rememberRange(range);
    view.go({ range, from: null, to: null, record: null });
  };
  const known = !view.product || products.some((product) => product.id === view.product);
  return (
    <div class="toolbar" role="search" aria-label="Environment, time and product">
      <Segments
        label="Environment"
        class="environments"
        options={environments.map((name) => [name, NAMES[name]] as const)}
        value={isUnknown(view, "environment") ? null : view.environment}
        onChange={(environment) => view.go({ environment, ...CLOSED })}
      />
      {hasRange && <Segments label="Time range" class="ranges" options={CHOICES} value={shown} onChange={choose} />}
      {hasRange && shown === "custom" && <CustomRange key={view.from + view.to} />}
      {hasProduct && (
        <label class="product">
          <span class="visually-hidden">Product</span>
          <select value={view.product} onChange={(event) => view.go({ product: event.currentTarget.value, ...CLOSED })}>
            <option value="">All products</option>
            {products.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
            {!known && <option value={view.product}>{view.product}</option>}
          </select>
        </label>
      )}
      {children}
    </div>
  );
}

function CustomRange(): JSX.Element {
  const view = useView();
  const today = new Date().toISOString().slice(0, 10);
  const [from, setFrom] = useState(dayOf(view.from) ?? today);
  const [to, setTo] = useState(dayOf(view.to, 1) ?? today);
  const apply = (event: Event): void => {
    event.preventDefault();
    view.go({ from, to, range: null, record: null });
  };
  return (
    <form class="custom-range" onSubmit={apply} aria-label="UTC days">
      <label>
        <span class="visually-hidden">First day (UTC)</span>
        <input type="date" required max={to} value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <span aria-hidden="true">–</span>
      <label>
        <span class="visually-hidden">Last day (UTC)</span>
        <input
          type="date"
          required
          min={from}
          max={today}
          value={to}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button">
        Apply
      </button>
    </form>
  );
}

/** The UTC day of a day or an instant in the address. With `minusMs` = 1 an instant is the end of a range. */
function dayOf(text: string, minusMs = 0): string | null {
  const at = Date.parse(text);
  if (Number.isNaN(at)) return null;
  return text.includes("T") ? new Date(at - minusMs).toISOString().slice(0, 10) : text;
}
