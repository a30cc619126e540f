"""Sums up closed days for those who look at many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Protocol, Self

from telemetry.domain.day_report import DayReport
from telemetry.domain.day_summary import DaySummary, summaries
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
    """Sums up what is known of a day."""

    licensing: LicensingCalls
    summaries: Summaries

    @classmethod
    def of(cls, aggregates: str) -> Self:
        """Of an aggregates table."""
        return cls(LicensingCounters(aggregates), SummaryStore(aggregates))

    def __call__(self, reports: Sequence[DayReport]) -> None:
        """To be called with all reports of a day before it is marked closed; again is the same as once.

        Raises StoreUnavailable.
        """
        midnight = datetime.combine(reports[0].totals.day, time(), UTC)
        self.summaries.put(summaries(reports, self.licensing.calls(midnight, midnight.replace(hour=23))))
