"""Sums up closed days for views over many days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from telemetry.domain.day_report import DayReport
from telemetry.domain.day_summary import summary
from telemetry.domain.instant import hours_of
from telemetry.domain.licensing import Calls
from telemetry.services.ports import DaySummaries, LicensingCalls
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.licensing_counters import LicensingCounters


@dataclass(frozen=True, slots=True)
class Summariser:
    """Sums up what is known of days. What licensing was asked on a day is read once for all its reports."""

    licensing: LicensingCalls
    summaries: DaySummaries
    _calls: dict[date, Mapping[str, Calls]] = field(default_factory=dict)

    @classmethod
    def of(cls, aggregates: str) -> Self:
        """The summariser of an aggregates table."""
        return cls(LicensingCounters(aggregates), SummaryStore(aggregates))

    def __call__(self, reports: Sequence[DayReport]) -> None:
        """To be called before reports are written, or the day may never be summed up. It may be called again.

        Raises StoreUnavailable.
        """
        self.summaries.put([summary(report, self._calls_of(report.totals.day)) for report in reports])

    def _calls_of(self, day: date) -> Mapping[str, Calls]:
        if day not in self._calls:
            self._calls[day] = self.licensing.calls(*hours_of(day))
        return self._calls[day]
