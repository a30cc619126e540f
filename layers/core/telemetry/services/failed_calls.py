"""Notes failed calls, at the cost of one write each."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from telemetry.domain.activity import hour_of
from telemetry.domain.environment import Environment
from telemetry.domain.failed_call import OTHERS, Caller
from telemetry.storage.failed_calls import slot_of

Place = tuple[Environment | None, int]
"""Where callers are kept together, of whom but so many are told apart."""


class Store(Protocol):
    """Where failed calls are counted."""

    def add(self, environment: Environment | None, caller: Caller, hour: datetime, calls: int = 1) -> bool:
        """False when there is no room for another caller."""


@dataclass(slots=True)
class FailureLog:
    """What one process notes. An hour has room for so many callers; further ones are counted together.

    Finding that there is no room costs the write that one call may cost: that call is counted with the next for which
    there is none, and not at all where none follows in this process and hour.
    """

    store: Store
    _hour: datetime | None = None
    _noted: set[tuple[Environment | None, Caller]] = field(default_factory=set)
    _full: set[Place] = field(default_factory=set)
    _uncounted: Counter[Place] = field(default_factory=Counter)

    def note(self, environment: Environment | None, caller: Caller, now: datetime) -> None:
        """Counts a call, of a key of this environment (None: of nobody knows which). Raises StoreUnavailable."""
        hour, place = hour_of(now), (environment, slot_of(caller))
        if hour != self._hour:
            self._hour, self._noted, self._full, self._uncounted = hour, set(), set(), Counter()
        if place in self._full and (environment, caller) not in self._noted:
            self.store.add(environment, OTHERS, hour, 1 + self._uncounted[place])
            del self._uncounted[place]
        elif self.store.add(environment, caller, hour):
            self._noted.add((environment, caller))
        else:
            self._full.add(place)
            self._uncounted[place] += 1
