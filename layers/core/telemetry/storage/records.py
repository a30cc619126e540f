"""The records of one environment. They are only ever inserted: nothing here can change or remove one."""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from telemetry.domain import flags as flag_codes
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.event import Dialect, Format
from telemetry.domain.flags import Flag, is_billable
from telemetry.domain.instant import from_milliseconds, from_seconds, midnight, to_milliseconds, to_seconds
from telemetry.domain.judge import Verdict
from telemetry.domain.keys import key_text, text_of_key
from telemetry.domain.record import SCHEMA_VERSION, Record, RecordKey, chunk_keys, judgement_key, license_in
from telemetry.domain.shards import ShardPlan, shard_of
from telemetry.domain.sighting import Observation, Sighting
from telemetry.retry import Deadline
from telemetry.storage.batches import KEYS_PER_CALL, batch_get, grouped, read_items
from telemetry.storage.bodies import UnreadableBody, decode_body, encode_body
from telemetry.storage.errors import store
from telemetry.storage.inserts import Insertion, insert
from telemetry.storage.side_by_side import side_by_side
from telemetry.storage.tables import TableItem, bind, dynamodb_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LARGEST_INLINE_BODY = 350_000
"""Bytes of stored body that fit into a head record (an item may have 400 KB); larger ones go into chunks of that."""

ALL_HOURS = range(24)

_HOUR_MILLISECONDS = 3_600_000
_SEALED = (
    "index_partition", "received_at", "user", "device", "flags", "evidence", "product_version", "digest", "api_key_id",
    "source_ip", "country", "expires_at", "schema", "chunks",
)  # fmt: skip
_SEALED_IF_PRESENT = ("data_type", "group", "uses", "address", "company")
"""Attributes that came later: a record without them has the seal it always had."""
_DATA_TYPES = {"numeric-single-value": "1", "numeric-xy-axis": "2", "text": "t"}
_DATA_TYPES_BY_LETTER = {letter: name for name, letter in _DATA_TYPES.items()}
_MOST_CHUNKS = 100  # 35 MB; no body is larger than 16 MiB
_FEW = 50
_CLASSES = ("c", "f", "u")  # clean, flagged, unjudged
_DIALECTS = {dialect.value: dialect for dialect in Dialect}
_FORMATS = {each.value: each for each in Format}
Image = Mapping[str, Any]


class ByReceived(GlobalSecondaryIndex["RecordItem"]):  # type: ignore[no-untyped-call]
    """Newest first, flagged only, and the daily recount. Projects all but the body: lists then read nothing else."""

    class Meta:
        """Written once, in template.yaml; here for reading."""

        index_name = "by_received"
        projection = IncludeProjection(
            ["u", "h", "f", "e", "n", "d", "k", "i", "o", "x", "v", "c", "y", "a", "q", "j", "l"]
        )

    index_partition = UnicodeAttribute(hash_key=True, attr_name="g")
    received_at = NumberAttribute(range_key=True, attr_name="t")


class RecordItem(TableItem):
    """A record as an item. Names are short because a record above 1 KB costs another write unit.

    p  partition key                        `L1Zm9vYmFyYmF6cXV4MTIzNA#acme-cli` (domain.record.RecordKey)
    s  sort key                             `1763713800123#evt-1`
    g  index partition                      `acme-cli#2026-11-21#c#3` (IndexPartition)
    t  received, epoch milliseconds         the index's sort key
    u  user, h device                       fingerprints
    f  flag codes, e evidence               absent on clean records
    n  product version, d digest of raw, k API key id, i source IP, o country, x expiry in epoch seconds (TTL)
    v  schema version, dialect, format      `2g`, of a form `2gu` (domain.event.Format)
    y  data type, a group, q count, j the event's address, l company (domain.record.Record; absent where there is none)
    b  body (storage.bodies), or c          number of chunk items that hold it

    A chunk item has p, s (domain.record.chunk_keys), b and x only, a judgement p, s (judgement_key), f, e, t and x.
    Being without g they are in no index, and rollup's filter does not see them.
    """

    partition = UnicodeAttribute(hash_key=True, attr_name="p")
    sort = UnicodeAttribute(range_key=True, attr_name="s")
    index_partition = UnicodeAttribute(attr_name="g", null=True)
    received_at = NumberAttribute(attr_name="t", null=True)
    user = BinaryAttribute(attr_name="u", null=True, legacy_encoding=False)
    device = BinaryAttribute(attr_name="h", null=True, legacy_encoding=False)
    flags = UnicodeAttribute(attr_name="f", null=True)
    evidence = UnicodeAttribute(attr_name="e", null=True)
    product_version = UnicodeAttribute(attr_name="n", null=True)
    digest = BinaryAttribute(attr_name="d", null=True, legacy_encoding=False)
    api_key_id = UnicodeAttribute(attr_name="k", null=True)
    source_ip = UnicodeAttribute(attr_name="i", null=True)
    country = UnicodeAttribute(attr_name="o", null=True)
    expires_at = NumberAttribute(attr_name="x")
    schema = UnicodeAttribute(attr_name="v", null=True)
    data_type = UnicodeAttribute(attr_name="y", null=True)
    group = UnicodeAttribute(attr_name="a", null=True)
    uses = NumberAttribute(attr_name="q", null=True)
    address = UnicodeAttribute(attr_name="j", null=True)
    company = UnicodeAttribute(attr_name="l", null=True)
    body = BinaryAttribute(attr_name="b", null=True, legacy_encoding=False)
    chunks = NumberAttribute(attr_name="c", null=True)

    by_received = ByReceived()


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

    def insert(self, records: Sequence[Record], deadline: Deadline) -> list[Insertion]:
        """Inserts records with distinct keys, one result each, in order. INSERTED means durable.

        Those that are not stored by the deadline are UNAVAILABLE.
        """
        bodies = [encode_body(record.raw) for record in records]
        chunks = [_chunk_items(record, body) for record, body in zip(records, bodies, strict=True)]
        chunks_in = iter(self._insert([item for items in chunks for item in items], deadline))
        whole = [Insertion.UNAVAILABLE not in list(islice(chunks_in, len(items))) for items in chunks]
        heads = [
            self._head_item(record, body, len(items))
            for record, body, items, ok in zip(records, bodies, chunks, whole, strict=True)
            if ok
        ]
        heads_in = iter(self._insert(heads, deadline))
        return [next(heads_in) if ok else Insertion.UNAVAILABLE for ok in whole]

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
        model = bind(RecordItem, self.table)
        try:
            item = model.get(key.partition, key.sort)
        except model.DoesNotExist:
            return None
        return self.whole(item)

    def many(self, keys: Sequence[RecordKey]) -> Iterator[Record]:
        """Those of the records that are there, in the order of their keys, each whole.

        What an index lists may not have reached every copy of the table: what seems to be missing is read consistently.
        """
        model = bind(RecordItem, self.table)
        items = {RecordKey(item.partition, item.sort): item for item in batch_get(model, keys)}
        missing = [key for key in keys if key not in items]
        items |= {
            RecordKey(item.partition, item.sort): item for item in batch_get(model, missing, consistent_read=True)
        }
        return (self.whole(items[key]) for key in keys if key in items)

    def whole(self, item: RecordItem) -> Record:
        """The record of an item, with its body from wherever it lies.

        One that cannot be read is a record too, that tells its `damage`: it must not take others with it.
        """
        return _record(item, lambda: item.body if item.chunks is None else self._joined(item))

    def keys(self, product: str, day: date) -> Iterator[RecordKey]:
        """Keys of all records of a product received on a UTC day, partition by partition."""
        for partition in self._partitions(product, day):
            yield from (RecordKey(item.partition, item.sort) for item in self._received(partition, day))

    def observations(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = ALL_HOURS
    ) -> Iterator[Observation]:
        """A product's records of a day, or of some shards and hours of it: the recount. Reads each index entry once.

        They come partition by partition, each in order of receipt. A record that was stored unjudged is seen as its
        judgement says; without one it bills nobody.
        """
        return (_observation(item, judged) for item, judged in self._listed(product, day, shards, hours))

    def examined(self, product: str, day: date) -> Iterator[tuple[Observation, str | None]]:
        """Each record of a day as the index lists it, and what is wrong with the record itself, if anything is.

        Expensive: reads every record whole.
        """
        for some in grouped(self._listed(product, day), KEYS_PER_CALL):
            keys = [RecordKey(item.partition, item.sort) for item, _ in some]
            stored = batch_get(bind(RecordItem, self.table), keys, consistent_read=True)
            found = {RecordKey(item.partition, item.sort): item for item in stored}
            for key, (item, judged) in zip(keys, some, strict=True):
                wrong = self._wrong(item, found.get(key))
                yield _observation(item, judged), wrong and f"record {key.partition} {key.sort} {wrong}"

    def newest_flagged(self, products: Sequence[str], day: date, count: int) -> list[Observation]:
        """At most so many of the flagged records of a day, newest first; not those that are to be judged yet."""
        names = [name for product in products for name in self._partitions(product, day, "f")]
        found = side_by_side(lambda name: self._newest(name, max(_FEW, 2 * count // len(names))), names)
        return list(islice(heapq.merge(*found, key=lambda seen: seen.received_at, reverse=True), count))

    def one_of_each(self, partitions: Sequence[str]) -> dict[str, Record]:
        """A record of each base partition in which there is one, that with the latest event time, whole."""
        model = bind(RecordItem, self.table)

        def newest(partition: str) -> Record | None:
            found = model.query(partition, scan_index_forward=False, limit=1)
            return next((self.whole(item) for item in found), None)

        found = zip(partitions, side_by_side(newest, partitions), strict=True)
        return {partition: record for partition, record in found if record}

    def has_any(self, product: str, day: date) -> bool:
        """Whether there is a record of a product and day. Expired ones, as long as they are there, count too."""
        model, index = bind(RecordItem, self.table), ByReceived.Meta.index_name
        return any(
            True for name in self._partitions(product, day) for _ in model.query(name, index_name=index, limit=1)
        )

    def shard_count(self, day: date) -> int:
        """Into how many shards the index spreads a day."""
        return self.shards.on(day)

    def unjudged(self, product: str, day: date) -> Iterator[RecordKey]:
        """Keys of the records of a day that were stored while the registry could not be read, and not judged since."""
        waiting = (item for name in self._partitions(product, day, "u") for item in self._received(name, day))
        for items in grouped(waiting, KEYS_PER_CALL):
            keys = [RecordKey(item.partition, item.sort) for item in items]
            judged = self.judgements(keys)
            yield from (key for key in keys if key not in judged)

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
        item = RecordItem(
            *judgement_key(record.key),
            flags=flag_codes.encode(verdict.flags) or None,
            evidence=verdict.evidence or None,
            received_at=to_milliseconds(now),
            expires_at=to_seconds(record.expires_at),
        )
        return self._insert([item], deadline)[0]

    def _listed(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = ALL_HOURS
    ) -> Iterator[tuple[RecordItem, Verdict | None]]:
        """What the index has of a product's day, each with what was judged of it later, if it was stored unjudged."""
        for partition in self._partitions(product, day, "cf", shards):
            yield from ((item, None) for item in self._received(partition, day, hours))
        for partition in self._partitions(product, day, "u", shards):
            for items in grouped(self._received(partition, day, hours), KEYS_PER_CALL):
                judged = self.judgements([RecordKey(item.partition, item.sort) for item in items])
                yield from ((item, judged.get(RecordKey(item.partition, item.sort))) for item in items)

    def _wrong(self, listed: RecordItem, stored: RecordItem | None) -> str | None:
        """What was done to a record since it was stored."""
        if stored is None:
            return "is gone"
        if _seal(stored, None) != _seal(listed, None):
            return "is not as the index lists it"
        damage = self.whole(stored).damage
        return damage and f"is damaged: {damage}"

    def _partitions(
        self, product: str, day: date, classes: Iterable[str] = _CLASSES, shards: Iterable[int] | None = None
    ) -> list[str]:
        chosen = list(range(self.shards.on(day)) if shards is None else shards)
        return [str(IndexPartition(product, day, each, shard)) for each in classes for shard in chosen]

    def _received(self, partition: str, day: date, hours: range = ALL_HOURS) -> Iterator[RecordItem]:
        """What the index has of a partition, in order of receipt."""
        model = bind(RecordItem, self.table)
        begins = to_milliseconds(midnight(day))
        first, end = (begins + _HOUR_MILLISECONDS * hour for hour in (hours.start, hours.stop))
        between = None if hours == ALL_HOURS else model.received_at.between(first, end - 1)
        return iter(model.query(partition, between, index_name=ByReceived.Meta.index_name))

    def _newest(self, partition: str, page: int) -> Iterator[Observation]:
        """What the index has of a partition, newest first. The first page is read at once, others when needed."""
        index = ByReceived.Meta.index_name
        items = iter(
            bind(RecordItem, self.table).query(partition, index_name=index, scan_index_forward=False, page_size=page)
        )
        first = next(items, None)
        return map(_observation, chain([first], items)) if first else iter(())

    def _joined(self, head: RecordItem) -> bytes:
        """The stored body of a head whose body is in chunks. Raises UnreadableBody."""
        count = int(head.chunks)
        if count > _MOST_CHUNKS:
            raise UnreadableBody(f"nobody writes {count} chunks")
        keys = chunk_keys(RecordKey(head.partition, head.sort), int(head.received_at), head.digest, count)
        items = batch_get(bind(RecordItem, self.table), keys, consistent_read=True)
        bodies = {item.sort: item.body for item in items}
        missing = [number for number, key in enumerate(keys, 1) if bodies.get(key.sort) is None]
        if missing:
            raise UnreadableBody(f"chunk {missing[0]} of {count} is missing")
        return b"".join(bodies[key.sort] for key in keys)

    def _head_item(self, record: Record, body: bytes, chunks: int) -> RecordItem:
        shard = shard_of(record.actor or record.digest, self.shards.on(record.day))
        return RecordItem(
            *record.key,
            index_partition=str(IndexPartition(record.product, record.day, _class(record), shard)),
            received_at=to_milliseconds(record.received_at),
            user=record.user,
            device=record.device,
            flags=flag_codes.encode(record.flags) or None,
            evidence=record.evidence or None,
            product_version=record.product_version,
            digest=record.digest,
            api_key_id=record.api_key_id,
            source_ip=record.source_ip,
            country=record.country,
            expires_at=to_seconds(record.expires_at),
            schema=f"{SCHEMA_VERSION}{record.dialect}{record.format}",
            data_type=data_type_code(record.data_type),
            group=record.group,
            uses=record.count,
            address=record.address,
            company=record.company,
            body=None if chunks else body,
            chunks=chunks or None,
        )

    def _insert(self, items: Sequence[RecordItem], deadline: Deadline) -> list[Insertion]:
        return insert(self.client(), self.table, [item.serialize() for item in items], deadline)


class IndexPartition(NamedTuple):
    """Where the index keeps a record: `acme-cli#2026-11-21#c#3`.

    Product (as `key_text` has it), UTC day of receipt, clean, flagged or unjudged (`c`, `f`, `u`), shard.
    """

    product: str
    day: date
    record_class: str
    shard: int

    def __str__(self) -> str:
        return f"{key_text(self.product)}#{self.day.isoformat()}#{self.record_class}#{self.shard}"

    @classmethod
    def parse(cls, text: str) -> "IndexPartition":
        """The inverse of `str`."""
        product, day, record_class, shard = text.split("#")
        return cls(text_of_key(product), date.fromisoformat(day), record_class, int(shard))


def _class(record: Record) -> str:
    if not record.is_judged:
        return "u"
    return "f" if record.flags else "c"


def read_image(image: Image) -> tuple[Observation, Record | None]:
    """A stream's NewImage (in DynamoDB's own notation, binaries as bytes), and the record, if its body is in it.

    To be counted a record needs no body: one that cannot be read is as good as one that lies elsewhere.
    """
    item = RecordItem()
    item.deserialize(dict(image))
    record = None if item.body is None else _record(item, lambda: item.body)
    return _observation(item), record if record and record.has_body else None


def _observation(item: RecordItem, judgement: Verdict | None = None) -> Observation:
    """What counting needs of an item, of the table or of its index alike.

    A flag that this version does not know may be of any class: it bills nobody.
    """
    place = IndexPartition.parse(item.index_partition)
    flags = flag_codes.decode(item.flags or "") if judgement is None else judgement.flags
    is_judged = place.record_class != "u" or judgement is not None
    return Observation(
        sighting=Sighting(
            product=place.product,
            day=place.day,
            actor=item.user or item.device,
            device=item.device,
            billable=is_judged and is_billable(flags) and not flag_codes.unknown(item.flags or ""),
        ),
        partition=f"{place.record_class}#{place.shard}",
        received_at=from_milliseconds(item.received_at),
        expires_at=from_seconds(item.expires_at),
        flags=flags,
        version=item.product_version,
        license=license_in(item.partition),
        api_key_id=item.api_key_id,
        source_ip=item.source_ip,
        country=item.country,
        seal=_seal(item, judgement),
    )


def _seal(item: RecordItem, judgement: Verdict | None) -> bytes:
    """SHA-256 of all attributes but the body (`d` is its digest), and of what was judged later."""
    values = [item.partition, item.sort, *(getattr(item, name) for name in _SEALED)]
    judged = None if judgement is None else [flag_codes.encode(judgement.flags), judgement.evidence]
    later = {name: value for name in _SEALED_IF_PRESENT if (value := getattr(item, name)) is not None}
    sealed = [*values, judged, later] if later else [*values, judged]
    return sha256(json.dumps(sealed, default=bytes.hex, separators=(",", ":")).encode()).digest()


def _record(item: RecordItem, stored_body: Callable[[], bytes | None]) -> Record:
    """The record of an item. What of it cannot be read is told by `damage`; errors of storage are raised."""
    damage = [f"its flag code {code} is unknown" for code in flag_codes.unknown(item.flags or "")]
    if _dialect_letter(item) not in _DIALECTS:
        damage.append(f"its dialect {_dialect_letter(item)} is unknown")
    if _format_letter(item) not in _FORMATS:
        damage.append(f"its format {_format_letter(item)} is unknown")
    raw = None
    try:
        raw = _raw(stored_body(), item.digest)
    except UnreadableBody as exc:
        damage.append(f"its body cannot be read: {exc}")
    record = _without_body(item)
    return replace(record, raw=raw or b"", has_body=raw is not None, damage=", ".join(damage) or None)


def _raw(stored: bytes | None, digest: bytes) -> bytes:
    """The body that is stored so. Raises UnreadableBody."""
    if stored is None:
        raise UnreadableBody("there is none")
    raw = decode_body(stored)
    if sha256(raw).digest() != digest:
        raise UnreadableBody("it is another than its digest is of")
    return raw


def _dialect_letter(item: RecordItem) -> str:
    return (item.schema or "").lstrip("0123456789")[:1]


def _format_letter(item: RecordItem) -> str:
    return (item.schema or "").lstrip("0123456789")[1:]


def data_type_code(data_type: str | None) -> str | None:
    """How an item has a data type: the known ones by a letter."""
    return _DATA_TYPES.get(data_type, f"={data_type}") if data_type else None


def data_type_of(code: str | None) -> str | None:
    """The inverse of `data_type_code`."""
    return _DATA_TYPES_BY_LETTER.get(code, code[1:]) if code else None


def _without_body(item: RecordItem) -> Record:
    place = IndexPartition.parse(item.index_partition)
    return Record(
        key=RecordKey(item.partition, item.sort),
        raw=b"",
        digest=item.digest,
        dialect=_DIALECTS.get(_dialect_letter(item), Dialect.GETKEYMANAGER),
        product=place.product,
        received_at=from_milliseconds(item.received_at),
        expires_at=from_seconds(item.expires_at),
        user=item.user,
        device=item.device,
        product_version=item.product_version,
        flags=flag_codes.decode(item.flags or ""),
        evidence=item.evidence or "",
        api_key_id=item.api_key_id,
        source_ip=item.source_ip,
        country=item.country,
        format=_FORMATS.get(_format_letter(item), Format.JSON),
        data_type=data_type_of(item.data_type),
        group=item.group,
        count=None if item.uses is None else int(item.uses),
        address=item.address,
        company=item.company,
        is_judged=place.record_class != "u",
    )


def _chunk_items(record: Record, body: bytes) -> list[RecordItem]:
    """The chunks of a body too large for its head."""
    if len(body) <= LARGEST_INLINE_BODY:
        return []
    pieces = [body[start : start + LARGEST_INLINE_BODY] for start in range(0, len(body), LARGEST_INLINE_BODY)]
    keys = chunk_keys(record.key, to_milliseconds(record.received_at), record.digest, len(pieces))
    expires_at = to_seconds(record.expires_at)
    return [RecordItem(*key, body=piece, expires_at=expires_at) for key, piece in zip(keys, pieces, strict=True)]
