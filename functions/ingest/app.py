"""Receives telemetry in two dialects: authenticate, parse, store, answer."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
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
from telemetry.services.ingest import EventOutcome, Status
from telemetry.web.authentication import Credentials, credentials_of
from telemetry.web.deadline import in_time
from telemetry.web.failures import failure_answer
from telemetry.web.http import Request, answer, current_request
from telemetry.web.routes import Api, routed
from telemetry.web.unknown_routes import unknown_route
from telemetry.wiring.ingest import IngestWiring
from telemetry.wiring.wired import Wired

MILLISECONDS_TO_NOTE = 1_500
"""With less of the function's time left, a failed call is not counted: that takes a write, which may get no answer."""

FAILURES = {Api.GETKEYMANAGER: getkeymanager.failure, Api.REO: reo.failure}
"""How each dialect answers errors."""

app = APIGatewayHttpResolver()
logger = Logger()
metrics = Metrics()
wired = Wired(IngestWiring.from_env)


@app.post("/api/v1/telemetry")
@app.post("/api/v1/send-telemetry")
@app.post("/api/v1/send-telemetry-data")
@app.post("/v1/telemetry")
@app.post("/v1/send-telemetry")
@app.post("/v1/send-telemetry-data")
def telemetry() -> Response[str]:
    """SDK telemetry: one event or many."""
    request, now = current_request(app), wired.clock.now()
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
    request, now = current_request(app), wired.clock.now()
    access = _access(request, now)
    (outcome,) = _keep([reo.parse(request.body)], access, request, now)
    if outcome.status is Status.FAILED:
        raise StoreUnavailable("records")
    return _send(reo.UPLOADED, [outcome])


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    """A greedy route leads here, and the path is none of ours."""
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    return unknown_route(app.current_event.raw_event, wired().unrouted, logger, wired.clock.now())


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Answers an error in the dialect of the route."""
    path = app.current_event.path
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    _note(cause_of(error))
    return failure_answer(error, FAILURES[Api.of(path)], logger, wired.clock.now(), path=path, ip=_source_ip())


@logger.inject_lambda_context
@metrics.log_metrics
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _access(request: Request, now: datetime, body_key: Callable[[bytes, str], str | None] | None = None) -> Access:
    """What the key opens. `body_key` finds it in the body, in a dialect that sends it there too."""
    app.context["body_key"] = body_key
    credentials = credentials_of(request, body_key)
    return wired().authenticator.access(credentials, Capability.INGEST, request.source_ip, now)


def _keep(events: Sequence[Event], access: Access, request: Request, now: datetime) -> list[EventOutcome]:
    outcomes = wired().ingest.keep(events, access, request.source_ip, now, deadline())
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
    """200 when all is stored, else 503: clients then send all again, and what is stored already is a duplicate."""
    if any(outcome.status is Status.FAILED for outcome in outcomes):
        _note(Cause.UNAVAILABLE)
        return answer(503, body, **RETRY_AFTER)
    return answer(200, body)


def _note(cause: Cause) -> None:
    """Counts a failed call for the system logs. Whatever goes wrong here, the call is still answered."""
    if app.lambda_context.get_remaining_time_in_millis() < MILLISECONDS_TO_NOTE:
        return
    try:
        request = current_request(app)
        presented = _presented(request)
        environment = wired().environment_of(presented) if presented else None
        who = caller(cause, presented.secret if presented else "", request.source_ip)
        wired().failure_log.note(environment, who, wired.clock.now())
    except Exception:
        logger.exception("Not counted", cause=cause)


def _presented(request: Request) -> Credentials | None:
    try:
        return credentials_of(request, app.context.get("body_key"))
    except Unauthenticated:
        return None


def _source_ip() -> str:
    return str(app.current_event.request_context.http.source_ip)
