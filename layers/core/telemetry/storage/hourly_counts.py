"""What happened, by hour, and how far each shard of the record stream is counted: in an environment's aggregates."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pynamodb.attributes import BinarySetAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from telemetry.domain.active_users import Outdated
from telemetry.domain.hourly_counts import (
    MOST_DEVICES,
    RECORDS,
    SUSPECT,
    FlaggedDay,
    Fold,
    HourCounts,
    HourKey,
    Kind,
    LicenseDay,
    Measure,
)
from telemetry.domain.instant import from_hour_text, from_seconds, hour_text, midnight, to_seconds
from telemetry.domain.keys import key_text
from telemetry.storage.batches import batch_get
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.tables import CountersItem, KeyedItem, bind, connection

RETENTION = timedelta(days=400)
"""Of hours."""

POSITION_RETENTION = timedelta(days=30)
"""A stream keeps records for a day; a shard that nobody has read for so long is gone."""

LICENSE_RETENTION = timedelta(days=100)
"""Of a day's licences: as long as alerts that have ended are looked at. Closed days list the foremost in reports."""

_KINDS = {kind.value: kind for kind in Kind}


class HourItem(CountersItem):
    """An hour of a product or the catalogue. pk `hours#acme-cli` (or `hours#~unknown`, `hours#*`), sk `2026-11-21T08`.

    Its counters are attributes: a kind's letter and a name, as `r`, `f`, `s`, `!R`, `v5.0.1`, `gexports`,
    `kk3f2a9c0d1`.
    """

    expires_at = NumberAttribute()

    @property
    def counts(self) -> HourCounts:
        return Counter({Measure(_KINDS[name[0]], name[1:]): count for name, count in self.counters.items()})


class PositionItem(KeyedItem):
    """How far a shard of the record stream is counted. pk `position#shardId-00000001`."""

    sk = UnicodeAttribute(range_key=True, default="counted")
    sequence_number = UnicodeAttribute()
    expires_at = NumberAttribute()


class LicenseDayItem(KeyedItem):
    """A licence that flags point at. pk `flagged#acme-cli#2026-11-21`, sk its fingerprint as record keys carry it."""

    records = NumberAttribute(default=0)
    expires_at = NumberAttribute()


class LicenseDevicesItem(KeyedItem):
    """Devices under a licence that flags point at. pk `flagged_devices#acme-cli#2026-11-21`, sk as LicenseDayItem.

    An item of its own: the counter is changed with every batch, and a large item would make that dear.
    """

    devices = BinarySetAttribute(legacy_encoding=False, null=True)
    expires_at = NumberAttribute(null=True)


class KeyUseItem(KeyedItem):
    """The last hour in which records came with an API key. pk `api_key#<id>`."""

    sk = UnicodeAttribute(range_key=True, default="use")
    hour = NumberAttribute()


@store("hourly counts")
@dataclass(frozen=True, slots=True)
class HourlyCountStore:
    """Reads and adds. Raises StoreUnavailable; adding raises Outdated where another writer was first."""

    table: str

    def position(self, shard: str) -> str | None:
        """The last sequence number counted of a stream shard; strongly consistent."""
        model = bind(PositionItem, self.table)
        found = list(batch_get(model, [(f"position#{shard}", PositionItem.sk.default)], consistent_read=True))
        return found[0].sequence_number if found else None

    def known(self, hours: Collection[HourKey]) -> dict[HourKey, HourCounts]:
        """What is counted of these hours; strongly consistent."""
        model = bind(HourItem, self.table)
        by_key = {(_partition(key.scope), hour_text(key.hour)): key for key in hours}
        return {by_key[item.pk, item.sk]: item.counts for item in batch_get(model, by_key, consistent_read=True)}

    def add(self, shard: str, before: str | None, after: str, fold: Fold, now: datetime) -> None:
        """Adds a fold and moves the shard's position on, all or nothing.

        Raises Outdated when the position is no longer `before`, or an hour no longer has the records it had when names
        were chosen for it.
        """
        position = bind(PositionItem, self.table)
        unchanged = position.sequence_number == before if before else position.pk.does_not_exist()
        with conditions(Outdated("The position is another")), TransactWrite(connection=connection()) as transaction:
            item = position(f"position#{shard}", sequence_number=after, expires_at=_expiry(now, POSITION_RETENTION))
            transaction.save(item, condition=unchanged)
            for key, counts in fold.hours.items():
                hour = bind(HourItem, self.table)(_partition(key.scope), hour_text(key.hour))
                # a path of one name: a version's dots lead nowhere
                added: list[Action] = [Path([_name(each)]).add(by) for each, by in sorted(counts.items())]
                actions = [*added, HourItem.expires_at.set(_expiry(key.hour, RETENTION))]
                transaction.update(hour, actions, condition=_has(fold.chosen_at.get(key)))
            for license_, count in fold.licenses.items():
                of_day = bind(LicenseDayItem, self.table)(_flagged(license_.product, license_.day), license_.license)
                expires = LicenseDayItem.expires_at.set(_expiry(now, LICENSE_RETENTION))
                transaction.update(of_day, [LicenseDayItem.records.add(count), expires])

    def hours(
        self, scope: str, first: datetime, last: datetime, only: Collection[Measure] = ()
    ) -> Iterator[tuple[datetime, HourCounts]]:
        """The hours with records from `first`'s to `last`'s, in order, each by its beginning; `only` these measures."""
        model = bind(HourItem, self.table)
        wanted = ["pk", "sk", *map(_name, only)] if only else None
        found = model.query(
            _partition(scope), model.sk.between(hour_text(first), hour_text(last)), attributes_to_get=wanted
        )
        for item in found:
            yield from_hour_text(item.sk), item.counts

    def suspects(self, scope: str, first: datetime, last: datetime) -> dict[datetime, int]:
        """Records with a piracy or licence flag by hour; hours without records are missing."""
        return {hour: counts[SUSPECT] for hour, counts in self.hours(scope, first, last, [SUSPECT])}

    def license_counts(self, licenses: Collection[LicenseDay]) -> dict[LicenseDay, int]:
        """How many records of a day flags point at these licences with; strongly consistent."""
        model = bind(LicenseDayItem, self.table)
        by_key = {(_flagged(each.product, each.day), each.license): each for each in licenses}
        found = batch_get(model, by_key, consistent_read=True)
        return {by_key[item.pk, item.sk]: int(item.records) for item in found}

    def note_devices(self, of: LicenseDay, devices: Collection[bytes]) -> bool:
        """Adds devices under a licence that flags point at, again is the same as once; False: there is no room left."""
        model = bind(LicenseDevicesItem, self.table)
        has_room = model.pk.does_not_exist() | (size(model.devices) < MOST_DEVICES)  # type: ignore[no-untyped-call]
        expires = model.expires_at.set(_expiry(midnight(of.day), LICENSE_RETENTION))
        item = model(_flagged_devices(of.product, of.day), of.license)
        try:
            with conditions():
                item.update([model.devices.add(set(devices)), expires], condition=has_room)
        except ConditionFailed:
            return False
        return True

    def flagged_days(self, licenses: Collection[LicenseDay]) -> dict[LicenseDay, FlaggedDay]:
        """How often, and on which devices, flags point at these licences; without days on which none does."""
        counts, model = self.license_counts(licenses), bind(LicenseDevicesItem, self.table)
        by_key = {(_flagged_devices(each.product, each.day), each.license): each for each in counts}
        found = {by_key[item.pk, item.sk]: item.devices or () for item in batch_get(model, by_key)} if by_key else {}
        return {each: FlaggedDay(count, frozenset(found.get(each, ()))) for each, count in counts.items()}

    def note_use(self, api_key_id: str, hour: datetime) -> None:
        """Notes that an API key was used in an hour, unless it was in a later one."""
        model = bind(KeyUseItem, self.table)
        at = to_seconds(hour)
        later = model.pk.does_not_exist() | (model.hour < at)
        with suppress(ConditionFailed), conditions():
            model(f"api_key#{api_key_id}").update([model.hour.set(at)], condition=later)

    def uses(self, api_key_ids: Collection[str]) -> dict[str, datetime]:
        """The last hours in which API keys were used; without those that never were."""
        model = bind(KeyUseItem, self.table)
        found = batch_get(model, [(f"api_key#{each}", KeyUseItem.sk.default) for each in api_key_ids])
        return {item.pk.removeprefix("api_key#"): from_seconds(item.hour) for item in found}


def _partition(scope: str) -> str:
    return f"hours#{scope}"


def _flagged(product: str, day: date) -> str:
    return f"flagged#{key_text(product)}#{day}"


def _flagged_devices(product: str, day: date) -> str:
    return f"flagged_devices#{key_text(product)}#{day}"


def _name(measure: Measure) -> str:
    return f"{measure.kind}{measure.name}"


def _has(records: int | None) -> Condition | None:
    """An hour has so many records, 0: it is not there yet; None: however many."""
    counter: Path = Path([_name(RECORDS)])
    return None if records is None else counter == records if records else counter.does_not_exist()


def _expiry(since: datetime, retention: timedelta) -> int:
    return to_seconds(since + retention)
