"""The wiring of the close_usage function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from telemetry.dialects.stored import event_of
from telemetry.domain.environment import Environment
from telemetry.domain.record import RecordKey
from telemetry.services.profiles.attributing import DayAttributing
from telemetry.services.profiles.close import ProfileCloser
from telemetry.services.profiles.stores import ProfileStores
from telemetry.services.recount import Allowance
from telemetry.settings import CloseUsageSettings
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.network_file_places import file_place
from telemetry.storage.network_files import NetworkFiles
from telemetry.storage.overrides import OverridesStore
from telemetry.storage.products import ProductStore
from telemetry.storage.profiles.forgotten import ForgottenStore
from telemetry.storage.record_item import LARGEST_COUNTED_BODY
from telemetry.wiring.closed_days import ClosedDayStores
from telemetry.wiring.records import RecordStores
from telemetry.wiring.wired import Wiring


@dataclass(frozen=True)
class CloseUsageWiring(Wiring, ClosedDayStores, RecordStores):
    """What closes days of product usage."""

    settings: CloseUsageSettings
    settings_type = CloseUsageSettings

    @property
    def products(self) -> ProductStore:
        return ProductStore(self.settings.tables.registry)

    @cached_property
    def network_files(self) -> NetworkFiles | None:
        """None in a deployment without one."""
        place = self.settings.network_file
        return NetworkFiles(file_place(place)) if place else None

    def closer(
        self, environment: Environment, allowance: Allowance, *, without_network_file: bool = False
    ) -> ProfileCloser:
        registry = self.settings.tables.registry
        return ProfileCloser(
            ProfileStores.of(self.settings.tables.aggregates(environment)),
            self.day_records(environment),
            DayAttributing(OverridesStore(registry).get, domain_lists, self.network_files, without_network_file),
            lambda keys: self._identities(environment, keys),
            ForgottenStore(registry, environment).all,
            allowance,
        )

    def _identities(
        self, environment: Environment, keys: Sequence[RecordKey]
    ) -> Mapping[RecordKey, tuple[str | None, str | None]]:
        """Nobody is called by what stands in a body that takes long to understand: rollup leaves it out too."""
        found = self.records(environment).many(keys, LARGEST_COUNTED_BODY)
        return {record.key: event_of(record).identity for record in found if record.has_body}
