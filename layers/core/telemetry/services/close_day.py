"""Closes days: counts them once more from their records, then writes their reports, which never change.

Each product's day is closed by itself. It is drained when two counts of its records, at least ten minutes apart, agree
with each other and with what rollup has counted live; at the latest 26 hours after its end the records decide alone.
Then its report is written, and nothing of the product's day can change any more. When all products have theirs, that of
all together is made from them, and the day is closed. So a run that is cut off loses only its last, unfinished step.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Self

from telemetry.domain.active_users import Balance, next_balance
from telemetry.domain.closing import LOOK_BACK, Candidate, Step, last_day_over, next_step
from telemetry.domain.correction import correction_of
from telemetry.domain.day_report import CatalogueSum, DayReport, DayTotals, Moments, before_of, product_report
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.hourly_counts import RECORDS
from telemetry.domain.instant import hours_of
from telemetry.domain.recount import Recount, Unit
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT
from telemetry.services.day_summaries import Summariser
from telemetry.services.ports import Candidates, Corrections, DayRecords, DayReports, HourlyCounters, Ledger
from telemetry.services.recount import Allowance, Dispatch, MoreThanExpected, Recounter
from telemetry.services.values.closing import ValueCloser
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.batches import grouped
from telemetry.storage.candidates import CandidateStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import REPORTS_AT_ONCE, DayReportStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.recount_parts import PartStore
from telemetry.storage.values import ValueStore

_MOST_REMEMBERED = 1_000
"""Scopes of which a run remembers the day before, some 10 KB each: it closes many days only after an outage."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A day that was closed. `by_deadline`: rollup's count is another."""

    day: date
    by_deadline: bool


@dataclass(frozen=True, slots=True)
class DayCloser:
    """Everything closing needs of one environment. `products` are those registered.

    `judge_stored` judges what was stored of a product and day while the registry could not be read. `summarise` is
    given each report before it is written, and `uses_of` tells the uses of products that were summed up. `contradicted`
    gets the scopes for which another run, at the same time, wrote a different report.
    """

    ledger: Ledger
    reports: DayReports
    corrections: Corrections
    candidates: Candidates
    live: HourlyCounters
    records: DayRecords
    recounter: Recounter
    products: Collection[str]
    judge_stored: Callable[[str, date], object] = lambda *_: None
    summarise: Callable[[Sequence[DayReport]], object] = lambda _: None
    uses_of: Callable[[Collection[str], date], Mapping[str, int]] = lambda *_: {}
    values: ValueCloser | None = None
    contradicted: list[str] = field(default_factory=list)
    _written: dict[str, tuple[Balance, DayTotals]] = field(default_factory=dict)
    """Of scopes, what the next day follows from, if this run has written it: it never changes."""

    @classmethod
    def of(
        cls,
        aggregates: str,
        records: DayRecordStore,
        products: Collection[str],
        dispatch: Dispatch,
        judge_stored: Callable[[str, date], object] | None = None,
        allowance: Allowance | None = None,
    ) -> Self:
        """Closes days in an aggregates table; `dispatch` has parts of large days counted."""
        ledger, allowance = LedgerStore(aggregates), allowance or Allowance()
        summariser = Summariser.of(aggregates)
        recounter = Recounter(records, ledger, PartStore(aggregates), dispatch, allowance=allowance)
        return cls(
            ledger,
            DayReportStore(aggregates),
            CorrectionStore(aggregates),
            CandidateStore(aggregates),
            HourlyCountStore(aggregates),
            records,
            recounter,
            products,
            judge_stored or (lambda *_: None),
            summariser,
            summariser.uses,
            ValueCloser(ValueStore(aggregates)),
        )

    def close(self, now: datetime, last: date = date.max) -> list[Closed]:
        """Closes every day up to `last` that is over and drained, in order, as far as there is time.

        Safe to run again, and at once.

        Raises what keeps a day from being closed, after all other products have got further; the days before it stay
        closed.
        """
        last = min(last, last_day_over(now))
        day, closed = self._next_to_close(last), list[Closed]()
        while day <= last and (done := self._close(day, now)):
            closed.append(done)
            day += timedelta(days=1)
        return closed

    def days_behind(self, now: datetime) -> int:
        return self.ledger.closing().days_behind(now)

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
            if self._has_records(earlier):
                self.ledger.open_from(earlier.toordinal())
                first = earlier
            earlier -= timedelta(days=1)
        if closing.opens_with(first.toordinal()):
            self.ledger.open_from(first.toordinal())
        return first

    def _has_records(self, day: date) -> bool:
        return any(self.records.has_any(product, day) for product in sorted(self.records.products(day)))

    def _close(self, day: date, now: datetime) -> Closed | None:
        """None while the day is not drained."""
        whole = self.reports.latest(CATALOGUE, day, consistent=True)
        busy, is_reported = self.records.products(day), whole is not None and whole.day == day
        if whole is None or not is_reported:
            candidates = dict(self.candidates.candidates(day))
            products = self._announce(day, busy, candidates, now)
            if not self._report_products(products, busy, candidates, day, now) or not self.recounter.allowance.allows():
                return None
            whole = self._report_all(products, busy, day, now)
        if not self._close_values(busy, day, again=is_reported):
            return None
        self.ledger.close(day.toordinal())
        return Closed(day, by_deadline=self._live_records(CATALOGUE, day) != whole.records)

    def _close_values(self, busy: Collection[str], day: date, *, again: bool) -> bool:
        """Whether the values of all products are closed afterwards. Reports are written by then, whatever they say.

        `again`: another run has begun, and some may be closed already.
        """
        if self.values is None or not busy:
            return True
        written = {product: self._remembered(product, day + timedelta(days=1)) for product in busy}
        totals = {product: known[1] for product, known in written.items() if known}
        totals |= self.reports.totals_on(sorted(written.keys() - totals.keys()), day)
        records = {product: each.records for product, each in totals.items()}
        return self.values.close(day, records, self.recounter.allowance.allows, again=again)

    def _report_products(
        self,
        products: Sequence[str],
        busy: Collection[str],
        candidates: Mapping[str, Candidate],
        day: date,
        now: datetime,
    ) -> bool:
        """Whether all of them have their report afterwards. Raises what kept the first one from it.

        Only the `busy` ones can have records.
        """
        written = self.reports.totals_on(products, day)
        waiting = [candidates.get(each, Candidate(each, day, 0, 0)) for each in products if each not in written]
        failures = list[Exception]()
        drained = self._report_quiet([each for each in waiting if each.product not in busy], day, now, failures)
        for candidate in (each for each in waiting if each.product in busy):
            if self.recounter.allowance.is_over:
                break
            try:
                drained += self._report_product(candidate, now)
            except Exception as exc:  # noqa: BLE001 (whatever it is, it is not to keep the others waiting)
                exc.add_note(f"{candidate.product} on {day}")
                failures.append(exc)
        if failures:
            raise failures[0]
        return drained == len(waiting)

    def _report_quiet(self, waiting: Sequence[Candidate], day: date, now: datetime, failures: list[Exception]) -> int:
        """Products without records, many at once: how many of them are drained, and have their report."""
        counted, drained, digest = list[Candidate](), list[str](), Recount().digest
        for candidate in waiting:
            step = next_step(candidate, 0, now)
            if step is Step.FIRST_COUNT or (step is Step.SECOND_COUNT and candidate.digest != digest.hex()):
                counted.append(candidate.next_attempt(0).counted(0, digest, now))
            elif step is not Step.WAIT:
                drained.append(candidate.product)
        try:
            self.candidates.put_candidates(counted, now)
        except StoreUnavailable as exc:  # not noted, they are counted again by the next run
            failures.append(exc)
        reported = 0
        for some in grouped(drained, REPORTS_AT_ONCE):
            if not self.recounter.allowance.allows():
                break
            reported += self._report_together(some, day, now, failures)
        return reported

    def _report_together(self, products: Sequence[str], day: date, now: datetime, failures: list[Exception]) -> int:
        """How many of these, which have no records, have their report afterwards."""
        try:
            foundations = self._foundations_of_quiet(products, day)
            moments = Moments(now, now)
            reports = [product_report(each, day, Recount(), *foundations[each], moments) for each in products]
            self.summarise(reports)
            if self.reports.keep_all(reports):
                self._remember(reports)
            else:  # another run has written one of them, at the same time
                for report in reports:
                    self._keep(report)
        except Exception as exc:  # noqa: BLE001 (whatever it is, it is not to keep the others waiting)
            if len(products) > 1 and not isinstance(exc, StoreUnavailable):
                return sum(self._report_together([each], day, now, failures) for each in products)
            exc.add_note(f"{', '.join(products)} on {day}")
            failures.append(exc)
            return 0
        return len(products)

    def _foundations_of_quiet(self, products: Sequence[str], day: date) -> dict[str, tuple[Balance, DayTotals | None]]:
        """As `_foundations` has them, where nobody was counted on the day."""
        before, ordinal = self._before(products, day), day.toordinal()
        if not before and self.ledger.closing().is_first(ordinal):
            return dict.fromkeys(products, (next_balance(None, ordinal, Counter()), before_of(day, None)))
        return {
            each: (next_balance(before[each][0], ordinal, Counter()), before_of(day, before[each][1]))
            if each in before
            else self._foundations(each, day)
            for each in products
        }

    def _before(self, products: Sequence[str], day: date) -> dict[str, tuple[Balance, DayTotals]]:
        """The balances before a day and the totals of the day before it, of those products that have both."""
        found = {each: known for each in products if (known := self._remembered(each, day))}
        if unknown := [each for each in products if each not in found]:
            openings = self.ledger.openings(unknown, day.toordinal())
            totals = self.reports.totals_on([*openings], day - timedelta(days=1))
            found |= {each: (openings[each], totals[each]) for each in totals}
        return found

    def _remember(self, reports: Sequence[DayReport]) -> None:
        for report in reports:
            if report.totals.scope in self._written or len(self._written) < _MOST_REMEMBERED:
                self._written[report.totals.scope] = report.balance, report.totals

    def _remembered(self, scope: str, day: date) -> tuple[Balance, DayTotals] | None:
        """What a day follows from, if this run has written it."""
        known = self._written.get(scope)
        return known if known and known[1].day == day - timedelta(days=1) else None

    def _report_product(self, candidate: Candidate, now: datetime) -> bool:
        """Counts a product's day, if it is time to; whether it is drained, and its report written."""
        product, day = candidate.product, candidate.day
        recount = self._drained(candidate, self._live_records(product, day), now)
        if recount is None:
            return False
        balance, before = self._foundations(product, day)
        self._keep(product_report(product, day, recount, balance, before, Moments(now, now)))
        return True

    def _drained(self, candidate: Candidate, live: int, now: datetime) -> Recount | None:
        """The count that the report is made from; None while the product waits for one."""
        match next_step(candidate, live, now):
            case Step.COUNT_BY_DEADLINE:
                planned = self._planned(candidate, live, now) if candidate.is_outgrown(live) else candidate
                return self._count(planned, "last", now, counts_users=True)
            case Step.FIRST_COUNT:
                self._first_count(candidate, live, now)
            case Step.SECOND_COUNT:
                second = self._count(candidate, f"{candidate.attempt}-second", now, counts_users=False)
                if second is None or second.digest.hex() == candidate.digest:
                    return second
                self._first_count(candidate, live, now)
        return None

    def _first_count(self, candidate: Candidate, live: int, now: datetime) -> None:
        """Goes on with the first count that is under way, unless too many records came since it was begun."""
        if not candidate.is_under_way or candidate.is_outgrown(live):
            candidate = self._planned(candidate, live, now)
        if found := self._count(candidate, f"{candidate.attempt}-first", now, counts_users=True):
            self.candidates.put_candidates([candidate.counted(found.records, found.digest, now)], now)

    def _planned(self, candidate: Candidate, expected: int, now: datetime) -> Candidate:
        """The next attempt. The parts into which a day is cut stay the same from run to run."""
        planned = candidate.next_attempt(expected)
        if self.recounter.is_in_parts(expected):
            self.candidates.put_candidates([planned], now)
        return planned

    def _count(self, candidate: Candidate, pass_: str, now: datetime, *, counts_users: bool) -> Recount | None:
        """None while some of it is still to be counted."""
        product, day = candidate.product, candidate.day
        self.judge_stored(product, day)
        try:
            return self.recounter.recount(product, day, candidate.expected, pass_, now, counts_users=counts_users)
        except MoreThanExpected:
            finest = replace(candidate, expected=self.recounter.finest(day))
            self.candidates.put_candidates([finest], now)
            return self.recounter.recount(product, day, finest.expected, pass_, now, counts_users=counts_users)

    def _report_all(self, products: Sequence[str], busy: Collection[str], day: date, now: datetime) -> DayTotals:
        """Writes the report of all products together, from theirs. Only the `busy` ones can have uses."""
        catalogue = CatalogueSum()
        for totals, details in self.reports.told(products, day):
            catalogue.add(totals, details)
        balance, before = self._foundations(CATALOGUE, day)
        report = catalogue.report(CATALOGUE, day, balance, before, Moments(now, now))
        return self._keep(replace(report, uses=self.uses_of(sorted(busy), day))).totals

    def _keep(self, report: DayReport) -> DayReport:
        """Another run may have written it at the same time, from another count."""
        self.summarise([report])
        kept = self.reports.keep(report)
        self._remember([kept])
        if kept.totals.digest != report.totals.digest:
            self.contradicted.append(report.totals.scope)
            self.corrections.correct(correction_of(kept, report, report.totals.computed_at), report.totals.digest)
            self.summarise([replace(kept, uses=report.uses)])
        return kept

    def _foundations(self, scope: str, day: date) -> tuple[Balance, DayTotals | None]:
        """The day's balance, and the totals of the day before; raises LedgerBroken when one of these is missing."""
        before, tally = self.ledger.day(scope, day.toordinal())
        if known := self._remembered(scope, day):
            latest: DayTotals | None = known[1]
        else:
            latest = self.reports.latest(scope, day - timedelta(days=1), consistent=True)
        return next_balance(before, day.toordinal(), tally), before_of(day, latest)

    def _announce(self, day: date, busy: Collection[str], candidates: dict[str, Candidate], now: datetime) -> list[str]:
        """Makes products known to the ledger: each has a report of every day from then on, also without records.

        Gives all that are known. One that was registered after others were counted, and has no records, counts as
        counted with them, also in `candidates`: the day does not wait for it.
        """
        known = self.ledger.scopes()
        fresh = {*self.products, *busy, UNKNOWN_PRODUCT, CATALOGUE} - known
        if counted := [each.counted_at for each in candidates.values() if each.counted_at]:
            products, digest = sorted(fresh - {CATALOGUE, *busy}), Recount().digest
            found = [Candidate(product, day, 1, 0).counted(0, digest, min(counted)) for product in products]
            self.candidates.put_candidates(found, now)
            candidates.update({each.product: each for each in found})
        self.ledger.add_scopes(fresh)
        return sorted({*known, *fresh} - {CATALOGUE})

    def _live_records(self, product: str, day: date) -> int:
        return sum(counts[RECORDS] for _, counts in self.live.hours(product, *hours_of(day)))


def count_part(recounter: Recounter, candidates: Candidates, unit: Unit, now: datetime) -> None:
    """Counts a part of a day for another run, or has the day cut into finer parts if that is too much."""
    try:
        recounter.count_unit(unit, now)
    except MoreThanExpected:
        if candidate := candidates.candidates(unit.day).get(unit.product):
            candidates.put_candidates([replace(candidate, expected=recounter.finest(unit.day))], now)
