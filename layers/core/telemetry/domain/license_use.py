"""What licences sent, day by day, counted from their records themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from telemetry.domain.license_activity import LicenseCount
from telemetry.domain.sighting import Observation


@dataclass(frozen=True, slots=True)
class LicenseUse:
    """By UTC day of receipt, and all days together; `whole` is None where nothing was sent.

    The devices and addresses of the whole are distinct ones, not the sums of those of days. It `is_whole` unless there
    are too many records to look at; `counted_from`: of those with an event time, only later ones were.
    """

    whole: LicenseCount | None
    days: Mapping[date, LicenseCount]
    is_whole: bool = True
    counted_from: datetime | None = None


def use_of(
    observations: Iterable[Observation], counted_from: datetime | None = None, *, is_whole: bool = True
) -> LicenseUse:
    """Counts records."""
    whole: LicenseCount | None = None
    days: dict[date, LicenseCount] = {}
    for seen in observations:
        at = seen.received_at
        whole = whole or LicenseCount(at, at)
        whole.add(seen)
        days.setdefault(seen.sighting.day, LicenseCount(at, at)).add(seen)
    return LicenseUse(whole, days, is_whole, counted_from)
