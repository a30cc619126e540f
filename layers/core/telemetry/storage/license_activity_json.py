"""What a licence did on a day, as reports and parts of recounts keep it."""

from collections.abc import Sequence
from typing import Any

from telemetry.domain.instant import from_milliseconds
from telemetry.domain.license_activity import LicenseActivity


def license_activity_to_json(each: LicenseActivity) -> list[Any]:
    """The values of its fields in their order, without names: a report has many."""
    return list(each.plain().values())


def license_activity_from_json(said: Sequence[Any]) -> LicenseActivity:
    """The inverse of `license_activity_to_json`."""
    license_, product, records, flagged, flags, devices, ips, countries, first, last = said
    seen = from_milliseconds(first), from_milliseconds(last)
    return LicenseActivity(license_, product, records, flagged, flags, devices, ips, tuple(countries), *seen)
