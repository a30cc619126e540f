"""Calls of storage side by side: who makes many small ones waits for few of them."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TypeVar

_AT_ONCE = 16

A = TypeVar("A")
R = TypeVar("R")


def side_by_side(call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
    """One result each, in order. Raises what the first call raises that fails. What is in force here is so there."""
    calls = [(copy_context(), argument) for argument in arguments]
    if len(calls) == 1:
        return [call(calls[0][1])]  # there is nobody to wait beside
    return list(_threads().map(lambda each: each[0].run(call, each[1]), calls))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, "storage")
