"""Every dialect answers every error of the project in its own form, and tells nothing of what is our fault."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.dialects import getkeymanager, powerauth, reo
from telemetry.dialects.body.json_text import NotJson
from telemetry.dialects.failure import Failure
from telemetry.dialects.getkeymanager.failures import BadParameters
from telemetry.domain import errors
from telemetry.domain.errors import (
    AddressNotAllowed,
    CapabilityMissing,
    Forbidden,
    InvalidCursor,
    InvalidField,
    KeyInactive,
    KeyReused,
    StoreUnavailable,
    TelemetryError,
    TooManyAttempts,
    Unauthenticated,
)

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
RETRY = {"Retry-After": "5"}
SECRET = "what-nobody-may-read"

Answers = Callable[[Exception, datetime], Failure]


def envelope(code: int, message: str, errors: object = ()) -> dict[str, Any]:
    errors = errors or []
    return {"response": {"code": code, "message": message, "errors": errors, "timestamp": int(NOW.timestamp())}}


def usage(code: int, message: str) -> dict[str, Any]:
    return {"response_code": code, "response": message, "status": "failure"}


def all_errors() -> Iterator[Exception]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TelemetryError)]
    assert len(kinds) > 15
    for kind in kinds:
        if kind is TooManyAttempts:
            yield TooManyAttempts(timedelta(seconds=5))
        elif kind is InvalidField:
            yield InvalidField("field", SECRET)
        else:
            yield kind(SECRET)
    yield KeyError(SECRET)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unauthenticated(), Failure(401, envelope(100, "Invalid API Key"))),
        (KeyInactive(), Failure(401, envelope(101, "Inactive or Expired API Key"))),
        (CapabilityMissing(), Failure(401, envelope(102, "API Key Lacks The Required Capability"))),
        (AddressNotAllowed(), Failure(401, envelope(103, "IP Address Not Allowed"))),
        (Forbidden(), Failure(403, envelope(150, "Access Denied"))),
        (NotJson("Expecting"), Failure(400, envelope(422, "Expecting.", {"body": ["Expecting."]}))),
        (
            BadParameters({"page": ["x"]}),
            Failure(400, envelope(422, "The parameters are invalid", {"page": ["x"]})),
        ),
        (
            InvalidCursor(),
            Failure(
                400,
                envelope(
                    422, "The parameters are invalid", {"next": ["The next is not of an answer to the same search."]}
                ),
            ),
        ),
        (
            KeyReused(),
            Failure(
                422,
                envelope(
                    422,
                    "The Idempotency-Key was used for another request.",
                    {"Idempotency-Key": ["The Idempotency-Key was used for another request."]},
                ),
            ),
        ),
        (StoreUnavailable(), Failure(503, envelope(503, "Temporarily unavailable, please send again"), RETRY)),
        (KeyError(), Failure(500, envelope(500, "Internal error"))),
    ],
)
def test_getkeymanager(error: Exception, expected: Failure) -> None:
    assert getkeymanager.failure(error, NOW) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyInactive(), Failure(400, usage(400, "Authentication Failure"))),
        (Forbidden(), Failure(400, usage(400, "Authentication Failure"))),
        (StoreUnavailable(), Failure(503, usage(503, "Temporarily unavailable, please send again"), RETRY)),
        (KeyError(), Failure(500, usage(500, "Internal error"))),
    ],
)
def test_reo(error: Exception, expected: Failure) -> None:
    assert reo.failure(error, NOW) == expected


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (powerauth.BadRequest("ERROR_HTTP_REQUEST", "unreadable"), 400, "ERROR_HTTP_REQUEST", "unreadable"),
        (CapabilityMissing(), 401, "ERROR_UNAUTHORIZED", "Authentication failed"),
        (Unauthenticated(), 401, "ERROR_UNAUTHORIZED", "Authentication failed"),
        (StoreUnavailable(), 503, "ERROR_TELEMETRY", "Temporarily unavailable, please try again."),
        (KeyError(), 500, "ERROR_TELEMETRY", "Internal error."),
    ],
)
def test_powerauth(error: Exception, status: int, code: str, message: str) -> None:
    headers = RETRY if status == 503 else {}
    assert powerauth.failure(error, NOW) == Failure(status, powerauth.error_body(code, message), headers)


@pytest.mark.parametrize("failure", [getkeymanager.failure, reo.failure, powerauth.failure])
def test_no_error_is_without_an_answer_and_no_detail_is_told(failure: Answers) -> None:
    for error in all_errors():
        status, body, headers = failure(error, NOW)
        assert 400 <= status <= 503, error
        assert SECRET not in repr(body), error
        assert headers == (RETRY if isinstance(error, StoreUnavailable) else {}), error
