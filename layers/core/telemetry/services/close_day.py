"""Closes days: recounts them from their records, then fixes their balances for ever."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Protocol, TypeVar

from telemetry.domain.active_users import Balance, Closing, Refusal, Tally, next_balance
from telemetry.domain.errors import TelemetryError
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Sighting
from telemetry.services.counting import ActorStore, Wait, count, wait_with_jitter

MARGIN = timedelta(minutes=30)
"""After midnight UTC: requests received before it have ended, and the index has caught up."""

LOOK_BACK = 2
"""Days before the first one known that may hold records no stream has delivered: streams keep theirs for 24 hours."""

RECOUNTED_AT_ONCE = 20_000

T = TypeVar("T")


class RecountIncomplete(TelemetryError):
    """A day's records show users who could not be counted, so it must not be closed."""


class ClosingStore(ActorStore, Protocol):
    """Everything closing needs of one environment's aggregates."""

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        """The balance before a day (None: no traffic ever before) and what happened on it; strongly consistent."""
        ...

    def write_balance(self, scope: str, balance: Balance) -> None:
        """Keeps a balance for ever; the same one again changes nothing, another one raises LedgerBroken."""
        ...

    def close(self, day: int) -> None:
        """Marks a day closed; nothing happens when it is. Days close in order."""
        ...


class Recount(Protocol):
    """The records of one environment."""

    def sightings(self, product: str, day: date) -> Iterator[Sighting]: ...


def close_days(
    now: datetime,
    aggregates: ClosingStore,
    records: Recount,
    products: Collection[str],
    wait: Wait = wait_with_jitter,
) -> list[date]:
    """Closes every day that is over, in order, and returns them. Safe to run again, also while it runs.

    `products` are those registered. Raises what keeps a day from being closed; the days before it stay closed.
    """
    last = (now.astimezone(UTC) - MARGIN).date().toordinal() - 1
    first = _next_to_close(last, aggregates, records, products, wait)
    if first is None:
        return []
    for day in range(first, last + 1):
        _close(day, aggregates, records, products, wait)
    return [date.fromordinal(day) for day in range(first, last + 1)]


def _next_to_close(
    last: int, aggregates: ClosingStore, records: Recount, products: Collection[str], wait: Wait
) -> int | None:
    """The day after the last closed one; if none is, the first with records; None without any.

    A stream may be late with the very first records, or dead: so it is the records that say where days begin, from the
    first day known (or the last one that is over) backwards to where LOOK_BACK days in a row have none.
    """
    closing = aggregates.closing()
    if closing.closed is not None:
        return closing.closed + 1
    looked_back_from: int | None = None
    while looked_back_from != (known := _first_known(closing, last)):
        looked_back_from = known
        for day in range(known, known - LOOK_BACK - 1, -1):
            _recount(day, aggregates, records, products, wait)
        closing = aggregates.closing()
    return closing.opened


def _first_known(closing: Closing, last: int) -> int:
    return last if closing.opened is None else min(closing.opened, last)


def _close(day: int, aggregates: ClosingStore, records: Recount, products: Collection[str], wait: Wait) -> None:
    _recount(day, aggregates, records, products, wait)
    # read after the recount, which may have found the first records of a scope
    for scope in sorted(aggregates.closing().scopes):
        before, tally = aggregates.day(scope, day)
        aggregates.write_balance(scope, next_balance(before, day, tally))
    aggregates.close(day)


def _recount(day: int, aggregates: ClosingStore, records: Recount, products: Collection[str], wait: Wait) -> None:
    """Counts whom the day's records show and no stream has delivered yet."""
    known = {*products, UNKNOWN_PRODUCT, *aggregates.closing().scopes} - {CATALOGUE}
    refused: list[Refusal] = []
    for product in sorted(known):
        for some in _batches(records.sightings(product, date.fromordinal(day)), RECOUNTED_AT_ONCE):
            refused += count(some, aggregates, wait)
    # another run may have closed this day meanwhile, and days after it, and so dropped it from histories
    if refused and not aggregates.closing().is_closed(day):
        raise RecountIncomplete(f"{date.fromordinal(day)}: {len(refused)} not counted; {refused[0].cause}")


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
