"""The records of one environment. They are only ever inserted: nothing here can change or remove one."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from telemetry.domain import flags as flag_codes
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.flags import Flag
from telemetry.domain.instant import from_milliseconds, to_milliseconds, to_seconds
from telemetry.domain.judge import Verdict
from telemetry.domain.record import Record, RecordKey, chunk_keys, judgement_key
from telemetry.domain.shards import ShardPlan
from telemetry.retry import Deadline
from telemetry.storage.batches import batch_get, read_items
from telemetry.storage.bodies import UnreadableBody, encode_body, is_longer
from telemetry.storage.errors import store
from telemetry.storage.index_marks import KnownMarks, mark_item, read_marks
from telemetry.storage.index_partition import IndexPartition
from telemetry.storage.inserts import Insertion, insert, insert_once
from telemetry.storage.record_item import (
    RecordItem,
    WireItem,
    chunk_items,
    index_partition_of,
    item_of,
    judgement_item,
    record_of,
)
from telemetry.storage.side_by_side import side_by_side
from telemetry.storage.tables import bind, dynamodb_client, found_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CLOCKS_DIFFER = timedelta(days=1)
_MOST_CHUNKS = 100  # 35 MB; no body is larger than 16 MiB


class Existing(NamedTuple):
    """What ingest may read of a record that is there already."""

    digest: bytes
    flags: frozenset[Flag]


@store("records")
@dataclass(frozen=True, slots=True)
class RecordStore:
    """The records table of one environment. Raises StoreUnavailable."""

    table: str
    shards: ShardPlan
    client: Callable[[], "DynamoDBClient"] = dynamodb_client
    known_marks: KnownMarks = field(default_factory=KnownMarks, compare=False)

    def insert(self, records: Sequence[Record], deadline: Deadline) -> list[Insertion]:
        """Inserts records with distinct keys, one result each, in order. INSERTED means durable.

        Those that are not stored by the deadline are UNAVAILABLE.
        """
        bodies = [encode_body(record.raw) for record in records]
        chunks = [chunk_items(record, body) for record, body in zip(records, bodies, strict=True)]
        whole = self._insert_chunks(chunks, deadline) if any(chunks) else [True] * len(records)
        heads = {
            place: item_of(record, body, len(items), self.shards.on(record.day))
            for place, (record, body, items, ok) in enumerate(zip(records, bodies, chunks, whole, strict=True))
            if ok
        }
        return self._insert_heads(heads, len(records), deadline)

    def marked(
        self, day: date, products: Collection[str] | None = None, *, consistent: bool = False
    ) -> list[IndexPartition]:
        """The partitions of the index that may hold records of a day, in order: no other holds any. One request."""
        return list(read_marks(self.table, day, products, consistent=consistent))

    def existing(self, keys: Sequence[RecordKey], deadline: Deadline) -> dict[RecordKey, Existing]:
        """Digest and flags of the records that are there, read consistently. Misses a key only when unavailable."""
        raw_keys = [{"p": {"S": partition}, "s": {"S": sort}} for partition, sort in keys]
        options = {"ProjectionExpression": "p, s, d, f", "ConsistentRead": True}
        found: dict[RecordKey, Existing] = {}
        with suppress(StoreUnavailable):
            for item in read_items(self.client, self.table, raw_keys, deadline, **options):
                flags = flag_codes.decode(item["f"]["S"]) if "f" in item else frozenset()
                found[RecordKey(item["p"]["S"], item["s"]["S"])] = Existing(bytes(item["d"]["B"]), flags)
        return found

    def get(self, key: RecordKey) -> Record | None:
        """One record with its whole body, whatever its size."""
        item = found_item(bind(RecordItem, self.table), *key, consistent_read=False)
        return self.whole(item) if item else None

    def many(self, keys: Sequence[RecordKey], longest: int | None = None) -> Iterator[Record]:
        """Those of the records that are there, in the order of their keys, each whole, but for bodies beyond `longest`.

        What an index lists may not have reached every copy of the table: what seems to be missing is read consistently.
        """
        model = bind(RecordItem, self.table)
        items = {item.key: item for item in batch_get(model, keys)}
        missing = [key for key in keys if key not in items]
        items |= {item.key: item for item in batch_get(model, missing, consistent_read=True)}
        return (self.whole(items[key], longest) for key in keys if key in items)

    def whole(self, item: RecordItem, longest: int | None = None) -> Record:
        """The record of an item, with its body from wherever it lies, unless that has more than `longest` bytes.

        One that cannot be read is given too, with its `damage`: it must not keep others from being read.
        """

        def body() -> bytes | None:
            if longest is not None and (item.chunks or (item.body and is_longer(item.body, longest))):
                raise UnreadableBody(f"it has more than {longest} bytes")
            return item.body if item.chunks is None else self._joined(item)

        return record_of(item, body)

    def one_of_each(self, partitions: Sequence[str]) -> dict[str, Record]:
        """From each base partition that has records, the one with the latest event time, whole."""
        model = bind(RecordItem, self.table)

        def newest(partition: str) -> Record | None:
            found = model.query(partition, scan_index_forward=False, limit=1)
            return next((self.whole(item) for item in found), None)

        found = zip(partitions, side_by_side(newest, partitions), strict=True)
        return {partition: record for partition, record in found if record}

    def last_received(self, partitions: Sequence[str], now: datetime) -> dict[str, datetime]:
        """When the record with the latest event time was received, of each base partition that has one unexpired.

        Event times more than a day ahead are passed over: one wrong clock must not be the last word for years.
        """
        model, ahead = bind(RecordItem, self.table), f"{to_milliseconds(now + _CLOCKS_DIFFER):013d}"
        expired = to_seconds(now)

        def newest(partition: str) -> datetime | None:
            found = model.query(
                partition, model.sort < ahead, scan_index_forward=False, limit=1, attributes_to_get=["t", "x"]
            )
            return next((from_milliseconds(item.received_at) for item in found if item.expires_at > expired), None)

        found = zip(partitions, side_by_side(newest, partitions), strict=True)
        return {partition: moment for partition, moment in found if moment}

    def judgements(self, keys: Sequence[RecordKey]) -> dict[RecordKey, Verdict]:
        """What was said later of records that were stored unjudged."""
        model = bind(RecordItem, self.table)
        found = batch_get(model, [judgement_key(key) for key in keys], consistent_read=True)
        return {
            RecordKey(item.partition[1:], item.sort): Verdict(flag_codes.decode(item.flags or ""), item.evidence or "")
            for item in found
        }

    def add_judgement(self, record: Record, verdict: Verdict, now: datetime, deadline: Deadline) -> Insertion:
        """Keeps a judgement beside its record, once; the record itself is never touched."""
        return self._insert([judgement_item(record, verdict, now)], deadline)[0]

    def _joined(self, head: RecordItem) -> bytes:
        """The stored body of a head whose body is in chunks. Raises UnreadableBody."""
        count = int(head.chunks)
        if count > _MOST_CHUNKS:
            raise UnreadableBody(f"nobody writes {count} chunks")
        keys = chunk_keys(head.key, int(head.received_at), head.digest, count)
        items = batch_get(bind(RecordItem, self.table), keys, consistent_read=True)
        bodies = {item.sort: item.body for item in items}
        missing = [number for number, key in enumerate(keys, 1) if bodies.get(key.sort) is None]
        if missing:
            raise UnreadableBody(f"chunk {missing[0]} of {count} is missing")
        return b"".join(bodies[key.sort] for key in keys)

    def _insert_chunks(self, chunks: Sequence[Sequence[WireItem]], deadline: Deadline) -> list[bool]:
        """Whether all chunks of each record are there."""
        results = iter(self._insert([item for items in chunks for item in items], deadline))
        return [Insertion.UNAVAILABLE not in list(islice(results, len(items))) for items in chunks]

    def _insert_heads(self, heads: Mapping[int, WireItem], count: int, deadline: Deadline) -> list[Insertion]:
        """One result for each of the records, of which these are to be inserted: each behind its partition's mark.

        What stands in the way of one mark holds no other record up.
        """
        results, waiting = [Insertion.UNAVAILABLE] * count, heads
        for _ in deadline.attempts() if heads else ():
            ready = self._behind_marks(waiting, deadline)
            inserted = insert_once(self.client(), self.table, list(ready.values()), deadline)
            for place, result in zip(ready, inserted, strict=True):
                results[place] = result
            waiting = {place: head for place, head in waiting.items() if results[place] is Insertion.UNAVAILABLE}
            if not waiting:
                break
        return results

    def _behind_marks(self, heads: Mapping[int, WireItem], deadline: Deadline) -> Mapping[int, WireItem]:
        """Those whose partitions are marked, now or before. A mark that is there already is as good as a new one."""
        places = {place: index_partition_of(head) for place, head in heads.items()}
        missing = self.known_marks.missing(places.values())
        if not missing:
            return heads
        inserted = insert_once(self.client(), self.table, [mark_item(each) for each in missing], deadline)
        unmarked = {each for each, result in zip(missing, inserted, strict=True) if result is Insertion.UNAVAILABLE}
        self.known_marks.note(each for each in missing if each not in unmarked)
        return {place: head for place, head in heads.items() if places[place] not in unmarked}

    def _insert(self, items: Sequence[WireItem], deadline: Deadline) -> list[Insertion]:
        return insert(self.client(), self.table, items, deadline)
