"""Sessions of staff in a browser: what their cookie holds, and how wrong keys are slowed down."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network

from telemetry.domain.addresses import address_of
from telemetry.domain.errors import TooManyAttempts
from telemetry.domain.keyring import Keyring, Purpose

LIFETIME = timedelta(hours=8)

FREE_ATTEMPTS = 5
"""How many wrong keys an address may send before it has to wait."""

FORGOTTEN_AFTER = timedelta(minutes=15)
"""Since the last attempt."""

_FIRST_WAIT = timedelta(seconds=15)
_LONGEST_WAIT = timedelta(minutes=8)


@dataclass(frozen=True, slots=True)
class Session:
    """A staff key at work in a browser; `key_hash` leads to the key, which may have been revoked since."""

    id: str
    key_hash: bytes
    expires_at: datetime


def cookie_value(session_id: str, keyring: Keyring) -> str:
    """`<id>.<mac>`: a reader of the registry learns ids, but no cookie."""
    return f"{session_id}.{_text(_mac('cookie', session_id, keyring))}"


def session_id_of(cookie: str, keyring: Keyring) -> str | None:
    """The id in a cookie; None unless it was signed here."""
    session_id, _, mac = cookie.partition(".")
    try:
        presented = urlsafe_b64decode(mac + "=" * (-len(mac) % 4))
    except (binascii.Error, ValueError):
        return None
    return session_id if hmac.compare_digest(presented, _mac("cookie", session_id, keyring)) else None


def csrf_token(session_id: str, keyring: Keyring) -> str:
    """A secret that only our own pages know about their session."""
    return _text(_mac("csrf", session_id, keyring))


def _mac(what: str, session_id: str, keyring: Keyring) -> bytes:
    return keyring.mac(Purpose.SESSIONS, f"{what}\0{session_id}".encode("utf-8", "surrogatepass"))


def _text(mac: bytes) -> str:
    return urlsafe_b64encode(mac).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class SignInAttempts:
    """How often an address tried to sign in since it last did, and when the last time was."""

    count: int
    last: datetime


def next_attempt(before: SignInAttempts | None, now: datetime) -> SignInAttempts:
    """The attempts with one more. Raises TooManyAttempts while the address has to wait: ever longer, 8 minutes at most.

    An attempt counts before its key is looked at, so that many at once are as slow as one after the other.
    """
    if before is None or before.last + FORGOTTEN_AFTER <= now:
        return SignInAttempts(1, now)
    extra = before.count - FREE_ATTEMPTS
    if extra >= 0:
        wait = min(_FIRST_WAIT * 2 ** min(extra, 10), _LONGEST_WAIT)
        if now < before.last + wait:
            raise TooManyAttempts(before.last + wait - now)
    return SignInAttempts(before.count + 1, now)


def attempts_from(source_ip: str) -> str:
    """The name under which attempts are counted: an IPv4 address, or the /64 that one IPv6 customer has to itself.

    Whatever is no address is counted as one caller.
    """
    match address_of(source_ip):
        case None:
            return "unknown"
        case IPv6Address() as address:
            return str(IPv6Network((int(address), 64), strict=False))
        case address:
            return str(address)
