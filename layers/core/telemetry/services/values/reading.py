"""Reads the values of a product: closed days as they were closed, what is open from its hours."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from telemetry.domain.closing import Closing
from telemetry.domain.instant import midnight
from telemetry.domain.overview import Timeline
from telemetry.domain.values.kept import DayValues
from telemetry.domain.values.summary import Values
from telemetry.domain.values.told import Told, told

_HOUR = timedelta(hours=1)


class ReadValues(Protocol):
    """Hours and closed days of one environment (storage.values.ValueStore)."""

    def hours(self, product: str, first: datetime, last: datetime) -> Iterable[tuple[datetime, Values]]: ...
    def days(self, product: str, first: date, last: date) -> Iterable[DayValues]: ...


@dataclass(frozen=True, slots=True)
class ValueReader:
    """Reads the values of one environment."""

    store: ReadValues
    closing: Callable[[], Closing]

    def read(self, product: str, cut: Timeline) -> Told:
        """The values of a window: three requests while they are small, one more for each further megabyte.

        Raises StoreUnavailable.
        """
        closed = self.closing().closed
        last_closed = None if closed is None else date.fromordinal(closed)
        first, last = cut.days[0], cut.days[-1]
        days = {each.day: each for each in self.store.days(product, first, last)}
        since = cut.window.since
        if last_closed and not cut.is_hourly:
            since = max(since, midnight(last_closed + timedelta(days=1)))
        hours = self.store.hours(product, since, cut.window.until - _HOUR) if since < cut.window.until else ()
        return told(cut, hours, days, last_closed)
