"""What is told of values: by the hour or the day, by group, by version."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from telemetry.domain.hourly_counts import OTHER, largest
from telemetry.domain.overview import Timeline
from telemetry.domain.values.kept import DayValues
from telemetry.domain.values.summary import SUMMARIES, SeriesKey, Summary, Values, merged
from telemetry.domain.values.value import ValueType

MOST_VERSIONS_SHOWN = 20
"""Versions that are told by name; the rest is OTHER."""


class Bucket(NamedTuple):
    """The values of an hour or a UTC day."""

    start: datetime
    is_closed: bool
    values: Values


@dataclass(frozen=True, slots=True)
class DayState:
    """What the values of a UTC day are worth. `closed` is None while it is open, and of a day without any record."""

    day: date
    is_closed: bool
    values: Values
    closed: DayValues | None


class Group(NamedTuple):
    """A group of values of one type. `last_ms` is when the last one was received, in epoch milliseconds."""

    type: ValueType
    name: str
    values: int
    last_ms: int
    versions: int


@dataclass(frozen=True, slots=True)
class GroupValues:
    """The values of one type in a group: in all, by bucket (None: without any), and by version, the most of them first.

    Versions are a part of the whole each, and sum to it.
    """

    type: ValueType
    total: Summary
    buckets: Sequence[tuple[Bucket, Summary | None]]
    versions: Mapping[str, Summary]


@dataclass(frozen=True, slots=True)
class Told:
    """The values of a product in a window."""

    timeline: Timeline
    buckets: Sequence[Bucket]
    days: Sequence[DayState]

    def groups(self) -> list[Group]:
        """All groups, by name; OTHER comes last."""
        by_group: dict[tuple[ValueType, str], list[tuple[SeriesKey, Summary]]] = {}
        for bucket in self.buckets:  # whose summaries are not put together: every hour may have other names
            for key, summary in bucket.values.series.items():
                by_group.setdefault((key.type, key.group), []).append((key, summary))
        found = [
            Group(
                type_,
                name,
                sum(summary.count for _, summary in parts),
                max(summary.last_ms for _, summary in parts),
                len({key for key, _ in parts}),
            )
            for (type_, name), parts in by_group.items()
        ]
        return sorted(found, key=lambda each: (each.name == OTHER, each.name, each.type))

    def of_group(self, name: str, version: str | None = None) -> list[GroupValues]:
        """The values of a group, by type; of all versions, or of one."""
        found = {
            key.type
            for bucket in self.buckets
            for key in bucket.values.series
            if key.group == name and version in {None, key.version}
        }
        return [self._of_type(type_, name, version) for type_ in sorted(found)]

    def _of_type(self, type_: ValueType, name: str, version: str | None) -> GroupValues:
        by_version: dict[str, Summary] = {}
        buckets: list[tuple[Bucket, Summary | None]] = []
        for bucket in self.buckets:
            parts = {
                key.version: summary
                for key, summary in bucket.values.series.items()
                if key[:2] == (type_, name) and version in {None, key.version}
            }
            buckets.append((bucket, _whole(type_, parts.values()) if parts else None))
            for each, summary in parts.items():
                by_version.setdefault(each, SUMMARIES[type_]()).merge(summary)
        return GroupValues(type_, _whole(type_, by_version.values()), buckets, _shown(type_, by_version))


def told(
    cut: Timeline, hours: Iterable[tuple[datetime, Values]], days: Mapping[date, DayValues], last_closed: date | None
) -> Told:
    """What is told of a window: `days` are those closed with values, `hours` all that is needed beside them."""
    merged_hours: dict[datetime, Values] = {}
    for start, values in hours:  # one part after the other: all parts of a week would take a gigabyte
        merged_hours.setdefault(start, Values()).merge(values)
    states = [_day(day, days.get(day), merged_hours, last_closed) for day in cut.days]
    if cut.is_hourly:
        closed = {each.day for each in states if each.is_closed}
        buckets = [Bucket(at, at.date() in closed, merged_hours.get(at, Values())) for at in cut.starts]
    else:
        buckets = [Bucket(at, state.is_closed, state.values) for at, state in zip(cut.starts, states, strict=True)]
    return Told(cut, buckets, states)


def _day(day: date, closed: DayValues | None, hours: Mapping[datetime, Values], last_closed: date | None) -> DayState:
    if closed:
        return DayState(day, is_closed=True, values=closed.values, closed=closed)
    is_closed = last_closed is not None and day <= last_closed
    values = Values() if is_closed else merged(each for start, each in hours.items() if start.date() == day)
    return DayState(day, is_closed, values, None)


def _whole(type_: ValueType, parts: Iterable[Summary]) -> Summary:
    whole = SUMMARIES[type_]()
    for each in parts:
        whole.merge(each)
    return whole


def _shown(type_: ValueType, versions: Mapping[str, Summary]) -> dict[str, Summary]:
    counts = largest(Counter({version: each.count for version, each in versions.items()}), MOST_VERSIONS_SHOWN)
    rest = [each for version, each in versions.items() if version == OTHER or version not in counts]
    return {version: _whole(type_, rest) if version == OTHER else versions[version] for version in counts}
