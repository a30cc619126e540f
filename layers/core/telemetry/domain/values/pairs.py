"""Pairs of numbers summed up: how many, the latest, and between what they lie."""

from dataclasses import dataclass
from math import inf

from telemetry.domain.values.value import Moment, Pair

_NEVER, _NOTHING = Moment(0, ""), Pair(0.0, 0.0)
_ABOVE_ALL, _BELOW_ALL = Pair(inf, inf), Pair(-inf, -inf)


@dataclass(slots=True)
class Pairs:
    """A summary of pairs. `latest` is the one that was received last, at `at`."""

    count: int = 0
    at: Moment = _NEVER
    latest: Pair = _NOTHING
    least: Pair = _ABOVE_ALL
    most: Pair = _BELOW_ALL

    @property
    def last_ms(self) -> int:
        """When the latest was received, in epoch milliseconds."""
        return self.at.received_ms

    def add(self, pair: Pair, at: Moment) -> None:
        """One more pair."""
        self.merge(Pairs(1, at, pair, pair, pair))

    def merge(self, other: "Pairs") -> None:
        """Takes in another summary, which stays as it is."""
        self.count += other.count
        self.at, self.latest = max((self.at, self.latest), (other.at, other.latest))
        self.least = Pair(min(self.least.x, other.least.x), min(self.least.y, other.least.y))
        self.most = Pair(max(self.most.x, other.most.x), max(self.most.y, other.most.y))
