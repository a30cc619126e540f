"""A day counted from its records: at once, or in parts that are merged."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

from telemetry.domain.hourly_counts import MOST_ACTIVITIES, largest, name_of
from telemetry.domain.instant import hour_of
from telemetry.domain.license_activity import LicenseActivity, LicenseCount, foremost
from telemetry.domain.report_rules import RULES, Rules
from telemetry.domain.sighting import Observation

HOURS = 24
MOST_VERSIONS = 100

V = TypeVar("V")


MERGING = -1
"""Used instead of a shard for a bucket that is merged from all parts."""


class Unit(NamedTuple):
    """A part of a product's day: one shard of the index, from one hour to another.

    `pass_` names the count it is of. Versions and licences are kept in so many `buckets`, by name: what all parts have
    of a bucket is merged at once, so that only one bucket is in memory at a time.
    """

    product: str
    day: date
    pass_: str
    shard: int
    first_hour: int
    end_hour: int
    counts_users: bool
    buckets: int = 1

    def merging(self, bucket: int) -> "Unit":
        """The key of a bucket's foremost entries, once it is merged from this unit and all others like it."""
        return self._replace(shard=MERGING, first_hour=bucket, end_hour=bucket, counts_users=False)


@dataclass(slots=True)
class Recount:
    """The records of a product and day, or of a part of them, counted.

    `segments` are digests over the seals of records, in order, by index partition and hour of receipt. `uses` are those
    of product usage, by activity type as the index lists it. The number of `versions`, `uses` and `licenses` has no
    limit: these are the *tables*, which large parts keep separately. `settled` are the foremost licences of those that
    are completely counted.
    """

    records: int = 0
    flagged: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    uses: Counter[str] = field(default_factory=Counter)
    hours: Counter[tuple[int, bool]] = field(default_factory=Counter)
    """(hour of the day, flagged) → records."""
    expires_at: datetime | None = None
    """When the first of them goes."""
    segments: dict[tuple[str, int], bytes] = field(default_factory=dict)
    licenses: dict[str, LicenseCount] = field(default_factory=dict)
    settled: tuple[LicenseActivity, ...] = ()

    def merge(self, other: "Recount") -> None:
        """Adds another part of the same day; no two parts share a segment, nor a settled licence."""
        self.records += other.records
        self.flagged += other.flagged
        self.flags.update(other.flags)
        self.versions.update(other.versions)
        self.uses.update(other.uses)
        self.hours.update(other.hours)
        self.expires_at = min(filter(None, (self.expires_at, other.expires_at)), default=None)
        self.segments |= other.segments
        for name, count in other.licenses.items():
            mine = self.licenses.setdefault(name, LicenseCount(count.first_seen, count.last_seen, count.rules))
            mine.merge(count)
        self.settled = foremost((*self.settled, *other.settled))

    def bucket(self, number: int, buckets: int) -> "Recount":
        """The part of the tables that falls into one bucket."""
        return Recount(
            versions=Counter(_in_bucket(self.versions, number, buckets)),
            uses=Counter(_in_bucket(self.uses, number, buckets)),
            licenses=_in_bucket(self.licenses, number, buckets),
        )

    def take_tables(self) -> "Recount":
        """Takes the tables out: they are empty here afterwards."""
        tables = Recount(versions=self.versions, uses=self.uses, licenses=self.licenses)
        self.versions, self.uses, self.licenses = Counter(), Counter(), {}
        return tables

    def settle(self, product: str) -> "Recount":
        """The foremost entries of tables to which nothing will be added: a large table becomes small."""
        return Recount(
            versions=Counter(self.top_versions()),
            uses=Counter(largest(self.uses, MOST_ACTIVITIES)),
            settled=self.top_licenses(product),
        )

    def shard_digests(self) -> dict[str, str]:
        """SHA-256 (hex) by index partition, over its hours' digests."""
        digests: dict[str, Any] = {}
        for (partition, _), digest in sorted(self.segments.items()):
            digests.setdefault(partition, sha256()).update(digest)
        return {partition: found.hexdigest() for partition, found in digests.items()}

    @property
    def digest(self) -> bytes:
        """Over all shards: equal for two counts only if they are of the same records."""
        return sha256(json.dumps(sorted(self.shard_digests().items())).encode()).digest()

    def top_versions(self) -> dict[str, int]:
        return largest(self.versions, MOST_VERSIONS)

    def top_licenses(self, product: str) -> tuple[LicenseActivity, ...]:
        """The foremost of all that were counted."""
        counted = (count.activity(product, name) for name, count in self.licenses.items())
        return foremost((*self.settled, *counted))


def _in_bucket(table: Mapping[str, V], number: int, buckets: int) -> dict[str, V]:
    return {name: value for name, value in table.items() if crc32(name.encode()) % buckets == number}


class Counting:
    """Counts observations of one product and day that come partition by partition, each in order of receipt."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.result = Recount()
        self._rules = rules
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
        if seen.uses:
            count.uses[name_of(seen.group)] += seen.uses
        count.hours[hour, seen.is_flagged] += 1
        count.expires_at = min(count.expires_at or seen.expires_at, seen.expires_at)
        if seen.license:
            at = seen.received_at
            count.licenses.setdefault(seen.license, LicenseCount(at, at, self._rules)).add(seen)

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
        # in the index, records of the same millisecond have no fixed order
        for seal in sorted(self._seals):
            self._digest.update(seal)
        self._seals = []

    def _end_segment(self) -> None:
        self._end_moment()
        if self._segment is not None:
            self.result.segments[self._segment] = self._digest.digest()
        self._digest = sha256()


def counted(observations: Iterable[Observation], rules: Rules = RULES) -> Recount:
    """The count of all these observations."""
    counting = Counting(rules)
    for seen in observations:
        counting.add(seen)
    return counting.done()
