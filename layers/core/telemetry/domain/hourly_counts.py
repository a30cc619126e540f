"""What happened in an hour: records by what they are, folded from a batch of a stream."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar

from telemetry.domain.flags import Flag, is_billable
from telemetry.domain.instant import hour_of
from telemetry.domain.sighting import CATALOGUE, Observation

OTHER = "~other"
"""Names for which there was no room."""

UNNAMED = "~unknown"
"""What came without a name."""

MOST_NAMES = 24
"""Versions, and groups, that one hour of one scope counts by name: clients choose these names, and an item is small."""

LONGEST_NAME = 64
"""Bytes of UTF-8."""

MOST_ACTIVITIES = 16
"""Activity types by whose names one hour counts uses."""

MOST_KEYS = 200
"""API keys that one hour counts separately. Staff make them, and their ids have ten characters: under 4 KB of an item.

One update may have 300 parts: all of these, MOST_ACTIVITIES, two times MOST_NAMES, and the flags are fewer.
"""

K = TypeVar("K")


class Kind(StrEnum):
    """What a counter counts; the value begins its name in storage.

    Clients choose the names of VERSION and GROUP. Each of these sums to RECORDS; API_KEY does in the catalogue's hours.
    A record of product usage stands for one use or for many: USES are counted beside records, and ACTIVITY, which has
    them by activity type, sums to USES.
    """

    RECORDS = "r"
    FLAGGED = "f"
    SUSPECT = "s"
    FLAG = "!"
    VERSION = "v"
    GROUP = "g"
    API_KEY = "k"
    USES = "u"
    ACTIVITY = "a"


_MOST = {
    Kind.VERSION: MOST_NAMES,
    Kind.GROUP: MOST_NAMES,
    Kind.ACTIVITY: MOST_ACTIVITIES,
    Kind.API_KEY: MOST_KEYS,
}


class Measure(NamedTuple):
    """One counter. `name` is a flag's code, a version, a group, an activity type, an API key's id; else empty."""

    kind: Kind
    name: str = ""


HourCounts = Counter[Measure]

RECORDS, FLAGGED, SUSPECT = Measure(Kind.RECORDS), Measure(Kind.FLAGGED), Measure(Kind.SUSPECT)
"""Records; those with a flag; those with a piracy or licence flag, each once however many it has."""

USES = Measure(Kind.USES)


class HourKey(NamedTuple):
    """An hour (UTC, by its beginning) of a product or of the catalogue."""

    scope: str
    hour: datetime


class LicenseDay(NamedTuple):
    """A licence on a UTC day of receipt, among the records of a product."""

    product: str
    day: date
    license: str


class FlaggedDay(NamedTuple):
    """What flags point at a licence with on a day: records, and distinct devices by the beginning of a fingerprint.

    Of many devices only the first MOST_DEVICES and some more are known.
    """

    records: int
    devices: frozenset[bytes]


MOST_DEVICES = 1_000
"""Devices of a licence that one day knows apart: the next batch that shows a new one is the last that adds any."""

DEVICE_BYTES = 8
"""Of a fingerprint: enough to tell the devices of one licence apart."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What some records add: to hours, and to the licences that piracy and licence flags point at.

    `chosen_at` has the hours that get a new name, each with the records it had when the name was chosen: another writer
    may choose names at the same time, and together they would be too many.
    """

    hours: dict[HourKey, HourCounts] = field(default_factory=dict)
    licenses: Counter[LicenseDay] = field(default_factory=Counter)
    chosen_at: dict[HourKey, int] = field(default_factory=dict)

    def add(self, seen: Observation, group: str | None) -> None:
        hour = hour_of(seen.received_at)
        for scope in (seen.sighting.product, CATALOGUE):
            counts = self.hours.setdefault(HourKey(scope, hour), Counter())
            counts.update(_measures(seen, group))
            if seen.uses:
                counts.update({USES: seen.uses, Measure(Kind.ACTIVITY, name_of(group)): seen.uses})
        self.hours[HourKey(CATALOGUE, hour)][of_key(seen.api_key_id)] += 1
        if seen.license and points_at_a_license(seen.flags):
            self.licenses[LicenseDay(seen.sighting.product, seen.sighting.day, seen.license)] += 1

    def bounded(self, known: Mapping[HourKey, Mapping[Measure, int]]) -> "Fold":
        """The same with no more names than there is room for; `known` is what its hours have already."""
        hours = {key: bounded(added, known.get(key, {})) for key, added in self.hours.items()}
        chosen_at = {
            key: known.get(key, {}).get(RECORDS, 0)
            for key, added in hours.items()
            if any(each.kind in _MOST and each.name != OTHER for each in added.keys() - known.get(key, {}).keys())
        }
        return Fold(hours, self.licenses, chosen_at)

    def __len__(self) -> int:
        return len(self.hours) + len(self.licenses)


def of_key(api_key_id: str) -> Measure:
    """What counts the events of an API key. Only hours of the catalogue have it: a key's products do not matter."""
    return Measure(Kind.API_KEY, name_of(api_key_id))


def events_by_key(counts: Mapping[Measure, int]) -> dict[str, int]:
    """The events of an hour of the catalogue by key; OTHER are those of keys for which there was no room."""
    return {measure.name: count for measure, count in counts.items() if measure.kind is Kind.API_KEY}


def uses_by_activity(counts: Mapping[Measure, int]) -> dict[str, int]:
    """The uses of an hour by activity type; OTHER are those of types for which there was no room."""
    return {measure.name: count for measure, count in counts.items() if measure.kind is Kind.ACTIVITY}


def bounded(added: HourCounts, known: Mapping[Measure, int]) -> HourCounts:
    """The same with no more names of a kind than there is room for; `known` has its names already. The rest is OTHER.

    Names go to those that come first: most records of an hour are of versions that its first records showed.
    """
    named = Counter(each.kind for each in known if each.name != OTHER)
    room = {kind: most - named[kind] for kind, most in _MOST.items()}
    result: HourCounts = Counter()
    for measure, count in sorted(added.items(), key=lambda item: (-item[1], item[0])):
        kept = measure
        if measure.kind in room and measure not in known and measure.name != OTHER:
            room[measure.kind] -= 1
            if room[measure.kind] < 0:
                kept = Measure(measure.kind, OTHER)
        result[kept] += count
    return result


def total(added: Iterable[Mapping[K, int]]) -> Counter[K]:
    """Counts added up, as those of several hours."""
    result = Counter[K]()
    for counts in added:
        result.update(counts)
    return result


def largest(counts: Mapping[str, int], most: int) -> dict[str, int]:
    """The `most` names with the highest counts, highest first, then OTHER with the rest, if there is one."""
    named = sorted((item for item in counts.items() if item[0] != OTHER), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in named[most:]) + counts.get(OTHER, 0)
    return dict(named[:most]) | ({OTHER: rest} if rest else {})


def name_of(text: str | None) -> str:
    """A version's or group's name as it is counted."""
    if not text:
        return UNNAMED
    return text if len(text.encode()) <= LONGEST_NAME else OTHER


def points_at_a_license(flags: Collection[Flag]) -> bool:
    """Unknown keys do not count: their number has no limit, and nothing can be done about any one of them."""
    return not is_billable(flags) and Flag.INVALID_LICENSE not in flags


def _measures(seen: Observation, group: str | None) -> Iterator[Measure]:
    yield RECORDS
    if seen.is_flagged:
        yield FLAGGED
    if not is_billable(seen.flags):
        yield SUSPECT
    for flag in seen.flags:
        yield Measure(Kind.FLAG, flag.code)
    yield Measure(Kind.VERSION, name_of(seen.version))
    yield Measure(Kind.GROUP, name_of(group))
