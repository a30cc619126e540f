"""Records newest first, a little at a time: what an answer does not show is not read."""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from operator import attrgetter

from pynamodb.pagination import ResultIterator

from telemetry.domain.errors import InvalidCursor
from telemetry.domain.instant import from_milliseconds, midnight, to_nearest_millisecond
from telemetry.domain.judge import Verdict
from telemetry.domain.record import Record, RecordKey
from telemetry.domain.window import Window
from telemetry.storage.batches import KEYS_PER_CALL
from telemetry.storage.effort import Effort
from telemetry.storage.errors import store
from telemetry.storage.index_sizes import IndexSizes
from telemetry.storage.record_item import ByReceived, RecordItem
from telemetry.storage.record_runs import (
    Demand,
    EventTimeOrder,
    Pace,
    Position,
    QueryPage,
    ReceiptOrder,
    Run,
    StartKey,
    Step,
    ties_in_order,
)
from telemetry.storage.records import RecordStore
from telemetry.storage.selection import Listed, Selection
from telemetry.storage.side_by_side import side_by_side
from telemetry.storage.tables import bind

_USUAL = 50
_INDEX_ENTRIES_PER_UNIT = 8  # fewer cost as much: DynamoDB reads by 4 KB
_RECENT_DAYS = 2
_IDLE_DAYS = 2
_SHORT = timedelta(days=8)  # reading so many days one by one takes no more than a large index would
_FEW = 2_000
_TIMES_WANTED = 8
_MOST_HELD = 20_000
_MOST_SCANNED = 180_000  # entries, some 60 MB
_DAY_MS = 86_400_000


class _CutShort(Exception):
    """A list would have to make another request, and may not."""


@store("records")
@dataclass(frozen=True, slots=True)
class RecordBrowser:
    """The records of one environment as they are to be seen `now`: neither expired nor from before `oldest`.

    Every iterator reads lazily. A list of `Step`s can be continued after any of them: no record that was there comes
    twice or is left out, whatever arrives meanwhile. `wanted` says how many steps will be taken, so that little more is
    read. When the effort allows no more requests, a list ends early, but never before its first step; the effort then
    `is_cut_short`. All methods raise StoreUnavailable.
    """

    store: RecordStore
    now: datetime
    oldest: date
    effort: Effort
    sizes: IndexSizes = field(default_factory=IndexSizes)

    def by_receipt(
        self, selection: Selection, window: Window | None = None, after: Position | None = None, wanted: int = _USUAL
    ) -> Iterator[Step]:
        """What was selected, newest receipt first, received in the window. Also steps from each day to the one before.

        Where much is read and little of it fits, there are also steps to the place that reading has reached.
        """
        window = self._seen_of(window)
        if after and not isinstance(after[0], int):
            raise InvalidCursor
        return _until_cut_short(
            self._by_receipt(selection, window, after or (to_nearest_millisecond(window.until), "", ""), Demand(wanted))
        )

    def by_event_time(
        self,
        partitions: Sequence[str],
        selection: Selection,
        window: Window | None = None,
        after: Position | None = None,
        wanted: int = _USUAL,
    ) -> Iterator[Step]:
        """The same of base partitions, newest event first; those with an event id but no time come last."""
        window = self._seen_of(window)
        if after and not isinstance(after[0], str):
            raise InvalidCursor
        return _until_cut_short(self._by_event_time(partitions, selection, window, after, Demand(wanted)))

    def load(self, listed: Sequence[Listed]) -> Iterator[Record]:
        """The records themselves, in this order; without those that expired meanwhile."""
        items = [record.item for record in listed if record.item]
        if len(items) == len(listed):
            yield from map(self.store.whole, items)
        else:
            yield from self.store.many([record.key for record in listed])

    def get(self, key: RecordKey) -> Record | None:
        """One record, if it is to be seen."""
        record = self.store.get(key)
        if record and record.expires_at > self.now and record.received_at >= self._seen_of(None).since:
            return record
        return None

    def judgements(self, keys: Sequence[RecordKey]) -> dict[RecordKey, Verdict]:
        """What was said later of records that were stored unjudged."""
        self.effort.note(requests=math.ceil(len(keys) / KEYS_PER_CALL))
        return self.store.judgements(keys)

    def _by_receipt(self, selection: Selection, window: Window, after: Position, demand: Demand) -> Iterator[Step]:
        """Day by day. From the third day on, all the rest at once if that is many days, and little of them fits."""
        today = self.now.astimezone(UTC).date()
        newest = min(today, from_milliseconds(after[0] if after[1] else after[0] - 1).date())
        first_old = min(newest, today - timedelta(days=_RECENT_DAYS))
        idle = 0
        for day in (newest - timedelta(days=age) for age in range((newest - window.since.date()).days + 1)):
            is_long = day - window.since.date() >= _SHORT
            if is_long and (day == first_old or (day < first_old and idle == _IDLE_DAYS)):
                before = min(after, (_midnight(day) + _DAY_MS, "", ""))
                is_sparse = selection.is_narrow or idle >= _IDLE_DAYS
                rest = self._rest(selection, window, before, demand, is_sparse=is_sparse)
                if rest is not None:
                    yield from self._seen(iter(rest), selection, window, demand)
                    return
            if day <= first_old:
                self._ask(demand)
            partitions = self._partitions(selection, day)
            if day <= first_old and partitions:
                self._ask(demand, len(partitions))
            idle += 1
            for step in self._of_day(day, partitions, selection, window, after, demand):
                idle = 0 if step.record else idle
                yield step

    def _partitions(self, selection: Selection, day: date) -> list[str]:
        """Where what was selected may be: one request."""
        return selection.partitions(self.store.marked(day, selection.products), self.store.shards.on(day))

    def _of_day(
        self,
        day: date,
        partitions: Sequence[str],
        selection: Selection,
        window: Window,
        after: Position,
        demand: Demand,
    ) -> Iterator[Step]:
        """What was received on a day, in these partitions, and the step out of it."""
        model = bind(RecordItem, self.store.table)
        first, last = max(to_nearest_millisecond(window.since), _midnight(day)), min(after[0], _midnight(day) + _DAY_MS)
        queries = [
            partial(
                model.query,
                name,
                model.received_at.between(first, last),
                selection.condition(model),
                index_name=ByReceived.Meta.index_name,
                scan_index_forward=False,
            )
            for name in partitions
        ]
        pace = Pace(demand, _INDEX_ENTRIES_PER_UNIT, is_narrow=selection.is_narrow)
        runs = self._runs(queries, ReceiptOrder, pace) if first <= last else []
        steps = heapq.merge(*map(ties_in_order, runs), key=attrgetter("at"), reverse=True)
        yield from self._seen((step for step in steps if step.at < after), selection, window, demand)
        demand.has_come_on = True
        yield Step((_midnight(day), "", ""), None)

    def _by_event_time(
        self, partitions: Sequence[str], selection: Selection, window: Window, after: Position | None, demand: Demand
    ) -> Iterator[Step]:
        model = bind(RecordItem, self.store.table)
        queries = []
        for name in partitions:
            rest = None
            if after:
                # of records with equal sort keys the one in the greater partition comes first
                rest = model.sort <= after[0] if name < after[1] else model.sort < after[0]
            queries.append(partial(model.query, name, rest, selection.condition(model), scan_index_forward=False))
        runs = self._runs(queries, EventTimeOrder, Pace(demand, 1, is_narrow=selection.is_narrow))
        merged = heapq.merge(*runs, key=attrgetter("at"), reverse=True)
        yield from self._seen(merged, selection, window, demand)

    def _seen(self, steps: Iterator[Step], selection: Selection, window: Window, demand: Demand) -> Iterator[Step]:
        """The steps, without the records that are not looked for or not to be seen any more."""
        for at, record in steps:
            demand.took += 1
            demand.has_come_on = True
            is_seen = (
                record is not None
                and record.expires_at > self.now
                and window.since <= record.received_at < window.until
                and selection.fits(record)
            )
            yield Step(at, record if is_seen else None)

    def _rest(
        self, selection: Selection, window: Window, before: Position, demand: Demand, *, is_sparse: bool
    ) -> list[Step] | None:
        """Everything older than a position, newest first; None if that is much, or the index is large.

        Ninety quiet days have thousands of partitions to look into; a megabyte of the index is one request.
        """
        most = min(max(_FEW, _TIMES_WANTED * demand.left), _MOST_HELD)
        most_scanned, scanned = _MOST_SCANNED if is_sparse else most, 0
        found, page = list[Step](), None
        if not selection.products or self.sizes.at_least(self.store.table) > most_scanned:
            return None
        while scanned <= most_scanned and len(found) <= most and not self.effort.is_half_over:
            self.effort.note(requests=1)
            page = self._scanned(selection, window, before, page and page.next, None if is_sparse else most + 1)
            scanned += page.scanned
            found += (step for step in map(ReceiptOrder.step, page.items) if step.at < before)
            if page.next is None:
                return sorted(found, key=attrgetter("at"), reverse=True)
        self.sizes.note(self.store.table, scanned)
        return None

    def _scanned(
        self, selection: Selection, window: Window, before: Position, start: StartKey | None, size: int | None
    ) -> QueryPage:
        model = bind(RecordItem, self.store.table)
        since = to_nearest_millisecond(window.since)
        in_time = model.received_at.between(since, max(since, before[0]))
        return QueryPage.of(
            model.scan(
                selection.scan_condition(model, in_time),
                index_name=ByReceived.Meta.index_name,
                last_evaluated_key=start,
                page_size=size,
            )
        )

    def _runs(
        self,
        queries: Sequence[Callable[..., ResultIterator[RecordItem]]],
        order: type[ReceiptOrder | EventTimeOrder],
        pace: Pace,
    ) -> list[Iterator[Step]]:
        """The queries as runs. Their first records are read side by side, others when needed."""
        runs = [Run(query, order, pace) for query in queries]
        side_by_side(lambda run: run.read(len(runs)), runs)
        return [run.steps(runs, partial(self._ask, pace.demand)) for run in runs]

    def _ask(self, demand: Demand, requests: int = 1) -> None:
        """Notes requests before they are made. Raises _CutShort if they may not be, and the list has had a step."""
        if demand.has_come_on and not self.effort.allows_more():
            raise _CutShort
        self.effort.note(requests=requests)

    def _seen_of(self, window: Window | None) -> Window:
        """What of a window may be seen."""
        oldest = midnight(self.oldest)
        if window is None:
            return Window(oldest, self.now + timedelta(days=2))  # clocks differ
        return Window(max(window.since, oldest), window.until)


def _until_cut_short(steps: Iterator[Step]) -> Iterator[Step]:
    with suppress(_CutShort):
        yield from steps


def _midnight(day: date) -> int:
    """The beginning of a day, in epoch milliseconds."""
    return to_nearest_millisecond(midnight(day))
