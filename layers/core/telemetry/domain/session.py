"""Sessions of staff in a browser, and what their cookie holds."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemetry.domain.keyring import Keyring, Purpose

LIFETIME = timedelta(hours=8)


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
