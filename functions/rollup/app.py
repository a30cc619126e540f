"""From the records' streams to counted users and hours, and to alerts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects.stored import event_of
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import Observation
from telemetry.faults import faults_counted
from telemetry.messages.alerts import AlertTopic
from telemetry.messages.failures import FailureQueue
from telemetry.services.rollup import Batch, Rollup
from telemetry.services.spikes import SpikeWatch
from telemetry.settings import RollupSettings
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.activity import ActivityStore
from telemetry.storage.record_item import read_image
from telemetry.storage.spikes import EpisodeStore

logger = Logger()


@cache
def rollup(environment: Environment) -> Rollup:
    """Counts batches of an environment."""
    settings = RollupSettings.from_env()
    table = settings.tables.aggregates(environment)
    return Rollup(read, LedgerStore(table), ActivityStore(table), FailureQueue(settings.failure_queue), noted={})


@cache
def spike_watch(environment: Environment) -> SpikeWatch:
    """Watches what is counted of an environment."""
    settings = RollupSettings.from_env()
    table = settings.tables.aggregates(environment)
    return SpikeWatch(environment, ActivityStore(table), EpisodeStore(table), AlertTopic(settings.alert_topic))


def read(image: Mapping[str, Any]) -> tuple[Observation, str | None]:
    """A stream's image, and the group its body names; of a body too large for the stream none is known."""
    observation, record = read_image(image)
    return observation, event_of(record).group if record else None


@logger.inject_lambda_context
@faults_counted
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Counts one batch of a stream's shard; raises when it is to come again."""
    batch = Batch.of(event, RollupSettings.from_env().tables.records)
    observations = rollup(batch.environment).count(batch, datetime.now(UTC))
    spike_watch(batch.environment).look(observations)
    return {"state": {}}
