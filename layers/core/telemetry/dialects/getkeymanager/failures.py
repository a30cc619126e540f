"""The GetKeyManager dialect: how it answers errors (docs/protocols.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from telemetry.dialects.body.json_text import NotJson
from telemetry.dialects.failure import RETRY_AFTER, Failure
from telemetry.dialects.getkeymanager.answers import as_list, status_of
from telemetry.domain.errors import (
    AddressNotAllowed,
    CapabilityMissing,
    Forbidden,
    InvalidCursor,
    KeyInactive,
    KeyReused,
    StoreUnavailable,
    Unauthenticated,
)

BAD_REQUEST = 422
"""The code in the body of a 400. (In this dialect code 400 means that a licence was deactivated.)"""

_BAD_PARAMETERS = "The parameters are invalid"
_KEY_REUSED = "The Idempotency-Key was used for another request."
_WRONG_NEXT = "The next is not of an answer to the same search."
# (HTTP status, code, message) by error; the first class that fits
_REFUSALS: tuple[tuple[type[Unauthenticated | Forbidden], tuple[int, int, str]], ...] = (
    (KeyInactive, (401, 101, "Inactive or Expired API Key")),
    (CapabilityMissing, (401, 102, "API Key Lacks The Required Capability")),
    (AddressNotAllowed, (401, 103, "IP Address Not Allowed")),
    (Forbidden, (403, 150, "Access Denied")),
    (Unauthenticated, (401, 100, "Invalid API Key")),
)


class BadParameters(ValueError):
    """The query string cannot be understood; `errors` maps a parameter to what is wrong with it."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


def failure(error: Exception, now: datetime) -> Failure:
    """The answer to an error. Any error not named here is our fault, and the answer tells no detail of it."""
    match error:
        case Unauthenticated() | Forbidden():
            status, code, message = next(refusal for kind, refusal in _REFUSALS if isinstance(error, kind))
            return Failure(status, {"response": status_of(code, message, [], now)})
        case NotJson():
            return _bad_request(400, f"{error}.", {"body": [f"{error}."]}, now)
        case BadParameters():
            return _bad_request(400, _BAD_PARAMETERS, error.errors, now)
        case InvalidCursor():
            return _bad_request(400, _BAD_PARAMETERS, {"next": [_WRONG_NEXT]}, now)
        case KeyReused():
            return _bad_request(422, _KEY_REUSED, {"Idempotency-Key": [_KEY_REUSED]}, now)
        case StoreUnavailable():
            busy = status_of(503, "Temporarily unavailable, please send again", [], now)
            return Failure(503, {"response": busy}, RETRY_AFTER)
        case _:
            return Failure(500, {"response": status_of(500, "Internal error", [], now)})


def _bad_request(status: int, message: str, errors: Mapping[str, Sequence[str]], now: datetime) -> Failure:
    return Failure(status, {"response": status_of(BAD_REQUEST, message, as_list(errors), now)})
