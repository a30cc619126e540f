"""What happened in a window, from the aggregates alone: so it costs the same for any number of records."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from cachetools import LRUCache

from telemetry.domain.active_users import RunningBalance
from telemetry.domain.activity_types import ActivityTypeUses, activity_types
from telemetry.domain.closing import end_of
from telemetry.domain.day_report import DayTotals
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.hourly_counts import RECORDS, HourCounts, total, uses_by_activity
from telemetry.domain.instant import hour_of
from telemetry.domain.licensing import Calls
from telemetry.domain.overview import Counted, Distinct, Overview, Timeline, distinct_over, overview, reported_over
from telemetry.domain.product import ActivityType
from telemetry.domain.window import Window
from telemetry.services.ports import HourlyCounters, Ledger
from telemetry.storage.hourly_counts import RETENTION

_HOUR = timedelta(hours=1)
_MOST_DISTINCT = 1_000


@dataclass(frozen=True, slots=True)
class Overviews:
    """The aggregates of one environment. Raises StoreUnavailable.

    `totals` and `summaries` give closed days of a scope, from a first to a last one, in order; `latest` the latest up
    to a day; `calls` what licensing was asked, from one hour to another.
    """

    totals: Callable[[str, date, date], list[DayTotals]]
    latest: Callable[[str, date], DayTotals | None]
    summaries: Callable[[str, date, date], list[DaySummary]]
    hourly: HourlyCounters
    ledger: Ledger
    calls: Callable[[str, datetime, datetime], Calls]
    distinct: MutableMapping[tuple[str, date, int], Distinct] = field(default_factory=lambda: LRUCache(_MOST_DISTINCT))
    """Who was active over so many days that end with a closed one: it never changes."""

    def read(self, scope: str, cut: Timeline, now: datetime) -> Overview:
        """The overview of a product or the catalogue.

        Five requests at most when the window reaches up to today, and yesterday is closed; six of a product that has
        no report yet; and once another one for who was active before a window of other days than reports tell of.
        """
        first, last = cut.days[0], cut.days[-1]
        totals = self.totals(scope, cut.before.days[0], last)
        reaches_today = last >= now.astimezone(UTC).date()
        latest = totals[-1] if totals and reaches_today else self.latest(scope, now.astimezone(UTC).date())
        summaries = {} if cut.is_hourly else {each.day: each for each in self._summaries(scope, first, last, latest)}
        closed = self._closed(latest)
        open_since = end_of(closed) if closed else hour_of(now) - RETENTION
        counted = Counted(
            totals={each.day: each for each in totals},
            latest=latest,
            summaries=summaries,
            hours=dict(self._hours(scope, cut, open_since, hour_of(now))),
            closed=closed,
        )
        ledger = self.ledger.ledger(scope, last.toordinal())
        calls = self._calls(scope, cut, summaries, open_since)
        return overview(cut, counted, ledger, calls, self._distinct_before(scope, cut.before, counted, ledger, now))

    def activity_types(
        self, product: str, window: Window, known: Mapping[str, ActivityType], now: datetime
    ) -> list[ActivityTypeUses]:
        """Those of the product's usage in a window of whole UTC days up to now, and those that are `known`.

        Three requests at most when yesterday is closed.
        """
        latest = self.latest(product, now.astimezone(UTC).date())
        closed = self._summaries(product, window.since.date(), now.astimezone(UTC).date(), latest)
        open_since = max(window.since, end_of(latest.day)) if latest else window.since
        hours = self.hourly.hours(product, open_since, hour_of(now))
        since = ((start.date(), uses_by_activity(counts)) for start, counts in hours)
        return activity_types(chain(((each.day, each.uses) for each in closed), since), known)

    def _distinct_before(
        self, scope: str, cut: Timeline, counted: Counted, ledger: RunningBalance, now: datetime
    ) -> Distinct | None:
        """Who was active in the window before; None where there is none. What closed days tell is read once."""
        last = cut.days[-1]
        if not counted.has_all(cut) or (cut.is_hourly and cut.window.since < now - RETENTION):
            return None
        if not counted.is_closed(last):
            return distinct_over(cut, ledger)
        if reported := reported_over(cut, counted.totals):
            return reported
        key = scope, last, len(cut.days)
        if key not in self.distinct:
            self.distinct[key] = distinct_over(cut, self.ledger.ledger(scope, last.toordinal()))
        return self.distinct[key]

    def had_records(self, scope: str, now: datetime) -> bool:
        """Whether there ever was a record of a product. Two requests when yesterday is closed."""
        latest = self.latest(scope, now.astimezone(UTC).date())
        if latest and latest.lifetime_records:
            return True
        since = end_of(latest.day) if latest else hour_of(now) - RETENTION
        return any(counts[RECORDS] for _, counts in self.hourly.hours(scope, since, hour_of(now)))

    def _closed(self, latest: DayTotals | None) -> date | None:
        """The last closed day, also of a product that was registered after it, and has no report."""
        if latest:
            return latest.day
        closed = self.ledger.closing().closed
        return None if closed is None else date.fromordinal(closed)

    def _summaries(self, scope: str, first: date, last: date, latest: DayTotals | None) -> list[DaySummary]:
        """The summaries of the closed days among these."""
        return self.summaries(scope, first, min(last, latest.day)) if latest and first <= latest.day else []

    def _hours(
        self, scope: str, cut: Timeline, open_since: datetime, last: datetime
    ) -> Iterator[tuple[datetime, HourCounts]]:
        """All hours not closed, for the lifetime; by the hour, also those of the window and of the one before it."""
        since, until = cut.before.window.since, cut.window.until
        if not cut.is_hourly or since >= open_since:
            return self.hourly.hours(scope, open_since, last)
        if until >= open_since:
            return self.hourly.hours(scope, since, last)
        return chain(self.hourly.hours(scope, since, until - _HOUR), self.hourly.hours(scope, open_since, last))

    def _calls(self, scope: str, cut: Timeline, summaries: Mapping[date, DaySummary], open_since: datetime) -> Calls:
        """The calls of closed days from their summaries, the rest by the hour."""
        calls = total(summary.calls for summary in summaries.values())
        since = cut.window.since if cut.is_hourly else max(cut.window.since, open_since)
        if since < cut.window.until:
            calls.update(self.calls(scope, since, cut.window.until - _HOUR))
        return calls
