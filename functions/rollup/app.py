"""From the records' streams to counted users."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.services.rollup import environment_of, roll_up
from telemetry.settings import TableNames
from telemetry.storage.aggregates import AggregateStore
from telemetry.storage.records import sighting_of

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 (Lambda passes it)
    """Counts one batch of a stream; raises when it is to come again. What never can be counted is logged."""
    tables, records = TableNames.from_env(), event["Records"]
    environment = environment_of(records, tables.records)
    for uncounted in roll_up(records, sighting_of, AggregateStore(tables.aggregates(environment))):
        cause = f"{type(uncounted.cause).__name__}: {uncounted.cause}"
        logger.error("Not counted", environment=environment, record=uncounted.key, cause=cause)
