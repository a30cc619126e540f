"""Receives telemetry in two dialects: authenticate, parse, store, answer."""

from telemetry import loading  # before all else

# isort: split

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
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
from telemetry.emission import emitting
from telemetry.faults import log_left_out
from telemetry.retry import deadline
from telemetry.services.ingest import EventOutcome, Status
from telemetry.web.authentication import Credentials, credentials_of
from telemetry.web.call import Call
from telemetry.web.deadline import in_time
from telemetry.web.failures import failure_answer
from telemetry.web.http import PlainAnswer, json_answer
from telemetry.web.routes import Api, routed
from telemetry.web.unknown_routes import unknown_route
from telemetry.wiring.ingest import IngestWiring
from telemetry.wiring.wired import Wired

MILLISECONDS_TO_NOTE = 1_500
"""With less of the function's time left, a failed call is not counted: that takes a write, which may get no answer."""

logger = Logger()
metrics = Metrics()
wired = Wired(IngestWiring.from_env)
wired.on_init(IngestWiring.prepare)
loading.done()


def telemetry(call: Call) -> PlainAnswer:
    """SDK telemetry: one event or many."""
    request, now = call.request, wired.clock.now()
    access = _access(call, now, body_api_key)
    submission = getkeymanager.parse(request.body, request.headers.get("content-type", ""))
    outcomes = _keep(submission.events, access, call, now)
    results = [_result(event, outcome) for event, outcome in zip(submission.events, outcomes, strict=True)]
    if submission.is_batch:
        return _answer(getkeymanager.batch_answer(results, now), outcomes, call)
    if outcomes[0].status is Status.FAILED:
        raise StoreUnavailable("records")
    return _answer(getkeymanager.answer(results[0], now), outcomes, call)


def product_usage(call: Call) -> PlainAnswer:
    """Product usage: one event."""
    now = wired.clock.now()
    access = _access(call, now)
    (outcome,) = _keep([reo.parse(call.request.body)], access, call, now)
    if outcome.status is Status.FAILED:
        raise StoreUnavailable("records")
    return _answer(reo.UPLOADED, [outcome], call)


ROUTES: Mapping[str, Callable[[Call], PlainAnswer]] = {
    "/api/v1/telemetry": telemetry,
    "/api/v1/send-telemetry": telemetry,
    "/api/v1/send-telemetry-data": telemetry,
    "/v1/telemetry": telemetry,
    "/v1/send-telemetry": telemetry,
    "/v1/send-telemetry-data": telemetry,
    "/api/product/usage": product_usage,
    "/api/product/aggregateusage": product_usage,
}
"""What answers a POST, by path."""


def not_found(call: Call) -> PlainAnswer:
    """A greedy route leads here, and the path is none of ours."""
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    return unknown_route(call.event, wired().unrouted, logger, wired.clock.now())


def failed(error: Exception, call: Call) -> PlainAnswer:
    """Answers an error in the dialect of the route; GetKeyManager's where no route has this path."""
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    _note(cause_of(error), call)
    dialect = reo.failure if Api.of(call.path) is Api.REO else getkeymanager.failure
    return failure_answer(error, dialect, logger, wired.clock.now(), path=call.path, ip=call.source_ip)


@logger.inject_lambda_context
@emitting(metrics)
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    call = Call(routed(event), context)
    path = call.path.removesuffix("\n")  # ignored, as ever
    route = ROUTES.get(path, not_found) if call.method == "POST" else not_found
    try:
        return route(call).as_result()
    except Exception as error:  # noqa: BLE001 (it is logged where it is answered)
        return failed(error, call).as_result()


def _access(call: Call, now: datetime, body_key: Callable[[bytes, str], str | None] | None = None) -> Access:
    """What the key opens. `body_key` finds it in the body, in a dialect that sends it there too."""
    call.body_key = body_key
    credentials = credentials_of(call.request, body_key)
    return wired().authenticator.access(credentials, Capability.INGEST, call.request.source_ip, now)


def _keep(events: Sequence[Event], access: Access, call: Call, now: datetime) -> list[EventOutcome]:
    outcomes = wired().ingest.keep(events, access, call.request.source_ip, now, deadline())
    counts = Counter(outcome.status for outcome in outcomes)
    for status in (Status.CONFLICT, Status.FAILED):  # what went well is counted by rollup
        if counts[status]:
            metrics.add_metric(f"Events{status.capitalize()}", MetricUnit.Count, counts[status])
    if counts[Status.FAILED] == 0 and any("body" in event.errors for event in events):
        _note(Cause.MALFORMED, call)
    return outcomes


def _result(event: Event, outcome: EventOutcome) -> getkeymanager.Result:
    unknown_product = Flag.UNKNOWN_PRODUCT in outcome.flags
    return getkeymanager.Result(
        telemetry_id=None if outcome.status is Status.FAILED else outcome.telemetry_id,
        status=outcome.status,
        is_flagged=bool(outcome.flags),
        errors=getkeymanager.with_product_error(event) if unknown_product else event.errors,
    )


def _answer(body: object, outcomes: Sequence[EventOutcome], call: Call) -> PlainAnswer:
    """200 when all is stored, else 503: clients then send all again, and what is stored already is a duplicate."""
    if any(outcome.status is Status.FAILED for outcome in outcomes):
        _note(Cause.UNAVAILABLE, call)
        return json_answer(503, body, **RETRY_AFTER)
    return json_answer(200, body)


def _note(cause: Cause, call: Call) -> None:
    """Counts a failed call for the system logs. Whatever goes wrong here, the call is still answered."""
    if call.context.get_remaining_time_in_millis() < MILLISECONDS_TO_NOTE:
        return
    try:
        presented = _presented(call)
        environment = wired().environment_of(presented) if presented else None
        who = caller(cause, presented.secret if presented else "", call.request.source_ip)
        wired().failure_log.note(environment, who, wired.clock.now())
    except Exception as error:  # noqa: BLE001 (it is logged)
        log_left_out(error, logger, "Not counted", cause=cause)


def _presented(call: Call) -> Credentials | None:
    try:
        return credentials_of(call.request, call.body_key)
    except Unauthenticated:
        return None
