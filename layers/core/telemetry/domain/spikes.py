"""When a number is far above its own history, and how long that counts as one event.

Suspects are records with a piracy or licence flag; a quality flag alone is no reason for an alert. An hour is a spike
with at least FLOOR suspects that are also more than FACTOR times the 95th percentile of the product's hours of the last
14 days (hours without records count as 0). The percentile holds while fewer than one hour in twenty is unusual, and an
ordinary busy hour is part of it; a mean and its deviation would not, because suspects come in bursts. A licence is
a spike with at least LICENSE_FLOOR records in a day whose flags point at it.

An hour is a spike of an API key with at least KEY_FLOOR events that are also more than KEY_FACTOR times its usual: the
95th percentile of the hours of the last 14 days in which it sent anything. Hours without events do not count here, or a
key that sends once a night would have no usual. Of up to twenty hours the percentile is the highest. A new key has
no usual: its first hour is a spike from KEY_FLOOR on, a later one with more than ten times the highest before it. So a
roll-out gives one alert, unless it grows tenfold again, and an attack with a key made an hour ago gives one, too.

Spikes of a product, or of a key, less than QUIET apart are one episode, and an episode is one alert.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from telemetry.domain.keys import key_text

FLOOR = 20
FACTOR = 3
LICENSE_FLOOR = 50
KEY_FLOOR = 1_000
KEY_FACTOR = 10
HISTORY = timedelta(days=14)
QUIET = timedelta(hours=36)
"""Longer than a day: what comes back every afternoon is one episode."""
MOST_LICENSES = 10
"""Licences that an episode knows: those that reached LICENSE_FLOOR first."""

_HOURS = int(HISTORY / timedelta(hours=1))
_PERCENTILE = 0.95


class Cause(StrEnum):
    """What opened an episode."""

    HOUR = "flagged_in_an_hour"
    LICENSE = "flagged_with_a_license"
    API_KEY = "events_of_a_key"


@dataclass(frozen=True, slots=True)
class Spike:
    """What was seen: `count` suspects of a product in the hour, or since midnight with one licence.

    Or `count` is the events in the hour with an API key, of any product: `product` is then None. `expected` is the most
    that would not have been a spike. `license` is a fingerprint as record keys carry it.
    """

    product: str | None
    hour: datetime
    cause: Cause
    count: int
    expected: int
    license: str | None = None
    flags: Mapping[str, int] | None = None
    api_key_id: str | None = None

    @property
    def subject(self) -> str:
        """What has episodes: `acme-cli`, or `~key#k3f2a9c0d1`, which no product's id can be: there is a `#` in it."""
        return key_text(self.product) if self.product is not None else f"~key#{self.api_key_id}"


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert: the spike that opened it, and the last hour with one. `is_announced`: the topic has taken it.

    `others` are licences that became a spike later: their fingerprints, as record keys carry them.
    """

    opened: Spike
    last_seen: datetime
    is_announced: bool = False
    others: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """`acme-cli#2026-11-21T08`."""
        return f"{self.opened.subject}#{self.opened.hour:%Y-%m-%dT%H}"

    @property
    def licenses(self) -> frozenset[str]:
        """All licences that were a spike of it, as far as they are known."""
        return self.others | {self.opened.license} if self.opened.license else self.others

    def learns_from(self, spike: Spike) -> bool:
        """Whether a spike that it covers tells something new: a later hour, or another licence."""
        return self.with_spike(spike) != self

    def with_spike(self, spike: Spike) -> "Episode":
        """With what a spike tells that it covers."""
        others, known = self.others, self.licenses
        if spike.license and spike.license not in known and len(known) < MOST_LICENSES:
            others |= {spike.license}
        return replace(self, last_seen=max(self.last_seen, spike.hour), others=others)

    def covers(self, hour: datetime) -> bool:
        """Whether a spike in this hour belongs to it. Streams lag: it may also be one shortly before."""
        return self.opened.hour - QUIET < hour < self.last_seen + QUIET

    def closed_at(self, now: datetime) -> datetime | None:
        """The end of its quiet time, None while that lasts."""
        end = self.last_seen + QUIET
        return end if end <= now else None


def most_expected(history: Iterable[int]) -> int:
    """The highest number of suspects in an hour that is no spike. `history`: those of earlier hours, if any."""
    return max(FLOOR - 1, FACTOR * _percentile(history, _HOURS))


def most_expected_of_key(history: Collection[int]) -> int:
    """The highest number of events of an API key in an hour that is no spike. `history`: earlier hours with events."""
    return max(KEY_FLOOR - 1, KEY_FACTOR * _percentile(history, len(history)))


def _percentile(history: Iterable[int], hours: int) -> int:
    """The 95th percentile of this many hours; missing ones are zeros."""
    highest = sorted(history, reverse=True)[:hours]
    rank = max(hours - int(_PERCENTILE * hours) - 1, 0)  # as many hours may be higher
    return highest[rank] if rank < len(highest) else 0
