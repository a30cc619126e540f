"""Counts users and hours from the streams of records, raises alerts, keeps values, and notes who is active today."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.faults import faults_counted, log_left_out
from telemetry.services.rollup import Batch, Seen
from telemetry.services.values.keeping import is_patient
from telemetry.wiring.rollup import RollupWiring
from telemetry.wiring.wired import Wired

logger = Logger()
wired = Wired(RollupWiring.from_env)


@logger.inject_lambda_context
@faults_counted
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Counts one batch of a stream's shard. Raises when Lambda should deliver it again."""
    batch = Batch.of(event, wired().settings.tables.records)
    seen = wired().rollups[batch.environment].count(batch, wired.clock.now())
    wired().spike_watches[batch.environment].look(each.observation for each in seen)
    _keep_values(batch, seen, wired.clock.now())
    _note(seen, batch.environment)
    return {"state": {}}


def _keep_values(batch: Batch, seen: Sequence[Seen], now: datetime) -> None:
    """The batch is counted by now. It comes again where storage refuses, but not for long: days say what is missing."""
    try:
        wired().value_keepers[batch.environment].keep(batch, seen)
    except Exception as exc:
        if isinstance(exc, StoreUnavailable) and is_patient(seen, now):
            raise
        log_left_out(exc, logger, "Values are not kept")
        with single_metric("ValuesNotKept", MetricUnit.Count, 1):
            pass


def _note(seen: Sequence[Seen], environment: Environment) -> None:
    """The batch is counted by now, whatever becomes of this."""
    try:
        live = wired().live_profiles[environment]
        noted = live.note([(each.observation, each.event) for each in seen], wired.clock.now())
        if noted.left_out:
            logger.warning("Some are not noted yet", written=noted.written, left_out=noted.left_out)
        if failure := wired().networks.failure():
            log_left_out(failure, logger, "The network file cannot be read: addresses tell no companies")
    except Exception as exc:  # noqa: BLE001 (it is logged)
        log_left_out(exc, logger, "Who is active today is not noted")
        with single_metric("ProfilesNotNoted", MetricUnit.Count, 1):
            pass
