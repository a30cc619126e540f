"""Keys of what is kept of developers and companies. `<P>` is a product's id, `<v>` the number of a view, in each:

profiles#state#<P>              `current`, `view#0000`
profiles#pin#<v>#<P>            `2026-11-21`
profiles#uses#<v>#<P>#<day>     `003` (a shard's head), `003#<copy>#0000` (its pieces)
profiles#developer#<P>#<fp>     `profile`, `at#<v>#acme.com`, `users` (of a device), `unlinked#<fp>`
profiles#at#<v>#<P>#<company>   `<fp>`, `~` (nobody by name); without a company `~00` … `~15` stand for one
profiles#lists#<v>#<P>#<day>    `companies#active#0000`
profiles#today#<P>#<day>        `c#acme.com`, `d#<fp>` (written by rollup)

A fingerprint is written as unpadded base64url, 22 characters.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date

from telemetry.domain.keys import key_text
from telemetry.domain.profiles.rows import NOBODY

PREFIX = "profiles#"
"""Begins all of these partitions, and no other: the right to write them is given by it."""

PROFILE, USERS, CURRENT, NOBODYS = "profile", "users", "current", "~"

_BUCKETS = 16


def fingerprint_text(fingerprint: bytes) -> str:
    """`AQIDBA…`; of NOBODY `~`."""
    return NOBODYS if fingerprint == NOBODY else urlsafe_b64encode(fingerprint).rstrip(b"=").decode()


def fingerprint_of(text: str) -> bytes:
    """The inverse of `fingerprint_text`."""
    return NOBODY if text == NOBODYS else urlsafe_b64decode(f"{text}==")


def state_key(product: str) -> str:
    """Of views."""
    return f"{PREFIX}state#{key_text(product)}"


def view_key(view: int) -> str:
    """The sort key of a view."""
    return f"view#{view:04d}"


def pin_key(view: int, product: str) -> str:
    """Of pins."""
    return f"{PREFIX}pin#{view}#{key_text(product)}"


def uses_key(view: int, product: str, day: date) -> str:
    """Of rows."""
    return f"{PREFIX}uses#{view}#{key_text(product)}#{day}"


def developer_key(product: str, fingerprint: bytes) -> str:
    """Of a developer, or a device."""
    return f"{PREFIX}developer#{key_text(product)}#{fingerprint_text(fingerprint)}"


def at_key(view: int, product: str, company: str | None, fingerprint: bytes) -> str:
    """Developers without a company lie in 16 partitions."""
    place = company or f"~{(fingerprint[:1] or b'0')[0] % _BUCKETS:02d}"
    return f"{PREFIX}at#{view}#{key_text(product)}#{place}"


def at_company(view: int, company: str | None) -> str:
    """Where a developer's partition names a company it was at; without an id: at none that is known."""
    return f"at#{view}#{company or ''}"


def today_key(product: str, day: date) -> str:
    """Of who is active on a day that is not closed."""
    return f"{PREFIX}today#{key_text(product)}#{day}"


def lists_key(view: int, product: str, day: date) -> str:
    """Of lists."""
    return f"{PREFIX}lists#{view}#{key_text(product)}#{day}"
