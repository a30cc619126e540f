"""Texts summed up in bounded space: how many, and how often those that have a name here."""

from collections import Counter
from dataclasses import dataclass, field

from telemetry.domain.hourly_counts import OTHER, largest
from telemetry.domain.values.value import Moment, counted_text

MOST_TEXTS = 16
"""Texts that an hour, and a closed day, count by name. The rest is OTHER."""


@dataclass(slots=True)
class Texts:
    """A summary of texts. `last_ms` is when the last one came, in epoch milliseconds. `counts` sum to `count`."""

    count: int = 0
    last_ms: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def named(self) -> dict[str, int]:
        """Those that have a name."""
        return {text: count for text, count in self.counts.items() if text != OTHER}

    def add(self, text: str, at: Moment, *, has_room: bool = True) -> None:
        """One more text. Names go to those that come first; without room, to nobody else."""
        name = counted_text(text)
        named = len(self.counts) - (OTHER in self.counts)
        self.counts[name if name in self.counts or (has_room and named < MOST_TEXTS) else OTHER] += 1
        self.count += 1
        self.last_ms = max(self.last_ms, at.received_ms)

    def merge(self, other: "Texts") -> None:
        """Takes in another summary, which stays as it is; all names are kept."""
        self.counts.update(other.counts)
        self.count += other.count
        self.last_ms = max(self.last_ms, other.last_ms)

    def make_room(self, most: int | None = None) -> None:
        """Leaves their names to the most frequent."""
        self.counts = Counter(largest(self.counts, MOST_TEXTS if most is None else most))
