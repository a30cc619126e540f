"""What is remembered of closed days: they never change."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Generic, Protocol, TypeVar

from cachetools import LRUCache

MOST_DAYS = 1_000
"""Days, of all scopes together, that one memory has room for."""

SETTLED = timedelta(days=2)
"""So long before the newest closed day, one that was not found has no report and never will: days close in order. A
later one may not have reached every copy of the table."""


class OfDay(Protocol):
    """Something that is known of a closed day."""

    @property
    def day(self) -> date: ...


T = TypeVar("T", bound=OfDay)


class ClosedDayMemory(Generic[T]):
    """Reads each closed day of a scope once: `read` gives those from a first to a last day, in order."""

    def __init__(self, read: Callable[[str, date, date], Iterable[T]], most: int = MOST_DAYS) -> None:
        self._read = read
        self._days: LRUCache[tuple[str, date], T | None] = LRUCache(most)

    def between(self, scope: str, first: date, last: date) -> list[T]:
        """The closed days from `first` to `last`, in order: one request at most, for those after the ones remembered.

        Raises StoreUnavailable.
        """
        remembered: list[T | None] = []
        day = first
        while day <= last and (scope, day) in self._days:
            remembered.append(self._days[scope, day])
            day += timedelta(days=1)
        found = {each.day: each for each in self._read(scope, day, last)} if day <= last else {}
        if found:
            newest = max(found)
            while day <= newest:
                if day in found or day <= newest - SETTLED:
                    self._days[scope, day] = found.get(day)
                day += timedelta(days=1)
        return [*(each for each in remembered if each is not None), *found.values()]
