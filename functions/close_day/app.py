"""Closes every day that is over and not closed yet."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.domain.environment import Environment
from telemetry.services.close_day import close_days
from telemetry.settings import CloseDaySettings
from telemetry.storage.aggregates import AggregateStore
from telemetry.storage.records import RecordStore
from telemetry.storage.registry import RegistryStore

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Takes `{"environment": "production"}`; raises when a day cannot be closed."""
    environment, settings = Environment(event["environment"]), CloseDaySettings.from_env()
    records = RecordStore(settings.tables.records(environment), settings.shards)
    aggregates = AggregateStore(settings.tables.aggregates(environment))
    products = list(RegistryStore(settings.tables.registry).products())
    closed = [day.isoformat() for day in close_days(datetime.now(UTC), aggregates, records, products)]
    logger.info("Days closed", environment=environment, days=closed)
    return {"environment": environment, "closed": closed}
