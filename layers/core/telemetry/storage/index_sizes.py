"""How large the indexes of tables are, as far as anybody has found out."""

import time
from collections.abc import Callable

_REMEMBERED_SECONDS = 3_600


class IndexSizes:
    """How many entries the indexes of tables were found to have, at least. After an hour nobody remembers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, float]] = {}

    def note(self, table: str, entries: float) -> None:
        """So many were seen, and there are more."""
        self._found[table] = (entries, self._clock() + _REMEMBERED_SECONDS)

    def at_least(self, table: str) -> float:
        """What is known; 0 where nothing is."""
        entries, until = self._found.get(table, (0.0, 0.0))
        return entries if self._clock() < until else 0
