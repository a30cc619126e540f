"""What views over many days read of a closed day besides its totals: small for a day of any size."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from telemetry.domain.day_report import DayReport
from telemetry.domain.hourly_counts import MOST_NAMES, largest, total
from telemetry.domain.licensing import Calls
from telemetry.domain.sighting import CATALOGUE


@dataclass(frozen=True, slots=True)
class DaySummary:
    """A closed day of a product or the catalogue. `versions` sum to its records; `calls` are those of licensing."""

    scope: str
    day: date
    versions: Mapping[str, int]
    calls: Calls


def summary(report: DayReport, calls: Mapping[str, Calls]) -> DaySummary:
    """The summary of a day's report; `calls` are the day's, by product. It names as many versions as an hour does."""
    scope = report.totals.scope
    return DaySummary(
        scope=scope,
        day=report.totals.day,
        versions=largest(report.details.versions, MOST_NAMES),
        calls=total(calls.values()) if scope == CATALOGUE else calls.get(scope, Counter()),
    )
