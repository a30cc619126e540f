"""Trying again, a bounded number of times in a row."""

import random
import time
from collections.abc import Callable

from telemetry.domain.errors import StoreUnavailable

ATTEMPTS = 12

Wait = Callable[[int], None]
"""Waits before trying again; told how many times in a row it failed."""


def wait_with_jitter(failures: int) -> None:
    """Up to 50 ms after the first failure, doubling up to 5 s."""
    time.sleep(random.uniform(0, min(5.0, 0.05 * 2 ** (failures - 1))))  # noqa: S311 - spreads retries, guards nothing


class Attempts:
    """Counts failures in a row, waits after each, and gives up after ATTEMPTS."""

    def __init__(self, wait: Wait) -> None:
        self.failures = 0
        self._wait = wait

    def failed(self, exc: Exception) -> None:
        """Raises StoreUnavailable when it was once too often."""
        self.failures += 1
        if self.failures >= ATTEMPTS:
            raise StoreUnavailable(f"Gave up after {self.failures} attempts") from exc
        self._wait(self.failures)

    def succeeded(self) -> None:
        self.failures = 0
