"""Requests and answers of functions that route with Powertools' resolver. Loading it makes a cold start longer."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from telemetry.web.http import PlainAnswer, Request, json_answer


def current_request(app: BaseRouter) -> Request:
    """The request that a resolver is answering. It is read once, because inflating a body takes time."""
    if "request" not in app.context:
        app.context["request"] = Request.from_event(app.current_event.raw_event)
    request: Request = app.context["request"]
    return request


def with_one_part(event: Mapping[str, Any], prefix: str, *, then_action: bool = False) -> dict[str, Any]:
    """The event with everything after `prefix` in its path as one part, percent-encoded.

    `then_action`: but for the last part, which follows it. A path without the prefix stays as it is.

    API Gateway hands paths over decoded, and the resolver's patterns take few signs and no slash in a part.
    """
    if not event["rawPath"].startswith(prefix):
        return dict(event)
    id_, slash, action = event["rawPath"].removeprefix(prefix), "", ""
    if then_action:
        id_, slash, action = id_.rpartition("/")
    return {**event, "rawPath": f"{prefix}{quote(id_, safe='')}{slash}{action}"}


def answer(status: int, body: object, **headers: str) -> Response[str]:
    """A JSON answer. Header names are given with underscores: `Retry_After="5"`."""
    return response_of(json_answer(status, body, **headers))


def response_of(plain: PlainAnswer) -> Response[str]:
    """The same answer for the resolver."""
    return Response(plain.status, body=plain.body, headers=plain.headers)
