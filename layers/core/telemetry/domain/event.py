"""One telemetry event, as its dialect understood it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ABSENT_LICENSES = frozenset({"", "unknown"})
_LONGEST_COUNTRY = 56  # characters: no official name is longer
_LARGEST_SECONDS = 10**11  # later than that (year 5138) a number of seconds is taken for milliseconds
_END_OF_MILLISECONDS = 10**13


class Dialect(StrEnum):
    """Whose wire format an event came in; the value is how a record stores it."""

    GETKEYMANAGER = "g"
    REO = "r"


class Format(StrEnum):
    """How a body is written; the value is how a record stores it."""

    JSON = ""
    FORM = "u"
    """application/x-www-form-urlencoded."""
    MULTIPART = "m"
    """multipart/form-data."""


@dataclass(frozen=True, slots=True)
class Event:
    """What was understood of one event. Texts are trimmed and encodable, blank ones are None.

    `raw` is the event's own bytes as delivered, the presented API key masked. `event_at` is in epoch milliseconds.
    `errors` maps a field to what is wrong with it, in the dialect's words; not empty means malformed.
    """

    raw: bytes
    dialect: Dialect
    format: Format = Format.JSON
    product_id: str | None = None
    product_version: str | None = None
    license_key: str | None = None
    user_id: str | None = None
    hwid: str | None = None
    activation_identifier: str | None = None
    group: str | None = None
    country: str | None = None
    event_id: str | None = None
    event_at: int | None = None
    environment_text: str | None = None
    client_flags: tuple[str, ...] = ()
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def device_ids(self) -> tuple[str, ...]:
        """What the device calls itself: an activation may be known by either. The first is the device that counts."""
        return tuple(name for name in (self.hwid, self.activation_identifier) if name)

    @property
    def device_id(self) -> str | None:
        """The device that counts."""
        return next(iter(self.device_ids), None)


def normalise_license(text: str | None) -> str | None:
    """A licence key, or None when clients say they have none: absent, blank, or literally `unknown`."""
    return None if text is None or text in _ABSENT_LICENSES else text


def normalise_user(text: str | None) -> str | None:
    """A user id as it is counted: e-mail addresses in lower case, all else as it came."""
    return text.lower() if text and _EMAIL.fullmatch(text) else text


def normalise_country(text: str | None) -> str | None:
    """A country as the client calls it, or None for what is too long to be one."""
    return text if text and len(text) <= _LONGEST_COUNTRY else None


def encodable(text: str) -> str:
    """The text with lone surrogates spelled out, so that it can be stored and two such texts stay different."""
    return text.encode("utf-8", "backslashreplace").decode()


def parse_time(value: object) -> int | None:
    """Epoch milliseconds of an `event_at`: epoch s or ms (number or numeric text) or ISO-8601 (no zone means UTC).

    None when it is none of these, or before 1970 or after 2286 (13 digits of milliseconds, which keep keys sortable).
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    milliseconds = _from_number(value)
    if milliseconds is None and isinstance(value, str):
        milliseconds = _from_iso(value)
    return milliseconds if milliseconds is not None and 0 <= milliseconds < _END_OF_MILLISECONDS else None


def _from_number(value: float | str) -> int | None:
    try:
        number = float(value)
        return round(number if abs(number) >= _LARGEST_SECONDS else number * 1000)
    except (ValueError, OverflowError):
        return None


def _from_iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
