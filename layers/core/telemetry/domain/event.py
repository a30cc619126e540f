"""One telemetry event, as its dialect understood it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from telemetry.domain.addresses import address_of
from telemetry.domain.company_domains import could_be_company
from telemetry.domain.ids import trimmed
from telemetry.domain.placeholder import is_placeholder
from telemetry.domain.values.value import Value

CALL_HOME = "CALL_HOME"
"""The activity of a product that says it is there; also spelled `CALL HOME`."""

_LONGEST_DOMAIN = 100  # bytes
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_MAIL_DOMAIN = re.compile(r"[^@\s/]+@([^@\s/]+)")
"""Of a mail address: `https://medium.com/@ann.lee` is none."""

_HOST = re.compile(r"(?:(?:[a-z][a-z0-9+.-]*:)?//)?(?:[^@\s/?#]*@)?([^@\s/?#:]+)(?:[:/?#].*)?", re.IGNORECASE)
"""Of a URL, or of what is left of one."""

_ABSENT_LICENSES = frozenset({"", "unknown"})
_LONGEST_COUNTRY = 56  # characters: no official name is longer
_LARGEST_SECONDS = 10**11  # later than that (year 5138) a number of seconds is taken for milliseconds
_END_OF_SECONDS = 10**10  # in 2286
_DATE = re.compile(
    r"(?:19|2[01])[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:(?:[01][0-9]|2[0-3])[0-5][0-9])?"
)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LEAP_SECOND = re.compile(r"(.{10}[Tt ][0-9]{2}:[0-9]{2}:)60(.*)")

TELEMETRY_SOURCE = "TELEMETRY"
"""What the `source` of a Reo.Dev event is when the software itself sends it."""


DEVICE = "device"
"""What the id of a device is called, where it stands for a user."""


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

    `user_id` is as `normalise_user` has it, a device's ids as `trimmed` has them. They may be placeholders, which count
    for nobody, though an activation may be known by one. `is_anonymous`: the client says that it names no user;
    `user_id_type` is how it calls the id, in Reo.Dev's words.

    `group` is what the event is about, a data group or an activity type, as `normalise_group` has it; `count` how many
    uses it stands for, where it says so; `value` what it tells of its group, unless it is malformed; `address` the IP
    address it is about, where it names one; `company` the domain of its company, if it can be told. `source` says what
    sent it, in Reo.Dev's words.

    `raw` is the event's own bytes as delivered, the presented API key masked. `event_at` is in epoch milliseconds.
    `errors` maps a field to what is wrong with it, in the dialect's words; not empty means malformed.
    """

    raw: bytes
    dialect: Dialect
    product_id: str | None = None
    product_version: str | None = None
    license_key: str | None = None
    user_id: str | None = None
    is_anonymous: bool = False
    user_id_type: str | None = None
    hwid: str | None = None
    activation_identifier: str | None = None
    data_type: str | None = None
    group: str | None = None
    count: int | None = None
    value: Value | None = None
    address: str | None = None
    company: str | None = None
    country: str | None = None
    event_id: str | None = None
    event_at: int | None = None
    environment_text: str | None = None
    source: str | None = None
    client_flags: tuple[str, ...] = ()
    format: Format = Format.JSON
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def device_ids(self) -> tuple[str, ...]:
        """What the device calls itself: an activation may be known by either. The first is the device that counts."""
        return tuple(name for name in (self.hwid, self.activation_identifier) if name)

    @property
    def device_id(self) -> str | None:
        """The device as it is shown: the one that counts, else the one that is named."""
        return self.counted_device or next(iter(self.device_ids), None)

    @property
    def counted_user(self) -> str | None:
        """The user in audiences; a placeholder is nobody."""
        return None if self.user_id is None or is_placeholder(self.user_id) else self.user_id

    @property
    def counted_device(self) -> str | None:
        """The device in audiences: the first of its names that is no placeholder."""
        return next((name for name in self.device_ids if not is_placeholder(name)), None)

    @property
    def identity(self) -> tuple[str | None, str | None]:
        """The id that counts, and what it is: as the client calls it, or `device`. None where nothing is said."""
        if self.counted_user:
            return self.counted_user, self.user_id_type
        return (self.counted_device, DEVICE) if self.counted_device else (None, None)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Which of `user`, `hwid` and `activation_identifier` are placeholders, but for a user who is anonymous."""
        user = None if self.is_anonymous else self.user_id
        named = {"user": user, "hwid": self.hwid, "activation_identifier": self.activation_identifier}
        return tuple(name for name, id_ in named.items() if id_ and is_placeholder(id_))


def normalise_license(text: str | None) -> str | None:
    """A licence key, or None when clients say they have none: absent, blank, or literally `unknown`."""
    return None if text is None or text in _ABSENT_LICENSES else text


def normalise_user(text: str | None) -> str | None:
    """A user id as it is counted: as `trimmed` has it, e-mail addresses in lower case; None where nothing is left."""
    name = trimmed(text or "")
    return (trimmed(name.lower()) if _EMAIL.fullmatch(name) else name) or None


def normalise_group(text: str | None) -> str | None:
    """A data group or activity type as it is counted and looked for: as sent, but for the one that is spelled twice."""
    return CALL_HOME if text and text.replace(" ", "_") == CALL_HOME else text


def address_in(text: str | None) -> str | None:
    """An IP address in its usual spelling (an IPv4 one also where it comes as IPv6), None for what is none.

    Nor is one with a zone (`fe80::1%eth0`): a zone is any text, of any length, and says something to one machine only.
    """
    address = None if "%" in (text or "") else address_of((text or "").strip())
    return None if address is None else str(address)


def company_of(domain: str | None, user_id: str | None) -> str | None:
    """The domain of the company an event may belong to: the one it names, else that of the user's mail address.

    The one it names may come as a URL. One that no company can have (`localhost`, `unknown`, an address) is none.
    """
    named, mail = _HOST.fullmatch((domain or "").strip()), _MAIL_DOMAIN.fullmatch(user_id or "")
    names = (found[1].rstrip(".").lower() for found in (named, mail) if found)
    return next((each for each in names if len(each.encode()) <= _LONGEST_DOMAIN and could_be_company(each)), None)


def attributed_address(
    dialect: Dialect, source: str | None, event_address: str | None, caller_address: str | None
) -> str | None:
    """The address that an event is about: its own, else the caller's where the caller is the software itself.

    It is so for GetKeyManager's events, and Reo.Dev's of source `TELEMETRY`. Others are sent by a server of the vendor.
    """
    is_direct = dialect is Dialect.GETKEYMANAGER or source == TELEMETRY_SOURCE
    return event_address or (caller_address if is_direct else None)


def normalise_country(text: str | None) -> str | None:
    """A country as the client calls it, or None for what is too long to be one."""
    return text if text and len(text) <= _LONGEST_COUNTRY else None


def encodable(text: str) -> str:
    """The text with lone surrogates spelled out, so that it can be stored and two such texts stay different."""
    return text.encode("utf-8", "backslashreplace").decode()


def parse_time(value: object) -> int | None:
    """Epoch milliseconds of an `event_at`; None for what is no time (docs/sending.md has the table).

    A number, or ASCII text of one: seconds, or milliseconds from 10^11 on, unless it reads as a date without separators
    (`20261125`, `202611250830`). Other text: ISO-8601, where no zone means UTC and a leap second is the next one. From
    1970 to 2286: thirteen digits of milliseconds keep keys sortable.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        text = value.strip()
        return _from_iso(text) if not _NUMBER.fullmatch(text) else _from_number(float(text))
    return _from_number(value)


def _from_number(number: float) -> int | None:
    if not 0 <= number < _END_OF_SECONDS * 1000 or _DATE.fullmatch(f"{number:.0f}"):
        return None
    milliseconds = round(number if number >= _LARGEST_SECONDS else number * 1000)
    return milliseconds if milliseconds < _END_OF_SECONDS * 1000 else None


def _from_iso(text: str) -> int | None:
    leap = _LEAP_SECOND.fullmatch(text)
    try:
        moment = datetime.fromisoformat((f"{leap[1]}59{leap[2]}" if leap else text).upper())
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() + bool(leap)
    except (ValueError, OverflowError):
        return None
    return round(seconds * 1000) if 0 <= seconds < _END_OF_SECONDS and text.isascii() else None
