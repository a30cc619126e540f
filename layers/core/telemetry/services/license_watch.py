"""Which licences to look at: the most flagged, those on many devices, and those of other environments."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import NamedTuple

from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.flags import Flag
from telemetry.domain.license import License, last_four, license_id
from telemetry.domain.license_activity import (
    Day,
    LicenseActivity,
    most_devices,
    most_devices_of_owners,
    over_days,
    seen_on,
)
from telemetry.domain.record import Record, partition_with
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Observation
from telemetry.services.administration.stores import Stores
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.records import RecordStore

MOST_FLAGGED = 2_000
"""Records of days not closed yet that are looked at, the newest."""

MOST_OPEN_DAYS = 3
"""Days not closed yet that are read: there are at most two while days close in time."""

MOST_LICENSES = 200
"""Licences in one answer: for each of them a record is read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What licences did, day by day; `open_days` are those of which only the newest flagged records were looked at."""

    days: Sequence[Day]
    open_days: Sequence[date]


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
        license_ = self.holder.license
        return license_.activation_limit if license_ and license_.activation_limit > 0 else None

    @property
    def is_over(self) -> bool:
        return self.limit is not None and self.devices > self.limit


@dataclass(frozen=True, slots=True)
class LicenseWatch:
    """Looks at the licences of one environment. Raises StoreUnavailable."""

    environment: Environment
    reports: DayReportStore
    day_records: DayRecordStore
    records: RecordStore
    stores: Stores
    event_of: Callable[[Record], Event]

    def seen(self, scope: str, days: Sequence[date]) -> Seen:
        """What is known of these consecutive days, of a product or the catalogue."""
        details = self.reports.details_between(scope, days[0], days[-1])
        latest = details[-1] if details else self.reports.latest(scope, days[-1])
        open_days = [day for day in days if latest is None or day > latest.day][-MOST_OPEN_DAYS:]
        products = [*self.stores.products.all(), UNKNOWN_PRODUCT] if scope == CATALOGUE else [scope]
        flagged: list[Observation] = []
        for day in reversed(open_days):
            if len(flagged) < MOST_FLAGGED:
                flagged += self.day_records.newest_flagged(products, day, MOST_FLAGGED - len(flagged))
        return Seen([*(each.licenses for each in details), *seen_on(flagged).values()], open_days)

    def top(self, seen: Seen, limit: int) -> list[tuple[LicenseActivity, Holder]]:
        """The licences with the most flagged records."""
        most = [each for each in over_days(seen.days) if each.flagged][:limit]
        return self._with_holders(most, [self.environment])

    def excess(self, seen: Seen, threshold: int) -> list[Excess]:
        """Licences and customers with at least `threshold` devices, and licences over their limit; the most first."""
        most = dict(islice(most_devices(seen.days).items(), MOST_LICENSES))
        used = [each for each in over_days(seen.days) if each.license in most]
        holders = {each.license: holder for each, holder in self._with_holders(used, [self.environment])}
        owners = {name: holder.owner for name, holder in holders.items() if holder.owner}
        of_licenses = [Excess(name, holders[name], devices) for name, devices in most.items()]
        of_owners = most_devices_of_owners(seen.days, owners).items()
        of_customers = [Excess(None, Holder(owner=owner), devices) for owner, devices in of_owners]
        found = (each for each in (*of_licenses, *of_customers) if each.devices >= threshold or each.is_over)
        return sorted(found, key=lambda each: -each.devices)

    def mismatches(self, seen: Seen, elsewhere: Collection[Environment]) -> list[tuple[LicenseActivity, Holder]]:
        """Keys of other environments that are used in this one, most first. Holders are searched in `elsewhere`."""
        flag = Flag.ENVIRONMENT_MISMATCH.code
        found = [each for each in over_days(seen.days) if each.flags.get(flag)]
        most = sorted(found, key=lambda each: -each.flags[flag])[:MOST_LICENSES]
        return self._with_holders(most, sorted(set(elsewhere) - {self.environment}))

    def holders(self, used: Collection[tuple[str, str]]) -> dict[str, Holder]:
        """Holders of licences that are used with products, by fingerprint; without those whose key is in no record."""
        return self._holders(self._keys(used), [self.environment])

    def _with_holders(
        self, licenses: Sequence[LicenseActivity], environments: Sequence[Environment]
    ) -> list[tuple[LicenseActivity, Holder]]:
        holders = self._holders(self._keys([(each.license, each.product) for each in licenses]), environments)
        return [(each, holders.get(each.license, Holder())) for each in licenses]

    def _holders(self, keys: Mapping[str, str], environments: Sequence[Environment]) -> dict[str, Holder]:
        """By fingerprint. A key that is known in several of the environments has the holder of the first."""
        ids = {
            name: [license_id(each, key, self.stores.keyring) for each in environments] for name, key in keys.items()
        }
        known, _ = self.stores.licenses.known({id_ for of_key in ids.values() for id_ in of_key}, ())
        found = {name: next((known[id_] for id_ in of_key if id_ in known), None) for name, of_key in ids.items()}
        customers = self.stores.customers.many(
            {each.customer_id for each in found.values() if each and each.customer_id}
        )
        return {
            name: Holder(last_four(keys[name]), license_, _owner(license_, customers))
            for name, license_ in found.items()
        }

    def _keys(self, used: Collection[tuple[str, str]]) -> dict[str, str]:
        """The licence keys behind fingerprints, each read from a record that was sent under its product, or under none.

        A key cannot be made from its fingerprint, and the key names the licence. A record that counts for a product may
        have been sent under another id: such records are not searched.
        """
        keys: dict[str, str] = {}
        for places in (
            {partition_with(name, product): name for name, product in used},
            {partition_with(name, ""): name for name, _ in used},
        ):
            records = self.records.one_of_each([place for place, name in places.items() if name not in keys])
            found = ((places[place], self.event_of(record).license_key) for place, record in records.items())
            keys |= {name: key for name, key in found if key}
        return keys


def _owner(license_: License | None, customers: Mapping[str, Customer]) -> Owner | None:
    if license_ is None or license_.customer_id is None:
        return None
    customer = customers.get(license_.customer_id)
    return Owner(license_.customer_id, customer.name if customer else None)
