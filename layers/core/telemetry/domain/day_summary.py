"""What views over many days read of a closed day besides its totals: small for a day of any size."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from telemetry.domain.day_report import DayReport
from telemetry.domain.hourly_counts import MOST_ACTIVITIES, MOST_NAMES, HourCounts, largest, total, uses_by_activity
from telemetry.domain.licensing import Calls
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


def summary(report: DayReport, calls: Mapping[str, Calls], hours: Iterable[HourCounts] = ()) -> DaySummary:
    """The summary of a day's report; `calls` are the day's, by product, `hours` those of the report's scope.

    It names as many versions, and activity types, as an hour does.
    """
    scope = report.totals.scope
    return DaySummary(
        scope=scope,
        day=report.totals.day,
        versions=largest(report.details.versions, MOST_NAMES),
        calls=total(calls.values()) if scope == CATALOGUE else calls.get(scope, Counter()),
        uses=largest(uses_by_activity(total(hours)), MOST_ACTIVITIES),
    )
