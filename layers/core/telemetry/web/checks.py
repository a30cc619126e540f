"""Checks before a request is parsed: an ignored parameter would show too much, or something else."""

import json
from collections import Counter
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError

from telemetry.web.http import Request
from telemetry.web.problems import UnreadableBody

OF_ANY_ROUTE = frozenset({"environment"})
"""Authentication reads it: it limits what a staff key opens."""


def check_parameters(request: Request, known: Collection[str]) -> None:
    """Raises RequestValidationError for each unknown parameter, and for each that is repeated.

    API Gateway joins the values of the latter with commas, and nobody means that.
    """
    given = Counter(name for name, _ in parse_qsl(request.raw_query, keep_blank_values=True))
    unknown = sorted(request.query.keys() - set(known) - OF_ANY_ROUTE)
    repeated = sorted(name for name, times in given.items() if times > 1 and name not in unknown)
    errors = [_error(name, "there is no such parameter") for name in unknown]
    errors += [_error(name, "is given more than once") for name in repeated]
    if errors:
        raise RequestValidationError(errors)


def check_is_json(request: Request) -> None:
    """Raises RequestUnsupportedContentType for any content type except JSON."""
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise RequestUnsupportedContentType("Unsupported content type", [])


def json_object(text: str | bytes) -> dict[str, Any]:
    """Parses a body that must be one JSON object. Raises UnreadableBody."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UnreadableBody from exc
    if not isinstance(body, dict):
        raise UnreadableBody
    return body


def _error(name: str, message: str) -> dict[str, Any]:
    return {"type": "parameter", "loc": ("query", name), "msg": message}
