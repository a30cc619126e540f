"""Records newest first, a little at a time: what an answer does not show is not read."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from pynamodb.exceptions import PynamoDBException

from telemetry.domain import flags as flag_codes
from telemetry.domain.errors import SearchTooWide, StoreUnavailable
from telemetry.domain.flags import Flag
from telemetry.domain.judge import Verdict
from telemetry.domain.record import Record, RecordKey
from telemetry.domain.shards import shard_of
from telemetry.storage.records import ByReceived, RecordItem, RecordStore, index_partition
from telemetry.storage.tables import bind

CLEAN, FLAGGED, UNJUDGED = "c", "f", "u"
EVERY_CLASS = (CLEAN, FLAGGED, UNJUDGED)

_PAGE_SIZE = 50
_AT_ONCE = 16
_RECENT_DAYS = 2
_FEW = 5_000
_LISTED = ["p", "s", "g", "t", "u", "f", "x"]

T = TypeVar("T")


class Listed(NamedTuple):
    """What the index tells of a record."""

    key: RecordKey
    product: str
    record_class: str
    received_at: datetime
    expires_at: datetime
    user: bytes | None
    flags: frozenset[Flag]


class Effort:
    """What one search may cost: so many records looked at, so many seconds."""

    def __init__(self, records: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._clock = clock
        self._end = clock() + seconds

    def spend(self, records: int = 0) -> None:
        """Raises SearchTooWide when too much was spent."""
        self._records -= records
        if self._records < 0 or self._clock() >= self._end:
            raise SearchTooWide


@dataclass(frozen=True, slots=True)
class Browser:
    """The records of one environment as they are to be seen `now`: neither expired nor from before `oldest`.

    Every iterator reads lazily and spends `effort`; raises SearchTooWide, StoreUnavailable.
    """

    store: RecordStore
    now: datetime
    oldest: date
    effort: Effort

    def by_receipt(
        self, products: Sequence[str], classes: Sequence[str] = EVERY_CLASS, actor: bytes | None = None
    ) -> Iterator[Listed]:
        """Records that count for these products, newest receipt first. With an `actor` only its shards are read."""
        return self._visible(self._by_receipt(products, classes, actor))

    def by_event_time(self, partitions: Sequence[str]) -> Iterator[Listed]:
        """Records of base partitions, newest event first; those with an event id but no time come last."""
        model = bind(RecordItem, self.store.table)
        queries = [
            partial(model.query, name, scan_index_forward=False, page_size=_PAGE_SIZE, attributes_to_get=_LISTED)
            for name in partitions
        ]
        return self._visible(_merged(queries, lambda record: record.key.sort))

    def load(self, keys: Sequence[RecordKey]) -> Iterator[Record]:
        """The records themselves, in this order; without those that expired meanwhile."""
        for record in _named(self.store.many(keys)):
            self.effort.spend()
            yield record

    def judgements(self, keys: Sequence[RecordKey]) -> dict[RecordKey, Verdict]:
        """What was said later of records that were stored unjudged."""
        try:
            return self.store.judgements(keys)
        except PynamoDBException as exc:
            raise StoreUnavailable("records") from exc

    def _by_receipt(self, products: Sequence[str], classes: Sequence[str], actor: bytes | None) -> Iterator[Listed]:
        """Day by day, each from its partitions; from the third day on all at once where there are few records."""
        today = self.now.astimezone(UTC).date()
        for age in range((today - self.oldest).days + 1):
            day = today - timedelta(days=age)
            self.effort.spend()
            if age == _RECENT_DAYS and (few := self._few()) is not None:
                older = (record for record in few if record.product in products and record.record_class in classes)
                yield from (record for record in older if record.received_at.date() <= day)
                return
            yield from self._of_day(day, products, classes, actor)

    def _of_day(
        self, day: date, products: Sequence[str], classes: Sequence[str], actor: bytes | None
    ) -> Iterator[Listed]:
        model, index = bind(RecordItem, self.store.table), ByReceived.Meta.index_name
        count = self.store.shards.on(day)
        shards = range(count) if actor is None else (shard_of(actor, count),)
        partitions = [
            index_partition(product, day, record_class, shard)
            for product in products
            for record_class in classes
            for shard in shards
        ]
        queries = [
            partial(model.query, name, index_name=index, scan_index_forward=False, page_size=_PAGE_SIZE)
            for name in partitions
        ]
        return _merged(queries, lambda record: record.received_at)

    def _few(self) -> list[Listed] | None:
        """All that the index holds, newest first, when it is not much.

        Ninety quiet days have thousands of partitions to look into; a few thousand records are one request.
        """
        model = bind(RecordItem, self.store.table)
        found = model.scan(index_name=ByReceived.Meta.index_name, limit=_FEW, page_size=_FEW)
        listed = [_listed(item) for item in found]
        if found.last_evaluated_key is not None:
            return None
        return sorted(listed, key=lambda record: record.received_at, reverse=True)

    def _visible(self, records: Iterator[Listed]) -> Iterator[Listed]:
        for record in _named(records):
            self.effort.spend(1)
            if record.expires_at > self.now and record.received_at.date() >= self.oldest:
                yield record


def _merged(queries: Sequence[Callable[[], Iterable[RecordItem]]], newest: Callable[[Listed], Any]) -> Iterator[Listed]:
    """Merges queries that are each in descending order. First pages are read side by side, later ones when needed."""
    return heapq.merge(*_threads().map(_begun, queries), key=newest, reverse=True)


def _begun(query: Callable[[], Iterable[RecordItem]]) -> Iterator[Listed]:
    """The query with its first page read."""
    items = iter(query())
    first = next(items, None)
    return map(_listed, chain([first], items)) if first is not None else iter(())


def _listed(item: RecordItem) -> Listed:
    product, _, record_class, _ = item.index_partition.rsplit("#", 3)
    return Listed(
        key=RecordKey(item.partition, item.sort),
        product=product,
        record_class=record_class,
        received_at=datetime.fromtimestamp(item.received_at / 1000, UTC),
        expires_at=datetime.fromtimestamp(item.expires_at, UTC),
        user=item.user,
        flags=flag_codes.decode(item.flags or ""),
    )


def _named(items: Iterator[T]) -> Iterator[T]:
    try:
        yield from items
    except PynamoDBException as exc:
        raise StoreUnavailable("records") from exc


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, "browse")
