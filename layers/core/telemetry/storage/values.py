"""Values of telemetry by hour and by closed day, and how far each shard of the stream is in them: in aggregates."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zlib import crc32

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from telemetry.domain.active_users import Outdated
from telemetry.domain.hourly_counts import HourKey
from telemetry.domain.instant import from_hour_text, hour_text, midnight, to_seconds
from telemetry.domain.values import written
from telemetry.domain.values.kept import DayValues, HourValues, Kept
from telemetry.domain.values.summary import Values
from telemetry.storage.batches import batch_get
from telemetry.storage.deflated_json import QUICK, deflated_json, inflated_json
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.hourly_counts import POSITION_RETENTION, RETENTION, PositionItem
from telemetry.storage.tables import KeyedItem, bind, connection

PARTS = 4
"""Of an hour, so that shards of the stream do not stand in each other's way: a shard always writes the same one."""

POSITION = "values"
"""The sort key of a shard's position here, beside that of what is counted."""


class ValueHourItem(KeyedItem):
    """A part of a product's hour. pk `value_hours#acme-cli`, sk `2026-11-21T08#2`; b is JSON, deflated.

    `version` is another one after each change. 1 KB with ten series of some hundred numbers; 310 KB at the most.
    """

    version = NumberAttribute(attr_name="n")
    body = BinaryAttribute(attr_name="b", legacy_encoding=False)
    expires_at = NumberAttribute()


class ValueDayItem(KeyedItem):
    """A product's closed day. pk `value_days#acme-cli`, sk `2026-11-21`; b is JSON, deflated, as large as an hour's.

    Written once. `expected` are the records of finance's report; `digest` is hexadecimal (domain.values.written).
    """

    body = BinaryAttribute(attr_name="b", legacy_encoding=False)
    expected = NumberAttribute()
    digest = UnicodeAttribute()
    expires_at = NumberAttribute()


@store("values")
@dataclass(frozen=True, slots=True)
class ValueStore:
    """Reads and writes values. Raises StoreUnavailable; keeping hours raises Outdated where another was first."""

    table: str

    def kept(self, shard: str, hours: Collection[HourKey]) -> Kept:
        """How far a shard of the stream is, and its part of these hours; strongly consistent."""
        model = bind(ValueHourItem, self.table)
        part = _part(shard)
        by_key = {(_hours(key.scope), _hour(key.hour, part)): key for key in hours}
        position = bind(PositionItem, self.table)
        at = next(batch_get(position, [(f"position#{shard}", POSITION)], consistent_read=True), None)
        found = {by_key[item.pk, item.sk]: item for item in batch_get(model, by_key, consistent_read=True)}
        parts = {key: HourValues(_values(item.body), int(item.version), len(item.body)) for key, item in found.items()}
        return Kept(at.sequence_number if at else None, parts)

    def keep(
        self, shard: str, before: str | None, after: str, hours: Mapping[HourKey, HourValues], now: datetime
    ) -> None:
        """Puts a shard's part of hours in the place of those that were read, and moves its position on, or nothing.

        Raises Outdated when the position is no longer `before`, or a part was changed since it was read.
        """
        position, model = bind(PositionItem, self.table), bind(ValueHourItem, self.table)
        unchanged = position.sequence_number == before if before else position.pk.does_not_exist()
        with conditions(Outdated("Values are kept already")), TransactWrite(connection=connection()) as transaction:
            expires_at = to_seconds(now + POSITION_RETENTION)
            moved = position(f"position#{shard}", POSITION, sequence_number=after, expires_at=expires_at)
            transaction.save(moved, condition=unchanged)
            for key, hour in hours.items():
                item = model(
                    _hours(key.scope),
                    _hour(key.hour, _part(shard)),
                    version=hour.version + 1,
                    body=deflated_json(written.written(hour.values), QUICK),
                    expires_at=to_seconds(key.hour + RETENTION),
                )
                transaction.save(item, condition=_is_version(model, hour.version))

    def hours(
        self, product: str, first: datetime, last: datetime, *, consistent: bool = False
    ) -> Iterator[tuple[datetime, Values]]:
        """The parts of the hours from `first`'s to `last`'s, in order of hours, each by its hour's beginning."""
        model = bind(ValueHourItem, self.table)
        between = model.sk.between(hour_text(first), f"{hour_text(last)}#~")
        for item in model.query(_hours(product), between, consistent_read=consistent):
            yield from_hour_text(item.sk.partition("#")[0]), _values(item.body)

    def days(self, product: str, first: date, last: date) -> Iterator[DayValues]:
        """The closed days from `first` to `last`, in order."""
        model = bind(ValueDayItem, self.table)
        for item in model.query(_days(product), model.sk.between(first.isoformat(), last.isoformat())):
            day = date.fromisoformat(item.sk)
            yield DayValues(product, day, _values(item.body), int(item.expected), item.digest)

    def closed(self, products: Sequence[str], day: date) -> set[str]:
        """Those of the products whose values of a day are closed."""
        model, by_partition = bind(ValueDayItem, self.table), {_days(each): each for each in products}
        keys = [(partition, day.isoformat()) for partition in by_partition]
        found = batch_get(model, keys, consistent_read=True, ProjectionExpression="pk, sk")
        return {by_partition[item.pk] for item in found}

    def close(self, values: DayValues) -> None:
        """Writes a closed day, unless it is there."""
        model = bind(ValueDayItem, self.table)
        item = model(
            _days(values.product),
            values.day.isoformat(),
            body=deflated_json(written.written(values.values)),
            expected=values.expected,
            digest=values.digest,
            expires_at=to_seconds(midnight(values.day) + RETENTION),
        )
        try:
            with conditions():
                item.save(condition=model.pk.does_not_exist())
        except ConditionFailed:
            return


def _hours(product: str) -> str:
    return f"value_hours#{product}"


def _days(product: str) -> str:
    return f"value_days#{product}"


def _hour(hour: datetime, part: int) -> str:
    return f"{hour_text(hour)}#{part}"


def _part(shard: str) -> int:
    return crc32(shard.encode()) % PARTS


def _values(body: bytes) -> Values:
    return written.read(inflated_json(body))


def _is_version(model: type[ValueHourItem], version: int) -> Condition:
    return model.version == version if version else model.pk.does_not_exist()
