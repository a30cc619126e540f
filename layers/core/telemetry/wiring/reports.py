"""The wiring of the reports function."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from telemetry.domain.environment import Environment
from telemetry.services.reports import ClosedDays
from telemetry.storage.products import ProductStore
from telemetry.wiring.closed_days import ClosedDayStores
from telemetry.wiring.staff import StaffWiring


@dataclass(frozen=True)
class ReportsWiring(StaffWiring, ClosedDayStores):
    """What answers finance's questions."""

    @property
    def products(self) -> ProductStore:
        return ProductStore(self.registry)

    def closed_days(self, environment: Environment, now: datetime, is_known: Callable[[str], bool]) -> ClosedDays:
        """What the reports of an environment answer now. `is_known` says whether an application exists."""
        return ClosedDays(environment, self.day_reports(environment), self.ledger(environment), is_known, now)
