"""Closed days: the corrections of their reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from telemetry.domain.correction import Correction
from telemetry.domain.errors import NotFound
from telemetry.domain.sighting import CATALOGUE
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_reports import DayReportStore


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections of one environment. Raises StoreUnavailable."""

    reports: DayReportStore
    corrections: CorrectionStore
    ledger: LedgerStore

    def of_day(self, scope: str, day: date) -> list[Correction]:
        """The corrections of a product; for CATALOGUE those of each product, then those of all products together.

        For each, the oldest comes first. Raises NotFound when the day is not closed.
        """
        if not self.reports.totals_on([scope], day):
            raise NotFound(f"report of {scope} on {day}")
        found = (self.corrections.corrections(each, day, day) for each in self._scopes(scope, day))
        return [each for of_scope in found for each in sorted(of_scope, key=lambda correction: correction.found_at)]

    def _scopes(self, scope: str, day: date) -> Sequence[str]:
        if scope != CATALOGUE:
            return [scope]
        products = self.ledger.scopes() - {CATALOGUE}
        return [*sorted(self.reports.totals_on(sorted(products), day)), CATALOGUE]
