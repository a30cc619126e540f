"""A page of a list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and the position after which the rest begins (None: there is no rest).

    It may hold fewer than were asked for, even none, and still not be the last: a filter that leaves nearly everything
    out must not make one request read a whole table.
    """

    items: tuple[T, ...]
    next: str | None
