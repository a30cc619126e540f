"""The limits of one search: records, seconds and requests."""

import math
import time
from collections.abc import Callable


class Effort:
    """How many records one search may look at, how many seconds it may take, how many requests it may make.

    When records or seconds are used up, the search ends at once. When requests are used up, it still looks at what it
    has read, and ends where it would have to make another.
    """

    def __init__(
        self, records: int, seconds: float, requests: float = math.inf, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._records = records
        self._requests = requests
        self._clock = clock
        self._half = clock() + seconds / 2
        self._end = self._half + seconds / 2
        self.is_cut_short = False
        """Whether a list ended because it may not make more requests."""

    def note(self, records: int = 0, requests: int = 0) -> None:
        """Counts records looked at, and requests made."""
        self._records -= records
        self._requests -= requests

    def allows_more(self) -> bool:
        """Whether more requests may be made. A list that gets False must end there."""
        self.is_cut_short = self._requests <= 0 or self.is_late
        return not self.is_cut_short

    @property
    def is_spent(self) -> bool:
        return self._records < 0 or self.is_late

    @property
    def is_late(self) -> bool:
        return self._clock() >= self._end

    @property
    def is_half_over(self) -> bool:
        """Half of the seconds are gone."""
        return self._clock() >= self._half
