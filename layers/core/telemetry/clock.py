"""What time it is: handed in from outside, so that a test can say it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two readings: the time of day, and seconds that only ever grow."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def seconds(self) -> float:
        """Seconds since some moment, for how old a remembered thing is."""


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self) -> float:
        return time.monotonic()
