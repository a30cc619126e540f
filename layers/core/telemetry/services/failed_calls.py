"""Notes failed calls, at the cost of one write each, or of one for many."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from telemetry.domain.environment import Environment
from telemetry.domain.failed_call import OTHERS, Caller
from telemetry.domain.instant import hour_of
from telemetry.storage.failed_calls import slot_of

PAUSE = timedelta(seconds=10)
"""Between two writes of sums."""

MOST_WAITING = 100
"""The most callers (of an hour) that wait to be written; all others are counted together."""

Slot = tuple[Environment | None, int]
"""Where callers are counted together: only a limited number of them is counted separately."""


class FailedCallCounter(Protocol):
    """Where failed calls are counted (storage.failed_calls.FailedCallStore)."""

    def add(self, environment: Environment | None, caller: Caller, hour: datetime, calls: int = 1) -> bool: ...


@dataclass(slots=True)
class FailedCallLog:
    """The failed calls that one process notes. An hour has room for some callers; all others are counted together.

    One call may cost one write, and finding that there is no room is a write. So that call is counted with the next one
    that finds no room, and it is not counted if none follows in this process and hour.
    """

    store: FailedCallCounter
    _hour: datetime | None = None
    _noted: set[tuple[Environment | None, Caller]] = field(default_factory=set)
    _full: set[Slot] = field(default_factory=set)
    _uncounted: Counter[Slot] = field(default_factory=Counter)

    def note(self, environment: Environment | None, caller: Caller, now: datetime, calls: int = 1) -> None:
        """Counts calls with a key of this environment (None: it is not known which). Raises StoreUnavailable."""
        hour, slot = hour_of(now), (environment, slot_of(caller))
        if hour != self._hour:
            self._hour, self._noted, self._full, self._uncounted = hour, set(), set(), Counter()
        if slot in self._full and (environment, caller) not in self._noted:
            self.store.add(environment, OTHERS, hour, calls + self._uncounted[slot])
            del self._uncounted[slot]
        elif self.store.add(environment, caller, hour, calls):
            self._noted.add((environment, caller))
        else:
            self._full.add(slot)
            self._uncounted[slot] += calls


@dataclass(slots=True)
class SummedCalls:
    """Sums calls in memory, and writes those of one caller each ten seconds: the first call at once, then the oldest.

    It is for calls that anybody can make without a key. Lambda has no timer: what waits is written with later calls,
    and is lost if none comes to this process.
    """

    log: FailedCallLog
    _written: datetime | None = None
    _waiting: Counter[tuple[datetime, Caller]] = field(default_factory=Counter)

    def note(self, caller: Caller, now: datetime) -> None:
        """Counts a call of which no environment is known. Raises StoreUnavailable, and then keeps what it has."""
        hour = hour_of(now)
        has_room = (hour, caller) in self._waiting or len(self._waiting) < MOST_WAITING
        self._waiting[hour, caller if has_room else OTHERS] += 1
        if self._written is None or now - self._written >= PAUSE:
            self._written = now
            self._write_one()

    def _write_one(self) -> None:
        first = next(iter(self._waiting))
        hour, caller = first
        self.log.note(None, caller, hour, self._waiting[first])
        del self._waiting[first]
