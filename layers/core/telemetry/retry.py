"""Trying again, and for how long: the one policy, for requests by time and for jobs by number.

Pauses are jittered over their whole length and double: who fails together does not come back together.
"""

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from telemetry.domain.errors import StoreUnavailable

ATTEMPTS = 12
"""In a row, before a job gives up."""

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 5.0

Wait = Callable[[int], None]
"""Waits before trying again; told how many times in a row it failed."""


class Deadline:
    """When work with storage must end: made once for a request, and shared by all that the request does.

    No attempt begins after it, nor after one that is `in_force` meanwhile. Clock, sleep and jitter can be replaced, so
    that tests wait for nothing.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._end = clock() + seconds

    @property
    def seconds_left(self) -> float:
        """Negative when it is over."""
        outer = _in_force.get()
        own = self._end - self._clock()
        return own if outer in {None, self} else min(own, outer.seconds_left)

    @property
    def is_over(self) -> bool:
        return self.seconds_left <= 0

    def attempts(self) -> Iterator[int]:
        """Yields 0, 1, 2, … while there is time, and waits before each but the first; nothing when it is over."""
        attempt = 0
        while not self.is_over:
            yield attempt
            attempt += 1
            pause = _pause(attempt, _LONGEST_PAUSE_SECONDS, self._jitter)
            if pause >= self.seconds_left:
                return
            self._sleep(pause)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Meanwhile no attempt of any call begins after it, whoever makes the call and however he tries again."""
        token = _in_force.set(self)
        try:
            yield
        finally:
            _in_force.reset(token)

    def sooner(self, seconds: float) -> "Deadline":
        """One that ends so much earlier: for work that others must follow in time."""
        return Deadline(self.seconds_left - seconds, self._clock, self._sleep, self._jitter)

    def anew(self) -> "Deadline":
        """As many seconds as this had at first, from now on: for jobs, which have them for each of many writes."""
        return Deadline(self._seconds, self._clock, self._sleep, self._jitter)


_in_force: ContextVar[Deadline | None] = ContextVar("_in_force", default=None)


def deadline() -> Deadline:
    """The one in force. Raises LookupError outside of a request."""
    if found := _in_force.get():
        return found
    raise LookupError("No deadline is in force")


def check_time() -> None:
    """Raises StoreUnavailable when the deadline in force, if there is one, is over."""
    found = _in_force.get()
    if found and found.is_over:
        raise StoreUnavailable("no time is left")


def wait_with_jitter(failures: int) -> None:
    """Up to 50 ms after the first failure, doubling up to 5 s."""
    time.sleep(_pause(failures, _LONGEST_WAIT_SECONDS, random.random))


class Attempts:
    """Counts failures in a row, waits after each, and gives up after ATTEMPTS: for jobs, which are run again anyway."""

    def __init__(self, wait: Wait = wait_with_jitter) -> None:
        self.failures = 0
        self._wait = wait

    def failed(self, exc: Exception) -> None:
        """Raises StoreUnavailable when it was once too often."""
        self.failures += 1
        if self.failures >= ATTEMPTS:
            raise StoreUnavailable(f"{exc}: gave up after {self.failures} attempts") from exc
        self._wait(self.failures)

    def succeeded(self) -> None:
        self.failures = 0


def _pause(failures: int, longest: float, jitter: Callable[[], float]) -> float:
    return jitter() * min(longest, math.ldexp(_FIRST_PAUSE_SECONDS, failures - 1))
