"""Values of telemetry, by hour and by closed day: in an environment's aggregates."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from zlib import crc32

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.active_users import Outdated
from telemetry.domain.hourly_counts import HourKey
from telemetry.domain.instant import from_hour_text, hour_text, midnight, to_seconds
from telemetry.domain.values import written
from telemetry.domain.values.kept import DayValues, HourValues
from telemetry.domain.values.summary import Values
from telemetry.storage.batches import batch_get
from telemetry.storage.deflated_json import QUICK, deflated_json, inflated_json
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.hourly_counts import RETENTION
from telemetry.storage.tables import KeyedItem, bind

PARTS = 4
"""Of an hour, so that shards of the stream do not stand in each other's way: a shard always writes the same one."""


class ValueHourItem(KeyedItem):
    """A part of a product's hour. pk `value_hours#acme-cli`, sk `2026-11-21T08#2`; b is JSON, deflated.

    The JSON has the position of each shard that wrote it, and its values (domain.values.written). `version` is another
    one after each change. 1 KB with ten series of some hundred numbers; 300 KB at the most.
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

    def kept(self, shard: str, hours: Collection[HourKey]) -> dict[HourKey, HourValues]:
        """The parts of these hours that a shard of the stream writes, of those that are there; strongly consistent."""
        model = bind(ValueHourItem, self.table)
        by_key = {(_hours(key.scope), _hour(key.hour, shard)): key for key in hours}
        found = {}
        for item in batch_get(model, by_key, consistent_read=True):
            positions, values = inflated_json(item.body)
            found[by_key[item.pk, item.sk]] = HourValues(written.read(values), positions, int(item.version))
        return found

    def keep(self, shard: str, key: HourKey, hour: HourValues) -> None:
        """Puts a shard's part of an hour in the place of what was read. Raises Outdated if it was changed meanwhile."""
        model = bind(ValueHourItem, self.table)
        item = model(
            _hours(key.scope),
            _hour(key.hour, shard),
            version=hour.version + 1,
            body=deflated_json([hour.positions, written.written(hour.values)], QUICK),
            expires_at=to_seconds(key.hour + RETENTION),
        )
        unchanged = model.version == hour.version if hour.version else model.pk.does_not_exist()
        with conditions(Outdated("Another process has kept values of this hour")):
            item.save(condition=unchanged)

    def hours(
        self, product: str, first: datetime, last: datetime, *, consistent: bool = False
    ) -> Iterator[tuple[datetime, Values]]:
        """The parts of the hours from `first`'s to `last`'s, in order of hours, each by its hour's beginning."""
        model = bind(ValueHourItem, self.table)
        between = model.sk.between(hour_text(first), f"{hour_text(last)}#~")
        for item in model.query(_hours(product), between, consistent_read=consistent):
            _, values = inflated_json(item.body)
            yield from_hour_text(item.sk.partition("#")[0]), written.read(values)

    def days(self, product: str, first: date, last: date) -> Iterator[DayValues]:
        """The closed days from `first` to `last`, in order."""
        model = bind(ValueDayItem, self.table)
        for item in model.query(_days(product), model.sk.between(first.isoformat(), last.isoformat())):
            day = date.fromisoformat(item.sk)
            values = written.read(inflated_json(item.body))
            yield DayValues(product, day, values, int(item.expected), item.digest)

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
        with suppress(ConditionFailed), conditions():
            item.save(condition=model.pk.does_not_exist())


def _hours(product: str) -> str:
    return f"value_hours#{product}"


def _days(product: str) -> str:
    return f"value_days#{product}"


def _hour(hour: datetime, shard: str) -> str:
    return f"{hour_text(hour)}#{crc32(shard.encode()) % PARTS}"
