"""What licences did over several days, from what is known of each day.

Days list licences apart by product. Distinct devices and addresses of two days cannot be added up, so of these the most
on one day is told.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from telemetry.domain.recount import MOST_COUNTRIES, LicenseActivity, LicenseCount
from telemetry.domain.sighting import Observation

Owner = TypeVar("Owner")

Day = Sequence[LicenseActivity]
"""What licences did on one day."""


def seen_on(observations: Iterable[Observation]) -> dict[date, Day]:
    """What these records, and no others, show of licences, by UTC day of receipt."""
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
    return sorted(merged.values(), key=lambda each: (-each.flagged, -each.records, each.license, each.product))


def most_devices(days: Iterable[Day]) -> dict[str, int]:
    """By licence, the most distinct devices with one product on one day; the highest first."""
    most: Counter[str] = Counter()
    for day in days:
        for each in day:
            most[each.license] = max(most[each.license], each.devices)
    return dict(most.most_common())


def most_devices_of_owners(days: Iterable[Day], owners: Mapping[str, Owner]) -> dict[Owner, int]:
    """The same by owner, over all of their licences: a device under two of them counts twice. `owners` by licence."""
    most: Counter[Owner] = Counter()
    for day in days:
        of_day: Counter[Owner] = Counter()
        for license_, devices in most_devices([day]).items():
            if license_ in owners:
                of_day[owners[license_]] += devices
        most |= of_day
    return dict(most.most_common())


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
