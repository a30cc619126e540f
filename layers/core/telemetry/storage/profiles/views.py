"""How far each product's views are, and what days are attributed with."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.active_users import Outdated
from telemetry.domain.instant import from_seconds, midnight, to_seconds
from telemetry.domain.overrides import Overrides
from telemetry.domain.profiles.closing import Current, Pin, Range, View
from telemetry.domain.profiles.views import Totals
from telemetry.storage.changes import Logged, put
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.profiles.keys import CURRENT, pin_key, state_key, view_key
from telemetry.storage.tables import AnyItem, KeyedItem, bind, found_item

RETENTION = timedelta(days=400)
"""Of pins, as of the rows that were made with them."""


class ViewItem(KeyedItem):
    """A view (sk `view#0001`). Days as ISO dates; `state` is what else there is to say of it, as JSON."""

    closed = UnicodeAttribute(null=True)
    listed = UnicodeAttribute(null=True)
    state = JSONAttribute()


class CurrentItem(KeyedItem):
    """Which view is shown, and the last one that was shown for the first time."""

    sk = UnicodeAttribute(range_key=True, default=CURRENT)
    view = NumberAttribute()
    latest = NumberAttribute()


class PinItem(KeyedItem):
    """A pin; `overrides` are deflated JSON."""

    network_file = UnicodeAttribute(null=True)
    overrides = BinaryAttribute(legacy_encoding=False)
    lists = UnicodeAttribute()
    made_at = NumberAttribute()
    expires_at = NumberAttribute()


@store("views of profiles")
@dataclass(frozen=True, slots=True)
class ViewStore:
    """Views, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def current(self, product: str) -> Current:
        """Which view is shown; strongly consistent."""
        item = found_item(bind(CurrentItem, self.table), state_key(product), CURRENT)
        return Current(int(item.view), int(item.latest)) if item else Current()

    def views(self, product: str, *, consistent: bool = False) -> dict[int, View]:
        """All views, by number. One request."""
        model = bind(ViewItem, self.table)
        found = model.query(state_key(product), model.sk.startswith("view#"), consistent_read=consistent)
        return {view.number: view for view in map(_view, found)}

    def shown(self, product: str) -> tuple[int, dict[int, View]]:
        """The number of the view that is shown, and all views. One request."""
        number, views = 0, dict[int, View]()
        for item in bind(AnyItem, self.table).query(state_key(product)):
            if item.sk == CURRENT:
                number = int(CurrentItem.from_raw_data(item.raw).view)
            else:
                view = _view(ViewItem.from_raw_data(item.raw))
                views[view.number] = view
        return number, views

    def begin(self, product: str, view: View, logged: Logged | None = None) -> None:
        """Begins a view. Raises Outdated where there is one of this number."""
        self._save(product, view, None, logged)

    def advance(self, product: str, view: View, day: date, pin: Pin | None) -> View:
        """Closes a day. Raises Outdated where the view is further, or elsewhere, by now."""
        further = replace(
            view, first=view.first or day, closed=day, network_file=pin.network_file if pin else view.network_file
        )
        self._save(product, further, view)
        return further

    def list_up_to(self, product: str, view: View, totals: Totals, most_listed: int, now: datetime) -> View:
        """Says that there are lists of the last closed day. Raises Outdated as `advance`."""
        further = replace(view, listed=view.closed, listed_at=now, totals=totals, most_listed=most_listed)
        self._save(product, further, view)
        return further

    def show(self, product: str, view: int, before: Current, logged: Logged | None = None) -> None:
        """Shows another view from now on. Raises Outdated where it is no longer as it was `before`."""
        model = bind(CurrentItem, self.table)
        unchanged = (model.view == before.view) & (model.latest == before.latest)
        if before == Current():
            unchanged = model.pk.does_not_exist() | unchanged
        item = model(state_key(product), view=view, latest=max(view, before.latest))
        put(item, unchanged, Outdated("Another view is shown"), logged)

    def pin(self, view: int, product: str, day: date) -> Pin | None:
        """What a day is attributed with, None as long as nobody has said."""
        item = found_item(bind(PinItem, self.table), pin_key(view, product), day.isoformat())
        return _pin(item) if item else None

    def pin_to(self, view: int, product: str, day: date, pin: Pin) -> Pin:
        """Writes it down, once; gives what is written, which may be another run's."""
        model = bind(PinItem, self.table)
        item = model(
            pin_key(view, product),
            day.isoformat(),
            network_file=pin.network_file,
            overrides=deflated_json(pin.overrides.to_json()),
            lists=pin.lists,
            made_at=to_seconds(pin.made_at),
            expires_at=to_seconds(midnight(day) + RETENTION),
        )
        try:
            with conditions():
                item.save(condition=model.pk.does_not_exist())
        except ConditionFailed:
            return self.pin(view, product, day) or pin
        return pin

    def release(self, view: int, product: str, day: date) -> None:
        """Forgets what a day is attributed with: what it was pinned to is gone, and staff goes on without."""
        bind(PinItem, self.table)(pin_key(view, product), day.isoformat()).delete()

    def _save(self, product: str, view: View, before: View | None, logged: Logged | None = None) -> None:
        model = bind(ViewItem, self.table)
        if before is None:
            unchanged = model.pk.does_not_exist()
        else:
            unchanged = _is(model.closed, before.closed) & _is(model.listed, before.listed) & model.pk.exists()
        item = model(
            state_key(product),
            view_key(view.number),
            closed=_text(view.closed),
            listed=_text(view.listed),
            state=_to_json(view),
        )
        put(item, unchanged, Outdated("The view is another"), logged)


def _is(attribute: UnicodeAttribute, day: date | None) -> Any:  # noqa: ANN401 (PynamoDB's condition)
    return attribute == day.isoformat() if day else attribute.does_not_exist()


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _to_json(view: View) -> dict[str, Any]:
    totals = view.totals
    return {
        "made_at": to_seconds(view.made_at),
        "base": view.base,
        "anew": [view.anew.first.isoformat(), view.anew.last.isoformat()] if view.anew else None,
        "first": _text(view.first),
        "listed_at": to_seconds(view.listed_at) if view.listed_at else None,
        "network_file": view.network_file,
        "most_listed": view.most_listed,
        "totals": [totals.developers, totals.companies, dict(totals.uses), dict(totals.unattributed)]
        if totals
        else None,
    }


def _view(item: ViewItem) -> View:
    said = item.state
    return View(
        number=int(item.sk.removeprefix("view#")),
        made_at=from_seconds(said["made_at"]),
        base=said["base"],
        anew=Range(*map(date.fromisoformat, said["anew"])) if said["anew"] else None,
        first=_day(said["first"]),
        closed=_day(item.closed),
        listed=_day(item.listed),
        listed_at=from_seconds(said["listed_at"]) if said["listed_at"] else None,
        totals=_totals(*said["totals"]) if said["totals"] else None,
        network_file=said["network_file"],
        most_listed=said["most_listed"],
    )


def _totals(developers: int, companies: int, uses: dict[str, int], unattributed: dict[str, int]) -> Totals:
    return Totals(developers, companies, Counter(uses), Counter(unattributed))


def _pin(item: PinItem) -> Pin:
    return Pin(
        network_file=item.network_file,
        overrides=Overrides.from_json(inflated_json(item.overrides)),
        lists=item.lists,
        made_at=from_seconds(item.made_at),
    )
