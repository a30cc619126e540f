"""When suspects are far more than a product's own history lets expect, and how long that counts as one thing.

Suspects are records with a piracy or licence flag; a quality flag alone is no reason to ring. An hour is a spike with
at least FLOOR suspects that are also more than FACTOR times the 95th percentile of the product's hours of the last 14
days (hours without records count as 0). The percentile holds as long as fewer than one hour in twenty is unusual, and
an ordinary busy hour is part of it; a mean and its deviation would not, because suspects come in bursts. A licence is
one with LICENSE_FLOOR records in a day that flags point at it with.

Spikes of a product less than QUIET apart are one episode, and an episode is one alert.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from telemetry.domain.keys import key_text

FLOOR = 20
FACTOR = 3
LICENSE_FLOOR = 50
HISTORY = timedelta(days=14)
QUIET = timedelta(hours=36)
"""Longer than a day: what comes back every afternoon is one thing."""

_HOURS = int(HISTORY / timedelta(hours=1))
_PERCENTILE = 0.95


class Cause(StrEnum):
    """What opened an episode."""

    HOUR = "flagged_in_an_hour"
    LICENSE = "flagged_with_a_license"


@dataclass(frozen=True, slots=True)
class Spike:
    """What was seen: `count` suspects of a product in the hour, or since midnight with one licence.

    `expected` is the most that would not have been a spike. `license` is a fingerprint as record keys carry it.
    """

    product: str
    hour: datetime
    cause: Cause
    count: int
    expected: int
    license: str | None = None
    flags: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert: the spike that opened it, and the last hour with one. `is_announced`: the topic has taken it."""

    opened: Spike
    last_seen: datetime
    is_announced: bool = False

    @property
    def id(self) -> str:
        """`acme-cli#2026-11-21T08`."""
        return f"{key_text(self.opened.product)}#{self.opened.hour:%Y-%m-%dT%H}"

    def covers(self, hour: datetime) -> bool:
        """Whether a spike in this hour belongs to it. Streams lag: it may also be one shortly before."""
        return self.opened.hour - QUIET < hour < self.last_seen + QUIET

    def closed_at(self, now: datetime) -> datetime | None:
        """The end of its quiet time, None while that lasts."""
        end = self.last_seen + QUIET
        return end if end <= now else None


def most_expected(history: Iterable[int]) -> int:
    """The highest number of suspects in an hour that is no spike. `history`: those of earlier hours, if any."""
    flagged = sorted(history, reverse=True)[:_HOURS]
    rank = _HOURS - int(_PERCENTILE * _HOURS) - 1  # as many hours may be higher
    usual = flagged[rank] if rank < len(flagged) else 0
    return max(FLOOR - 1, FACTOR * usual)
