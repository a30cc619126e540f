"""What a search may cost, and when it has cost that."""

import math
import time
from collections.abc import Callable


class Effort:
    """What one search may cost: so many records looked at, so many seconds, so many requests.

    Records and seconds end a search wherever it is; requests when it would make another: what was read is looked at.
    """

    def __init__(
        self,
        records: int,
        seconds: float,
        requests: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._requests = requests
        self._clock = clock
        self._half = clock() + seconds / 2
        self._end = self._half + seconds / 2
        self.is_cut_short = False
        """Whether a list ended because it may make no more requests."""

    def note(self, records: int = 0, requests: int = 0) -> None:
        """Counts records looked at, and requests made."""
        self._records -= records
        self._requests -= requests

    def allows_more(self) -> bool:
        """Whether requests may be made; a list that is told that they may not has to end there."""
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
