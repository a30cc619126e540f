"""Checks whether the report of a closed day still holds: against its records, its digest, and the chain of days."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from telemetry.domain.active_users import Balance, LedgerBroken, next_balance
from telemetry.domain.correction import correction_of, first_difference
from telemetry.domain.day_report import (
    GENESIS,
    CatalogueSum,
    DayReport,
    DayTotals,
    Moments,
    before_of,
    catalogue_report_1,
    chain_of,
    digest_of,
    product_report,
)
from telemetry.domain.errors import NotFound, SearchTooWide
from telemetry.domain.recount import Counting, Recount
from telemetry.domain.report_rules import RULES_1, RULES_BY_VERSION
from telemetry.domain.sighting import CATALOGUE, Observation
from telemetry.services.ports import Corrections, DayReports, Ledger


class Outcome(StrEnum):
    """What verifying found."""

    HOLDS = "holds"
    PURGED = "purged, chain holds"
    """Its records have reached the end of their retention: report and chain are what is left."""
    DIFFERS = "differs"
    UNREADABLE = "cannot be read"


class DayVerdict(NamedTuple):
    """What was found for the report of one scope. `difference` is the first one, None where there is none."""

    scope: str
    day: date
    outcome: Outcome
    difference: str | None

    @property
    def is_sound(self) -> bool:
        return self.outcome in {Outcome.HOLDS, Outcome.PURGED}


class StoredRecords(Protocol):
    """The records of one environment (storage.day_records.DayRecordStore)."""

    def examined(self, product: str, day: date) -> Iterator[tuple[Observation, str | None]]: ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """Recomputes closed days. `most_records` bounds how many are read for one question; None: as many as there are."""

    ledger: Ledger
    reports: DayReports
    corrections: Corrections
    records: StoredRecords
    most_records: int | None = None

    def verify_all(self, scope: str, now: datetime) -> Iterator[DayVerdict]:
        """The verdicts on every closed day, in order. A day that cannot be read has a verdict, too."""
        for totals in self.reports.totals(scope, date.min, now.date()):
            try:
                yield from self.verify(scope, totals.day, now)
            except Exception as exc:  # noqa: BLE001 (whatever was done to the data)
                yield DayVerdict(scope, totals.day, Outcome.UNREADABLE, f"{type(exc).__name__}: {exc}")

    def verify(self, scope: str, day: date, now: datetime) -> list[DayVerdict]:
        """The verdict on a product's day; of the catalogue's, that on each product first.

        Where a report is contradicted, a correction is kept beside it. Raises NotFound when the day is not closed, and
        SearchTooWide over more than `most_records`.
        """
        kept = self._kept(scope, day)
        if self.most_records is not None and kept.totals.records > self.most_records:
            raise SearchTooWide
        if scope != CATALOGUE:
            return [self._product(kept, now)[0]]
        return self._all_by_rules_1(kept, now) if kept.details.rules == RULES_1.version else self._all(kept, now)

    def _all(self, kept: DayReport, now: datetime) -> list[DayVerdict]:
        """Checks that the catalogue's report follows from the reports of the products, and these from their records."""
        day, verdicts, catalogue = kept.totals.day, list[DayVerdict](), CatalogueSum()
        for product in sorted(self.reports.totals_on(sorted(self.ledger.scopes() - {CATALOGUE}), day)):
            report = self._kept(product, day)
            verdict, recount = self._product(report, now)
            verdicts.append(verdict)
            shown = report if recount is None else _recounted(report, recount)
            catalogue.add(replace(shown.totals, digest=report.totals.digest), shown.details)
        if any(verdict.outcome is Outcome.PURGED for verdict in verdicts):
            verdict = self._without_records(kept)
            if verdict.is_sound and kept.details.evidence != catalogue.evidence:
                verdict = _verdict(kept, Outcome.DIFFERS, "reports: it does not follow from those of the products")
            return [*verdicts, verdict]

        def report_of(balance: Balance, before: DayTotals | None) -> DayReport:
            rules = RULES_BY_VERSION[kept.details.rules]
            return catalogue.report(CATALOGUE, day, balance, before, _moments(kept), rules)

        return [*verdicts, self._compared(kept, report_of, now)]

    def _all_by_rules_1(self, kept: DayReport, now: datetime) -> list[DayVerdict]:
        """By the first rules the catalogue's report follows from the records themselves, and names its products."""
        products = {product: self._kept(product, kept.totals.day) for product in kept.details.evidence}
        found = {product: self._product(report, now) for product, report in products.items()}
        verdicts = [verdict for verdict, _ in found.values()]
        recounts = {product: (recount, products[product]) for product, (_, recount) in found.items() if recount}
        return [*verdicts, self._catalogue_by_rules_1(kept, recounts, now)]

    def _kept(self, scope: str, day: date) -> DayReport:
        kept = self.reports.report(scope, day)
        if kept is None:
            raise NotFound(f"report of {scope} on {day}")
        return kept

    def _product(self, kept: DayReport, now: datetime) -> tuple[DayVerdict, Recount | None]:
        if kept.totals.expires_at is not None and kept.totals.expires_at <= now:
            return self._without_records(kept), None
        rules = RULES_BY_VERSION[kept.details.rules]
        counting, damage = Counting(rules), None
        for seen, wrong in self.records.examined(kept.totals.scope, kept.totals.day):
            counting.add(seen)
            damage = damage or wrong
        recount = counting.done()

        def report(balance: Balance, before: DayTotals | None) -> DayReport:
            return product_report(kept.totals.scope, kept.totals.day, recount, balance, before, _moments(kept), rules)

        verdict = self._compared(kept, report, now)
        return verdict._replace(outcome=Outcome.DIFFERS, difference=damage) if damage else verdict, recount

    def _catalogue_by_rules_1(
        self, kept: DayReport, recounts: Mapping[str, tuple[Recount, DayReport]], now: datetime
    ) -> DayVerdict:
        if len(recounts) < len(kept.details.evidence):
            return self._without_records(kept)

        def report(balance: Balance, before: DayTotals | None) -> DayReport:
            return catalogue_report_1(CATALOGUE, kept.totals.day, recounts, balance, before, _moments(kept))

        return self._compared(kept, report, now)

    def _compared(
        self, kept: DayReport, report: Callable[[Balance, DayTotals | None], DayReport], now: datetime
    ) -> DayVerdict:
        """Compares a report with the one that would be written today."""
        scope, day = kept.totals.scope, kept.totals.day
        try:
            opening, tally = self.ledger.day(scope, day.toordinal())
            found = report(next_balance(opening, day.toordinal(), tally), self._before(kept))
        except LedgerBroken as exc:
            return _verdict(kept, Outcome.DIFFERS, str(exc))
        if difference := first_difference(kept, found):
            self.corrections.correct(correction_of(kept, found, now), found.totals.digest)
            return _verdict(kept, Outcome.DIFFERS, difference)
        return _verdict(kept, Outcome.HOLDS)

    def _without_records(self, kept: DayReport) -> DayVerdict:
        """The verdict on a report whose records are gone: whether its digest and its place in the chain are right."""
        digest = digest_of(kept.totals, kept.details, kept.balance)
        try:
            before = self._before(kept)
        except LedgerBroken as exc:
            return _verdict(kept, Outcome.DIFFERS, str(exc))
        if digest != kept.totals.digest:
            return _verdict(kept, Outcome.DIFFERS, "digest: it is not that of the report's content")
        if chain_of(before.chain if before else GENESIS, digest) != kept.totals.chain:
            return _verdict(kept, Outcome.DIFFERS, "chain: the report does not follow from that of the day before")
        return _verdict(kept, Outcome.PURGED)

    def _before(self, kept: DayReport) -> DayTotals | None:
        day = kept.totals.day
        return before_of(day, self.reports.latest(kept.totals.scope, day - timedelta(days=1)))


def _recounted(kept: DayReport, recount: Recount) -> DayReport:
    """The report that the records would give today."""
    scope, day, rules = kept.totals.scope, kept.totals.day, RULES_BY_VERSION[kept.details.rules]
    return product_report(scope, day, recount, kept.balance, None, _moments(kept), rules)


def _moments(kept: DayReport) -> Moments:
    return Moments(kept.totals.computed_at, kept.totals.closed_at)


def _verdict(kept: DayReport, outcome: Outcome, difference: str | None = None) -> DayVerdict:
    return DayVerdict(kept.totals.scope, kept.totals.day, outcome, difference)
