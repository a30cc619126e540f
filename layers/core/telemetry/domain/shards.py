"""Into how many index partitions the records of a product, day and class are spread."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Self

from telemetry.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """Shard counts by day of receipt. Writers and readers derive a day's count from the same plan.

    Changes are listed with the day they begin, so that no day is ever written with two counts.
    """

    initial: int
    changes: tuple[tuple[date, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """`"8"` or `"8 2027-01-01:16"`. Raises ConfigurationError."""
        if not re.fullmatch(r"[1-9]\d{0,2}( \d{4}-\d\d-\d\d:[1-9]\d{0,2})*", text):
            raise ConfigurationError(f"Not a shard plan: {text!r}; expected like '8' or '8 2027-01-01:16'")
        initial, *changes = text.split(" ")
        pairs = (change.split(":") for change in changes)
        return cls(int(initial), tuple(sorted((date.fromisoformat(day), int(count)) for day, count in pairs)))

    def on(self, day: date) -> int:
        """The shard count of a day."""
        return next((count for start, count in reversed(self.changes) if start <= day), self.initial)


def shard_of(identity: bytes, count: int) -> int:
    """The shard of an actor's fingerprint (or of a record's key, when nobody is known): 0 ≤ shard < count."""
    return int.from_bytes(identity[:4], "big") % count
