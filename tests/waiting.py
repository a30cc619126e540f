"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], seconds: float = 30, pause: float = 0.02) -> None:
    """Returns as soon as it holds; fails when it does not in so many seconds, which a busy machine may need."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(pause)
