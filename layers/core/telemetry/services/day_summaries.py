"""Sums up closed days for those who look at many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Protocol, Self

from telemetry.domain.day_report import DayReport
from telemetry.domain.day_summary import DaySummary, summary
from telemetry.domain.licensing import Calls
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.licensing_counters import LicensingCounters


class LicensingCalls(Protocol):
    """What licensing was asked in one environment."""

    def calls(self, first: datetime, last: datetime) -> Mapping[str, Calls]:
        """By product, of the hours from `first`'s to `last`'s."""


class Summaries(Protocol):
    """Where summaries are kept."""

    def put(self, summaries: Sequence[DaySummary]) -> None: ...


@dataclass(frozen=True, slots=True)
class Summariser:
    """Sums up what is known of days. What licensing was asked on a day is read once for all its reports."""

    licensing: LicensingCalls
    summaries: Summaries
    _calls: dict[date, Mapping[str, Calls]] = field(default_factory=dict)

    @classmethod
    def of(cls, aggregates: str) -> Self:
        """Of an aggregates table."""
        return cls(LicensingCounters(aggregates), SummaryStore(aggregates))

    def __call__(self, report: DayReport) -> None:
        """To be called before the report is written, or else nobody might sum it up; again is the same as once.

        Raises StoreUnavailable.
        """
        self.summaries.put([summary(report, self._calls_of(report.totals.day))])

    def _calls_of(self, day: date) -> Mapping[str, Calls]:
        if day not in self._calls:
            midnight = datetime.combine(day, time(), UTC)
            self._calls[day] = self.licensing.calls(midnight, midnight.replace(hour=23))
        return self._calls[day]
