"""The time a request has for storage."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar

from telemetry.retry import Deadline

SECONDS_TO_ANSWER = 4.5
"""Of a function's time, kept back: for a last call that gets no answer (3 s: storage.tables), and for ours."""

R = TypeVar("R")


class Context(Protocol):
    """What is used of a LambdaContext."""

    def get_remaining_time_in_millis(self) -> int:
        """Of the invocation."""


def in_time(handler: Callable[[dict[str, Any], Any], R]) -> Callable[[dict[str, Any], Any], R]:
    """A handler with one deadline for all that it asks of storage: it answers before its function is ended."""

    @wraps(handler)
    def bounded(event: dict[str, Any], context: Context) -> R:
        with Deadline(context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER).in_force():
            return handler(event, context)

    return bounded
