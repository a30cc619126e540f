"""Records newest first, a little at a time: what an answer does not show is not read."""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from itertools import product as product_of
from typing import Any, NamedTuple

from pynamodb.pagination import ResultIterator

from telemetry.domain import flags as flag_codes
from telemetry.domain.errors import InvalidCursor, SearchTooWide
from telemetry.domain.flags import Flag
from telemetry.domain.judge import Verdict
from telemetry.domain.record import Record, RecordKey
from telemetry.domain.shards import shard_of
from telemetry.domain.window import Window
from telemetry.storage.errors import store
from telemetry.storage.records import ByReceived, IndexPartition, RecordItem, RecordStore, data_type_of
from telemetry.storage.side_by_side import side_by_side
from telemetry.storage.tables import bind

CLEAN, FLAGGED, UNJUDGED = "c", "f", "u"
EVERY_CLASS = (CLEAN, FLAGGED, UNJUDGED)

_USUAL = 50
_MOST_PER_READ = 200
_INDEX_ENTRIES_PER_UNIT = 8  # fewer cost as much: DynamoDB reads by 4 KB
_RECENT_DAYS = 2
_FEW = 5_000
_FEW_PER_READ = 1_000
_DAY_MS = 86_400_000

Position = tuple[Any, ...]
"""After which record a list goes on: (received, epoch ms; partition; sort) by receipt, (sort; partition) by event time.

What is listed has ever smaller positions. `(ms, "", "")` stands before all that was received in that millisecond.
"""


class Selection(NamedTuple):
    """What is looked for by receipt: records that count for these products, of these classes.

    With an `actor`, only where this actor's records are: others' are there too.
    """

    products: Sequence[str]
    classes: Sequence[str] = EVERY_CLASS
    actor: bytes | None = None

    def partitions(self, day: date, shards: int) -> Iterator[str]:
        """Of the index, where they lie."""
        for product, record_class in product_of(self.products, self.classes):
            for shard in range(shards) if self.actor is None else (shard_of(self.actor, shards),):
                yield str(IndexPartition(product, day, record_class, shard))

    def has(self, record: "Listed") -> bool:
        """Whether a record lies there, as far as product and class go."""
        return record.product in self.products and record.record_class in self.classes


class Listed(NamedTuple):
    """What a list tells of a record; `item` is all of it, where that was read anyway."""

    key: RecordKey
    product: str
    record_class: str
    received_at: datetime
    expires_at: datetime
    user: bytes | None
    device: bytes | None
    version: str | None
    source_ip: str
    flags: frozenset[Flag]
    data_type: str | None = None
    group: str | None = None
    address: str | None = None
    api_key_id: str | None = None
    item: RecordItem | None = None

    @property
    def is_flagged(self) -> bool:
        """By a flag, also one that only a later version knows."""
        return bool(self.flags) or self.record_class == FLAGGED


class Step(NamedTuple):
    """How far a list has come, and the record there; None where there is none to be seen."""

    at: Position
    record: Listed | None


class Effort:
    """What one search may cost: so many records looked at, so many seconds."""

    def __init__(self, records: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._clock = clock
        self._end = clock() + seconds

    def spend(self, records: int = 0) -> None:
        """Raises SearchTooWide when too much was spent."""
        self.note(records)
        if self.is_spent:
            raise SearchTooWide

    def note(self, records: int) -> None:
        """Counts records looked at."""
        self._records -= records

    @property
    def is_spent(self) -> bool:
        return self._records < 0 or self.is_late

    @property
    def is_late(self) -> bool:
        return self._clock() >= self._end


@store("records")
@dataclass(frozen=True, slots=True)
class Browser:
    """The records of one environment as they are to be seen `now`: neither expired nor from before `oldest`.

    Every iterator reads lazily. Those of `Step`s can be taken up again after any of them: no record that was there
    comes twice or is left out, whatever arrives meanwhile; they read little more than is taken of them when `wanted`
    says how much that will be. Those of `Listed` spend `effort`, and raise SearchTooWide. All raise StoreUnavailable.
    """

    store: RecordStore
    now: datetime
    oldest: date
    effort: Effort

    def by_receipt(self, selection: Selection) -> Iterator[Listed]:
        """What was selected, newest receipt first."""
        return self._spending(self.walk_by_receipt(selection))

    def by_event_time(self, partitions: Sequence[str]) -> Iterator[Listed]:
        """Records of base partitions, newest event first; those with an event id but no time come last."""
        return self._spending(self.walk_by_event_time(partitions))

    def walk_by_receipt(
        self, selection: Selection, window: Window | None = None, after: Position | None = None, wanted: int = _USUAL
    ) -> Iterator[Step]:
        """As `by_receipt`, of what was received in the window. Also steps from each day to the one before."""
        window = self._seen_of(window)
        if after and not isinstance(after[0], int):
            raise InvalidCursor
        return self._by_receipt(selection, window, after or (_ms(window.until), "", ""), _Demand(wanted))

    def walk_by_event_time(
        self,
        partitions: Sequence[str],
        window: Window | None = None,
        after: Position | None = None,
        wanted: int = _USUAL,
    ) -> Iterator[Step]:
        """As `by_event_time`, of what was received in the window."""
        window = self._seen_of(window)
        if after and not isinstance(after[0], str):
            raise InvalidCursor
        return self._by_event_time(partitions, window, after, _Demand(wanted))

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
        return self.store.judgements(keys)

    def _load(self, listed: Sequence[Listed]) -> Iterator[Record]:
        items = [record.item for record in listed if record.item]
        if len(items) == len(listed):
            yield from map(self.store.whole, items)
        else:
            yield from self.store.many([record.key for record in listed])

    def _spending(self, steps: Iterator[Step]) -> Iterator[Listed]:
        for step in steps:
            self.effort.spend(1)
            if step.record:
                yield step.record

    def _by_receipt(self, selection: Selection, window: Window, after: Position, demand: "_Demand") -> Iterator[Step]:
        """Day by day; from the third day on all at once where there are few records."""
        today = self.now.astimezone(UTC).date()
        newest = min(today, _time(after[0] if after[1] else after[0] - 1).date())
        days = [newest - timedelta(days=age) for age in range((newest - window.since.date()).days + 1)]
        older = [day for day in days if (today - day).days >= _RECENT_DAYS]
        for day in days[: len(days) - len(older)]:
            yield from self._of_day(day, selection, window, after, demand)
        few = self._few() if older else None
        if few is None:
            for day in older:
                yield from self._of_day(day, selection, window, after, demand)
        else:
            before, since = min(after, (_midnight(older[0]) + _DAY_MS, "", "")), (_ms(window.since), "", "")
            entries = (record for record in few if selection.has(record) and since < _by_receipt(record) < before)
            yield from self._steps(entries, _by_receipt, window, demand)

    def _of_day(
        self, day: date, selection: Selection, window: Window, after: Position, demand: "_Demand"
    ) -> Iterator[Step]:
        """What was received on a day, and the step out of it."""
        model = bind(RecordItem, self.store.table)
        first, last = max(_ms(window.since), _midnight(day)), min(after[0], _midnight(day) + _DAY_MS)
        queries = [
            partial(
                model.query,
                name,
                model.received_at.between(first, last),
                index_name=ByReceived.Meta.index_name,
                scan_index_forward=False,
            )
            for name in selection.partitions(day, self.store.shards.on(day))
        ]
        runs = _runs(queries, _index_entry, demand, _INDEX_ENTRIES_PER_UNIT) if first <= last else []
        entries = heapq.merge(*map(_ties_in_order, runs), key=_by_receipt, reverse=True)
        yield from self._steps((one for one in entries if _by_receipt(one) < after), _by_receipt, window, demand)
        yield Step((_midnight(day), "", ""), None)

    def _by_event_time(
        self, partitions: Sequence[str], window: Window, after: Position | None, demand: "_Demand"
    ) -> Iterator[Step]:
        model = bind(RecordItem, self.store.table)
        queries = []
        for name in partitions:
            rest = None
            if after:
                # of records with equal sort keys the one in the greater partition comes first
                rest = model.sort <= after[0] if name < after[1] else model.sort < after[0]
            queries.append(partial(model.query, name, rest, scan_index_forward=False))
        merged = heapq.merge(*_runs(queries, _whole_record, demand, 1), key=_by_event_time, reverse=True)
        yield from self._steps(merged, _by_event_time, window, demand)

    def _steps(
        self, records: Iterator[Listed], position: Callable[[Listed], Position], window: Window, demand: "_Demand"
    ) -> Iterator[Step]:
        for record in records:
            demand.took += 1
            is_seen = record.expires_at > self.now and window.since <= record.received_at < window.until
            yield Step(position(record), record if is_seen else None)

    def _few(self) -> list[Listed] | None:
        """All that the index holds, newest first, when it is not much.

        Ninety quiet days have thousands of partitions to look into; a few thousand records are a request or two.
        """
        model = bind(RecordItem, self.store.table)
        found = model.scan(index_name=ByReceived.Meta.index_name, limit=_FEW, page_size=_FEW_PER_READ)
        listed = [_index_entry(item) for item in found]
        if found.last_evaluated_key is not None:
            return None
        return sorted(listed, key=_by_receipt, reverse=True)

    def _seen_of(self, window: Window | None) -> Window:
        """What of a window may be seen."""
        oldest = _time(_midnight(self.oldest))
        if window is None:
            return Window(oldest, self.now + timedelta(days=2))  # clocks differ
        return Window(max(window.since, oldest), window.until)


@dataclass(slots=True)
class _Demand:
    """How many records will be taken; whoever takes more is taken to want as many again, and so on."""

    wanted: int
    took: int = 0

    @property
    def left(self) -> int:
        while self.took >= self.wanted:
            self.wanted *= 2
        return self.wanted - self.took


class _Run:
    """One partition in descending order, read a little at a time.

    Alone, it is read by as many as are wanted. Beside others, it gets its share of half of these, and no more than were
    taken of it: the newest records may all be in another.
    """

    def __init__(
        self,
        query: Callable[..., ResultIterator[RecordItem]],
        listed: Callable[[RecordItem], Listed],
        demand: _Demand,
        least: int,
    ) -> None:
        self._query = query
        self._listed = listed
        self._demand = demand
        self._least = least
        self._waiting: list[Listed] = []
        self._next: dict[str, dict[str, Any]] | None = None
        self._took = 0
        self.is_read = False

    def read(self, alive: int) -> None:
        """Reads on; `alive` runs are not yet read to their ends, this one among them."""
        left = self._demand.left
        share = left if alive == 1 else min(self._took, left // (2 * alive))
        count = max(self._least, min(share, _MOST_PER_READ))
        found = self._query(limit=count, page_size=count, last_evaluated_key=self._next)
        self._waiting = [self._listed(item) for item in found]
        self._next = found.last_evaluated_key
        self.is_read = self._next is None

    def records(self, siblings: Sequence["_Run"]) -> Iterator[Listed]:
        """All of it; the first records have been read."""
        while True:
            for record in self._waiting:
                self._took += 1
                yield record
            if self.is_read:
                return
            self.read(sum(not run.is_read for run in siblings))


def _runs(
    queries: Sequence[Callable[..., ResultIterator[RecordItem]]],
    listed: Callable[[RecordItem], Listed],
    demand: _Demand,
    least: int,
) -> list[Iterator[Listed]]:
    """The queries as runs. Their first records are read side by side, others when needed."""
    runs = [_Run(query, listed, demand, least) for query in queries]
    side_by_side(lambda run: run.read(len(runs)), runs)
    return [run.records(runs) for run in runs]


def _ties_in_order(entries: Iterator[Listed]) -> Iterator[Listed]:
    """An index leaves open in which order equal sort keys come."""
    for _, ties in groupby(entries, key=lambda record: record.received_at):
        yield from sorted(ties, key=_by_receipt, reverse=True)


def _by_receipt(record: Listed) -> Position:
    return (_ms(record.received_at), *record.key)


def _by_event_time(record: Listed) -> Position:
    return (record.key.sort, record.key.partition)


def _whole_record(item: RecordItem) -> Listed:
    return _index_entry(item)._replace(item=item)


def _index_entry(item: RecordItem) -> Listed:
    place = IndexPartition.parse(item.index_partition)
    return Listed(
        key=RecordKey(item.partition, item.sort),
        product=place.product,
        record_class=place.record_class,
        received_at=_time(item.received_at),
        expires_at=datetime.fromtimestamp(item.expires_at, UTC),
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


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _midnight(day: date) -> int:
    """Of its beginning, in epoch milliseconds."""
    return _ms(datetime.combine(day, datetime.min.time(), UTC))


def _time(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
