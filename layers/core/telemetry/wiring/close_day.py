"""The wiring of the close_day function, and of the commands that read stored records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from telemetry.dialects.stored import event_of
from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.retry import Deadline
from telemetry.services.close_day import DayCloser
from telemetry.services.judging import Judge, judge_stored
from telemetry.services.recount import Allowance, Dispatch, Recounter
from telemetry.settings import RecordSettings
from telemetry.storage.candidates import CandidateStore
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import ProductStore
from telemetry.storage.recount_parts import PartStore
from telemetry.storage.secret import keyring
from telemetry.wiring.verifier import Verifiers
from telemetry.wiring.wired import Wiring

JUDGING_SECONDS = 30
"""How long storing the judgement of one record may take."""


@dataclass(frozen=True)
class CloseDayWiring(Wiring, Verifiers):
    """What closes, counts and verifies days."""

    settings: RecordSettings
    settings_type = RecordSettings
    most_verified: int | None = None

    @property
    def products(self) -> ProductStore:
        return ProductStore(self.settings.tables.registry)

    def closer(self, environment: Environment, dispatch: Dispatch, allowance: Allowance, now: datetime) -> DayCloser:
        """Closes days of all registered products, and judges the records that were stored without a judgement."""
        products, records = self.products.all(), self.day_records(environment)
        judge, by_key = self.judge(environment, products), self.records(environment)

        def judge_day(product: str, day: date) -> int:
            return judge_stored(records.unjudged(product, day), by_key, judge, now, Deadline(JUDGING_SECONDS))

        return DayCloser.of(self.aggregates(environment), records, list(products), dispatch, judge_day, allowance)

    def candidates(self, environment: Environment) -> CandidateStore:
        """How far the closing of days has come."""
        return CandidateStore(self.aggregates(environment))

    def judge(self, environment: Environment, products: Mapping[str, Product]) -> Judge:
        """Judges stored records by these products and by the licences as they are now."""
        licenses = LicenseLookup(LicenseStore(self.settings.tables.registry, keyring()), keyring(), self.clock.seconds)
        return Judge(environment, products, licenses.views, event_of)

    def recounter(self, environment: Environment, dispatch: Dispatch) -> Recounter:
        parts = PartStore(self.aggregates(environment))
        return Recounter(self.day_records(environment), self.ledger(environment), parts, dispatch)
