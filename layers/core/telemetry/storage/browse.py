"""Records newest first, a little at a time: what an answer does not show is not read."""

import heapq
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, Self

from pynamodb.pagination import ResultIterator

from telemetry.domain import flags as flag_codes
from telemetry.domain.errors import InvalidCursor
from telemetry.domain.instant import from_milliseconds, from_seconds, midnight, to_nearest_millisecond
from telemetry.domain.judge import Verdict
from telemetry.domain.record import Record, RecordKey
from telemetry.domain.window import Window
from telemetry.storage.batches import KEYS_PER_CALL
from telemetry.storage.errors import store
from telemetry.storage.index_partition import IndexPartition
from telemetry.storage.record_item import ByReceived, RecordItem, data_type_of
from telemetry.storage.records import RecordStore
from telemetry.storage.selection import Listed, Selection
from telemetry.storage.side_by_side import side_by_side
from telemetry.storage.tables import bind

_USUAL = 50
_MOST_PER_READ = 200
_INDEX_ENTRIES_PER_UNIT = 8  # fewer cost as much: DynamoDB reads by 4 KB
_NARROW_READS = (200, 2_000)  # what one read looks at, of a narrow selection; from the third on all that DynamoDB gives
_NARROW_AT_FIRST = 4_000  # of all partitions together
_RECENT_DAYS = 2
_IDLE_DAYS = 2
_FEW = 2_000
_TIMES_WANTED = 8
_MOST_HELD = 20_000
_MOST_SCANNED = 180_000  # entries, some 60 MB
_REMEMBERED_SECONDS = 3_600
_DAY_MS = 86_400_000

_Key = dict[str, dict[str, Any]]

Position = tuple[Any, ...]
"""After which record a list goes on: (received, epoch ms; partition; sort) by receipt, (sort; partition) by event time.

What is listed has ever smaller positions. `(ms, "", "")` stands before all that was received in that millisecond, and
behind all that came later.
"""


class Step(NamedTuple):
    """How far a list has come, and the record there; None where there is none to be seen."""

    at: Position
    record: Listed | None


class Effort:
    """What one search may cost: so many records looked at, so many seconds, so many requests.

    Records and seconds end a search wherever it is; requests when it would make another: what was read is looked at.
    """

    def __init__(
        self,
        records: int,
        seconds: float,
        requests: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._requests = requests
        self._clock = clock
        self._half = clock() + seconds / 2
        self._end = self._half + seconds / 2
        self.is_cut_short = False
        """Whether a list ended because it may make no more requests."""

    def note(self, records: int = 0, requests: int = 0) -> None:
        """Counts records looked at, and requests made."""
        self._records -= records
        self._requests -= requests

    def allows_more(self) -> bool:
        """Whether requests may be made; a list that is told that they may not has to end there."""
        self.is_cut_short = self._requests <= 0 or self.is_late
        return not self.is_cut_short

    @property
    def is_spent(self) -> bool:
        return self._records < 0 or self.is_late

    @property
    def is_late(self) -> bool:
        return self._clock() >= self._end

    @property
    def is_half_over(self) -> bool:
        """Half of the seconds are gone."""
        return self._clock() >= self._half


class IndexSizes:
    """How many entries the indexes of tables were found to have, at least. After an hour nobody remembers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, float]] = {}

    def note(self, table: str, entries: float) -> None:
        """So many were seen, and there are more."""
        self._found[table] = (entries, self._clock() + _REMEMBERED_SECONDS)

    def at_least(self, table: str) -> float:
        """What is known; 0 where nothing is."""
        entries, until = self._found.get(table, (0.0, 0.0))
        return entries if self._clock() < until else 0


class _CutShort(Exception):
    """A list would have to make another request, and may not."""


@store("records")
@dataclass(frozen=True, slots=True)
class Browser:
    """The records of one environment as they are to be seen `now`: neither expired nor from before `oldest`.

    Every iterator reads lazily. Those of `Step`s can be taken up again after any of them: no record that was there
    comes twice or is left out, whatever arrives meanwhile; they read little more than is taken of them when `wanted`
    says how much that will be. They end early, but never before their first step, when the effort allows no more
    requests; it then `is_cut_short`. All raise StoreUnavailable.
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

        Where much is read and little of it fits, also steps to where reading has come.
        """
        window = self._seen_of(window)
        if after and not isinstance(after[0], int):
            raise InvalidCursor
        return _until_cut_short(
            self._by_receipt(
                selection, window, after or (to_nearest_millisecond(window.until), "", ""), _Demand(wanted)
            )
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
        return _until_cut_short(self._by_event_time(partitions, selection, window, after, _Demand(wanted)))

    def load(self, listed: Sequence[Listed]) -> Iterator[Record]:
        """The records themselves, in this order; without those that expired meanwhile."""
        return self._load(listed)

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

    def _load(self, listed: Sequence[Listed]) -> Iterator[Record]:
        items = [record.item for record in listed if record.item]
        if len(items) == len(listed):
            yield from map(self.store.whole, items)
        else:
            yield from self.store.many([record.key for record in listed])

    def _by_receipt(self, selection: Selection, window: Window, after: Position, demand: "_Demand") -> Iterator[Step]:
        """Day by day; from the third day on all at once, where there is not much of what is looked for."""
        today = self.now.astimezone(UTC).date()
        newest = min(today, from_milliseconds(after[0] if after[1] else after[0] - 1).date())
        first_old = min(newest, today - timedelta(days=_RECENT_DAYS))
        idle = 0
        for day in (newest - timedelta(days=age) for age in range((newest - window.since.date()).days + 1)):
            if day == first_old or (day < first_old and idle == _IDLE_DAYS):
                before = min(after, (_midnight(day) + _DAY_MS, "", ""))
                is_sparse = selection.is_narrow or idle >= _IDLE_DAYS
                rest = self._rest(selection, window, before, demand, is_sparse=is_sparse)
                if rest is not None:
                    yield from self._seen(iter(rest), selection, window, demand)
                    return
            if day <= first_old:
                self._ask(demand, len(list(selection.partitions(day, self.store.shards.on(day)))))
            idle += 1
            for step in self._of_day(day, selection, window, after, demand):
                idle = 0 if step.record else idle
                yield step

    def _of_day(
        self, day: date, selection: Selection, window: Window, after: Position, demand: "_Demand"
    ) -> Iterator[Step]:
        """What was received on a day, and the step out of it."""
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
            for name in selection.partitions(day, self.store.shards.on(day))
        ]
        pace = _Pace(demand, _INDEX_ENTRIES_PER_UNIT, is_narrow=selection.is_narrow)
        runs = self._runs(queries, _ByReceipt, pace) if first <= last else []
        steps = heapq.merge(*map(_ties_in_order, runs), key=attrgetter("at"), reverse=True)
        yield from self._seen((step for step in steps if step.at < after), selection, window, demand)
        demand.has_come_on = True
        yield Step((_midnight(day), "", ""), None)

    def _by_event_time(
        self,
        partitions: Sequence[str],
        selection: Selection,
        window: Window,
        after: Position | None,
        demand: "_Demand",
    ) -> Iterator[Step]:
        model = bind(RecordItem, self.store.table)
        queries = []
        for name in partitions:
            rest = None
            if after:
                # of records with equal sort keys the one in the greater partition comes first
                rest = model.sort <= after[0] if name < after[1] else model.sort < after[0]
            queries.append(partial(model.query, name, rest, selection.condition(model), scan_index_forward=False))
        runs = self._runs(queries, _ByEventTime, _Pace(demand, 1, is_narrow=selection.is_narrow))
        merged = heapq.merge(*runs, key=attrgetter("at"), reverse=True)
        yield from self._seen(merged, selection, window, demand)

    def _seen(self, steps: Iterator[Step], selection: Selection, window: Window, demand: "_Demand") -> Iterator[Step]:
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
        self, selection: Selection, window: Window, before: Position, demand: "_Demand", *, is_sparse: bool
    ) -> list[Step] | None:
        """All that there is before a position, newest first; None where that is much, or the index is large.

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
            found += (step for step in map(_ByReceipt.step, page.items) if step.at < before)
            if page.next is None:
                return sorted(found, key=attrgetter("at"), reverse=True)
        self.sizes.note(self.store.table, scanned)
        return None

    def _scanned(
        self, selection: Selection, window: Window, before: Position, start: _Key | None, size: int | None
    ) -> "_Page":
        model = bind(RecordItem, self.store.table)
        since = to_nearest_millisecond(window.since)
        in_time = model.received_at.between(since, max(since, before[0]))
        return _Page.of(
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
        order: "type[_ByReceipt | _ByEventTime]",
        pace: "_Pace",
    ) -> list[Iterator[Step]]:
        """The queries as runs. Their first records are read side by side, others when needed."""
        runs = [_Run(query, order, pace) for query in queries]
        side_by_side(lambda run: run.read(len(runs)), runs)
        return [run.steps(runs, partial(self._ask, pace.demand)) for run in runs]

    def _ask(self, demand: "_Demand", requests: int = 1) -> None:
        """Requests are to be made. Raises _CutShort where they may not, but for a list that has not yet come on."""
        if demand.has_come_on and not self.effort.allows_more():
            raise _CutShort
        self.effort.note(requests=requests)

    def _seen_of(self, window: Window | None) -> Window:
        """What of a window may be seen."""
        oldest = midnight(self.oldest)
        if window is None:
            return Window(oldest, self.now + timedelta(days=2))  # clocks differ
        return Window(max(window.since, oldest), window.until)


@dataclass(slots=True)
class _Demand:
    """How many records will be taken; whoever takes more is taken to want as many again, and so on."""

    wanted: int
    took: int = 0
    has_come_on: bool = False
    """Whether there was a step."""

    @property
    def left(self) -> int:
        while self.took >= self.wanted:
            self.wanted *= 2
        return self.wanted - self.took


@dataclass(frozen=True, slots=True)
class _Pace:
    """How much one read looks at.

    A run that is alone is read by as many records as are wanted. Beside others, it gets its share of half of these, and
    no more than were taken of it: the newest records may all be in another. Of a narrow selection hardly anything may
    fit, so each read looks at much more than the one before.
    """

    demand: _Demand
    least: int
    is_narrow: bool

    def count(self, reads: int, took: int, alive: int) -> int | None:
        """Of the read after so many; `alive` runs are not yet read to their ends. None: as much as DynamoDB gives."""
        if self.is_narrow:
            if reads == 0:
                return max(self.least, min(_NARROW_READS[0], _NARROW_AT_FIRST // alive))
            return _NARROW_READS[reads] if reads < len(_NARROW_READS) else None
        left = self.demand.left
        share = left if alive == 1 else min(took, left // (2 * alive))
        return max(self.least, min(share, _MOST_PER_READ))


class _Run:
    """One partition in descending order, read a little at a time."""

    def __init__(
        self,
        query: Callable[..., ResultIterator[RecordItem]],
        order: "type[_ByReceipt | _ByEventTime]",
        pace: _Pace,
    ) -> None:
        self._query = query
        self._order = order
        self._pace = pace
        self._waiting: list[Step] = []
        self._next: _Key | None = None
        self._reads = 0
        self._took = 0
        self.is_read = False

    def read(self, alive: int) -> None:
        """Reads on; `alive` runs are not yet read to their ends, this one among them."""
        count = self._pace.count(self._reads, self._took, alive)
        page = _Page.of(self._query(page_size=count, last_evaluated_key=self._next))
        self._waiting, self._next = [self._order.step(item) for item in page.items], page.next
        if self._next and self._pace.is_narrow:
            self._waiting.append(self._order.read_to(self._next))
        self._reads += 1
        self.is_read = self._next is None

    def steps(self, siblings: Sequence["_Run"], ask: Callable[[], None]) -> Iterator[Step]:
        """All of it; the first records have been read. `ask` is called before others are."""
        while True:
            for step in self._waiting:
                self._took += 1
                yield step
            if self.is_read:
                return
            ask()
            self.read(sum(not run.is_read for run in siblings))


class _ByReceipt:
    """Steps in the order of the index."""

    @staticmethod
    def step(item: RecordItem) -> Step:
        """To a record."""
        record = _index_entry(item)
        return Step((to_nearest_millisecond(record.received_at), *record.key), record)

    @staticmethod
    def read_to(key: _Key) -> Step:
        """To where reading has come: of that millisecond there may be more, with any keys."""
        return Step((int(key["t"]["N"]) + 1, "", ""), None)


class _ByEventTime:
    """Steps in the order of base partitions."""

    @staticmethod
    def step(item: RecordItem) -> Step:
        """To a record."""
        record = _index_entry(item)
        return Step((record.key.sort, record.key.partition), record._replace(item=item))

    @staticmethod
    def read_to(key: _Key) -> Step:
        """To where reading has come."""
        return Step((key["s"]["S"], key["p"]["S"]), None)


def _ties_in_order(steps: Iterator[Step]) -> Iterator[Step]:
    """An index leaves open in which order equal sort keys come.

    A step to where reading has come stands before ties of which there may be more.
    """
    ties: list[Step] = []
    for step in steps:
        if ties and (ties[0].at[0] != step.at[0] if step.record else ties[0].at[0] >= step.at[0]):
            yield from sorted(ties, key=attrgetter("at"), reverse=True)
            ties = []
        if step.record:
            ties.append(step)
        else:
            yield step
    yield from sorted(ties, key=attrgetter("at"), reverse=True)


class _Page(NamedTuple):
    """One answer to a Query or Scan, and the key after which it goes on. PynamoDB alone would ask until one fits."""

    items: list[RecordItem]
    scanned: int
    next: _Key | None

    @classmethod
    def of(cls, found: ResultIterator[RecordItem]) -> Self:
        """Makes the request."""
        answer: Any = next(found.page_iter)
        items = [RecordItem.from_raw_data(item) for item in answer["Items"]]
        return cls(items, answer["ScannedCount"], answer.get("LastEvaluatedKey"))


def _index_entry(item: RecordItem) -> Listed:
    place = IndexPartition.parse(item.index_partition)
    return Listed(
        key=item.key,
        product=place.product,
        record_class=place.record_class,
        received_at=from_milliseconds(item.received_at),
        expires_at=from_seconds(item.expires_at),
        user=item.user,
        device=item.device,
        version=item.product_version,
        source_ip=item.source_ip,
        flags=flag_codes.decode(item.flags or ""),
        data_type=data_type_of(item.data_type),
        group=item.group,
        address=item.address,
        api_key_id=item.api_key_id,
    )


def _until_cut_short(steps: Iterator[Step]) -> Iterator[Step]:
    with suppress(_CutShort):
        yield from steps


def _midnight(day: date) -> int:
    """Of its beginning, in epoch milliseconds."""
    return to_nearest_millisecond(midnight(day))
