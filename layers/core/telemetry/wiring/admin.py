"""The wiring of the admin function."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from telemetry.domain.environment import Environment
from telemetry.services.administration.api_keys import KeyActivity
from telemetry.services.administration.days import Corrections
from telemetry.services.administration.license_list import LicenseList
from telemetry.services.administration.profiles import Profiles
from telemetry.services.administration.retention import DayCounts
from telemetry.services.administration.spikes import Spikes
from telemetry.services.administration.stores import Stores
from telemetry.services.profiles.stores import ProfileStores
from telemetry.settings import RetentionSettings
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.profiles.forgotten import ForgottenStore
from telemetry.storage.spike_handling import HandlingStore
from telemetry.storage.spikes import EpisodeStore
from telemetry.wiring.staff import StaffWiring
from telemetry.wiring.verifier import Verifiers


@dataclass(frozen=True)
class AdminWiring(StaffWiring, Verifiers):
    """What the routes of the admin API work on."""

    settings: RetentionSettings
    settings_type = RetentionSettings
    most_verified: int | None = 10_000
    """The largest day, in records, that is verified while the caller waits.

    For larger days there are `python -m local verify` and the event of close_day.
    """

    @cached_property
    def stores(self) -> Stores:
        return Stores.of(self.registry, self.settings.retention_days, self.keyring)

    def license_list(self, environment: Environment, now: datetime) -> LicenseList:
        """For one answer."""
        return LicenseList(self.stores, self.records(environment), now)

    def key_activity(self, environment: Environment) -> KeyActivity:
        return KeyActivity(HourlyCountStore(self.aggregates(environment)))

    def day_counts(self, environment: Environment) -> DayCounts:
        return DayCounts(self.day_reports(environment), HourlyCountStore(self.aggregates(environment)))

    def profiles(self, environment: Environment) -> Profiles:
        """What is kept of developers and companies, and who of them is forgotten."""
        stores = ProfileStores.of(self.aggregates(environment))
        return Profiles(environment, stores, ForgottenStore(self.registry, environment), self.registry)

    def spikes(self, environment: Environment) -> Spikes:
        """Episodes of spikes, and what staff say of them."""
        table = self.aggregates(environment)
        return Spikes(environment, EpisodeStore(table), HandlingStore(table), self.registry)

    def corrections(self, environment: Environment) -> Corrections:
        """What later counts found that is not in the reports of closed days."""
        return Corrections(self.day_reports(environment), self.correction_store(environment), self.ledger(environment))
