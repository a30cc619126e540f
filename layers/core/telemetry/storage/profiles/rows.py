"""Rows of closed days, in pieces. What counts is what a part's head names, and that is written once and last.

A shard has one part, unless more developers or companies came than are held in memory at a time.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from telemetry.domain.instant import midnight, to_seconds
from telemetry.domain.profiles.cards import CompanyName
from telemetry.domain.profiles.rows import Row
from telemetry.domain.record import RecordKey
from telemetry.storage.batches import batch_get, grouped
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.profiles.keys import fingerprint_of, fingerprint_text, uses_key
from telemetry.storage.tables import KeyedItem, bind, found_item

RETENTION = timedelta(days=400)

_ROWS_OF_A_PIECE = 200
"""So that a piece stays below 400 KB, were all their texts as long as they may be."""


class Kept(NamedTuple):
    """How far a shard's rows are kept: so many parts. `rest` is where the next one starts, None where there is none."""

    parts: int = 0
    rest: bytes | None = b""

    @property
    def is_all(self) -> bool:
        return self.rest is None


class RowsItem(KeyedItem):
    """A piece of the rows of a part (`body`), its head (`copied`: the copy that counts, and `rest`), or its mark."""

    body = BinaryAttribute(attr_name="b", null=True, legacy_encoding=False)
    copied = UnicodeAttribute(null=True)
    rest = BinaryAttribute(null=True, legacy_encoding=False)
    expires_at = NumberAttribute()


@store("rows of profiles")
@dataclass(frozen=True, slots=True)
class RowStore:
    """Rows, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def kept(self, view: int, product: str, day: date, shards: Collection[int]) -> dict[int, Kept]:
        """How far the rows of each of these shards are kept; strongly consistent."""
        model, partition = bind(RowsItem, self.table), uses_key(view, product, day)
        found, waiting = dict.fromkeys(shards, Kept()), list(shards)
        while waiting:
            by_head = {_head(shard, found[shard].parts): shard for shard in waiting}
            waiting = []
            for head in batch_get(model, [(partition, each) for each in by_head], consistent_read=True):
                shard = by_head[head.sk]
                found[shard] = Kept(found[shard].parts + 1, head.rest)
                if head.rest is not None:
                    waiting.append(shard)
        return found

    def keep(
        self,
        view: int,
        product: str,
        day: date,
        shard: int,
        rows: Iterable[Row],
        part: int = 0,
        rest: bytes | None = None,
    ) -> Kept:
        """Keeps a part of a shard, once: another run's, if they were first, stays. Gives how far the shard is then."""
        model, copy, partition = bind(RowsItem, self.table), uuid4().hex[:8], uses_key(view, product, day)
        expires_at = to_seconds(midnight(day) + RETENTION)
        for number, some in enumerate(grouped(rows, _ROWS_OF_A_PIECE)):
            body = deflated_json(_to_json(some))
            model(partition, f"{_head(shard, part)}#{copy}#{number:04d}", body=body, expires_at=expires_at).save()
        head = model(partition, _head(shard, part), copied=copy, rest=rest, expires_at=expires_at)
        try:
            with conditions():
                head.save(condition=model.pk.does_not_exist())
        except ConditionFailed:
            return self.kept(view, product, day, [shard])[shard]
        return Kept(part + 1, rest)

    def read(self, view: int, product: str, day: date, shard: int | None = None) -> Iterator[Row]:
        """The rows of a day, shard by shard, or those of one shard; strongly consistent."""
        wanted = None if shard is None else RowsItem.sk.startswith(f"{shard:03d}")
        return self._read(uses_key(view, product, day), wanted)

    def read_part(self, view: int, product: str, day: date, shard: int, part: int) -> Iterator[Row]:
        """The rows of a part; strongly consistent."""
        head = _head(shard, part)
        return self._read(uses_key(view, product, day), RowsItem.sk.between(head, f"{head}#~"))

    def kept_part(self, view: int, product: str, day: date, shard: int, part: int) -> Kept | None:
        """How far a shard is kept with this part; None where the part is not there."""
        head = found_item(bind(RowsItem, self.table), uses_key(view, product, day), _head(shard, part))
        return Kept(part + 1, head.rest) if head else None

    def note_added(self, view: int, product: str, day: date, shard: int, part: int) -> None:
        """That all rows of a part are in tenures."""
        expires_at = to_seconds(midnight(day) + RETENTION)
        bind(RowsItem, self.table)(uses_key(view, product, day), _mark(shard, part), expires_at=expires_at).save()

    def added(self, view: int, product: str, day: date, parts: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Of which parts that was noted; strongly consistent."""
        by_mark = {_mark(*each): each for each in parts}
        keys = [(uses_key(view, product, day), each) for each in by_mark]
        return {by_mark[item.sk] for item in batch_get(bind(RowsItem, self.table), keys, consistent_read=True)}

    def _read(self, partition: str, wanted: Condition | None) -> Iterator[Row]:
        copied = "~"
        for item in bind(RowsItem, self.table).query(partition, wanted, consistent_read=True):
            if item.copied:
                copied = f"{item.sk}#{item.copied}#"
            elif item.sk.startswith(copied):
                yield from _from_json(inflated_json(item.body))


def _head(shard: int, part: int = 0) -> str:
    return f"{shard:03d}-{part:03d}" if part else f"{shard:03d}"


def _mark(shard: int, part: int) -> str:
    """Behind all heads and pieces."""
    return f"added {_head(shard, part)}"


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
