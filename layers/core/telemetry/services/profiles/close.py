"""Closes days of product usage: who used a product on a day, and which company each worked for.

It runs after finance has closed a day, and reads the same records; nothing of it is in a report. For each product whose
setting `profiles` is on, day by day:

1. *Pin*: what the day is attributed with is written down, before anything is read.
2. *Rows*: each shard's records are folded into rows, which are kept once: in parts, if they are more than memory holds.
3. *Tenures*: each row is added to what its developer did at its company, unless it has that day already.
4. The view advances. After the last day that can be closed, lists are made of the rows of 13 weeks.

A run that is cut off, or comes twice, or at once with another, changes nothing that is done: what is kept once is kept,
and the rest follows from it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from telemetry.domain.active_users import Outdated
from telemetry.domain.attribution import CARRIED_DAYS, DayCompany
from telemetry.domain.closing import Closing
from telemetry.domain.errors import TelemetryError
from telemetry.domain.profiles.cards import DeveloperCard, Order
from telemetry.domain.profiles.closing import Pin, Range, View
from telemetry.domain.profiles.ranking import listed, ranked_companies, ranked_developers
from telemetry.domain.profiles.rows import (
    NOBODY,
    Attribute,
    Folding,
    Known,
    Row,
    attribution_of,
)
from telemetry.domain.profiles.span import MOST_AT_ONCE
from telemetry.services.ports import DayRecords
from telemetry.services.profiles.adding import Identities, TenureAdder
from telemetry.services.profiles.stores import ProfileStores, days_between, ranking_of
from telemetry.services.profiles.views import begin_anew
from telemetry.services.recount import Allowance
from telemetry.storage.profiles.rows import Kept
from telemetry.storage.profiles.tenures import TenureKey
from telemetry.storage.side_by_side import side_by_side

FIRST_DAYS = 90
"""How many closed days are attributed at first, of a product whose profiles are new."""

MOST_DAYS_BEHIND = 2
"""Closed days that usage may lag behind after a run: those on which there was much to do."""

_HOUR = 3_600


class UsageBehind(TelemetryError):
    """Usage is not closed as fast as it comes."""


class Attributing(Protocol):
    """What days are attributed with (services.profiles.attributing)."""

    def is_given_up(self, pin: Pin) -> bool:
        """Whether its network file is gone, and staff has said to go on without."""

    def pin(self, now: datetime) -> Pin:
        """Today's overrides, lists and network file, of which a copy is kept. Raises what keeps the file from it."""

    def attribute(self, pin: Pin) -> Attribute:
        """By what a day is pinned to. Raises NetworkFileMissing where that file is gone."""


@dataclass(frozen=True, slots=True)
class ProfileCloser:
    """Closes days of product usage in one environment. `most` developers, or companies, are in memory at a time."""

    stores: ProfileStores
    records: DayRecords
    attributing: Attributing
    identities: Identities
    forgotten: Callable[[], Collection[bytes]]
    allowance: Allowance
    most: int = MOST_AT_ONCE

    def close_all(self, products: Sequence[str], finance: Closing, now: datetime) -> dict[str, list[date]]:
        """Closes the days of products as far as finance has, as far as there is time; each hour begins with another.

        Raises what keeps a product's day from being closed, after all others have got further.
        """
        if finance.closed is None or finance.opened is None:
            return {}
        first, last = date.fromordinal(finance.opened), date.fromordinal(finance.closed)
        closed, failures = dict[str, list[date]](), list[Exception]()
        turn = int(now.timestamp() // _HOUR) % max(1, len(products))
        in_turn = [*products[turn:], *products[:turn]]  # or one that takes all the time would leave the others none
        for product in in_turn:
            try:
                closed[product] = self.close(product, first, last, now)
            except Exception as exc:  # noqa: BLE001 (whatever it is, it is not to keep the others waiting)
                exc.add_note(product)
                failures.append(exc)
        if failures:
            raise failures[0]
        return closed

    def check(self, products: Sequence[str], finance: Closing) -> None:
        """Raises UsageBehind where more days than MOST_DAYS_BEHIND are closed by finance and not here.

        Nothing else would tell: a run that gets no further for want of time ends well.
        """
        if finance.closed is None or finance.opened is None:
            return
        first, last = date.fromordinal(finance.opened), date.fromordinal(finance.closed)
        behind = {product: self._days_behind(product, first, last) for product in products}
        late = {product: days for product, days in behind.items() if days > MOST_DAYS_BEHIND}
        if late:
            raise UsageBehind(", ".join(f"{product} by {days} days" for product, days in late.items()))

    def close(self, product: str, first: date, last: date, now: datetime) -> list[date]:
        """Closes a product's days up to `last`, which finance has closed; `first` is the first day there is.

        So are those of views that are under way, until they are shown. Others stay as they are: they were shown once.
        Gives the days that the shown view closed.
        """
        current = self.stores.views.current(product)
        views = self.stores.views.views(product, consistent=True)
        if current.view not in views:
            views[current.view] = self._begin(product, View(current.view, now))
        closed = self._close_view(product, views[current.view], first, last, now)
        for view in views.values():
            if view.number > current.latest:
                self._close_view(product, view, first, last, now)
                self._show(product, view.number)
        return closed

    def attribute_anew(self, product: str, days: Range, now: datetime) -> View:
        """Begins a view in which these days are attributed with what there is today; `close` makes it, and shows it.

        Raises NotFound, ActionNotAllowed.
        """
        return begin_anew(self.stores.views, product, days, now)

    def _days_behind(self, product: str, first: date, last: date) -> int:
        views, current = self.stores.views.views(product), self.stores.views.current(product)
        next_ = self._next(views[current.view], first, last) if current.view in views else first
        return max(0, (last - next_).days + 1)

    def _begin(self, product: str, view: View) -> View:
        try:
            self.stores.views.begin(product, view)
        except Outdated:
            return self.stores.views.views(product, consistent=True)[view.number]
        return view

    def _show(self, product: str, number: int) -> None:
        """Shows a view that has come as far as the one that is shown."""
        views, current = self.stores.views.views(product, consistent=True), self.stores.views.current(product)
        view, before = views[number], views[current.view]
        if number > current.latest and view.listed is not None and view.listed == view.closed == before.closed:
            with suppress(Outdated):  # staff shows another one at this moment: the next run comes back to it
                self.stores.views.show(product, number, current)

    def _close_view(self, product: str, view: View, first: date, last: date, now: datetime) -> list[date]:
        closed = list[date]()
        try:
            for day in days_between(self._next(view, first, last), last):
                if self.allowance.is_over:
                    break
                done = self._close_day(product, view, day, now)
                if done is None:
                    break
                view = done
                closed.append(day)
            if view.closed and view.closed != view.listed:
                self._list(product, view, now)
        except Outdated:  # another run is further
            return closed
        return closed

    def _next(self, view: View, first: date, last: date) -> date:
        if view.closed:
            return view.closed + timedelta(days=1)
        return view.first or max(first, last - timedelta(days=FIRST_DAYS - 1))

    def _close_day(self, product: str, view: View, day: date, now: datetime) -> View | None:
        """None where there was no time for all of it."""
        pin = None
        if product in self.records.products(day):
            pin = self._pin(product, view, day, now)
            if not self._fold(product, view, day, pin) or not self._add(product, view.number, day):
                return None
        return self.stores.views.advance(product, view, day, pin)

    def _pin(self, product: str, view: View, day: date, now: datetime) -> Pin:
        """Days outside the range of a view that attributes anew have the pins, and rows, of its base."""
        if _is_copied(view, day) and (pin := self.stores.views.pin(view.base or 0, product, day)):
            return pin
        pin = self.stores.views.pin(view.number, product, day)
        if pin and self.attributing.is_given_up(pin):
            self.stores.views.release(view.number, product, day)
            pin = None
        return pin or self.stores.views.pin_to(view.number, product, day, self.attributing.pin(now))

    def _fold(self, product: str, view: View, day: date, pin: Pin) -> bool:
        """Whether all shards have their rows afterwards."""
        shards = range(self.records.shard_count(day))
        for shard, found in self.stores.rows.kept(view.number, product, day, shards).items():
            kept = found
            while not kept.is_all:
                if not self.allowance.allows():
                    return False
                kept = self._fold_part(product, view, day, pin, shard, kept)
        return True

    def _fold_part(self, product: str, view: View, day: date, pin: Pin, shard: int, kept: Kept) -> Kept:
        """The next part of a shard, from the view that this one is based on, or from records."""
        rows, part = self.stores.rows, kept.parts
        if view.base is not None and _is_copied(view, day):
            copied = rows.kept_part(view.base, product, day, shard, part)
            if copied:
                same = rows.read_part(view.base, product, day, shard, part)
                return rows.keep(view.number, product, day, shard, same, part, copied.rest)
        folding = Folding(day, self.attributing.attribute(pin), kept.rest or b"", self.most)
        for seen in self.records.observations(product, day, [shard]):
            folding.add(seen)
        folded = self._rows(product, view.number, day, folding)
        return rows.keep(view.number, product, day, shard, folded, part, folding.rest)

    def _rows(self, product: str, view: int, day: date, folding: Folding) -> list[Row]:
        """With what is known of everyone from before."""
        known = {
            each: Known(profile.first)
            for each, profile in self.stores.people.profiles(product, folding.developers).items()
        }
        untold = [each for each in folding.untold if each in known]
        for each, told in zip(
            untold, side_by_side(lambda who: self._told(product, view, day, who), untold), strict=True
        ):
            known[each] = replace(known[each], told=told)
        rows = list(folding.rows(known))
        companies = {row.company.id for row in rows if row.company}
        firsts = self.stores.tenures.nobodys(view, product, companies)
        return [
            replace(
                row,
                company_first=firsts[row.company.id].first if row.company and row.company.id in firsts else None,
                key=row.key if row.fingerprint != NOBODY and row.fingerprint not in known else None,
            )
            for row in rows
        ]

    def _told(self, product: str, view: int, day: date, fingerprint: bytes) -> tuple[DayCompany, ...]:
        """The companies that earlier days told, of the last thirty."""
        companies = self.stores.people.developer(view, product, fingerprint, consistent=True).companies
        keys = [TenureKey(each, fingerprint) for each in companies if each]
        found = self.stores.tenures.get(view, product, keys) if keys else {}
        oldest = day - timedelta(days=CARRIED_DAYS)
        return tuple(
            DayCompany(attribution_of(each.company), each.told_on, each.told_on)
            for each in found.values()
            if each.company and each.told_on and oldest <= each.told_on < day
        )

    def _add(self, product: str, view: int, day: date) -> bool:
        shards = range(self.records.shard_count(day))
        adder = TenureAdder(self.stores, self.identities, self.forgotten, self.allowance, self.most)
        return adder.add(product, view, day, shards)

    def _list(self, product: str, view: View, now: datetime) -> None:
        """Makes the lists of the last closed day."""
        day = view.closed
        if day is None or not self.allowance.allows():
            return
        ranking = ranking_of(self.stores.rows, product, view, day)
        companies, developers = list(ranking.companies()), list(ranking.developers())
        most = [listed(active) for active in ranking.active_on_the_day]
        lists = self.stores.lists
        foremost = {order: ranked_developers(developers, order, day)[: most[1]] for order in Order}
        named = self._named(product, {card.fingerprint: card for cards in foremost.values() for card in cards})
        for order in Order:
            lists.put_companies(view.number, product, day, order, ranked_companies(companies, order, day)[: most[0]])
            cards = [named[card.fingerprint] for card in foremost[order]]
            lists.put_developers(view.number, product, day, order, cards)
        self.stores.views.list_up_to(product, view, ranking.totals, max(most), now)

    def _named(self, product: str, cards: Mapping[bytes, DeveloperCard]) -> dict[bytes, DeveloperCard]:
        profiles = self.stores.people.profiles(product, cards.keys(), consistent=False)
        return {
            each: replace(card, name=profiles[each].name, id_type=profiles[each].id_type) if each in profiles else card
            for each, card in cards.items()
        }


def _is_copied(view: View, day: date) -> bool:
    return view.anew is not None and day not in view.anew
