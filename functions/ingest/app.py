"""Telemetry in, in two dialects: authenticate, understand, keep, answer."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.body.masking import body_api_key
from telemetry.dialects.failure import RETRY_AFTER
from telemetry.domain.api_key import Access, Capability
from telemetry.domain.errors import StoreUnavailable, Unauthenticated
from telemetry.domain.event import Event
from telemetry.domain.failed_call import Cause, caller, cause_of
from telemetry.domain.flags import Flag
from telemetry.retry import deadline
from telemetry.services.failed_calls import FailedCallLog, SummedCalls
from telemetry.services.ingest import EventOutcome, Ingest, Status
from telemetry.settings import IngestSettings
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.failed_calls import FailedCallStore
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import Catalogue, ProductStore
from telemetry.storage.records import RecordStore
from telemetry.storage.retention import RememberedRetention, RetentionStore
from telemetry.storage.secret import keyring
from telemetry.web.authentication import Authenticator, Credentials, credentials_of
from telemetry.web.deadline import in_time
from telemetry.web.failures import failure_answer
from telemetry.web.http import Request, answer
from telemetry.web.routes import Api, routed
from telemetry.web.unknown_routes import unknown_route

MILLISECONDS_TO_NOTE = 1_500
"""Of the function's time; with less left a failed call is not counted: the one write it takes may get no answer."""

FAILURES = {Api.GETKEYMANAGER: getkeymanager.failure, Api.REO: reo.failure}
"""How each dialect answers errors."""

app = APIGatewayHttpResolver()
logger = Logger()
metrics = Metrics()


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys."""
    return Authenticator(ApiKeyStore(IngestSettings.from_env().tables.registry), keyring())


@cache
def ingest() -> Ingest:
    """Keeps events, in the environment their key opens."""
    settings = IngestSettings.from_env()
    return Ingest(
        records=lambda environment: RecordStore(settings.tables.records(environment), settings.shards),
        products=Catalogue(ProductStore(settings.tables.registry)).find_all,
        licenses=LicenseLookup(LicenseStore(settings.tables.registry, keyring()), keyring()).views,
        keyring=keyring(),
        retention_days=RememberedRetention(RetentionStore(settings.tables.registry, settings.retention_days)).days,
        license_cache_seconds=settings.license_cache_seconds,
    )


@cache
def failure_log() -> FailedCallLog:
    """Counts failed calls."""
    return FailedCallLog(FailedCallStore(IngestSettings.from_env().tables.registry))


@cache
def unrouted() -> SummedCalls:
    """Counts what reaches no route."""
    return SummedCalls.into(IngestSettings.from_env().tables.registry)


@app.post("/api/v1/telemetry")
@app.post("/api/v1/send-telemetry")
@app.post("/api/v1/send-telemetry-data")
@app.post("/v1/telemetry")
@app.post("/v1/send-telemetry")
@app.post("/v1/send-telemetry-data")
def telemetry() -> Response[str]:
    """SDK telemetry: one event or many."""
    request, now = _request(), datetime.now(UTC)
    access = _access(request, now, body_api_key)
    submission = getkeymanager.parse(request.body, request.headers.get("content-type", ""))
    outcomes = _keep(submission.events, access, request, now)
    results = [_result(event, outcome) for event, outcome in zip(submission.events, outcomes, strict=True)]
    if submission.is_batch:
        return _send(getkeymanager.batch_answer(results, now), outcomes)
    if outcomes[0].status is Status.FAILED:
        raise StoreUnavailable("records")
    return _send(getkeymanager.answer(results[0], now), outcomes)


@app.post("/api/product/usage")
@app.post("/api/product/aggregateusage")
def product_usage() -> Response[str]:
    """Product usage: one event."""
    request, now = _request(), datetime.now(UTC)
    access = _access(request, now)
    (outcome,) = _keep([reo.parse(request.body)], access, request, now)
    if outcome.status is Status.FAILED:
        raise StoreUnavailable("records")
    return _send(reo.UPLOADED, [outcome])


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    """A greedy route leads here, and the path is none of ours."""
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    return unknown_route(app.current_event.raw_event, unrouted(), logger, datetime.now(UTC))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Answers an error in the dialect of the route."""
    path = app.current_event.path
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    _note(cause_of(error))
    return failure_answer(error, FAILURES[Api.of(path)], logger, datetime.now(UTC), path=path, ip=_source_ip())


@logger.inject_lambda_context
@metrics.log_metrics
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _access(request: Request, now: datetime, body_key: Callable[[bytes, str], str | None] | None = None) -> Access:
    """What the key opens. `body_key` finds it in the body, in a dialect that sends it there too."""
    app.context["body_key"] = body_key
    return authenticator().access(credentials_of(request, body_key), Capability.INGEST, request.source_ip, now)


def _keep(events: Sequence[Event], access: Access, request: Request, now: datetime) -> list[EventOutcome]:
    outcomes = ingest().keep(events, access, request.source_ip, now, deadline())
    counts = Counter(outcome.status for outcome in outcomes)
    for status in Status:
        metrics.add_metric(f"Events{status.capitalize()}", MetricUnit.Count, counts[status])
    if counts[Status.FAILED] == 0 and any("body" in event.errors for event in events):
        _note(Cause.MALFORMED)
    return outcomes


def _result(event: Event, outcome: EventOutcome) -> getkeymanager.Result:
    unknown_product = Flag.UNKNOWN_PRODUCT in outcome.flags
    return getkeymanager.Result(
        telemetry_id=None if outcome.status is Status.FAILED else outcome.telemetry_id,
        status=outcome.status,
        is_flagged=bool(outcome.flags),
        errors=getkeymanager.with_product_error(event) if unknown_product else event.errors,
    )


def _send(body: object, outcomes: Sequence[EventOutcome]) -> Response[str]:
    """200 when everything is durable, else 503: clients send it all again, and what is stored comes as duplicate."""
    if any(outcome.status is Status.FAILED for outcome in outcomes):
        _note(Cause.UNAVAILABLE)
        return answer(503, body, **RETRY_AFTER)
    return answer(200, body)


def _note(cause: Cause) -> None:
    """Counts a failed call for the system logs. Counted or not, and whatever goes wrong here, it is answered."""
    if app.lambda_context.get_remaining_time_in_millis() < MILLISECONDS_TO_NOTE:
        return
    try:
        request = _request()
        presented = _presented(request)
        # nobody is looked up for this, nor the secret asked for once more where that is what failed
        is_ready = presented and authenticator.cache_info().currsize
        environment = authenticator().environment_of(presented) if presented and is_ready else None
        who = caller(cause, presented.secret if presented else "", request.source_ip)
        failure_log().note(environment, who, datetime.now(UTC))
    except Exception:
        logger.exception("Not counted", cause=cause)


def _presented(request: Request) -> Credentials | None:
    try:
        return credentials_of(request, app.context.get("body_key"))
    except Unauthenticated:
        return None


def _request() -> Request:
    """What was sent, its body inflated once."""
    if "request" not in app.context:
        app.context["request"] = Request.from_event(app.current_event.raw_event)
    request: Request = app.context["request"]
    return request


def _source_ip() -> str:
    return str(app.current_event.request_context.http.source_ip)
