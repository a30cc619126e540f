"""Sums up closed days for views over many days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from telemetry.domain.day_report import DayReport
from telemetry.domain.day_summary import DaySummary, summary
from telemetry.domain.instant import hours_of
from telemetry.domain.licensing import Calls
from telemetry.services.ports import DaySummaries, HourlyCounters, LicensingCalls
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.licensing_counters import LicensingCounters


@dataclass(frozen=True, slots=True)
class Summariser:
    """Sums up what is known of days. What licensing was asked on a day is read once for all its reports.

    Uses are as rollup has counted them when the day closes.
    """

    licensing: LicensingCalls
    hourly: HourlyCounters
    summaries: DaySummaries
    _calls: dict[date, Mapping[str, Calls]] = field(default_factory=dict)

    @classmethod
    def of(cls, aggregates: str) -> Self:
        """The summariser of an aggregates table."""
        return cls(LicensingCounters(aggregates), HourlyCountStore(aggregates), SummaryStore(aggregates))

    def __call__(self, reports: Sequence[DayReport]) -> None:
        """To be called before reports are written, or the day may never be summed up. It may be called again.

        Raises StoreUnavailable.
        """
        self.summaries.put([self._summary(report) for report in reports])

    def _summary(self, report: DayReport) -> DaySummary:
        totals = report.totals
        hours = self.hourly.hours(totals.scope, *hours_of(totals.day)) if totals.records else ()
        return summary(report, self._calls_of(totals.day), [counts for _, counts in hours])

    def _calls_of(self, day: date) -> Mapping[str, Calls]:
        if day not in self._calls:
            self._calls[day] = self.licensing.calls(*hours_of(day))
        return self._calls[day]
