"""What was recorded, read back: authenticate, understand, look, answer."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import getkeymanager, getkeymanager_query
from telemetry.domain.api_key import Capability
from telemetry.domain.environment import Environment
from telemetry.domain.errors import SearchTooWide
from telemetry.domain.record import telemetry_id
from telemetry.domain.retention import oldest_day
from telemetry.services.telemetry_query import TelemetrySearch
from telemetry.settings import AnalyticsSettings
from telemetry.storage.browse import Browser, Effort
from telemetry.storage.records import RecordStore
from telemetry.storage.registry import RegistryStore
from telemetry.storage.retention import RetentionStore
from telemetry.storage.secret import keyring
from telemetry.web.authentication import Authenticator, credentials_of
from telemetry.web.failures import failure_answer
from telemetry.web.http import Request, answer

SECONDS_TO_ANSWER = 8
"""Of the function's time, kept back from a search: for a last call that gets no answer, and for ours."""

MOST_RECORDS = 20_000
"""How many records one search may look at."""

app = APIGatewayHttpResolver()
logger = Logger()


@cache
def registry() -> RegistryStore:
    """Products and API keys."""
    return RegistryStore(AnalyticsSettings.from_env().tables.registry)


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys."""
    return Authenticator(registry(), keyring())


@app.get("/api/v1/telemetry")
@app.get("/api/v1/get-telemetry-data")
@app.get("/v1/telemetry")
@app.get("/v1/get-telemetry-data")
def telemetry() -> Response[str]:
    """A page of records of the environment the key opens."""
    request, now = Request.from_event(app.current_event.raw_event), datetime.now(UTC)
    access = authenticator().access(credentials_of(request), Capability.READ, request.source_ip, now)
    query, products = getkeymanager_query.parse(request.query), registry().products()
    browser = _browser(access.environment, now)
    page = TelemetrySearch(browser, sorted(products), getkeymanager_query.said_in, keyring()).page(query)
    ids = [telemetry_id(record.key, access.environment, keyring()) for record in page.records]
    return answer(200, getkeymanager_query.answer(page, query, ids, products, now))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong."""
    now = datetime.now(UTC)
    match error:
        case getkeymanager_query.BadParameters():
            return answer(400, getkeymanager_query.bad_parameters(error, now))
        case SearchTooWide():
            narrower = "The search is too wide. Name a license_key, user_identifier or product_id, or an earlier page."
            return answer(400, getkeymanager.bad_request("search", narrower, now))
    return failure_answer(error, getkeymanager, logger, now)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(event, context)


def _browser(environment: Environment, now: datetime) -> Browser:
    settings = AnalyticsSettings.from_env()
    store = RecordStore(settings.tables.records(environment), settings.shards)
    seconds = app.lambda_context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER
    retention = RetentionStore(settings.tables.registry, settings.retention_days).get(environment)
    return Browser(store, now, oldest_day(now, retention.days), Effort(MOST_RECORDS, seconds))
