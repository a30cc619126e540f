"""The wiring of the rollup function."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from telemetry.dialects.stored import event_of
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import Observation
from telemetry.messages.alerts import AlertTopic
from telemetry.messages.uncounted_records import UncountedRecordQueue
from telemetry.services.rollup import Rollup
from telemetry.services.spikes import SpikeWatch
from telemetry.settings import RollupSettings
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.record_item import read_image
from telemetry.storage.spikes import EpisodeStore
from telemetry.wiring.wired import Wiring


@dataclass(frozen=True)
class RollupWiring(Wiring):
    """What counts records, and what watches the counts."""

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

    def _rollup(self, environment: Environment) -> Rollup:
        table = self.settings.tables.aggregates(environment)
        queue = UncountedRecordQueue(self.settings.failure_queue)
        return Rollup(_read, LedgerStore(table), HourlyCountStore(table), queue, noted={})

    def _spike_watch(self, environment: Environment) -> SpikeWatch:
        table = self.settings.tables.aggregates(environment)
        topic = AlertTopic(self.settings.alert_topic)
        return SpikeWatch(environment, HourlyCountStore(table), EpisodeStore(table), topic)


def _read(image: Mapping[str, Any]) -> tuple[Observation, str | None]:
    """A stream's image, and the group its body names; None for a body that is too large for the stream."""
    observation, record = read_image(image)
    return observation, event_of(record).group if record else None
