"""Errors of our own routes, as problem details (RFC 9457) and as lines of the log."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)

from telemetry.domain.api_key import without_keys
from telemetry.domain.errors import (
    AlreadyExists,
    ChangedMeanwhile,
    CrossSiteRequest,
    Damaged,
    Forbidden,
    Forgotten,
    InvalidCursor,
    InvalidField,
    NotFound,
    Refused,
    SearchTooWide,
    StaleVersion,
    StoreUnavailable,
    TelemetryError,
    TooManyAttempts,
    Unauthenticated,
)
from telemetry.domain.finance import DayNotClosed, UnknownApplication
from telemetry.domain.license import ActionNotAllowed
from telemetry.faults import log_failure
from telemetry.web.http import Request
from telemetry.web.resolver import answer

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "/docs#problem-"
"""A relative reference with its full path, as RFC 9457 (3.1.1) asks: only the caller knows under which host we are."""


class VersionRequired(TelemetryError):
    """A change came without If-Match."""


class UnreadableBody(TelemetryError):
    """The body is not one JSON object."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What an answer says about an error: `type` is the last part of its URL, `errors` names wrong fields."""

    status: int
    type: str
    title: str
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()
    retry_after: int | None = None
    """Seconds."""


UNREADABLE = Problem(400, "unreadable-body", "Unreadable body", "The body is not one JSON object.")
INVALID_FIELDS = Problem(422, "invalid-fields", "Invalid fields", "See `errors`.")
DAY_NOT_CLOSED = Problem(409, "day-not-closed", "Not closed yet", "")
TOO_MANY_ATTEMPTS = Problem(
    429, "too-many-attempts", "Too many attempts", "Too many wrong keys came from your address; please wait."
)
INTERNAL_ERROR = Problem(500, "internal-error", "Internal error", "It is in the log, under the request id.")

_PROBLEMS: tuple[tuple[type[Exception], Problem], ...] = (
    (Unauthenticated, Problem(401, "unauthenticated", "Not authenticated", "{}")),
    (CrossSiteRequest, Problem(403, "cross-site-request", "Not from our page", "{}")),
    (Forbidden, Problem(403, "forbidden", "Not allowed", "{}")),
    (
        UnknownApplication,
        Problem(404, "not-found", "Not found", "There is no {}. GET /api/v1/reports/applications has them all."),
    ),
    (NotFound, Problem(404, "not-found", "Not found", "There is no {}.")),
    (NotFoundError, Problem(404, "not-found", "Not found", "No route has this path and method; /docs lists them all.")),
    (Damaged, Problem(410, "damaged", "Cannot be read", "{}.")),
    (Forgotten, Problem(410, "forgotten", "Not shown any more", "It names somebody who is forgotten.")),
    (AlreadyExists, Problem(409, "already-exists", "Exists already", "There is a {} already.")),
    (ActionNotAllowed, Problem(409, "action-not-allowed", "Not possible in this state", "{}.")),
    (StaleVersion, Problem(412, "stale-version", "Stale version", "It is no longer as you read it; read it again.")),
    (ChangedMeanwhile, Problem(409, "changed-meanwhile", "Changed meanwhile", "Others keep changing it; try again.")),
    (
        VersionRequired,
        Problem(428, "version-required", "Version required", "Send If-Match with the ETag of what you read."),
    ),
    (InvalidCursor, Problem(400, "invalid-cursor", "Invalid cursor", "The cursor was not given for this list.")),
    (UnicodeDecodeError, UNREADABLE),
    (RecursionError, UNREADABLE),
    (UnreadableBody, UNREADABLE),
    (
        RequestUnsupportedContentType,
        Problem(415, "unsupported-media-type", "Unsupported media type", "Send application/json."),
    ),
    (SearchTooWide, Problem(400, "too-wide", "Too wide", "It would take reading too many records; ask for less.")),
    (StoreUnavailable, Problem(503, "unavailable", "Unavailable", "Please try again.", retry_after=5)),
)
ALL = {
    problem.type: problem
    for problem in (
        *(problem for _, problem in _PROBLEMS),
        *(INVALID_FIELDS, DAY_NOT_CLOSED, TOO_MANY_ATTEMPTS, INTERNAL_ERROR),
    )
}
"""Each problem by its type."""

_MESSAGES = {"missing": "is missing", "extra_forbidden": "there is no such field"}
"""In place of pydantic's own, which speak of inputs."""

_ID_OF_KEYS = re.compile(r"(/(?:licenses|api-keys)/)([^/]+)")
_KEYLESS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|k[0-9a-f]{9}|[a-z]+")
"""Ids of licences and of API keys, and words of routes."""

_HEADERS = {401: {"WWW-Authenticate": 'Bearer realm="staff"'}}


def problem_of(error: Exception) -> Problem:
    """What an answer may say about an error. An unexpected one is a 500 without any detail."""
    if isinstance(error, RequestValidationError):
        if any(found["type"] == "json_invalid" for found in error.errors()):
            return UNREADABLE
        return _of_fields([_told(found) for found in error.errors()])
    if isinstance(error, InvalidField):
        return _of_fields([{"field": error.field, "message": str(error)}])
    if isinstance(error, DayNotClosed):
        return replace(DAY_NOT_CLOSED, detail=error.explained(), retry_after=ceil(error.wait.total_seconds()))
    if isinstance(error, TooManyAttempts):
        return replace(TOO_MANY_ATTEMPTS, retry_after=ceil(error.wait.total_seconds()))
    for kind, problem in _PROBLEMS:
        if isinstance(error, kind):
            told = error.told if isinstance(error, Refused) else error
            return replace(problem, detail=problem.detail.format(told))
    return INTERNAL_ERROR


def problem_answer(problem: Problem, request: Request) -> Response[str]:
    """The answer with a problem. No API key that stood in the address is in it."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": without_keys(problem.detail),
        "instance": without_keys(request.path),
        "request_id": request.request_id,
    }
    if problem.errors:
        body["errors"] = [{name: without_keys(text) for name, text in each.items()} for each in problem.errors]
    response = answer(problem.status, body)
    response.headers |= {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", **_HEADERS.get(problem.status, {})}
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def failure_problem(
    error: Exception,
    request: Request,
    logger: Logger,
    **caller: Any,  # noqa: ANN401
) -> Response[str]:
    """An error, answered as problem details and logged. `caller` goes into the log of a refusal."""
    problem = problem_of(error)
    if isinstance(error, ResponseValidationError):
        # its text holds the answer, in which there may be a secret
        logger.error("An answer is not what it should be", fields=[found["loc"] for found in error.errors()])
    elif problem.status >= 500:
        log_failure(error, logger)
    else:
        cause = type(error).__name__
        logger.warning("Refused", cause=cause, status=problem.status, path=_logged(request.path), **caller)
    return problem_answer(problem, request)


def _logged(path: str) -> str:
    """The path as a log may have it: somebody may have put a key where the id of its licence belongs."""
    keyless = _ID_OF_KEYS.sub(lambda found: found[1] + (found[2] if _KEYLESS.fullmatch(found[2]) else "…"), path)
    return without_keys(keyless)


def _of_fields(errors: Sequence[Mapping[str, str]]) -> Problem:
    return replace(INVALID_FIELDS, errors=tuple(errors))


def _told(found: Mapping[str, Any]) -> Mapping[str, str]:
    """One wrong field, without its value, which may be secret."""
    place, *path = found["loc"]
    name = ".".join(str(part) for part in path)
    message = _MESSAGES.get(found["type"]) or str(found["msg"]).removeprefix("Value error, ")
    return {"field": name or str(place), "message": message}
