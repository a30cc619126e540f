"""The records of one environment, one day of a product at a time, as the index lists them. Recounts read these."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from itertools import product as product_of

from telemetry.domain.instant import midnight, to_milliseconds
from telemetry.domain.judge import Verdict
from telemetry.domain.record import RecordKey
from telemetry.domain.sighting import Observation
from telemetry.storage.batches import KEYS_PER_CALL, batch_get, grouped
from telemetry.storage.errors import store
from telemetry.storage.index_partition import EVERY_CLASS, FLAGGED, UNJUDGED, IndexPartition
from telemetry.storage.record_item import ByReceived, RecordItem, observation_of, seal_of
from telemetry.storage.records import RecordStore
from telemetry.storage.side_by_side import side_by_side
from telemetry.storage.tables import bind

ALL_HOURS = range(24)

_HOUR_MILLISECONDS = 3_600_000
_FEW = 50


@store("records")
@dataclass(frozen=True, slots=True)
class DayRecordStore:
    """Reads days of a records table. Raises StoreUnavailable."""

    records: RecordStore

    def observations(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = ALL_HOURS
    ) -> Iterator[Observation]:
        """A product's records of a day, or of some shards and hours of it: the recount. Reads each index entry once.

        They come partition by partition, each in order of receipt. A record that was stored unjudged is seen as its
        judgement says; without one it bills nobody.
        """
        names = self._partitions([product], day, EVERY_CLASS, shards)
        return (observation_of(item, judged) for item, judged in self._listed(names, day, hours))

    def examined(self, product: str, day: date) -> Iterator[tuple[Observation, str | None]]:
        """Each record of a day as the index lists it, and what is wrong with the record itself, if anything is.

        Expensive: reads every record whole, and looks into partitions without a mark too.
        """
        marked = frozenset(self._partitions([product], day))
        places = (IndexPartition(product, day, *rest) for rest in product_of(EVERY_CLASS, range(self.shard_count(day))))
        for name in sorted(marked.union(map(str, places))):
            for some in grouped(self._listed([name], day), KEYS_PER_CALL):
                keys = [item.key for item, _ in some]
                stored = batch_get(bind(RecordItem, self.records.table), keys, consistent_read=True)
                found = {item.key: item for item in stored}
                for key, (item, judged) in zip(keys, some, strict=True):
                    wrong = self._wrong(item, found.get(key)) if name in marked else f"is in {name}, which has no mark"
                    yield observation_of(item, judged), wrong and f"record {key.partition} {key.sort} {wrong}"

    def newest_flagged(self, products: Sequence[str], day: date, count: int) -> list[Observation]:
        """Up to `count` flagged records of a day, newest first. Those not judged yet are left out."""
        names = self._partitions(products, day, (FLAGGED,))
        found = side_by_side(lambda name: self._newest(name, max(_FEW, 2 * count // len(names))), names)
        return list(islice(heapq.merge(*found, key=lambda seen: seen.received_at, reverse=True), count))

    def products(self, day: date) -> frozenset[str]:
        """All that may have records of a day; those that are not among them have none. One request."""
        return frozenset(place.product for place in self.records.marked(day, consistent=True))

    def has_any(self, product: str, day: date) -> bool:
        """Whether there is a record of a product and day. Expired ones, as long as they are there, count too."""
        model, index = bind(RecordItem, self.records.table), ByReceived.Meta.index_name
        return any(
            True for name in self._partitions([product], day) for _ in model.query(name, index_name=index, limit=1)
        )

    def shard_count(self, day: date) -> int:
        """How many shards the index spreads a day over."""
        return self.records.shards.on(day)

    def unjudged(self, product: str, day: date) -> Iterator[RecordKey]:
        """Keys of the records of a day that were stored while the registry could not be read, and not judged since."""
        waiting = (item for name in self._partitions([product], day, (UNJUDGED,)) for item in self._received(name, day))
        for items in grouped(waiting, KEYS_PER_CALL):
            keys = [item.key for item in items]
            judged = self.records.judgements(keys)
            yield from (key for key in keys if key not in judged)

    def _listed(
        self, partitions: Iterable[str], day: date, hours: range = ALL_HOURS
    ) -> Iterator[tuple[RecordItem, Verdict | None]]:
        """What the index has of a day, each with what was judged of it later, if it was stored unjudged."""
        for partition in partitions:
            received = self._received(partition, day, hours)
            if IndexPartition.parse(partition).record_class != UNJUDGED:
                yield from ((item, None) for item in received)
                continue
            for items in grouped(received, KEYS_PER_CALL):
                judged = self.records.judgements([item.key for item in items])
                yield from ((item, judged.get(item.key)) for item in items)

    def _wrong(self, listed: RecordItem, stored: RecordItem | None) -> str | None:
        """What was done to a record since it was stored."""
        if stored is None:
            return "is gone"
        if seal_of(stored, None) != seal_of(listed, None):
            return "is not as the index lists it"
        damage = self.records.whole(stored).damage
        return damage and f"is damaged: {damage}"

    def _partitions(
        self,
        products: Sequence[str],
        day: date,
        classes: Collection[str] = EVERY_CLASS,
        shards: Iterable[int] | None = None,
    ) -> list[str]:
        """Those that may hold something."""
        chosen = None if shards is None else frozenset(shards)
        return [
            str(place)
            for place in self.records.marked(day, products, consistent=True)
            if place.record_class in classes and (chosen is None or place.shard in chosen)
        ]

    def _received(self, partition: str, day: date, hours: range = ALL_HOURS) -> Iterator[RecordItem]:
        """What the index has of a partition, in order of receipt."""
        model = bind(RecordItem, self.records.table)
        begins = to_milliseconds(midnight(day))
        first, end = (begins + _HOUR_MILLISECONDS * hour for hour in (hours.start, hours.stop))
        between = None if hours == ALL_HOURS else model.received_at.between(first, end - 1)
        return iter(model.query(partition, between, index_name=ByReceived.Meta.index_name))

    def _newest(self, partition: str, page: int) -> Iterator[Observation]:
        """What the index has of a partition, newest first. The first page is read at once, others when needed."""
        model, index = bind(RecordItem, self.records.table), ByReceived.Meta.index_name
        items = iter(model.query(partition, index_name=index, scan_index_forward=False, page_size=page))
        first = next(items, None)
        return map(observation_of, chain([first], items)) if first else iter(())
