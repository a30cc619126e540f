"""Attempts to sign in: how long an address must wait after wrong keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network

from telemetry.domain.addresses import address_of
from telemetry.domain.errors import TooManyAttempts

FREE_ATTEMPTS = 5
"""How many wrong keys an address may send before it has to wait."""

FORGOTTEN_AFTER = timedelta(minutes=15)
"""Since the last attempt."""

_FIRST_WAIT = timedelta(seconds=15)
_LONGEST_WAIT = timedelta(minutes=8)


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
