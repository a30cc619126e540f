"""How a record is stored as an item of its table, and how it is read from one."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from telemetry.domain import flags as flag_codes
from telemetry.domain.event import Dialect, Format
from telemetry.domain.flags import is_billable
from telemetry.domain.instant import from_milliseconds, from_seconds, to_milliseconds, to_seconds
from telemetry.domain.judge import Verdict
from telemetry.domain.record import (
    SCHEMA_VERSION,
    Record,
    RecordKey,
    address_of_use,
    chunk_keys,
    judgement_key,
    license_in,
)
from telemetry.domain.shards import shard_of
from telemetry.domain.sighting import Observation, Sighting
from telemetry.storage.bodies import UnreadableBody, decode_body, is_longer
from telemetry.storage.index_partition import CLEAN, FLAGGED, UNJUDGED, IndexPartition
from telemetry.storage.tables import TableItem

LARGEST_INLINE_BODY = 350_000
"""Bytes of stored body that fit into a head record (an item may have 400 KB); larger ones go into chunks of that."""

LARGEST_COUNTED_BODY = 1_048_576
"""Bytes of a body that is understood while records are counted: a thousand of them at a time, however well deflated."""

_SEALED = (
    "index_partition", "received_at", "user", "device", "flags", "evidence", "product_version", "digest", "api_key_id",
    "source_ip", "country", "expires_at", "schema", "chunks",
)  # fmt: skip
_SEALED_IF_PRESENT = ("data_type", "group", "uses", "address", "company")
"""Attributes that came later: a record without them has the seal it always had."""
_DATA_TYPES = {"numeric-single-value": "1", "numeric-xy-axis": "2", "text": "t"}
_DATA_TYPES_BY_LETTER = {letter: name for name, letter in _DATA_TYPES.items()}
_DIALECTS = {dialect.value: dialect for dialect in Dialect}
_FORMATS = {each.value: each for each in Format}
Image = Mapping[str, Any]
WireItem = dict[str, dict[str, Any]]
"""An item in DynamoDB's own notation, binaries as bytes."""


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

    @property
    def key(self) -> RecordKey:
        return RecordKey(self.partition, self.sort)


# ── to items


def item_of(record: Record, body: bytes, chunks: int, shards: int) -> WireItem:
    """A record's own item. It holds the stored body, unless that lies in `chunks` items of its own.

    `shards` is the number of shards over which the index spreads the record's day. The item is written in DynamoDB's
    notation here, and not by way of a RecordItem: models take time for each attribute.
    """
    shard = shard_of(record.actor or record.digest, shards)
    return _wire(
        record.key,
        S={
            "g": str(IndexPartition(record.product, record.day, _class(record), shard)),
            "f": flag_codes.encode(record.flags) or None,
            "e": record.evidence or None,
            "n": record.product_version,
            "k": record.api_key_id,
            "i": record.source_ip,
            "o": record.country,
            "v": f"{SCHEMA_VERSION}{record.dialect}{record.format}",
            "y": data_type_code(record.data_type),
            "a": record.group,
            "j": record.address,
            "l": record.company,
        },
        N={
            "t": to_milliseconds(record.received_at),
            "x": to_seconds(record.expires_at),
            "q": record.count,
            "c": chunks or None,
        },
        B={"u": record.user, "h": record.device, "d": record.digest, "b": None if chunks else body},
    )


def index_partition_of(item: WireItem) -> str:
    """Where the index has a record's own item."""
    return str(item["g"]["S"])


def chunk_items(record: Record, body: bytes) -> list[WireItem]:
    """The chunks of a body too large for its head."""
    if len(body) <= LARGEST_INLINE_BODY:
        return []
    pieces = [body[start : start + LARGEST_INLINE_BODY] for start in range(0, len(body), LARGEST_INLINE_BODY)]
    keys = chunk_keys(record.key, to_milliseconds(record.received_at), record.digest, len(pieces))
    expires_at = to_seconds(record.expires_at)
    return [_wire(key, B={"b": piece}, N={"x": expires_at}) for key, piece in zip(keys, pieces, strict=True)]


def judgement_item(record: Record, verdict: Verdict, now: datetime) -> WireItem:
    """What is said of a record after it was stored, as an item beside it."""
    return _wire(
        judgement_key(record.key),
        S={"f": flag_codes.encode(verdict.flags) or None, "e": verdict.evidence or None},
        N={"t": to_milliseconds(now), "x": to_seconds(record.expires_at)},
    )


def _wire(
    key: RecordKey,
    S: Mapping[str, str | None] | None = None,  # noqa: N803 (DynamoDB's names of types)
    N: Mapping[str, int | None] | None = None,  # noqa: N803
    B: Mapping[str, bytes | None] | None = None,  # noqa: N803
) -> WireItem:
    """An item in DynamoDB's notation, of attributes by their types and names; without those that are None."""
    item: WireItem = {"p": {"S": key.partition}, "s": {"S": key.sort}}
    item |= {name: {"S": text} for name, text in (S or {}).items() if text is not None}
    item |= {name: {"N": str(number)} for name, number in (N or {}).items() if number is not None}
    item |= {name: {"B": content} for name, content in (B or {}).items() if content is not None}
    return item


def _class(record: Record) -> str:
    if not record.is_judged:
        return UNJUDGED
    return FLAGGED if record.flags else CLEAN


def data_type_code(data_type: str | None) -> str | None:
    """A data type as items have it: a letter for each known one."""
    return _DATA_TYPES.get(data_type, f"={data_type}") if data_type else None


def data_type_of(code: str | None) -> str | None:
    """The inverse of `data_type_code`."""
    return _DATA_TYPES_BY_LETTER.get(code, code[1:]) if code else None


# ── from items


def read_image(image: Image) -> tuple[Observation, Record | None]:
    """A stream's NewImage (in DynamoDB's own notation, binaries as bytes), and the record, if its body is in it.

    Counting needs no body, so one that cannot be read, or has more than LARGEST_COUNTED_BODY, is treated like one that
    lies in chunks.
    """
    item = RecordItem()
    item.deserialize(dict(image))
    is_at_hand = item.body is not None and not is_longer(item.body, LARGEST_COUNTED_BODY)
    record = record_of(item, lambda: item.body) if is_at_hand else None
    return observation_of(item), record if record and record.has_body else None


def observation_of(item: RecordItem, judgement: Verdict | None = None) -> Observation:
    """What counting needs of an item, of the table or of its index alike.

    A flag that this version does not know may be of any class: a record with one bills nobody.
    """
    place = IndexPartition.parse(item.index_partition)
    flags = flag_codes.decode(item.flags or "") if judgement is None else judgement.flags
    is_judged = place.record_class != UNJUDGED or judgement is not None
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
        seal=seal_of(item, judgement),
        uses=_uses(item),
        key=item.key,
        group=item.group,
        address=address_of_use(item.address, item.source_ip),
        company=item.company,
    )


def _uses(item: RecordItem) -> int:
    if _DIALECTS.get(_dialect_letter(item)) is not Dialect.REO:
        return 0
    return 1 if item.uses is None else int(item.uses)


def seal_of(item: RecordItem, judgement: Verdict | None) -> bytes:
    """SHA-256 of all attributes but the body (`d` is its digest), and of what was judged later."""
    values = [item.partition, item.sort, *(getattr(item, name) for name in _SEALED)]
    judged = None if judgement is None else [flag_codes.encode(judgement.flags), judgement.evidence]
    later = {name: value for name in _SEALED_IF_PRESENT if (value := getattr(item, name)) is not None}
    sealed = [*values, judged, later] if later else [*values, judged]
    return sha256(json.dumps(sealed, default=bytes.hex, separators=(",", ":")).encode()).digest()


def record_of(item: RecordItem, stored_body: Callable[[], bytes | None]) -> Record:
    """The record of an item. Its `damage` says what of it cannot be read; errors of storage are raised."""
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
    """The body from its stored form. Raises UnreadableBody."""
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


def _without_body(item: RecordItem) -> Record:
    place = IndexPartition.parse(item.index_partition)
    return Record(
        key=item.key,
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
        is_judged=place.record_class != UNJUDGED,
    )
