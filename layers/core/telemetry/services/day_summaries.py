"""Sums up closed days for views over many days."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self

from telemetry.domain.day_report import DayReport
from telemetry.domain.day_summary import DaySummary, has_hashes, summary
from telemetry.domain.hourly_counts import total, uses_by_activity
from telemetry.domain.instant import hours_of
from telemetry.domain.licensing import Calls
from telemetry.services.ports import DaySummaries, HourlyCounters, LicensingCalls
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.licensing_counters import LicensingCounters


@dataclass(frozen=True, slots=True)
class Summariser:
    """Sums up what is known of days. What licensing was asked on a day is read once for all its reports.

    Uses are those of the records. The hours that rollup counted only tell how long names of activity types go on.
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

    def uses(self, products: Iterable[str], day: date) -> Counter[str]:
        """The uses of a day of these products together, by activity type. Raises StoreUnavailable."""
        return total(each.uses for product in products for each in self.summaries.read(product, day, day))

    def _summary(self, report: DayReport) -> DaySummary:
        return summary(report, self._calls_of(report.totals.day), self._names(report) if has_hashes(report) else ())

    def _names(self, report: DayReport) -> set[str]:
        """How activity types of a product's day are called, as far as rollup has counted them."""
        hours = self.hourly.hours(report.totals.scope, *hours_of(report.totals.day))
        return {name for _, counts in hours for name in uses_by_activity(counts)}

    def _calls_of(self, day: date) -> Mapping[str, Calls]:
        if day not in self._calls:
            self._calls[day] = self.licensing.calls(*hours_of(day))
        return self._calls[day]
