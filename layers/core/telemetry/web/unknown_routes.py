"""Requests to no route: counted, and answered with the path to use, if there is one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from telemetry.domain.errors import Unauthenticated
from telemetry.domain.failed_call import Cause, caller
from telemetry.faults import log_left_out
from telemetry.services.failed_calls import SummedCalls
from telemetry.web.authentication import credentials_of
from telemetry.web.http import PlainAnswer, Request, json_answer
from telemetry.web.routes import canonical_path


def unknown_route(event: Mapping[str, Any], calls: SummedCalls, logger: Logger, now: datetime) -> PlainAnswer:
    """Counts a request and answers it: 308, or 404 as API Gateway words it. Its body is not looked at."""
    request = Request.from_event({**event, "body": None})
    try:
        calls.note(caller(Cause.UNKNOWN_ROUTE, _presented(request), request.source_ip), now)
    except Exception as exc:  # noqa: BLE001 (it is logged)
        log_left_out(exc, logger, "Not counted", cause=Cause.UNKNOWN_ROUTE)
    path = canonical_path(request.method, event["requestContext"]["http"]["path"])
    if path is None:
        return json_answer(404, {"message": "Not Found"})
    location = f"{path}?{request.raw_query}" if request.raw_query else path
    return PlainAnswer(308, "", {"Location": location, "Cache-Control": "no-store"})


def _presented(request: Request) -> str:
    try:
        return credentials_of(request).secret
    except Unauthenticated:
        return ""
