"""Notes failed calls, at the cost of one write each, or of one for many."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, Self

from telemetry.domain.activity import hour_of
from telemetry.domain.environment import Environment
from telemetry.domain.failed_call import OTHERS, Caller
from telemetry.storage.failed_calls import FailedCallStore, slot_of

PAUSE = timedelta(seconds=10)
"""Between two writes of what is summed up."""

MOST_WAITING = 100
"""Callers (of an hour) that wait to be written; further ones are counted together."""

Slot = tuple[Environment | None, int]
"""Where callers are kept together, of whom but so many are told apart."""


class FailedCallCounter(Protocol):
    """Where failed calls are counted."""

    def add(self, environment: Environment | None, caller: Caller, hour: datetime, calls: int = 1) -> bool:
        """False when there is no room for another caller."""


@dataclass(slots=True)
class FailedCallLog:
    """What one process notes. An hour has room for so many callers; further ones are counted together.

    Finding that there is no room costs the write that one call may cost: that call is counted with the next for which
    there is none, and not at all where none follows in this process and hour.
    """

    store: FailedCallCounter
    _hour: datetime | None = None
    _noted: set[tuple[Environment | None, Caller]] = field(default_factory=set)
    _full: set[Slot] = field(default_factory=set)
    _uncounted: Counter[Slot] = field(default_factory=Counter)

    def note(self, environment: Environment | None, caller: Caller, now: datetime, calls: int = 1) -> None:
        """Counts calls, of a key of this environment (None: of nobody knows which). Raises StoreUnavailable."""
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
    """Sums calls in memory, and writes one caller's in ten seconds: the first call at once, then who waits longest.

    It is for what anybody can send for nothing. There is no timer in Lambda: what waits is written with later calls,
    and is lost where none comes to this process.
    """

    log: FailedCallLog
    _written: datetime | None = None
    _waiting: Counter[tuple[datetime, Caller]] = field(default_factory=Counter)

    @classmethod
    def into(cls, table: str) -> Self:
        """What this process counts into a table."""
        return cls(FailedCallLog(FailedCallStore(table)))

    def note(self, caller: Caller, now: datetime) -> None:
        """Counts a call of nobody knows which environment. Raises StoreUnavailable, and then keeps what it has."""
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
