"""The wiring of the rollup function."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from telemetry.dialects.stored import event_of
from telemetry.domain.brief_event import brief
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.sighting import Observation
from telemetry.messages.alerts import AlertTopic
from telemetry.messages.uncounted_records import UncountedRecordQueue
from telemetry.services.profiles.attributor import Attributor, NetworksSoon
from telemetry.services.profiles.live import LiveProfiles
from telemetry.services.rollup import Rollup
from telemetry.services.spikes import SpikeWatch
from telemetry.services.values.keeping import ValueKeeper
from telemetry.settings import RollupSettings
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.network_file_places import file_place
from telemetry.storage.network_files import NetworkFiles
from telemetry.storage.overrides import OverridesStore
from telemetry.storage.products import Catalogue, ProductStore
from telemetry.storage.profiles.today import TodayStore
from telemetry.storage.record_item import read_image
from telemetry.storage.spikes import EpisodeStore
from telemetry.storage.values import ValueStore
from telemetry.wiring.wired import Wiring


@dataclass(frozen=True)
class RollupWiring(Wiring):
    """What counts records, what watches the counts, what keeps values, and what notes who is active today."""

    settings: RollupSettings
    settings_type = RollupSettings

    @cached_property
    def rollups(self) -> Mapping[Environment, Rollup]:
        """One per environment; each remembers which uses of keys it has noted."""
        return {environment: self._rollup(environment) for environment in Environment}

    @cached_property
    def spike_watches(self) -> Mapping[Environment, SpikeWatch]:
        """One per environment; each remembers what it has seen."""
        return {environment: self._spike_watch(environment) for environment in Environment}

    @cached_property
    def value_keepers(self) -> Mapping[Environment, ValueKeeper]:
        """One per environment."""
        return {each: ValueKeeper(ValueStore(self.settings.tables.aggregates(each))) for each in Environment}

    @cached_property
    def live_profiles(self) -> Mapping[Environment, LiveProfiles]:
        """One per environment; each remembers whom it has noted."""
        return {environment: self._live_profiles(environment) for environment in Environment}

    @cached_property
    def networks(self) -> NetworksSoon:
        """The network file, one for all environments."""
        place = self.settings.network_file
        return NetworksSoon(NetworkFiles(file_place(place)) if place else None, self.clock.seconds)

    @cached_property
    def _attributor(self) -> Attributor:
        overrides = OverridesStore(self.settings.tables.registry)
        return Attributor(overrides.get, domain_lists, self.networks, self.clock.seconds)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(ProductStore(self.settings.tables.registry), self.clock.seconds)

    def _live_profiles(self, environment: Environment) -> LiveProfiles:
        today = TodayStore(self.settings.tables.aggregates(environment))
        return LiveProfiles(today, self._catalogue.find_all, self._attributor, self.clock.seconds)

    def _rollup(self, environment: Environment) -> Rollup:
        table = self.settings.tables.aggregates(environment)
        queue = UncountedRecordQueue(self.settings.failure_queue)
        return Rollup(_read, LedgerStore(table), HourlyCountStore(table), queue, noted={})

    def _spike_watch(self, environment: Environment) -> SpikeWatch:
        table = self.settings.tables.aggregates(environment)
        topic = AlertTopic(self.settings.alert_topic)
        return SpikeWatch(environment, HourlyCountStore(table), EpisodeStore(table), topic)


def _read(image: Mapping[str, Any]) -> tuple[Observation, Event | None]:
    """A stream's image, and the event in its body; None for a body that is too large to be understood at once."""
    observation, record = read_image(image)
    return observation, brief(event_of(record)) if record else None
