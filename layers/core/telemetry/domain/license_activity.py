"""What licences did: counted from the records of a day, and put together over several days.

A day lists a licence once for each product. Distinct devices and addresses of two days cannot be added up, so over
several days they are the highest number of one day.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from heapq import nsmallest
from typing import Any, TypeVar

from telemetry.domain.hourly_counts import DEVICE_BYTES, OTHER
from telemetry.domain.instant import to_nearest_millisecond
from telemetry.domain.report_rules import RULES, Rules
from telemetry.domain.sighting import Observation

TOP_LICENSES = 50
MOST_COUNTRIES = 20

Owner = TypeVar("Owner")
T = TypeVar("T", str, bytes)


@dataclass(frozen=True, slots=True)
class LicenseActivity:
    """A licence among the most flagged of a day, or among those with the most devices.

    `license` is its fingerprint as record keys carry it. All counts are of the day; `ips` counts distinct addresses.
    """

    license: str
    product: str
    records: int
    flagged: int
    flags: Mapping[str, int]
    devices: int
    ips: int
    countries: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime

    def plain(self) -> dict[str, Any]:
        """As JSON has it, in the order of the fields."""
        return {
            "license": self.license,
            "product": self.product,
            "records": self.records,
            "flagged": self.flagged,
            "flags": dict(self.flags),
            "devices": self.devices,
            "ips": self.ips,
            "countries": list(self.countries),
            "first_seen": to_nearest_millisecond(self.first_seen),
            "last_seen": to_nearest_millisecond(self.last_seen),
        }


def foremost(licenses: Iterable[LicenseActivity]) -> tuple[LicenseActivity, ...]:
    """The TOP_LICENSES by flagged records and those by distinct devices, most flagged first.

    The foremost of a whole are among the foremost of its parts, so parts can be merged one after the other.
    """
    by_flagged = sorted(licenses, key=_most_flagged_first)
    by_devices = sorted(by_flagged, key=lambda each: (-each.devices, each.license, each.product))
    chosen = [each for each in by_flagged[:TOP_LICENSES] if each.flagged] + by_devices[:TOP_LICENSES]
    names = {(each.license, each.product) for each in chosen}
    return tuple(each for each in by_flagged if (each.license, each.product) in names)


@dataclass(slots=True)
class LicenseCount:
    """What a day's records show of a licence. `devices`, `ips` and `countries` are distinct ones, over all records.

    Where there are too many, the smallest are kept: so the order, and the parts, in which records are counted make no
    difference.
    """

    first_seen: datetime
    last_seen: datetime
    rules: Rules = RULES
    records: int = 0
    flagged: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    devices: set[bytes] = field(default_factory=set)
    ips: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)

    def add(self, seen: Observation) -> None:
        self.records += 1
        self.flagged += seen.is_flagged
        self.flags.update(flag.code for flag in seen.flags)
        if seen.sighting.device:
            self.devices.add(seen.sighting.device[:DEVICE_BYTES])
        if seen.source_ip:
            self.ips.add(seen.source_ip)
        if seen.country:
            self.countries.add(_bounded(seen.country, self.rules.longest_country))
        self.first_seen = min(self.first_seen, seen.received_at)
        self.last_seen = max(self.last_seen, seen.received_at)
        self._bound()

    def merge(self, other: "LicenseCount") -> None:
        self.records += other.records
        self.flagged += other.flagged
        self.flags.update(other.flags)
        self.devices |= other.devices
        self.ips |= other.ips
        self.countries |= other.countries
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        self._bound()

    def activity(self, product: str, license_: str) -> LicenseActivity:
        """As it is in a report."""
        return LicenseActivity(
            license=license_,
            product=product,
            records=self.records,
            flagged=self.flagged,
            flags=dict(sorted(self.flags.items())),
            devices=min(len(self.devices), self.rules.most_distinct),
            ips=min(len(self.ips), self.rules.most_distinct),
            countries=tuple(sorted(self.countries)[:MOST_COUNTRIES]),
            first_seen=self.first_seen,
            last_seen=self.last_seen,
        )

    def _bound(self) -> None:
        _keep_smallest(self.devices, self.rules.most_distinct)
        _keep_smallest(self.ips, self.rules.most_distinct)
        _keep_smallest(self.countries, MOST_COUNTRIES)


Day = Sequence[LicenseActivity]
"""What licences did on one day."""


def seen_on(observations: Iterable[Observation]) -> dict[date, Day]:
    """The activity of licences in these records only, by UTC day of receipt."""
    days: dict[date, dict[tuple[str, str], LicenseCount]] = {}
    for seen in observations:
        if seen.license:
            of_day, at = days.setdefault(seen.sighting.day, {}), seen.received_at
            of_day.setdefault((seen.license, seen.sighting.product), LicenseCount(at, at)).add(seen)
    return {
        day: [count.activity(product, license_) for (license_, product), count in counts.items()]
        for day, counts in days.items()
    }


def over_days(days: Iterable[Day]) -> list[LicenseActivity]:
    """Each licence and product once: counts are sums, `devices` and `ips` the most on one day. Most flagged first."""
    merged: dict[tuple[str, str], LicenseActivity] = {}
    for day in days:
        for each in day:
            key = each.license, each.product
            merged[key] = _together(merged[key], each) if key in merged else each
    return sorted(merged.values(), key=_most_flagged_first)


def most_devices(days: Iterable[Day]) -> dict[str, int]:
    """By licence, the most distinct devices with one product on one day; the highest first."""
    most: Counter[str] = Counter()
    for day in days:
        for each in day:
            most[each.license] = max(most[each.license], each.devices)
    return dict(most.most_common())


def most_devices_of_owners(days: Iterable[Day], owners: Mapping[str, Owner]) -> dict[Owner, int]:
    """The same by owner, over all their licences: a device under two of them counts twice. `owners` is by licence."""
    most: Counter[Owner] = Counter()
    for day in days:
        of_day: Counter[Owner] = Counter()
        for license_, devices in most_devices([day]).items():
            if license_ in owners:
                of_day[owners[license_]] += devices
        most |= of_day
    return dict(most.most_common())


def _most_flagged_first(each: LicenseActivity) -> tuple[int, int, str, str]:
    return -each.flagged, -each.records, each.license, each.product


def _together(one: LicenseActivity, other: LicenseActivity) -> LicenseActivity:
    return LicenseActivity(
        license=one.license,
        product=one.product,
        records=one.records + other.records,
        flagged=one.flagged + other.flagged,
        flags=Counter(one.flags) + Counter(other.flags),
        devices=max(one.devices, other.devices),
        ips=max(one.ips, other.ips),
        countries=tuple(sorted({*one.countries, *other.countries})[:MOST_COUNTRIES]),
        first_seen=min(one.first_seen, other.first_seen),
        last_seen=max(one.last_seen, other.last_seen),
    )


def _bounded(country: str, longest: int) -> str:
    return country if len(country.encode()) <= longest else OTHER


def _keep_smallest(found: set[T], most: int) -> None:
    """May leave up to twice as many, so that it is not done at every call."""
    if len(found) > 2 * most:
        found.intersection_update(nsmallest(most, found))
