"""What views over many days read of a closed day besides its totals: small for a day of any size."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from telemetry.domain.day_report import DayReport
from telemetry.domain.hourly_counts import MOST_ACTIVITIES, MOST_NAMES, OTHER, UNNAMED, largest, total
from telemetry.domain.licensing import Calls
from telemetry.domain.record import listed
from telemetry.domain.sighting import CATALOGUE


@dataclass(frozen=True, slots=True)
class DaySummary:
    """A closed day of a product or the catalogue.

    `versions` sum to its records; `calls` are those of licensing, `uses` those of product usage by activity type.
    """

    scope: str
    day: date
    versions: Mapping[str, int]
    calls: Calls
    uses: Mapping[str, int] = field(default_factory=dict)


def summary(report: DayReport, calls: Mapping[str, Calls], names: Iterable[str] = ()) -> DaySummary:
    """The summary of a report that was just made; `calls` are the day's, by product.

    Activity types that the index lists by their hashes are called as one of `names`, else OTHER.

    It names as many versions, and activity types, as an hour does.
    """
    scope = report.totals.scope
    return DaySummary(
        scope=scope,
        day=report.totals.day,
        versions=largest(report.details.versions, MOST_NAMES),
        calls=total(calls.values()) if scope == CATALOGUE else calls.get(scope, Counter()),
        uses=largest(report.uses if scope == CATALOGUE else _called(report.uses, names), MOST_ACTIVITIES),
    )


def has_hashes(report: DayReport) -> bool:
    """Whether the uses of a product's report are of activity types that the index lists by their hashes."""
    return report.totals.scope != CATALOGUE and any(map(_is_hash, report.uses))


def _called(uses: Mapping[str, int], names: Iterable[str]) -> Counter[str]:
    known, found = {listed(name): name for name in names}, Counter[str]()
    for name, count in uses.items():
        found[known.get(name, OTHER) if _is_hash(name) else name] += count
    return found


def _is_hash(name: str) -> bool:
    return name.startswith("~") and name not in {OTHER, UNNAMED}
