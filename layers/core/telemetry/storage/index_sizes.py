"""How large the indexes of tables are, as far as searches have found out."""

import time
from collections.abc import Callable

_REMEMBERED_SECONDS = 3_600


class IndexSizes:
    """The smallest number of entries each table's index can have. It is forgotten after an hour."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, float]] = {}

    def note(self, table: str, entries: float) -> None:
        """This many entries were seen, and there are more."""
        self._found[table] = (entries, self._clock() + _REMEMBERED_SECONDS)

    def at_least(self, table: str) -> float:
        """The number noted last; 0 where nothing is known."""
        entries, until = self._found.get(table, (0.0, 0.0))
        return entries if self._clock() < until else 0
