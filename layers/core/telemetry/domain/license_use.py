"""What licences sent, day by day, counted from their records themselves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from telemetry.domain.license_activity import LicenseCount
from telemetry.domain.sighting import Observation

MOST_DEVICES = 50
"""Devices that are told one by one."""


@dataclass(slots=True)
class DeviceUse:
    """What a device sent, and the newest record of it."""

    count: LicenseCount
    newest: Observation

    def add(self, seen: Observation) -> None:
        self.count.add(seen)
        if seen.received_at > self.newest.received_at:
            self.newest = seen


@dataclass(frozen=True, slots=True)
class LicenseUse:
    """By UTC day of receipt, and all days together; `whole` is None where nothing was sent.

    The devices and addresses of the whole are distinct ones, not the sums of those of days. `devices`: those that sent
    last, the newest first. It `is_whole` unless there are too many records to look at; `counted_from`: of those with an
    event time, only later ones were.
    """

    whole: LicenseCount | None
    days: Mapping[date, LicenseCount]
    devices: Sequence[DeviceUse] = ()
    is_whole: bool = True
    counted_from: datetime | None = None


def use_of(
    observations: Iterable[Observation], counted_from: datetime | None = None, *, is_whole: bool = True
) -> LicenseUse:
    """Counts records."""
    whole: LicenseCount | None = None
    days: dict[date, LicenseCount] = {}
    devices: dict[bytes, DeviceUse] = {}
    for seen in observations:
        at = seen.received_at
        whole = whole or LicenseCount(at, at)
        whole.add(seen)
        days.setdefault(seen.sighting.day, LicenseCount(at, at)).add(seen)
        if device := seen.sighting.device:
            devices.setdefault(device, DeviceUse(LicenseCount(at, at), seen)).add(seen)
    latest = sorted(devices.items(), key=lambda each: (each[1].count.last_seen, each[0]), reverse=True)
    return LicenseUse(whole, days, [device for _, device in latest[:MOST_DEVICES]], is_whole, counted_from)
