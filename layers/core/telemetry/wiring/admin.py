"""The admin function's."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from telemetry.clock import Clock
from telemetry.domain.environment import Environment
from telemetry.services.administration.days import Corrections
from telemetry.services.administration.retention import DayCounts
from telemetry.services.administration.stores import Stores
from telemetry.settings import RetentionSettings
from telemetry.storage.activity import ActivityStore
from telemetry.wiring.staff import StaffWiring
from telemetry.wiring.verifier import Verifiers


@dataclass(frozen=True)
class AdminWiring(StaffWiring, Verifiers):
    """What staff administer."""

    settings: RetentionSettings
    most_verified: int | None = 10_000
    """Records of a day that is verified while the caller waits. A larger day takes the command or close_day's event."""

    @classmethod
    def from_env(cls, clock: Clock) -> Self:
        """Raises ConfigurationError."""
        return cls(RetentionSettings.from_env(), clock)

    @cached_property
    def stores(self) -> Stores:
        """The registry."""
        return Stores.of(self.registry, self.settings.retention_days, self.keyring)

    def activity(self, environment: Environment) -> ActivityStore:
        """What rollup has counted."""
        return ActivityStore(self.aggregates(environment))

    def day_counts(self, environment: Environment) -> DayCounts:
        """How many records each day has."""
        return DayCounts(self.day_reports(environment), self.activity(environment))

    def corrections(self, environment: Environment) -> Corrections:
        """What was found that closed days' reports do not say."""
        return Corrections(self.day_reports(environment), self.ledger(environment))
