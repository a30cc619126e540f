"""The stores of closed days, for all functions that read them."""

from telemetry.domain.environment import Environment
from telemetry.settings import Settings
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_reports import DayReportStore


class ClosedDayStores:
    """Reports and users of an environment."""

    settings: Settings

    def aggregates(self, environment: Environment) -> str:
        return self.settings.tables.aggregates(environment)

    def day_reports(self, environment: Environment) -> DayReportStore:
        return DayReportStore(self.aggregates(environment))

    def correction_store(self, environment: Environment) -> CorrectionStore:
        return CorrectionStore(self.aggregates(environment))

    def ledger(self, environment: Environment) -> LedgerStore:
        return LedgerStore(self.aggregates(environment))
