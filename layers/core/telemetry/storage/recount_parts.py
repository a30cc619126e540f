"""Parts of a large day, each kept when it is counted, until they are merged."""

import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.instant import from_milliseconds, from_seconds, to_nearest_millisecond, to_seconds
from telemetry.domain.keys import key_text
from telemetry.domain.license_activity import LicenseCount
from telemetry.domain.recount import Recount, Unit
from telemetry.storage.batches import batch_get
from telemetry.storage.errors import store
from telemetry.storage.license_activity_json import license_activity_from_json, license_activity_to_json
from telemetry.storage.tables import KeyedItem, bind

RETENTION = timedelta(days=3)

LARGEST_PIECE = 300_000
"""Bytes of JSON in one item, which may have 400 KB. Deflated they are fewer, or a hundred more."""

_MOST_OF_A_LINE = 1_000  # devices, or addresses: of a licence with more there are several lines

_SUMMARY = "summary"
_USES = "uses"


class PartItem(KeyedItem):
    """A piece of a part. pk `recount#2026-11-03#acme-cli#1-first#3#0-12#5` (shard, hours, buckets).

    sk `summary`, or `a1b2c3d4#0007#0000#000` (copy, bucket, number, piece of it). The summary is written last and names
    the copy that counts: others are what was left of invocations that were cut off. b is JSON, a line each, deflated.
    """

    body = BinaryAttribute(attr_name="b", legacy_encoding=False)
    copied = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


@store("parts of recounts")
@dataclass(frozen=True, slots=True)
class PartStore:
    """Parts, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def put_tables(self, unit: Unit, copy: str, number: int, tables: Recount, now: datetime) -> None:
        """Keeps versions, uses and licences of a part, or some of them, for some days; nobody sees them yet."""
        model, partition, expires_at = bind(PartItem, self.table), _partition(unit), _expiry(now)
        with model.batch_write() as batch:
            for bucket in range(unit.buckets):
                for piece, body in enumerate(_pieces(_lines(tables.bucket(bucket, unit.buckets)))):
                    sort = f"{_of_bucket(copy, bucket)}{number:04d}#{piece:03d}"
                    batch.save(model(partition, sort, body=body, expires_at=expires_at))

    def put(self, unit: Unit, copy: str, summary: Recount, now: datetime) -> None:
        """Keeps all else of a part, which is now counted: its tables are those put under the same copy."""
        body = zlib.compress(_json(_plain(summary)), level=6)
        model = bind(PartItem, self.table)
        model(_partition(unit), _SUMMARY, body=body, copied=copy, expires_at=_expiry(now)).save()

    def summaries(self, units: Collection[Unit]) -> dict[Unit, Recount]:
        """The parts that have been counted, without their tables; strongly consistent."""
        by_key = {_partition(unit): unit for unit in units}
        keys = [(partition, _SUMMARY) for partition in by_key]
        found = batch_get(bind(PartItem, self.table), keys, consistent_read=True)
        return {by_key[item.pk]: _summary(json.loads(_inflated(item))) for item in found}

    def tables(self, unit: Unit, bucket: int) -> Recount:
        """A counted part's versions, uses and licences, those of one bucket."""
        model, partition, found = bind(PartItem, self.table), _partition(unit), Recount()
        copy = model.get(partition, _SUMMARY, consistent_read=True).copied
        pieces = model.query(partition, model.sk.startswith(_of_bucket(copy, bucket)), consistent_read=True)
        for item in pieces:
            for line in _inflated(item).splitlines():
                _add_line(found, *json.loads(line))
        return found


def _partition(unit: Unit) -> str:
    hours = f"{unit.first_hour}-{unit.end_hour}"
    return f"recount#{unit.day}#{key_text(unit.product)}#{unit.pass_}#{unit.shard}#{hours}#{unit.buckets}"


def _of_bucket(copy: str, bucket: int) -> str:
    return f"{copy}#{bucket:04d}#"


def _expiry(now: datetime) -> int:
    return to_seconds(now + RETENTION)


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """As many items as it takes; each can be read alone."""
    piece, size = list[bytes](), 0
    for line in lines:
        if piece and size + len(line) > LARGEST_PIECE:
            yield zlib.compress(b"\n".join(piece), level=6)
            piece, size = [], 0
        piece.append(line)
        size += len(line) + 1
    if piece:
        yield zlib.compress(b"\n".join(piece), level=6)


def _lines(tables: Recount) -> Iterator[bytes]:
    for name, number in tables.versions.items():
        yield _json([name, number])
    for name, number in tables.uses.items():
        yield _json([name, _USES, number])
    for name, count in tables.licenses.items():
        for some in _in_lines(count):
            yield _json([name, *_plain_count(some)])


def _in_lines(count: LicenseCount) -> Iterator[LicenseCount]:
    """Counts that merge to this one, none of them large."""
    devices, ips, rest = sorted(count.devices), sorted(count.ips), count
    for start in range(0, max(len(devices), len(ips), 1), _MOST_OF_A_LINE):
        some = slice(start, start + _MOST_OF_A_LINE)
        yield replace(rest, devices=set(devices[some]), ips=set(ips[some]))
        rest = LicenseCount(count.first_seen, count.last_seen)


def _plain_count(count: LicenseCount) -> list[Any]:
    return [
        to_nearest_millisecond(count.first_seen),
        to_nearest_millisecond(count.last_seen),
        count.records,
        count.flagged,
        dict(count.flags),
        [device.hex() for device in count.devices],
        sorted(count.ips),
        sorted(count.countries),
    ]


def _add_line(found: Recount, name: str, *said: Any) -> None:  # noqa: ANN401 (JSON)
    """A version and its number of records, an activity type and its uses, or a licence and what was counted of it."""
    if len(said) == 1:
        found.versions[name] += said[0]
        return
    if said[0] == _USES:
        found.uses[name] += said[1]
        return
    count = _count(*said)
    found.licenses.setdefault(name, LicenseCount(count.first_seen, count.last_seen)).merge(count)


def _count(*said: Any) -> LicenseCount:  # noqa: ANN401 (JSON)
    first, last, records, flagged, flags, devices, ips, countries = said
    return LicenseCount(
        first_seen=from_milliseconds(first),
        last_seen=from_milliseconds(last),
        records=records,
        flagged=flagged,
        flags=Counter(flags),
        devices={bytes.fromhex(device) for device in devices},
        ips=set(ips),
        countries=set(countries),
    )


def _plain(summary: Recount) -> dict[str, Any]:
    return {
        "records": summary.records,
        "flagged": summary.flagged,
        "flags": dict(summary.flags),
        "versions": dict(summary.versions),
        "uses": dict(summary.uses),
        "hours": [[hour, is_flagged, count] for (hour, is_flagged), count in summary.hours.items()],
        "expires_at": summary.expires_at and to_seconds(summary.expires_at),
        "segments": [[name, hour, digest.hex()] for (name, hour), digest in summary.segments.items()],
        "settled": [license_activity_to_json(each) for each in summary.settled],
    }


def _summary(said: dict[str, Any]) -> Recount:
    return Recount(
        records=said["records"],
        flagged=said["flagged"],
        flags=Counter(said["flags"]),
        versions=Counter(said["versions"]),
        uses=Counter(said["uses"]),
        hours=Counter({(hour, is_flagged): count for hour, is_flagged, count in said["hours"]}),
        expires_at=None if said["expires_at"] is None else from_seconds(said["expires_at"]),
        segments={(name, hour): bytes.fromhex(digest) for name, hour, digest in said["segments"]},
        settled=tuple(license_activity_from_json(each) for each in said["settled"]),
    )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _inflated(item: PartItem) -> bytes:
    return zlib.decompress(item.body)
