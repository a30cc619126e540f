"""How many events came with an API key, and when: from the hours of the catalogue."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from telemetry.domain.hourly_counts import OTHER, HourCounts, events_by_key
from telemetry.domain.overview import Timeline


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """`events` by the beginning of each hour or day, none missing.

    `is_exact` is false when an hour had more keys than are counted separately: some of the rest may be this key's.
    """

    cut: Timeline
    events: Mapping[datetime, int]
    is_exact: bool


def key_usage(api_key_id: str, cut: Timeline, hours: Iterable[tuple[datetime, HourCounts]]) -> KeyUsage:
    """`hours` are those of the window, each with its beginning."""
    events, is_exact = Counter(dict.fromkeys(cut.starts, 0)), True
    for hour, counts in hours:
        by_key = events_by_key(counts)
        events[hour if cut.is_hourly else hour.replace(hour=0)] += by_key.get(api_key_id, 0)
        is_exact = is_exact and OTHER not in by_key
    return KeyUsage(cut, events, is_exact)
