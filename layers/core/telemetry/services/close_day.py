"""Closes days: counts them once more from their records, then writes their reports, for ever.

A day is drained when two counts of its records, at least ten minutes apart, agree with each other and with what rollup
has counted live. At the latest 26 hours after its end the records decide alone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol, Self

from telemetry.domain.active_users import Balance, Closing, Tally, next_balance
from telemetry.domain.activity import RECORDS, Activity
from telemetry.domain.day_report import (
    Candidate,
    Correction,
    DayReport,
    DayTotals,
    Moments,
    before_of,
    catalogue_report,
    first_difference,
    product_report,
)
from telemetry.domain.recount import Recount
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT
from telemetry.services.counting import ActorStore
from telemetry.services.day_summaries import Summariser
from telemetry.services.recount import DayRecords, Dispatch, Recounter
from telemetry.storage.activity import ActivityStore
from telemetry.storage.aggregates import AggregateStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.records import RecordStore
from telemetry.storage.recount_parts import PartStore

MARGIN = timedelta(minutes=30)
"""After midnight UTC: requests received before it have ended, and the index has caught up."""

BETWEEN_COUNTS = timedelta(minutes=10)

DEADLINE = timedelta(hours=26)
"""After midnight UTC: streams keep their records for 24 hours, so rollup will count nothing more."""

LOOK_BACK = 2
"""Days before the first one known that may hold records no stream has delivered: streams keep theirs for 24 hours."""


class Ledger(ActorStore, Protocol):
    """Users of one environment, and how far its days are closed."""

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        """The balance before a day (None: no traffic ever before) and what happened on it; strongly consistent."""
        ...

    def close(self, day: int) -> None:
        """Marks a day closed; nothing happens when it is. Days close in order."""
        ...


class Reports(Protocol):
    """The reports of one environment's closed days."""

    def latest(self, scope: str, last: date, *, consistent: bool = False) -> DayTotals | None: ...

    def keep(self, report: DayReport) -> DayReport:
        """Writes a report, once and for all; gives the one that is kept, which may be an earlier one."""

    def correct(self, correction: Correction, digest: bytes) -> None: ...

    def candidate(self, day: date) -> Candidate | None: ...

    def put_candidate(self, candidate: Candidate) -> None: ...


class LiveCounts(Protocol):
    """What rollup has counted in one environment."""

    def hours(self, scope: str, first: datetime, last: datetime) -> Iterator[tuple[datetime, Activity]]: ...


class StoredRecords(DayRecords, Protocol):
    """The records of one environment."""

    def has_any(self, product: str, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Closed:
    """A day that was closed. `by_deadline`: rollup's count was another. `contradicted`: scopes with earlier reports."""

    day: date
    by_deadline: bool
    contradicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayCloser:
    """Everything closing needs of one environment. `products` are those registered.

    `judge_stored` judges what was stored of a product and day while the registry could not be read. `summarise` is
    given all reports of a day once they are written.
    """

    ledger: Ledger
    reports: Reports
    live: LiveCounts
    records: StoredRecords
    recounter: Recounter
    products: Collection[str]
    judge_stored: Callable[[str, date], object] = lambda *_: None
    summarise: Callable[[Sequence[DayReport]], object] = lambda *_: None

    @classmethod
    def of(
        cls,
        aggregates: str,
        records: RecordStore,
        products: Collection[str],
        dispatch: Dispatch,
        judge_stored: Callable[[str, date], object] | None = None,
    ) -> Self:
        """Closes days in an aggregates table; `dispatch` has parts of large days counted."""
        ledger = AggregateStore(aggregates)
        recounter = Recounter(records, ledger, PartStore(aggregates), dispatch)
        reports, live = DayReportStore(aggregates), ActivityStore(aggregates)
        judge, summarise = judge_stored or (lambda *_: None), Summariser.of(aggregates)
        return cls(ledger, reports, live, records, recounter, products, judge, summarise)

    def close(self, now: datetime) -> list[Closed]:
        """Closes every day that is over and drained, in order. Safe to run again, also while it runs.

        Raises what keeps a day from being closed; the days before it stay closed.
        """
        last = (now.astimezone(UTC) - MARGIN).date() - timedelta(days=1)
        day, closed = self._next_to_close(last), list[Closed]()
        while day <= last and (done := self._close(day, now)):
            closed.append(done)
            day += timedelta(days=1)
        return closed

    def days_behind(self, now: datetime) -> int:
        """How many days that are over are not closed."""
        closing, over = self.ledger.closing(), (now.astimezone(UTC) - MARGIN).date() - timedelta(days=1)
        next_ = closing.opened if closing.closed is None else closing.closed + 1
        return 0 if next_ is None else max(0, over.toordinal() + 1 - next_)

    def _next_to_close(self, last: date) -> date:
        """The day after the last closed one; if none is, the first with records, or `last` without any.

        A stream may be late with the very first records, or dead: so it is the records that say where days begin, from
        the first day known (or the last one that is over) backwards to where LOOK_BACK days in a row have none.
        """
        closing = self.ledger.closing()
        if closing.closed is not None:
            return date.fromordinal(closing.closed + 1)
        first = last if closing.opened is None else date.fromordinal(closing.opened)
        earlier = min(first - timedelta(days=1), last)
        while earlier >= first - timedelta(days=LOOK_BACK):
            if any(self.records.has_any(product, earlier) for product in self._known_products(closing)):
                first = earlier
            earlier -= timedelta(days=1)
        self._announce(first)
        return first

    def _close(self, day: date, now: datetime) -> Closed | None:
        """None while the day is not drained."""
        products = self._known_products(self._announce(day))
        for product in products:
            self.judge_stored(product, day)
        live = {product: self._live_records(product, day) for product in products}
        recounts = (
            self._count(day, live, "last", counts_users=True)
            if now >= _end_of(day) + DEADLINE
            else self._drained(day, live, now)
        )
        if recounts is None:
            return None
        contradicted = self._write(day, recounts, Moments(now, now))
        self.ledger.close(day.toordinal())
        by_deadline = any(recount.records != live[product] for product, recount in recounts.items())
        return Closed(day, by_deadline, contradicted)

    def _drained(self, day: date, live: Mapping[str, int], now: datetime) -> Mapping[str, Recount] | None:
        """The second count, when it agrees; else None, and the day waits."""
        first = self.reports.candidate(day)
        if first is None or any(live[name] > first.records.get(name, 0) for name in live):
            self._first_count(day, live, first.attempt + 1 if first else 1, now)
            return None
        if now - first.counted_at < BETWEEN_COUNTS or any(live[name] < first.records[name] for name in live):
            return None  # rollup is behind; reading them all again would not help it
        second = self._count(day, live, f"{first.attempt}-second", counts_users=False)
        if second and {name: count.digest.hex() for name, count in second.items()} != first.digests:
            self._first_count(day, live, first.attempt + 1, now)
            return None
        return second

    def _first_count(self, day: date, live: Mapping[str, int], attempt: int, now: datetime) -> None:
        if recounts := self._count(day, live, f"{attempt}-first", counts_users=True):
            records = {name: count.records for name, count in recounts.items()}
            digests = {name: count.digest.hex() for name, count in recounts.items()}
            self.reports.put_candidate(Candidate(day, attempt, now, records, digests))

    def _count(
        self, day: date, live: Mapping[str, int], pass_: str, *, counts_users: bool
    ) -> Mapping[str, Recount] | None:
        """Counts every product; None while parts of one are being counted elsewhere."""
        recounts = {
            product: self.recounter.recount(product, day, expected, pass_, counts_users=counts_users)
            for product, expected in live.items()
        }
        done = {product: recount for product, recount in recounts.items() if recount is not None}
        return done if len(done) == len(recounts) else None

    def _write(self, day: date, recounts: Mapping[str, Recount], moments: Moments) -> tuple[str, ...]:
        """Writes the reports of products, then the catalogue's; gives those that contradict one written before."""
        kept: dict[str, tuple[Recount, DayReport]] = {}
        contradicted = list[str]()
        for product, recount in recounts.items():
            balance, before = self._foundations(product, day)
            report = product_report(product, day, recount, balance, before, moments)
            kept[product] = recount, self._keep(report, contradicted)
        balance, before = self._foundations(CATALOGUE, day)
        whole = self._keep(catalogue_report(CATALOGUE, day, kept, balance, before, moments), contradicted)
        self.summarise([whole, *(report for _, report in kept.values())])
        return tuple(contradicted)

    def _keep(self, report: DayReport, contradicted: list[str]) -> DayReport:
        """A run that was cut off may have written it already, from records that were fewer."""
        kept = self.reports.keep(report)
        if kept.totals.digest != report.totals.digest:
            contradicted.append(report.totals.scope)
            self.reports.correct(correction(kept, report, report.totals.computed_at), report.totals.digest)
        return kept

    def _foundations(self, scope: str, day: date) -> tuple[Balance, DayTotals | None]:
        """The day's balance, and the totals of the day before; raises LedgerBroken when one of these is missing."""
        before, tally = self.ledger.day(scope, day.toordinal())
        latest = self.reports.latest(scope, day - timedelta(days=1), consistent=True)
        return next_balance(before, day.toordinal(), tally), before_of(day, latest)

    def _announce(self, day: date) -> Closing:
        """Every registered product has a report of every day, also of those without records."""
        closing, scopes = self.ledger.closing(), {*self.products, UNKNOWN_PRODUCT, CATALOGUE}
        opens = closing.closed is None and (closing.opened is None or day.toordinal() < closing.opened)
        return self.ledger.announce(scopes, day.toordinal()) if opens or not scopes <= closing.scopes else closing

    def _known_products(self, closing: Closing) -> list[str]:
        return sorted({*self.products, UNKNOWN_PRODUCT, *closing.scopes} - {CATALOGUE})

    def _live_records(self, product: str, day: date) -> int:
        midnight = datetime.combine(day, time(), UTC)
        return sum(activity[RECORDS] for _, activity in self.live.hours(product, midnight, midnight.replace(hour=23)))


def correction(kept: DayReport, found: DayReport, now: datetime) -> Correction:
    """What is to be written down beside a report that another count contradicts."""
    return Correction(
        scope=kept.totals.scope,
        day=kept.totals.day,
        difference=first_difference(kept, found) or "-",
        records=found.totals.records,
        flagged=found.totals.flagged,
        users=found.totals.users(1),
        found_at=now,
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
