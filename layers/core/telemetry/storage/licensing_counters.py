"""How often licensing was asked, and what it answered, by hour and product."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cachetools import LRUCache
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path

from telemetry.domain.hourly_counts import hour_of, total
from telemetry.domain.instant import from_hour_text, hour_text, to_seconds
from telemetry.domain.licensing import Calls, DeviceAction
from telemetry.domain.sighting import CATALOGUE
from telemetry.storage.errors import store
from telemetry.storage.tables import CountersItem, bind

RETENTION = timedelta(days=400)

_HOUR = timedelta(hours=1)
_SETTLED = timedelta(minutes=15)  # after an hour, all that was counted in it is there
_MOST_HOURS = 2_000

_PARTITION = "licensing"
_ACTIONS = frozenset(action.value for action in DeviceAction)


class LicensingHourItem(CountersItem):
    """An hour (UTC) of a product. pk `licensing`, sk `2026-11-21T08#acme-desktop` (or `2026-11-21T08#~unknown`).

    Its counters are like `activate_302`. One partition holds all products: their hours are then read in one request,
    and a call costs no second write for all together.
    """

    pk = UnicodeAttribute(hash_key=True, default=_PARTITION)
    expires_at = NumberAttribute()

    @property
    def calls(self) -> Calls:
        named = ((name.partition("_"), count) for name, count in self.counters.items())
        return Counter(
            {(DeviceAction(action), int(code)): count for (action, _, code), count in named if action in _ACTIONS}
        )


@store("licensing counters")
@dataclass(frozen=True, slots=True)
class LicensingCounters:
    """The counters of one environment, in its aggregates table. Raises StoreUnavailable."""

    table: str

    def add(self, product: str, action: DeviceAction, code: int, now: datetime) -> None:
        """Counts one call: one write."""
        model = bind(LicensingHourItem, self.table)
        expires = model.expires_at.set(to_seconds(now + RETENTION))
        model(_PARTITION, f"{hour_text(now)}#{product}").update([Path(f"{action}_{code}").add(1), expires])

    def calls(self, first: datetime, last: datetime) -> dict[str, Calls]:
        """The calls by product of the hours from `first`'s to `last`'s, together: one request, unless they are many."""
        found: dict[str, Calls] = {}
        for _, product, calls in self.by_hour(first, last):
            found.setdefault(product, Counter()).update(calls)
        return found

    def by_hour(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, str, Calls]]:
        """The same, hour by hour, each with the product."""
        model = bind(LicensingHourItem, self.table)
        for item in model.query(_PARTITION, model.sk.between(hour_text(first), f"{hour_text(last)}$")):
            hour, _, product = item.sk.partition("#")
            yield from_hour_text(hour), product, item.calls


class HourlyCalls(Protocol):
    """Where calls are counted (LicensingCounters)."""

    def by_hour(self, first: datetime, last: datetime) -> Iterable[tuple[datetime, str, Calls]]: ...


class RememberedCalls:
    """The calls of a product or of all together. Hours that are over are read once: calls are counted as they come."""

    def __init__(self, counters: HourlyCalls, now: Callable[[], datetime]) -> None:
        self._counters = counters
        self._now = now
        self._hours: LRUCache[tuple[str, datetime], Calls] = LRUCache(_MOST_HOURS)

    def of(self, scope: str, first: datetime, last: datetime) -> Calls:
        """The calls of the hours from `first`'s to `last`'s: one request at most, unless they are many."""
        found: dict[datetime, Calls] = {}
        hour, last = hour_of(first), hour_of(last)
        while hour <= last and (scope, hour) in self._hours:
            found[hour] = self._hours[scope, hour]
            hour += _HOUR
        if hour <= last:
            for each, product, calls in self._counters.by_hour(hour, last):
                if scope in {product, CATALOGUE}:
                    found.setdefault(each, Counter()).update(calls)
        while hour <= last and hour + _HOUR + _SETTLED <= self._now():
            self._hours[scope, hour] = found.get(hour, Counter())
            hour += _HOUR
        return total(found.values())
