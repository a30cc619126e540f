"""Rows of closed days, in pieces. What counts is what a shard's head names, and that is written once and last."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.instant import midnight, to_seconds
from telemetry.domain.profiles.cards import CompanyName
from telemetry.domain.profiles.rows import Row
from telemetry.domain.record import RecordKey
from telemetry.storage.batches import batch_get, grouped
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.profiles.keys import fingerprint_of, fingerprint_text, uses_key
from telemetry.storage.tables import KeyedItem, bind

RETENTION = timedelta(days=400)

_ROWS_OF_A_PIECE = 200
"""So that a piece stays below 400 KB, were all their texts as long as they may be."""


class RowsItem(KeyedItem):
    """A piece of a shard's rows (`body`), or its head (`copied`: the copy that counts)."""

    body = BinaryAttribute(attr_name="b", null=True, legacy_encoding=False)
    copied = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


@store("rows of profiles")
@dataclass(frozen=True, slots=True)
class RowStore:
    """Rows, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def kept(self, view: int, product: str, day: date, shards: Collection[int]) -> frozenset[int]:
        """The shards of a day whose rows are kept."""
        keys = [(uses_key(view, product, day), _head(shard)) for shard in shards]
        return frozenset(int(item.sk) for item in batch_get(bind(RowsItem, self.table), keys, consistent_read=True))

    def keep(self, view: int, product: str, day: date, shard: int, rows: Iterable[Row]) -> None:
        """Keeps the rows of a shard, once: another run's, if they were first, stay."""
        model, copy, partition = bind(RowsItem, self.table), uuid4().hex[:8], uses_key(view, product, day)
        expires_at = to_seconds(midnight(day) + RETENTION)
        for number, some in enumerate(grouped(rows, _ROWS_OF_A_PIECE)):
            body = deflated_json(_to_json(some))
            model(partition, f"{_head(shard)}#{copy}#{number:04d}", body=body, expires_at=expires_at).save()
        head = model(partition, _head(shard), copied=copy, expires_at=expires_at)
        with suppress(ConditionFailed), conditions():
            head.save(condition=model.pk.does_not_exist())

    def read(self, view: int, product: str, day: date, shard: int | None = None) -> Iterator[Row]:
        """The rows of a day, shard by shard, or those of one shard; strongly consistent."""
        model, copied = bind(RowsItem, self.table), ""
        wanted = None if shard is None else model.sk.startswith(_head(shard))
        for item in model.query(uses_key(view, product, day), wanted, consistent_read=True):
            if item.copied:
                copied = f"{item.sk}#{item.copied}#"
            elif item.sk.startswith(copied):
                yield from _from_json(inflated_json(item.body))


def _head(shard: int) -> str:
    return f"{shard:03d}"


def _to_json(rows: Sequence[Row]) -> Any:  # noqa: ANN401 (JSON)
    """`{"c": [[id, name, source, confidence], …], "r": [[fingerprint, place in c, …], …]}`; days are ordinals."""
    companies = list(dict.fromkeys(row.company for row in rows if row.company))
    place = {company: number for number, company in enumerate(companies)}
    return {
        "c": [[each.id, each.name, each.source, each.confidence] for each in companies],
        "r": [
            [
                fingerprint_text(row.fingerprint),
                place[row.company] if row.company else -1,
                _ordinal(row.told_on),
                _ordinal(row.first),
                _ordinal(row.company_first),
                row.records,
                dict(row.uses),
                row.versions,
                row.countries,
                [fingerprint_text(each) for each in row.devices],
                row.key,
            ]
            for row in rows
        ],
    }


def _from_json(said: Any) -> Iterator[Row]:  # noqa: ANN401
    companies = [CompanyName(*each) for each in said["c"]]
    for fingerprint, place, told_on, first, company_first, records, uses, versions, countries, devices, key in said[
        "r"
    ]:
        yield Row(
            fingerprint=fingerprint_of(fingerprint),
            company=None if place < 0 else companies[place],
            told_on=_day(told_on),
            first=date.fromordinal(first),
            records=records,
            uses=uses,
            versions=tuple(versions),
            countries=tuple(countries),
            devices=tuple(map(fingerprint_of, devices)),
            key=RecordKey(*key) if key else None,
            company_first=_day(company_first),
        )


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day else 0


def _day(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None
