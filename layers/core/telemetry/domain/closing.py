"""When a day is over, when all of its records have arrived, and how far the closing of days has come.

Each product's day is closed by itself. It is drained when two counts of its records, at least BETWEEN_COUNTS apart,
agree with each other and with what rollup has counted live. At its deadline the records decide alone.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from typing import Self

from telemetry.domain.instant import midnight

MARGIN = timedelta(minutes=30)
"""After midnight UTC: requests received before it have ended, and the index has caught up."""

BETWEEN_COUNTS = timedelta(minutes=10)

DEADLINE = timedelta(hours=26)
"""After midnight UTC: streams keep their records for 24 hours, so rollup will count nothing more."""

LOOK_BACK = 2
"""Days before the first one known that may hold records no stream has delivered: streams keep theirs for 24 hours."""

CLOSES_AFTER = MARGIN + timedelta(hours=1)
"""After a day's end: two hourly runs that agree. If it takes longer, asking again after BETWEEN_COUNTS is enough."""

LONGEST_WAIT = timedelta(days=7)
"""The longest wait that a caller is told, however far in the future the day is."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How far days are closed: `opened` is the first day with traffic, `closed` the last day with balances."""

    opened: int | None = None
    closed: int | None = None

    def is_closed(self, day: int) -> bool:
        return self.closed is not None and day <= self.closed

    def opens_with(self, day: int) -> bool:
        """Whether traffic on a day makes it the first: until one is closed that may move back."""
        return self.closed is None and (self.opened is None or day < self.opened)

    def is_first(self, day: int) -> bool:
        """Whether a day is the first with traffic, and none is closed: then nothing is before it."""
        return self.closed is None and self.opened == day

    def days_behind(self, now: datetime) -> int:
        """How many days that are over are not closed."""
        next_ = self.opened if self.closed is None else self.closed + 1
        return 0 if next_ is None else max(0, last_day_over(now).toordinal() + 1 - next_)


@dataclass(frozen=True, slots=True)
class Candidate:
    """How far the closing of a product's day is: a first count, that another is to agree with.

    `attempt` counts first counts that were begun; 0 before the first. By the records `expected` the day is cut into
    parts. Without `counted_at` the first count is not done yet; `records` and `digest` (hex) are what it found.
    """

    product: str
    day: date
    attempt: int
    expected: int
    counted_at: datetime | None = None
    records: int = 0
    digest: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether a first count was begun, and is not done yet."""
        return self.attempt > 0 and self.counted_at is None

    def is_outgrown(self, live: int) -> bool:
        """Whether there are now too many records for the parts into which the day is cut."""
        return live > 2 * self.expected

    def next_attempt(self, expected: int) -> Self:
        """Another first count, of which nothing is counted yet."""
        return replace(self, attempt=self.attempt + 1, expected=expected, counted_at=None, records=0, digest="")

    def counted(self, records: int, digest: bytes, now: datetime) -> Self:
        """With what the first count has found."""
        return replace(self, expected=records, counted_at=now, records=records, digest=digest.hex())


class Step(Enum):
    """What a run does for a product's day that has no report yet."""

    FIRST_COUNT = auto()
    """Begin a first count, or go on with the one that is under way."""
    WAIT = auto()
    """Nothing for now: counting again would not help yet."""
    SECOND_COUNT = auto()
    """Count again. The day is drained when this count finds the same records as the first."""
    COUNT_BY_DEADLINE = auto()
    """Count, and take what is found, whatever rollup has counted."""


def next_step(candidate: Candidate, live: int, now: datetime) -> Step:
    """The next step for a product's day, of which rollup has counted `live` records so far."""
    if now >= end_of(candidate.day) + DEADLINE:
        return Step.COUNT_BY_DEADLINE
    if candidate.counted_at is None or live > candidate.records:
        return Step.FIRST_COUNT
    if now - candidate.counted_at < BETWEEN_COUNTS or live < candidate.records:
        return Step.WAIT  # rollup may be behind; reading all records again would not help it
    return Step.SECOND_COUNT


def end_of(day: date) -> datetime:
    """The midnight (UTC) that ends a day."""
    return midnight(day + timedelta(days=1))


def last_day_over(now: datetime) -> date:
    """The last day that is over, MARGIN included: the latest one that may be closed."""
    return (now.astimezone(UTC) - MARGIN).date() - timedelta(days=1)


def wait_until_closed(day: date, now: datetime) -> timedelta:
    """How long to wait before asking again for a day that is not closed yet."""
    return min(max(end_of(day) + CLOSES_AFTER - now, BETWEEN_COUNTS), LONGEST_WAIT)
