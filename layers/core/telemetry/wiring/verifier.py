"""The verifier of closed days, for all functions that verify them."""

from telemetry.domain.environment import Environment
from telemetry.services.verify_day import Verifier
from telemetry.settings import RecordSettings
from telemetry.wiring.closed_days import ClosedDayStores
from telemetry.wiring.records import RecordStores


class Verifiers(ClosedDayStores, RecordStores):
    """One verifier for each environment. `most_verified` is its limit `most_records`."""

    settings: RecordSettings
    most_verified: int | None

    def verifier(self, environment: Environment) -> Verifier:
        return Verifier(
            self.ledger(environment),
            self.day_reports(environment),
            self.correction_store(environment),
            self.day_records(environment),
            self.most_verified,
        )
