"""How long a request may use storage."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar

from telemetry.retry import Deadline

SECONDS_TO_ANSWER = 4.5
"""Of a function's time, left for a last call that gets no answer (3 s: storage.tables) and for our own answer."""

R = TypeVar("R")


class Context(Protocol):
    """What is used of a LambdaContext."""

    def get_remaining_time_in_millis(self) -> int:
        """Of the invocation."""


def in_time(handler: Callable[[dict[str, Any], Any], R]) -> Callable[[dict[str, Any], Any], R]:
    """A handler with one deadline for all calls of storage, so that it answers before Lambda ends the function."""

    @wraps(handler)
    def bounded(event: dict[str, Any], context: Context) -> R:
        with Deadline(context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER).in_force():
            return handler(event, context)

    return bounded
