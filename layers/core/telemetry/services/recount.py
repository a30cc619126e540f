"""Counts a day of a product from its records: at once or, when there are too many for one invocation, in parts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, pairwise
from math import ceil
from typing import Protocol, TypeVar

from telemetry.domain.active_users import Refusal
from telemetry.domain.errors import TelemetryError
from telemetry.domain.recount import BUCKETS, HOURS, Counting, LicenseCount, Recount, Unit
from telemetry.domain.sighting import Observation
from telemetry.retry import Wait, wait_with_jitter
from telemetry.services.counting import ActorStore, count

RECORDS_AT_ONCE = 500_000
"""What one invocation may count: at 2,000 a second it takes a third of the 15 minutes it has."""

COUNTED_AT_ONCE = 20_000

T = TypeVar("T")


class RecountIncomplete(TelemetryError):
    """A day's records show users who could not be counted, so it must not be closed."""


class _TooMany(Exception):
    """There are many more records than expected."""


class DayRecords(Protocol):
    """The records of one environment."""

    def observations(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = range(HOURS)
    ) -> Iterator[Observation]:
        """Partition by partition, each in order of receipt."""

    def shard_count(self, day: date) -> int:
        """Into how many shards the index spreads a day."""


class Parts(Protocol):
    """Where counted parts wait for each other."""

    def summary(self, unit: Unit) -> Recount | None:
        """A part without its licences; None when it has not been counted."""

    def licenses(self, unit: Unit, bucket: int) -> Recount:
        """A part's licences alone, those of one bucket."""

    def put(self, unit: Unit, recount: Recount, now: datetime) -> None:
        """Keeps a part for some days."""


Dispatch = Callable[[Unit], None]
"""Has a unit counted by another invocation; it may be asked for again."""


@dataclass(frozen=True, slots=True)
class Recounter:
    """Counts from records. Users it finds that nobody has counted yet are moved, where that is asked for."""

    records: DayRecords
    actors: ActorStore
    parts: Parts
    dispatch: Dispatch
    records_at_once: int = RECORDS_AT_ONCE
    wait: Wait = wait_with_jitter

    def recount(self, product: str, day: date, expected: int, pass_: str, *, counts_users: bool) -> Recount | None:
        """The day, of which about so many records are expected; None while parts of it are still being counted.

        Raises RecountIncomplete, StoreUnavailable.
        """
        if expected <= self.records_at_once:
            try:
                observations = self._few(self.records.observations(product, day))
                return self._count(observations, day, counts_users=counts_users)
            except _TooMany:  # nobody has counted them live: their number can only be guessed
                expected = self.records_at_once * self.records.shard_count(day) * HOURS
        units = self._units(product, day, expected, pass_, counts_users=counts_users)
        summaries = [(unit, self.parts.summary(unit)) for unit in units]
        if missing := [unit for unit, summary in summaries if summary is None]:
            for unit in missing:
                self.dispatch(unit)
            return None
        whole = Recount()
        for _, summary in summaries:
            if summary:
                whole.merge(summary)
        whole.licenses = self._top_licenses(units)
        return whole

    def count_unit(self, unit: Unit, now: datetime) -> None:
        """Counts a part and keeps it; again is the same as once."""
        hours = range(unit.first_hour, unit.end_hour)
        observations = self.records.observations(unit.product, unit.day, [unit.shard], hours)
        self.parts.put(unit, self._count(observations, unit.day, counts_users=unit.counts_users), now)

    def _units(self, product: str, day: date, expected: int, pass_: str, *, counts_users: bool) -> list[Unit]:
        shards = self.records.shard_count(day)
        blocks = min(HOURS, ceil(expected / shards / self.records_at_once))
        bounds = [HOURS * block // blocks for block in range(blocks + 1)]
        return [
            Unit(product, day, pass_, shard, first, end, counts_users)
            for shard in range(shards)
            for first, end in pairwise(bounds)
        ]

    def _top_licenses(self, units: Sequence[Unit]) -> dict[str, LicenseCount]:
        """Bucket by bucket: a licence's parts are all in the same one, and no two buckets need to be in memory."""
        foremost = Recount()
        for bucket in range(BUCKETS):
            merged = Recount()
            for unit in units:
                merged.merge(self.parts.licenses(unit, bucket))
            foremost.licenses |= merged.top_licenses()
        return foremost.licenses

    def _few(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        for number, seen in enumerate(observations):
            if number > 2 * self.records_at_once:
                raise _TooMany
            yield seen

    def _count(self, observations: Iterable[Observation], day: date, *, counts_users: bool) -> Recount:
        counting, refused = Counting(), list[Refusal]()
        for some in _batches(observations, COUNTED_AT_ONCE):
            for seen in some:
                counting.add(seen)
            if counts_users:
                refused += count((seen.sighting for seen in some), self.actors, self.wait)
        # another run may have closed this day meanwhile, and days after it, and so dropped it from histories
        if refused and not self.actors.closing().is_closed(day.toordinal()):
            raise RecountIncomplete(f"{day}: {len(refused)} not counted; {refused[0].cause}")
        return counting.done()


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
