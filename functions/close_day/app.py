"""Closes every day that is over and not closed yet."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects.stored import event_of
from telemetry.domain.environment import Environment
from telemetry.services.close_day import close_days
from telemetry.services.judging import Judge, JudgedRecords
from telemetry.settings import CloseDaySettings
from telemetry.storage.aggregates import AggregateStore
from telemetry.storage.backoff import Backoff
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.records import RecordStore
from telemetry.storage.registry import RegistryStore
from telemetry.storage.secret import keyring

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Takes `{"environment": "production"}`; raises when a day cannot be closed."""
    environment, settings, now = Environment(event["environment"]), CloseDaySettings.from_env(), datetime.now(UTC)
    aggregates = AggregateStore(settings.tables.aggregates(environment))
    products = RegistryStore(settings.tables.registry).products()
    licenses = LicenseLookup(LicenseStore(settings.tables.registry, keyring()), keyring())
    stored = RecordStore(settings.tables.records(environment), settings.shards)
    records = JudgedRecords(stored, Judge(environment, products, licenses.views, event_of), now, Backoff(30))
    closed = [day.isoformat() for day in close_days(now, aggregates, records, list(products))]
    logger.info("Days closed", environment=environment, days=closed)
    return {"environment": environment, "closed": closed}
