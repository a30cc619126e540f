"""Calls from which nothing was stored, or nothing could be read: who sent them, and what was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from telemetry.domain.environment import Environment
from telemetry.domain.errors import AddressNotAllowed, Forbidden, KeyInactive, StoreUnavailable, Unauthenticated
from telemetry.domain.license import last_four


class Cause(StrEnum):
    """Why nothing came of a call, or little."""

    BAD_KEY = "bad_key"
    """No API key, or one nobody issued."""
    INACTIVE_KEY = "inactive_key"
    FORBIDDEN = "forbidden"
    """The key lacks the capability, or is of another environment than the call names."""
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    MALFORMED = "malformed"
    """Nothing could be read in a body (of an event, in a batch). It was stored nevertheless."""
    UNAVAILABLE = "unavailable"
    """Storage throttled or did not answer; the client was asked to send again."""
    UNKNOWN_ROUTE = "unknown_route"
    """No route has this path, or not with this method. Nobody was asked for a key."""
    FAILED = "failed"
    """It is our fault, and in the log."""


class Caller(NamedTuple):
    """Who made a failed call, and what was wrong. `last_four` characters of the presented key; empty without one."""

    cause: str
    last_four: str
    source_ip: str


OTHERS = Caller("~other", "~other", "~other")
"""Those for whom an hour had no room."""

_CAUSES: tuple[tuple[type[Exception], Cause], ...] = (
    (KeyInactive, Cause.INACTIVE_KEY),
    (Unauthenticated, Cause.BAD_KEY),
    (AddressNotAllowed, Cause.ADDRESS_NOT_ALLOWED),
    (Forbidden, Cause.FORBIDDEN),
    (StoreUnavailable, Cause.UNAVAILABLE),
)


@dataclass(frozen=True, slots=True)
class FailedCalls:
    """The failed calls of an hour (UTC, by its beginning). `environment` is the key's, None where that is unknown."""

    environment: Environment | None
    hour: datetime
    calls: Mapping[Caller, int]


def cause_of(error: Exception) -> Cause:
    """What an error is counted as."""
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.FAILED)


def caller(cause: Cause, api_key: str, source_ip: str) -> Caller:
    """Who called with this key; what is shown of it is printable, whatever was sent."""
    shown = "".join(each if each.isascii() and each.isprintable() else "?" for each in last_four(api_key))
    return Caller(cause.value, shown, source_ip)
