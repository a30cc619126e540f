"""A day counted from its records: in one go, or in parts that are merged."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from zlib import crc32

from telemetry.domain.activity import hour_of, largest, name_of
from telemetry.domain.sighting import Observation

HOURS = 24

BUCKETS = 16
"""The licences of a day counted in parts are merged in so many steps: they need not all be in memory."""

MOST_VERSIONS = 100
TOP_LICENSES = 50
MOST_COUNTRIES = 20

_DEVICE_BYTES = 8  # of a fingerprint: enough to tell a day's devices of one licence apart


class Unit(NamedTuple):
    """A part of a product's day: one shard of the index, from one hour to another. `pass_` names the count it is of."""

    product: str
    day: date
    pass_: str
    shard: int
    first_hour: int
    end_hour: int
    counts_users: bool


@dataclass(slots=True)
class LicenseCount:
    """What a day's records show of a licence. `devices`, `ips` and `countries` are distinct ones, over all records."""

    first_seen: datetime
    last_seen: datetime
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
            self.devices.add(seen.sighting.device[:_DEVICE_BYTES])
        if seen.source_ip:
            self.ips.add(seen.source_ip)
        if seen.country:
            self.countries.add(seen.country)
        self.first_seen = min(self.first_seen, seen.received_at)
        self.last_seen = max(self.last_seen, seen.received_at)

    def merge(self, other: "LicenseCount") -> None:
        self.records += other.records
        self.flagged += other.flagged
        self.flags.update(other.flags)
        self.devices |= other.devices
        self.ips |= other.ips
        self.countries |= other.countries
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)


@dataclass(slots=True)
class Recount:
    """The records of a product and day, or of a part of them, counted.

    `segments` are digests over the seals of records, in order, by index partition and hour of receipt.
    """

    records: int = 0
    flagged: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    hours: Counter[tuple[int, bool]] = field(default_factory=Counter)
    """(hour of the day, flagged) → records."""
    expires_at: datetime | None = None
    """When the first of them goes."""
    segments: dict[tuple[str, int], bytes] = field(default_factory=dict)
    licenses: dict[str, LicenseCount] = field(default_factory=dict)

    def merge(self, other: "Recount") -> None:
        """Adds another part of the same day; no two parts share a segment."""
        self.records += other.records
        self.flagged += other.flagged
        self.flags.update(other.flags)
        self.versions.update(other.versions)
        self.hours.update(other.hours)
        self.expires_at = min(filter(None, (self.expires_at, other.expires_at)), default=None)
        self.segments |= other.segments
        for name, count in other.licenses.items():
            self.licenses.setdefault(name, LicenseCount(count.first_seen, count.last_seen)).merge(count)

    def bucket(self, number: int) -> "Recount":
        """The licences of one bucket alone."""
        chosen = {name: count for name, count in self.licenses.items() if crc32(name.encode()) % BUCKETS == number}
        return Recount(licenses=chosen)

    def shard_digests(self) -> dict[str, str]:
        """SHA-256 (hex) by index partition, over its hours' digests."""
        digests: dict[str, Any] = {}
        for (partition, _), digest in sorted(self.segments.items()):
            digests.setdefault(partition, sha256()).update(digest)
        return {partition: found.hexdigest() for partition, found in digests.items()}

    @property
    def digest(self) -> bytes:
        """Over all shards: equal for two counts of the same records, and of no others."""
        return sha256(json.dumps(sorted(self.shard_digests().items())).encode()).digest()

    def top_versions(self) -> dict[str, int]:
        return largest(self.versions, MOST_VERSIONS)

    def top_licenses(self) -> dict[str, LicenseCount]:
        """The TOP_LICENSES by flagged records and those by distinct devices, most flagged first."""
        by_flagged = sorted(self.licenses.items(), key=lambda item: (-item[1].flagged, -item[1].records, item[0]))
        by_devices = sorted(self.licenses.items(), key=lambda item: (-len(item[1].devices), item[0]))
        chosen = dict(item for item in by_flagged[:TOP_LICENSES] if item[1].flagged) | dict(by_devices[:TOP_LICENSES])
        return {name: count for name, count in by_flagged if name in chosen}


class Counting:
    """Counts observations of one product and day that come partition by partition, each in order of receipt."""

    def __init__(self) -> None:
        self.result = Recount()
        self._segment: tuple[str, int] | None = None
        self._digest: Any = sha256()
        self._moment: datetime | None = None
        self._seals: list[bytes] = []

    def add(self, seen: Observation) -> None:
        hour = hour_of(seen.received_at).hour
        self._seal(seen, (seen.partition, hour))
        count = self.result
        count.records += 1
        count.flagged += seen.is_flagged
        count.flags.update(flag.code for flag in seen.flags)
        count.versions[name_of(seen.version)] += 1
        count.hours[hour, seen.is_flagged] += 1
        count.expires_at = min(count.expires_at or seen.expires_at, seen.expires_at)
        if seen.license:
            at = seen.received_at
            count.licenses.setdefault(seen.license, LicenseCount(at, at)).add(seen)

    def done(self) -> Recount:
        self._end_segment()
        return self.result

    def _seal(self, seen: Observation, segment: tuple[str, int]) -> None:
        if segment != self._segment:
            self._end_segment()
            self._segment = segment
        if seen.received_at != self._moment:
            self._end_moment()
            self._moment = seen.received_at
        self._seals.append(seen.seal)

    def _end_moment(self) -> None:
        # the index leaves the order of records of one millisecond open
        for seal in sorted(self._seals):
            self._digest.update(seal)
        self._seals = []

    def _end_segment(self) -> None:
        self._end_moment()
        if self._segment is not None:
            self.result.segments[self._segment] = self._digest.digest()
        self._digest = sha256()


def counted(observations: Iterable[Observation]) -> Recount:
    """All of them."""
    counting = Counting()
    for seen in observations:
        counting.add(seen)
    return counting.done()
