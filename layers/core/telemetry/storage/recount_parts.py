"""Parts of a large day that were counted by different invocations, until they are merged."""

import json
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from telemetry.domain.keys import key_text
from telemetry.domain.recount import BUCKETS, LicenseCount, Recount, Unit
from telemetry.storage.batches import batch_get
from telemetry.storage.errors import store
from telemetry.storage.tables import bind

RETENTION = timedelta(days=3)

_CHUNK_BYTES = 350_000
_SUMMARY = "summary"


class PartItem(Model):
    """A piece of a part. pk `recount#2026-11-03#acme-cli#1-first#3#0` (shard, first hour), sk `summary` or `07#000`.

    The summary is written last, and says of how many pieces each bucket of licences is. b is JSON, deflated.
    """

    class Meta:
        """Bound to a table by storage.tables.bind."""

        table_name = "unbound"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    body = BinaryAttribute(attr_name="b", legacy_encoding=False)
    pieces = JSONAttribute(null=True)
    expires_at = NumberAttribute()


@store("parts of recounts")
@dataclass(frozen=True, slots=True)
class PartStore:
    """Parts, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def put(self, unit: Unit, recount: Recount, now: datetime) -> None:
        """Keeps a part for some days; the same part again takes its place."""
        model, partition = bind(PartItem, self.table), _partition(unit)
        expires_at, pieces = int((now + RETENTION).timestamp()), []
        with model.batch_write() as batch:
            for bucket in range(BUCKETS):
                licenses = recount.bucket(bucket).licenses
                found = _chunks([_plain_license(name, count) for name, count in licenses.items()])
                for number, body in enumerate(found):
                    batch.save(model(partition, _piece(bucket, number), body=body, expires_at=expires_at))
                pieces.append(len(found))
        body = _deflated(_plain(recount))
        model(partition, _SUMMARY, body=body, pieces=pieces, expires_at=expires_at).save()

    def summary(self, unit: Unit) -> Recount | None:
        """A part without its licences; None when it has not been counted."""
        found = batch_get(bind(PartItem, self.table), [(_partition(unit), _SUMMARY)], consistent_read=True)
        return next((_recount(_inflated(item.body)) for item in found), None)

    def licenses(self, unit: Unit, bucket: int) -> Recount:
        """A part's licences alone, those of one bucket."""
        model, partition = bind(PartItem, self.table), _partition(unit)
        pieces = model.get(partition, _SUMMARY, consistent_read=True).pieces[bucket]
        keys = [(partition, _piece(bucket, number)) for number in range(pieces)]
        items = {item.sk: item.body for item in batch_get(model, keys, consistent_read=True)}
        text = zlib.decompress(b"".join(items[sort] for _, sort in keys)) if keys else b"[]"
        return Recount(licenses=dict(_license(*each) for each in json.loads(text)))


def _partition(unit: Unit) -> str:
    return f"recount#{unit.day}#{key_text(unit.product)}#{unit.pass_}#{unit.shard}#{unit.first_hour}"


def _piece(bucket: int, number: int) -> str:
    return f"{bucket:02d}#{number:03d}"


def _chunks(licenses: list[Any]) -> list[bytes]:
    """As many pieces as it takes: an item has 400 KB."""
    body = _deflated(licenses) if licenses else b""
    return [body[start : start + _CHUNK_BYTES] for start in range(0, len(body), _CHUNK_BYTES)]


def _plain(recount: Recount) -> dict[str, Any]:
    return {
        "records": recount.records,
        "flagged": recount.flagged,
        "flags": dict(recount.flags),
        "versions": dict(recount.versions),
        "hours": [[hour, is_flagged, count] for (hour, is_flagged), count in recount.hours.items()],
        "expires_at": recount.expires_at and int(recount.expires_at.timestamp()),
        "segments": [[name, hour, digest.hex()] for (name, hour), digest in recount.segments.items()],
    }


def _recount(plain: dict[str, Any]) -> Recount:
    return Recount(
        records=plain["records"],
        flagged=plain["flagged"],
        flags=Counter(plain["flags"]),
        versions=Counter(plain["versions"]),
        hours=Counter({(hour, is_flagged): count for hour, is_flagged, count in plain["hours"]}),
        expires_at=None if plain["expires_at"] is None else datetime.fromtimestamp(plain["expires_at"], UTC),
        segments={(name, hour): bytes.fromhex(digest) for name, hour, digest in plain["segments"]},
    )


def _plain_license(name: str, count: LicenseCount) -> list[Any]:
    return [
        name,
        round(count.first_seen.timestamp() * 1000),
        round(count.last_seen.timestamp() * 1000),
        count.records,
        count.flagged,
        dict(count.flags),
        [device.hex() for device in count.devices],
        sorted(count.ips),
        sorted(count.countries),
    ]


def _license(*plain: Any) -> tuple[str, LicenseCount]:  # noqa: ANN401 (JSON)
    name, first, last, records, flagged, flags, devices, ips, countries = plain
    return name, LicenseCount(
        first_seen=datetime.fromtimestamp(first / 1000, UTC),
        last_seen=datetime.fromtimestamp(last / 1000, UTC),
        records=records,
        flagged=flagged,
        flags=Counter(flags),
        devices={bytes.fromhex(device) for device in devices},
        ips=set(ips),
        countries=set(countries),
    )


def _deflated(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), level=6)


def _inflated(body: bytes) -> Any:  # noqa: ANN401 (JSON)
    return json.loads(zlib.decompress(body))
