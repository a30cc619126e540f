"""Says whether the report of a closed day still holds: against its records, its digest, and the chain of days."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from telemetry.domain.active_users import Balance, LedgerBroken, Tally, next_balance
from telemetry.domain.day_report import (
    GENESIS,
    Catalogue,
    Correction,
    DayReport,
    DayTotals,
    Moments,
    before_of,
    catalogue_report_1,
    chain_of,
    digest_of,
    first_difference,
    product_report,
)
from telemetry.domain.errors import NotFound, SearchTooWide
from telemetry.domain.recount import RULES_1, RULES_BY_VERSION, Counting, Recount
from telemetry.domain.sighting import CATALOGUE, Observation
from telemetry.services.close_day import correction


class Outcome(StrEnum):
    """What verifying found."""

    HOLDS = "holds"
    PURGED = "purged, chain holds"
    """Its records have reached the end of their retention: report and chain are what is left."""
    DIFFERS = "differs"
    UNREADABLE = "cannot be read"


class Verdict(NamedTuple):
    """Of one scope. `difference` is the first one found, None where there is none."""

    scope: str
    day: date
    outcome: Outcome
    difference: str | None

    @property
    def is_sound(self) -> bool:
        return self.outcome in {Outcome.HOLDS, Outcome.PURGED}


class Ledger(Protocol):
    """Users of one environment."""

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]: ...

    def scopes(self) -> frozenset[str]: ...


class Reports(Protocol):
    """The reports of one environment's closed days."""

    def report(self, scope: str, day: date, *, consistent: bool = False) -> DayReport | None: ...

    def latest(self, scope: str, last: date, *, consistent: bool = False) -> DayTotals | None: ...

    def totals(self, scope: str, first: date, last: date) -> list[DayTotals]: ...

    def reported(self, scopes: Sequence[str], day: date) -> set[str]: ...


class Corrections(Protocol):
    """What contradicts them."""

    def correct(self, correction: Correction, digest: bytes) -> None: ...


class StoredRecords(Protocol):
    """The records of one environment."""

    def examined(self, product: str, day: date) -> Iterator[tuple[Observation, str | None]]:
        """Each record of a day as the index lists it, and what is wrong with the record itself, if anything is."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Recomputes closed days. `most_records` bounds how many are read for one question; None: as many as there are."""

    ledger: Ledger
    reports: Reports
    corrections: Corrections
    records: StoredRecords
    most_records: int | None = None

    def verify_all(self, scope: str, now: datetime) -> Iterator[Verdict]:
        """The verdicts on every closed day, in order. What cannot even be read is told, and the next day looked at."""
        for totals in self.reports.totals(scope, date.min, now.date()):
            try:
                yield from self.verify(scope, totals.day, now)
            except Exception as exc:  # noqa: BLE001 (whatever was done to the data)
                yield Verdict(scope, totals.day, Outcome.UNREADABLE, f"{type(exc).__name__}: {exc}")

    def verify(self, scope: str, day: date, now: datetime) -> list[Verdict]:
        """The verdict on a product's day; of the catalogue's, that on each product first.

        What a report does not say is kept beside it as a correction. Raises NotFound when the day is not closed, and
        SearchTooWide over more than `most_records`.
        """
        kept = self._kept(scope, day)
        if self.most_records is not None and kept.totals.records > self.most_records:
            raise SearchTooWide
        if scope != CATALOGUE:
            return [self._product(kept, now)[0]]
        return self._all_by_rules_1(kept, now) if kept.details.rules == RULES_1.version else self._all(kept, now)

    def _all(self, kept: DayReport, now: datetime) -> list[Verdict]:
        """That all together follow from the reports of the products, and from their records."""
        day, verdicts, catalogue = kept.totals.day, list[Verdict](), Catalogue()
        for product in sorted(self.reports.reported(sorted(self.ledger.scopes() - {CATALOGUE}), day)):
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

    def _all_by_rules_1(self, kept: DayReport, now: datetime) -> list[Verdict]:
        """By the first rules all together follow from the records, too, and the report names its products."""
        products = {product: self._kept(product, kept.totals.day) for product in kept.details.evidence}
        found = {product: self._product(report, now) for product, report in products.items()}
        verdicts = [verdict for verdict, _ in found.values()]
        recounts = {product: (recount, products[product]) for product, (_, recount) in found.items() if recount}
        return [*verdicts, self._catalogue_by_rules_1(kept, recounts, now)]

    def _kept(self, scope: str, day: date) -> DayReport:
        kept = self.reports.report(scope, day)
        if kept is None:
            raise NotFound(f"A report of {scope} on {day}")
        return kept

    def _product(self, kept: DayReport, now: datetime) -> tuple[Verdict, Recount | None]:
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
    ) -> Verdict:
        if len(recounts) < len(kept.details.evidence):
            return self._without_records(kept)

        def report(balance: Balance, before: DayTotals | None) -> DayReport:
            return catalogue_report_1(CATALOGUE, kept.totals.day, recounts, balance, before, _moments(kept))

        return self._compared(kept, report, now)

    def _compared(
        self, kept: DayReport, report: Callable[[Balance, DayTotals | None], DayReport], now: datetime
    ) -> Verdict:
        """With the report there would be today, and in itself."""
        scope, day = kept.totals.scope, kept.totals.day
        try:
            opening, tally = self.ledger.day(scope, day.toordinal())
            found = report(next_balance(opening, day.toordinal(), tally), self._before(kept))
        except LedgerBroken as exc:
            return _verdict(kept, Outcome.DIFFERS, str(exc))
        if difference := first_difference(kept, found):
            self.corrections.correct(correction(kept, found, now), found.totals.digest)
            return _verdict(kept, Outcome.DIFFERS, difference)
        return _verdict(kept, Outcome.HOLDS)

    def _without_records(self, kept: DayReport) -> Verdict:
        """What can be said of a report whose records are gone: whether it is what its digest and the chain are of."""
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
    """What a report would say of its records today."""
    scope, day, rules = kept.totals.scope, kept.totals.day, RULES_BY_VERSION[kept.details.rules]
    return product_report(scope, day, recount, kept.balance, None, _moments(kept), rules)


def _moments(kept: DayReport) -> Moments:
    return Moments(kept.totals.computed_at, kept.totals.closed_at)


def _verdict(kept: DayReport, outcome: Outcome, difference: str | None = None) -> Verdict:
    return Verdict(kept.totals.scope, kept.totals.day, outcome, difference)
