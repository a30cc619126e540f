"""Calls of storage side by side: who makes many small ones waits for few of them."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

_AT_ONCE = 16

A = TypeVar("A")
R = TypeVar("R")


def side_by_side(call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
    """One result each, in order. Raises what the first call raises that fails."""
    return list(_threads().map(call, arguments))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, "storage")
