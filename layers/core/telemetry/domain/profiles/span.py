"""Many things by key, some of them at a time: so that memory is bounded, however many clients make up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MOST_AT_ONCE = 100_000
"""Of what a span holds when it is complete; on the way there it holds twice as many."""

V = TypeVar("V")


@dataclass(slots=True)
class Span(Generic[V]):
    """What is at the first `most` places or so, in their order, from `start` on, whatever order it comes in.

    Where there is more, it `end`s before the last place: the next span starts there, and gets the same things again.
    `make` makes what is at a place when something comes to it first.
    """

    make: Callable[[], V]
    start: bytes = b""
    most: int = MOST_AT_ONCE
    end: bytes | None = None
    _found: dict[bytes, V] = field(default_factory=dict)

    def at(self, place: bytes) -> V | None:
        """What is at a place; None where that is before or beyond."""
        found = self._found.get(place)
        if found is None and place >= self.start and (self.end is None or place < self.end):
            found = self._found[place] = self.make()
            if len(self._found) > 2 * self.most:
                self._make_room()
        return found

    def items(self) -> Iterator[tuple[bytes, V]]:
        """What is there, in order."""
        return ((place, self._found[place]) for place in sorted(self._found))

    def _make_room(self) -> None:
        places = sorted(self._found)
        self.end = places[self.most]
        for each in places[self.most :]:
            del self._found[each]
