"""Values as they are kept: hours as far as a shard of the stream has come, and closed days."""

from dataclasses import dataclass, field
from datetime import date
from typing import Self

from telemetry.domain.values.summary import Values
from telemetry.domain.values.written import digest_of


@dataclass(slots=True)
class HourValues:
    """A product's hour, as far as one part of the stream has it.

    `positions` are the last sequence numbers in it, by shard of the stream. `version` is what was read, 0 where nothing
    was there.
    """

    values: Values = field(default_factory=Values)
    positions: dict[str, str] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True, slots=True)
class DayValues:
    """A product's closed day; finance's report of it has `expected` records."""

    product: str
    day: date
    values: Values
    expected: int
    digest: str

    @classmethod
    def of(cls, product: str, day: date, values: Values, expected: int) -> Self:
        """As it is kept, for good."""
        return cls(product, day, values, expected, digest_of(product, day.isoformat(), values, expected))

    @property
    def missing(self) -> int:
        """Records of the day's report that are not in its values: the deadline closed it before rollup was through."""
        return max(0, self.expected - self.values.records)

    @property
    def is_complete(self) -> bool:
        """Whether every record of the day was read for its value."""
        return self.values.records == self.expected and not self.values.unread
