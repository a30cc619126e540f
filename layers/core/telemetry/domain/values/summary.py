"""All values of a product in an hour, a day or any other time, by group, type and version."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple, Protocol, TypeVar

from telemetry.domain.event import Event
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import OTHER, name_of
from telemetry.domain.instant import to_nearest_millisecond
from telemetry.domain.sighting import Observation
from telemetry.domain.values.numbers import Numbers
from telemetry.domain.values.pairs import Pairs
from telemetry.domain.values.texts import Texts
from telemetry.domain.values.value import Moment, ValueType, type_of

MOST_GROUPS = 24
"""Groups of values that have a name; a group with values of two types counts as two."""

MOST_VERSIONS = 16
"""Versions of a group that have a name."""

MOST_SERIES = 160
"""Versions with a name, of all groups together: so an item has a bound in bytes."""

MOST_TEXTS_IN_ALL = 400
"""Texts with a name, of all groups and versions together: each batch of the hour writes all of them again."""

_TIE_DIGITS = 16

K = TypeVar("K", bound=tuple[str, ...])


class Summary(Protocol):
    """Values of one type, summed up. `last_ms` is when the last one was received, in epoch milliseconds."""

    count: int

    @property
    def last_ms(self) -> int: ...

    def add(self, value: Any, at: Moment) -> None:  # noqa: ANN401 (a value of its type)
        """One more value."""

    def merge(self, other: Any) -> None:  # noqa: ANN401 (a summary of its type)
        """Takes in another summary, which stays as it is; all names are kept."""


SUMMARIES: Mapping[ValueType, Callable[[], Summary]] = {
    ValueType.NUMBER: Numbers,
    ValueType.PAIR: Pairs,
    ValueType.TEXT: Texts,
}


class SeriesKey(NamedTuple):
    """Values of one type, of one group, from one version. What has no name here is OTHER, also a group's versions."""

    type: ValueType
    group: str
    version: str


@dataclass(slots=True)
class Values:
    """What `records` records of a product said. Of `unread` ones the body was not at hand, so they may have had more.

    A record has one value, or none: not if it is malformed, and not if it is another kind of event. Other flags make no
    difference.
    """

    records: int = 0
    unread: int = 0
    series: dict[SeriesKey, Summary] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(each.count for each in self.series.values())

    def add(self, seen: Observation, event: Event | None) -> None:
        """One more record; `event` is None where its body is not at hand. Names go to those that come first."""
        self.records += 1
        if event is None:
            # neither product usage nor what is malformed has a value, whatever else it says
            self.unread += not seen.uses and Flag.MALFORMED not in seen.flags
        elif event.value is not None:
            at = Moment(to_nearest_millisecond(seen.received_at), seen.seal.hex()[:_TIE_DIGITS])
            wanted = SeriesKey(type_of(event.value), name_of(event.group), name_of(seen.version))
            summary = _series(self.series, self._place_of(wanted))
            if isinstance(summary, Texts) and isinstance(event.value, str):
                has_room = sum(len(each.counts) for each in self._texts) < MOST_TEXTS_IN_ALL
                summary.add(event.value, at, has_room=has_room)
            else:
                summary.add(event.value, at)

    def merge(self, other: "Values") -> None:
        """Takes in another summary, which stays as it is; all names are kept."""
        self.records += other.records
        self.unread += other.unread
        for key, summary in other.series.items():
            _series(self.series, key).merge(summary)

    def make_room(self) -> None:
        """Leaves their names to those of which there are most."""
        groups = Counter[tuple[ValueType, str]]()
        for key, summary in self.series.items():
            groups[key[:2]] += summary.count
        kept = _most(groups, lambda group: group[1], MOST_GROUPS)
        self._rename(lambda key: key if key[:2] in kept else SeriesKey(key.type, OTHER, OTHER))
        by_group = groupby(sorted(self.series), lambda key: key[:2])
        versions = {key for _, keys in by_group for key in self._most_of(keys, MOST_VERSIONS)}
        named = self._most_of(versions, MOST_SERIES)
        self._rename(lambda key: key if key in named else key._replace(version=OTHER))
        for each in self._texts:
            each.make_room()
        most = sorted((count for each in self._texts for count in each.named.values()), reverse=True)
        if len(most) > MOST_TEXTS_IN_ALL:
            for each in self._texts:
                each.make_room(sum(count > most[MOST_TEXTS_IN_ALL] for count in each.named.values()))

    @property
    def _texts(self) -> list[Texts]:
        return [each for each in self.series.values() if isinstance(each, Texts)]

    def _most_of(self, keys: Iterable[SeriesKey], most: int) -> set[SeriesKey]:
        return _most(Counter({key: self.series[key].count for key in keys}), lambda key: key.version, most)

    def _rename(self, name: Callable[[SeriesKey], SeriesKey]) -> None:
        renamed: dict[SeriesKey, Summary] = {}
        for key, summary in self.series.items():
            _series(renamed, name(key)).merge(summary)
        self.series = renamed

    def _place_of(self, wanted: SeriesKey) -> SeriesKey:
        """Where a value counts: under its own names where these are known, or have room."""
        if wanted in self.series:
            return wanted
        groups = {key[:2] for key in self.series if key.group != OTHER}
        if wanted.group == OTHER or (wanted[:2] not in groups and len(groups) >= MOST_GROUPS):
            return SeriesKey(wanted.type, OTHER, OTHER)
        named = [key for key in self.series if key.version != OTHER]
        of_group = sum(key[:2] == wanted[:2] for key in named)
        has_room = of_group < MOST_VERSIONS and len(named) < MOST_SERIES
        return wanted if has_room else wanted._replace(version=OTHER)


def merged(parts: Iterable[Values]) -> Values:
    """All values of several summaries, with all their names."""
    whole = Values()
    for each in parts:
        whole.merge(each)
    return whole


def _most(counts: Mapping[K, int], name: Callable[[K], str], most: int) -> set[K]:
    named = [key for key in counts if name(key) != OTHER]
    return set(sorted(named, key=lambda key: (-counts[key], key))[:most])


def _series(series: dict[SeriesKey, Summary], key: SeriesKey) -> Summary:
    """The summary under a key; an empty one, which is put there, if there is none."""
    if key not in series:
        series[key] = SUMMARIES[key.type]()
    return series[key]
