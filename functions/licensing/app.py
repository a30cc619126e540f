"""Devices verify licences, activate and deactivate: authenticate, decide once, count, answer."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import getkeymanager
from telemetry.dialects.body.masking import body_api_key
from telemetry.dialects.getkeymanager import licensing as dialect
from telemetry.domain.api_key import Access, Capability
from telemetry.domain.licensing import DeviceAction, DeviceRequest, Finding
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.faults import log_left_out
from telemetry.retry import Deadline, deadline
from telemetry.services.idempotency import Answer, once
from telemetry.web.authentication import credentials_of
from telemetry.web.deadline import in_time
from telemetry.web.failures import failure_answer
from telemetry.web.resolver import answer, current_request, response_of
from telemetry.web.routes import routed
from telemetry.web.unknown_routes import unknown_route
from telemetry.wiring.licensing import LicensingWiring
from telemetry.wiring.wired import Wired

SHARE_TO_KEEP = 1 / 3
"""The share of the request's time that is left for counting and for keeping the answer, after the action itself."""

app = APIGatewayHttpResolver()
logger = Logger()
wired = Wired(LicensingWiring.from_env)


@app.post("/api/v1/verify")
@app.post("/v1/verify")
def verify() -> Response[str]:
    """May this device run?"""
    return _answer(DeviceAction.VERIFY)


@app.post("/api/v1/activate")
@app.post("/v1/activate")
def activate() -> Response[str]:
    """Takes a seat."""
    return _answer(DeviceAction.ACTIVATE)


@app.post("/api/v1/deactivate")
@app.post("/v1/deactivate")
def deactivate() -> Response[str]:
    """Gives a seat back."""
    return _answer(DeviceAction.DEACTIVATE)


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    """A greedy route leads here, and the path is none of ours."""
    return response_of(unknown_route(app.current_event.raw_event, wired().unrouted, logger, wired.clock.now()))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """Answers an error in the dialect."""
    return response_of(failure_answer(error, getkeymanager.failure, logger, wired.clock.now()))


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _answer(action: DeviceAction) -> Response[str]:
    request, now = current_request(app), wired.clock.now()
    credentials = credentials_of(request, body_api_key)
    access = wired().authenticator.access(credentials, Capability.INGEST, request.source_ip, now)
    to_act = deadline().sooner(deadline().seconds_left * SHARE_TO_KEEP)
    question = dialect.parse(action, request.body, request.headers.get("content-type", ""))

    def act() -> Answer:
        return _act(question, access, now, to_act)

    key = request.headers.get("idempotency-key", "").strip()
    if key:
        keys, keyring = wired().idempotency_keys, wired().keyring
        status, body = once((access.key.id, action, key), request.body, act, keys, keyring, now, to_act)
    else:
        status, body = act()
    return answer(status, dialect.addressed(body, question))


def _act(question: DeviceRequest, access: Access, now: datetime, to_act: Deadline) -> Answer:
    finding = wired().licensing.answer(question, access.environment, now, to_act)
    _count(question.action, finding, access, now)
    return 200, dialect.answer(question, finding, now)


def _count(action: DeviceAction, finding: Finding, access: Access, now: datetime) -> None:
    """Counts for the licence's product, else the key's. The answer is sent even when counting fails."""
    product = (finding.license and finding.license.product_id) or access.key.product_id or UNKNOWN_PRODUCT
    code = dialect.code_of(finding.outcome)
    try:
        wired().counters(access.environment).add(product, action, code, now)
    except Exception as exc:  # noqa: BLE001 (it is logged)
        log_left_out(exc, logger, "Not counted", product=product, action=action, code=code)
