"""What a licence did on a day, as reports and parts of recounts keep it."""

from collections.abc import Sequence
from typing import Any

from telemetry.domain.instant import from_milliseconds, to_nearest_millisecond
from telemetry.domain.license_activity import LicenseActivity


def license_activity_to_json(each: LicenseActivity) -> list[Any]:
    """As an array, short because a report has many."""
    return [
        each.license,
        each.product,
        each.records,
        each.flagged,
        dict(each.flags),
        each.devices,
        each.ips,
        each.countries,
        to_nearest_millisecond(each.first_seen),
        to_nearest_millisecond(each.last_seen),
    ]


def license_activity_from_json(said: Sequence[Any]) -> LicenseActivity:
    """The inverse of `license_activity_to_json`."""
    license_, product, records, flagged, flags, devices, ips, countries, first, last = said
    return LicenseActivity(
        license=license_,
        product=product,
        records=records,
        flagged=flagged,
        flags=flags,
        devices=devices,
        ips=ips,
        countries=tuple(countries),
        first_seen=from_milliseconds(first),
        last_seen=from_milliseconds(last),
    )
