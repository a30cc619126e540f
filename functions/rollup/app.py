"""Counts users and hours from the streams of records, and raises alerts."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.faults import faults_counted
from telemetry.services.rollup import Batch
from telemetry.wiring.rollup import RollupWiring
from telemetry.wiring.wired import Wired

logger = Logger()
wired = Wired(RollupWiring.from_env)


@logger.inject_lambda_context
@faults_counted
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Counts one batch of a stream's shard. Raises when Lambda should deliver it again."""
    batch = Batch.of(event, wired().settings.tables.records)
    observations = wired().rollups[batch.environment].count(batch, wired.clock.now())
    wired().spike_watches[batch.environment].look(observations)
    return {"state": {}}
