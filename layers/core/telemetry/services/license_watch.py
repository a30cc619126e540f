"""Which licences to look at: the most flagged, those on many devices, and those of other environments."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import NamedTuple

from cachetools import LRUCache, TTLCache

from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.flags import Flag
from telemetry.domain.license import License, last_four, license_id_of
from telemetry.domain.license_activity import (
    Day,
    LicenseActivity,
    most_devices,
    most_devices_of_owners,
    over_days,
    seen_on,
)
from telemetry.domain.record import Record, fingerprint_named, partition_with
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Observation
from telemetry.services.administration.stores import Stores
from telemetry.storage.closed_day_memory import ClosedDayMemory
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.records import RecordStore

MOST_FLAGGED = 2_000
"""Records of days not closed yet that are looked at, the newest."""

MOST_OPEN_DAYS = 3
"""Days not closed yet that are read: there are at most two while days close in time."""

MOST_LICENSES = 200
"""Licences in one answer."""

ABOUT_SECONDS = 300
"""For so long what was read of a licence tells whether it may have too many devices, and a customer has its name.

What is shown of a licence itself is read for each answer.
"""

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What licences did, day by day; `open_days` are those of which only the newest flagged records were looked at.

    `window` are all the days that were asked for.
    """

    days: Sequence[Day]
    open_days: Sequence[date]
    window: Sequence[date]


class Owner(NamedTuple):
    """A customer; one that nobody registered (an import may name one) has no name."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """The owner of a licence, as far as it is known. A key that was never issued has only its last characters.

    It has not even these when there is no record left with the key.
    """

    last_four: str | None = None
    license: License | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Excess:
    """Distinct devices under a licence or, without a `fingerprint`, under all of a customer's."""

    fingerprint: str | None
    holder: Holder
    devices: int

    @property
    def limit(self) -> int | None:
        """The number of devices that the licence allows; None: no limit."""
        return limit_of(self.holder.license)

    @property
    def is_over(self) -> bool:
        return _is_over(self.devices, self.holder.license)


class ClosedDay(NamedTuple):
    """What licences did on a closed day."""

    day: date
    licenses: Day


class LicenseMemory:
    """What a process remembers of the licences of one environment.

    A name (the fingerprint of a key) always tells the same last characters. That no record tells them, and what the
    registry says of a licence or customer, is remembered for ABOUT_SECONDS.
    """

    def __init__(self, reports: DayReportStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._reports = reports
        self.days: ClosedDayMemory[ClosedDay] = ClosedDayMemory(self._closed)
        self.last_fours: LRUCache[str, str] = LRUCache(_REMEMBERED)
        self.untold: TTLCache[tuple[str, str], bool] = TTLCache(_REMEMBERED, ABOUT_SECONDS, clock)
        self.customers: TTLCache[str, Customer | None] = TTLCache(_REMEMBERED, ABOUT_SECONDS, clock)
        self.licenses: TTLCache[str, License | None] = TTLCache(_REMEMBERED, ABOUT_SECONDS, clock)

    def _closed(self, scope: str, first: date, last: date) -> Iterator[ClosedDay]:
        """Without what else is known of the days: there may be very many versions."""
        return (ClosedDay(each.day, each.licenses) for each in self._reports.details_between(scope, first, last))


@dataclass(frozen=True, slots=True)
class LicenseWatch:
    """Looks at the licences of one environment, for one answer: of the registry it reads nothing twice.

    Raises StoreUnavailable.
    """

    environment: Environment
    reports: DayReportStore
    day_records: DayRecordStore
    records: RecordStore
    stores: Stores
    event_of: Callable[[Record], Event]
    memory: LicenseMemory
    _read: dict[str, License | None] = field(default_factory=dict)

    def seen(self, scope: str, days: Sequence[date]) -> Seen:
        """What is known of these consecutive days, of a product or the catalogue."""
        closed = self.memory.days.between(scope, days[0], days[-1])
        latest = closed[-1] if closed else self.reports.latest(scope, days[-1])
        open_days = [day for day in days if latest is None or day > latest.day][-MOST_OPEN_DAYS:]
        flagged: list[Observation] = []
        if open_days:
            products = [*self.stores.products.all(), UNKNOWN_PRODUCT] if scope == CATALOGUE else [scope]
            for day in reversed(open_days):
                if len(flagged) < MOST_FLAGGED:
                    flagged += self.day_records.newest_flagged(products, day, MOST_FLAGGED - len(flagged))
        return Seen([*(each.licenses for each in closed), *seen_on(flagged).values()], open_days, days)

    def top(self, seen: Seen, limit: int) -> list[tuple[LicenseActivity, Holder]]:
        """The licences with the most flagged records."""
        most = [each for each in over_days(seen.days) if each.flagged][:limit]
        return self._with_holders(most, [self.environment])

    def excess(self, seen: Seen, threshold: int) -> list[Excess]:
        """Licences and customers with at least `threshold` devices, and licences over their limit; the most first."""
        most = dict(islice(most_devices(seen.days).items(), MOST_LICENSES))
        licenses = self._licenses(most, [self.environment], about=True)
        likely = [name for name, devices in most.items() if devices >= threshold or _is_over(devices, licenses[name])]
        licenses |= self._licenses(likely, [self.environment])
        listed = [name for name in likely if most[name] >= threshold or _is_over(most[name], licenses[name])]
        owners = {name: each.customer_id for name, each in licenses.items() if each and each.customer_id}
        of_owners = most_devices_of_owners(seen.days, owners).items()
        of_customers = {id_: devices for id_, devices in of_owners if devices >= threshold}
        customers = self._customers({*of_customers, *(owners[name] for name in listed if name in owners)})
        shown = {name: licenses[name] for name in listed}
        used = {(each.license, each.product) for day in seen.days for each in day if each.license in shown}
        holders = self._holders(sorted(used), shown, customers)
        found = [Excess(name, holders[name], most[name]) for name in listed]
        found += [Excess(None, Holder(owner=_owner(id_, customers)), devices) for id_, devices in of_customers.items()]
        return sorted(found, key=lambda each: -each.devices)

    def mismatches(self, seen: Seen, elsewhere: Collection[Environment]) -> list[tuple[LicenseActivity, Holder]]:
        """Keys of other environments that are used in this one, most first. Holders are searched in `elsewhere`."""
        flag = Flag.ENVIRONMENT_MISMATCH.code
        found = [each for each in over_days(seen.days) if each.flags.get(flag)]
        most = sorted(found, key=lambda each: -each.flags[flag])[:MOST_LICENSES]
        return self._with_holders(most, sorted(set(elsewhere) - {self.environment}))

    def holders(self, used: Collection[tuple[str, str]]) -> Mapping[str, Holder]:
        """Holders of licences that are used with products, by fingerprint."""
        return self._current(used, [self.environment])

    def _with_holders(
        self, licenses: Sequence[LicenseActivity], environments: Sequence[Environment]
    ) -> list[tuple[LicenseActivity, Holder]]:
        holders = self._current([(each.license, each.product) for each in licenses], environments)
        return [(each, holders[each.license]) for each in licenses]

    def _current(self, used: Collection[tuple[str, str]], environments: Sequence[Environment]) -> Mapping[str, Holder]:
        """By fingerprint. A key that is known in several of the environments has the holder of the first."""
        licenses = self._licenses([name for name, _ in used], environments)
        owners = {each.customer_id for each in licenses.values() if each and each.customer_id}
        return self._holders(used, licenses, self._customers(owners))

    def _holders(
        self,
        used: Iterable[tuple[str, str]],
        licenses: Mapping[str, License | None],
        customers: Mapping[str, Customer],
    ) -> dict[str, Holder]:
        """Of all these licences; records tell the last characters of those that are not registered."""
        told = self._told([(name, product) for name, product in used if licenses[name] is None])
        return {
            name: Holder(
                license_.last_four if license_ else told.get(name),
                license_,
                _owner(license_.customer_id, customers) if license_ and license_.customer_id else None,
            )
            for name, license_ in licenses.items()
        }

    def _licenses(
        self, names: Collection[str], environments: Sequence[Environment], *, about: bool = False
    ) -> dict[str, License | None]:
        """The licences with these fingerprints in the first of the environments that knows them; None: in none.

        `about`: as they were at some time in the last ABOUT_SECONDS.
        """
        keyring, fingerprints = self.stores.keyring, {name: fingerprint_named(name) for name in names}
        ids = {
            name: [license_id_of(each, fingerprint, keyring) for each in environments] if fingerprint else []
            for name, fingerprint in fingerprints.items()
        }
        wanted = [id_ for of_name in ids.values() for id_ in of_name if id_ not in self._read]
        found = {id_: self.memory.licenses[id_] for id_ in wanted if id_ in self.memory.licenses} if about else {}
        if missing := {id_ for id_ in wanted if id_ not in found}:
            known, _ = self.stores.licenses.known(missing, (), consistent=False)
            read = {id_: known.get(id_) for id_ in missing}
            self._read.update(read)
            self.memory.licenses.update(read)
        found |= self._read
        return {name: next((each for id_ in of_name if (each := found[id_])), None) for name, of_name in ids.items()}

    def _customers(self, ids: Collection[str]) -> Mapping[str, Customer]:
        """Those of the customers that there are; as they were at some time in the last ABOUT_SECONDS."""
        known = {id_: self.memory.customers[id_] for id_ in ids if id_ in self.memory.customers}
        if missing := [id_ for id_ in ids if id_ not in known]:
            found = self.stores.customers.many(missing)
            read = {id_: found.get(id_) for id_ in missing}
            self.memory.customers.update(read)
            known |= read
        return {id_: customer for id_, customer in known.items() if customer}

    def _told(self, used: Collection[tuple[str, str]]) -> Mapping[str, str]:
        """The last characters of keys, each read from a record that was sent under its product, or under none.

        A key cannot be made from its fingerprint. A record that counts for a product may have been sent under another
        id: such records are not searched.
        """
        last_fours, untold = self.memory.last_fours, self.memory.untold
        asked = [pair for pair in dict.fromkeys(used) if pair[0] not in last_fours and pair not in untold]
        for places in (
            {partition_with(name, product): name for name, product in asked},
            {partition_with(name, ""): name for name, _ in asked},
        ):
            records = self.records.one_of_each([place for place, name in places.items() if name not in last_fours])
            for place, record in records.items():
                if key := self.event_of(record).license_key:
                    last_fours[places[place]] = last_four(key)
        untold.update({pair: True for pair in asked if pair[0] not in last_fours})
        return {name: last_fours[name] for name, _ in used if name in last_fours}


def _owner(customer_id: str, customers: Mapping[str, Customer]) -> Owner:
    customer = customers.get(customer_id)
    return Owner(customer_id, customer.name if customer else None)


def limit_of(license_: License | None) -> int | None:
    """The number of devices that a licence allows; None: no limit, or no licence."""
    return license_.activation_limit if license_ and license_.activation_limit > 0 else None


def _is_over(devices: int, license_: License | None) -> bool:
    limit = limit_of(license_)
    return limit is not None and devices > limit
