"""Errors by what they mean to a caller. Only web/ and dialects/ turn them into HTTP."""

from datetime import timedelta


class TelemetryError(Exception):
    """Base of every error this project raises on purpose."""


class ConfigurationError(TelemetryError):
    """The deployment is incomplete; the message names what is missing."""


class Refused(TelemetryError):
    """Who asks may not. The text is the key's id, if there is a key, for the log; `told` is for the caller."""

    told: str

    def __init__(self, key_id: str = "", told: str = "") -> None:
        super().__init__(key_id)
        if told:
            self.told = told


class Unauthenticated(Refused):
    """No API key, or one nobody issued."""

    told = "An API key is needed: bearer token or X-API-KEY."


class UnknownKey(Unauthenticated):
    """An API key that was never issued, or has another id than the caller says."""

    told = "The API key was never issued here."


class SessionEnded(Unauthenticated):
    """A session that has ended, or whose key is gone."""

    told = "The session has ended. Sign in again."


class KeyInactive(Unauthenticated):
    """The API key was revoked or has expired."""

    told = "The API key was revoked or has expired."


class Forbidden(Refused):
    """The API key is good, but not for this. It is told about its own key only, never about what is there."""

    told = "The API key does not allow this."


class CapabilityMissing(Forbidden):
    """The API key lacks the capability the route asks for."""


class AddressNotAllowed(Forbidden):
    """The caller's IP address is not on the API key's allowlist."""

    told = "The API key works from its allowed networks only."


class CrossSiteRequest(Forbidden):
    """A change came with a session, but not from a page of ours."""

    told = "With a session, changes need the X-CSRF-Token of its page."


class TooManyAttempts(TelemetryError):
    """Too many wrong keys came from this address; `wait` says how long it is not listened to."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.wait = wait


class StoreUnavailable(TelemetryError):
    """Storage throttled, conflicted or timed out beyond the retries; trying again later is right."""


class HistoryTooShort(TelemetryError):
    """An actor's kept days cannot tell where a day belongs; counting on would be a guess."""


class NotFound(TelemetryError):
    """There is no such thing; the message names it."""


class Damaged(TelemetryError):
    """It is there, and what was stored of it cannot be read any more; the message says what."""


class Forgotten(TelemetryError):
    """It is there, and not shown any more, for it names somebody who is forgotten."""


class AlreadyExists(TelemetryError):
    """There is one already; the message names it."""


class ChangedMeanwhile(TelemetryError):
    """Somebody else changed it since it was read."""


class StaleVersion(ChangedMeanwhile):
    """The caller named a version that is no longer the current one."""


class InvalidField(TelemetryError):
    """What was given for a field cannot be; `field` names it, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidCursor(TelemetryError):
    """A cursor nobody was given, or was given for another list."""


class KeyReused(TelemetryError):
    """The Idempotency-Key was used before, for another request."""


class SearchTooWide(TelemetryError):
    """Answering would take reading more records than one call may; a narrower filter is needed."""
