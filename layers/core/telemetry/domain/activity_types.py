"""Activity types of a product's usage: those that arrived, beside those that the product lists now."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from telemetry.domain.hourly_counts import OTHER
from telemetry.domain.product import ActivityType


class ActivityTypeUses(NamedTuple):
    """The uses of an activity type, and the first and last UTC day with any; 0 and no days if it never arrived.

    `known` is None where the product does not list it.
    """

    activity_type: str
    known: ActivityType | None
    uses: int
    first_day: date | None
    last_day: date | None


def activity_types(
    days: Iterable[tuple[date, Mapping[str, int]]], known: Mapping[str, ActivityType]
) -> list[ActivityTypeUses]:
    """The most used first, OTHER last. `days` are in order, each with uses by type, and a day may come in parts."""
    uses = Counter[str]()
    first: dict[str, date] = {}
    last: dict[str, date] = {}
    for day, counts in days:
        uses.update(counts)
        for name in counts:
            first.setdefault(name, day)
            last[name] = day
    names = sorted(uses.keys() | known.keys(), key=lambda name: (name == OTHER, -uses[name], name))
    return [ActivityTypeUses(name, known.get(name), uses[name], first.get(name), last.get(name)) for name in names]
