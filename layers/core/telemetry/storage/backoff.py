"""Bounded, jittered waiting between attempts."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to keep trying: attempts stop when `budget` seconds are used up.

    Clock, sleep and jitter can be replaced, so that tests wait for nothing.
    """

    budget: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def attempts(self) -> Iterator[int]:
        """Yields 0, 1, 2, … and waits before each but the first (full jitter, doubling up to a second)."""
        end = self.clock() + self.budget
        attempt = 0
        while True:
            yield attempt
            pause = self.jitter() * min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            if self.clock() + pause >= end:
                return
            self.sleep(pause)
            attempt += 1
