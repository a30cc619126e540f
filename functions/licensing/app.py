"""Licences asked about and activations changed by the devices themselves: authenticate, decide once, count, answer."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from telemetry.dialects import getkeymanager, getkeymanager_licensing
from telemetry.dialects.json_text import NotJson
from telemetry.dialects.masking import body_api_key
from telemetry.domain.api_key import Access, Capability
from telemetry.domain.errors import KeyReused, StoreUnavailable
from telemetry.domain.licensing import DeviceAction, Finding, Question
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.retry import Deadline, deadline
from telemetry.services.failed_calls import SummedCalls
from telemetry.services.idempotency import Answer, once
from telemetry.services.licensing import Licensing
from telemetry.settings import TableNames
from telemetry.storage.activations import ActivationStore
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.idempotency import IdempotencyStore
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.licensing_counters import LicensingCounters
from telemetry.storage.products import REREAD_SECONDS, Catalogue, ProductStore
from telemetry.storage.secret import keyring
from telemetry.web.authentication import Authenticator, credentials_of
from telemetry.web.deadline import in_time
from telemetry.web.failures import failure_answer
from telemetry.web.http import Request, answer
from telemetry.web.routes import routed
from telemetry.web.unknown_routes import unknown_route

SHARE_TO_KEEP = 1 / 3
"""Of the request's time, kept back from trying to act: for counting what was done, and keeping the answer."""

app = APIGatewayHttpResolver()
logger = Logger()


@cache
def authenticator() -> Authenticator:
    """Knows the registry's API keys."""
    return Authenticator(ApiKeyStore(TableNames.from_env().registry), keyring())


@cache
def licensing() -> Licensing:
    """Knows the registry's licences and, as they were two seconds ago, its products."""
    registry = TableNames.from_env().registry
    catalogue = Catalogue(ProductStore(registry))
    return Licensing(
        licenses=LicenseStore(registry, keyring()),
        activations=ActivationStore(registry, keyring()),
        product=lambda product_id: catalogue.find(product_id, REREAD_SECONDS),
        keyring=keyring(),
    )


@cache
def unrouted() -> SummedCalls:
    """Counts what reaches no route."""
    return SummedCalls.into(TableNames.from_env().registry)


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
    return unknown_route(app.current_event.raw_event, unrouted(), logger, datetime.now(UTC))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def failed(error: Exception) -> Response[str]:
    """What went wrong."""
    now = datetime.now(UTC)
    match error:
        case NotJson():
            return answer(400, getkeymanager.bad_request("body", f"{error}.", now))
        case KeyReused():
            reused = "The Idempotency-Key was used for another request."
            return answer(422, getkeymanager.bad_request("Idempotency-Key", reused, now))
    return failure_answer(error, getkeymanager, logger, now)


@logger.inject_lambda_context
@in_time
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers one API Gateway request (payload format 2.0)."""
    return app.resolve(routed(event), context)


def _answer(action: DeviceAction) -> Response[str]:
    request, now = Request.from_event(app.current_event.raw_event), datetime.now(UTC)
    credentials = credentials_of(request, body_api_key)
    access = authenticator().access(credentials, Capability.INGEST, request.source_ip, now)
    to_act = deadline().sooner(deadline().seconds_left * SHARE_TO_KEEP)
    question = getkeymanager_licensing.parse(action, request.body, request.headers.get("content-type", ""))

    def act() -> Answer:
        return _act(question, access, now, to_act)

    key = request.headers.get("idempotency-key", "").strip()
    if key:
        keys = IdempotencyStore(TableNames.from_env().registry)
        status, body = once((access.key.id, action, key), request.body, act, keys, keyring(), now, to_act)
    else:
        status, body = act()
    return answer(status, getkeymanager_licensing.addressed(body, question))


def _act(question: Question, access: Access, now: datetime, to_act: Deadline) -> Answer:
    finding = licensing().answer(question, access.environment, now, to_act)
    _count(question.action, finding, access, now)
    return 200, getkeymanager_licensing.answer(question, finding, now)


def _count(action: DeviceAction, finding: Finding, access: Access, now: datetime) -> None:
    """For the licence's product, else the key's. What is done is answered, counted or not."""
    product = (finding.license and finding.license.product_id) or access.key.product_id or UNKNOWN_PRODUCT
    code = getkeymanager_licensing.code_of(finding.outcome)
    try:
        LicensingCounters(TableNames.from_env().aggregates(access.environment)).add(product, action, code, now)
    except StoreUnavailable as exc:
        logger.exception("Not counted", cause=str(exc), product=product, action=action, code=code)
