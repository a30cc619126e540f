"""Closes the values of a day: what rollup has kept of it, put together once. Bodies are not read again."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.instant import hours_of
from telemetry.domain.values.kept import DayValues
from telemetry.domain.values.summary import Values, merged


class ClosingValues(Protocol):
    """Hours and closed days of one environment (storage.values.ValueStore)."""

    def hours(
        self, product: str, first: datetime, last: datetime, *, consistent: bool = False
    ) -> Iterator[tuple[datetime, Values]]: ...
    def closed(self, products: Sequence[str], day: date) -> Collection[str]: ...
    def close(self, values: DayValues) -> None: ...


@dataclass(frozen=True, slots=True)
class ValueCloser:
    """Closes values of one environment. `failures` gets what kept products from having theirs."""

    store: ClosingValues
    failures: list[Exception] = field(default_factory=list)

    def close(self, day: date, records: Mapping[str, int], allows: Callable[[], bool], *, again: bool) -> bool:
        """Closes a day for products with so many `records` in their reports; whether it is done for all of them.

        To be called when all reports are written, and `again` until it is done: what is closed stays as it is. `allows`
        says whether there is time for one more. Nothing but StoreUnavailable, which is raised, keeps a day open: what
        cannot be put together is closed as if rollup had kept nothing, and so says that it is not complete.
        """
        products = sorted(product for product, count in records.items() if count)
        closed = self.store.closed(products, day) if again and products else ()
        for product in products:
            if product in closed:
                continue
            if not allows():
                return False
            self.store.close(DayValues.of(product, day, self._values(product, day), records[product]))
        return True

    def _values(self, product: str, day: date) -> Values:
        try:
            whole = merged(values for _, values in self.store.hours(product, *hours_of(day), consistent=True))
            whole.make_room()
        except StoreUnavailable:
            raise
        except Exception as exc:  # noqa: BLE001 (whatever it is, it is not to keep the day open)
            exc.add_note(f"values of {product} on {day}")
            self.failures.append(exc)
            return Values()
        return whole
