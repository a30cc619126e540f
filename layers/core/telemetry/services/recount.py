"""Counts a day of a product from its records: at once or, when they are many, in parts that are kept and then merged.

Whatever ends an invocation, what it has kept stays, and the next one goes on from there.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count as numbers
from itertools import pairwise
from math import ceil, inf
from typing import Protocol
from uuid import uuid4

from telemetry.domain.active_users import Refusal
from telemetry.domain.errors import TelemetryError
from telemetry.domain.recount import HOURS, Counting, Recount, Unit
from telemetry.domain.sighting import Observation
from telemetry.retry import Wait, wait_with_jitter
from telemetry.services.counting import count
from telemetry.services.ports import DayRecords, Ledger
from telemetry.storage.batches import grouped

RECORDS_AT_ONCE = 100_000
"""Counted before anything is kept: a minute's work, and 200 MB of memory if each came with a licence of its own."""

SURPRISE = 2
"""Times RECORDS_AT_ONCE: with more records than this, a day of which fewer were expected is not counted at once."""

MOST_BY_ONE = 5
"""Times RECORDS_AT_ONCE. The parts of a larger day are counted by invocations of their own."""

MOST_OF_A_PART = 10
"""Times RECORDS_AT_ONCE; a part with more is cut finer, unless it is of one hour."""

COUNTED_AT_ONCE = 20_000

RECORDS_A_SECOND = 1_000
"""Records that are counted in a second at least, also when none of their users was counted before."""

RESERVE_SECONDS = 5
"""With less than this left of an invocation, nothing more is begun."""

_READ_AT_ONCE = 50


class RecountIncomplete(TelemetryError):
    """A day's records show users who could not be counted, so it must not be closed."""


class MoreThanExpected(TelemetryError):
    """There are so many more records than expected that their day has to be cut into finer parts."""


class _OutOfTime(TelemetryError):
    """The invocation ends soon."""


@dataclass(slots=True)
class Allowance:
    """How much of an invocation is left. The first work may take all of it, so that each run gets further."""

    seconds_left: Callable[[], float] = lambda: inf
    _begun: int = 0

    def allows(self, records: int = 0) -> bool:
        """Whether there is time to count this many records; if so, counting them is taken to begin."""
        if self._begun and self.seconds_left() < RESERVE_SECONDS + records / RECORDS_A_SECOND:
            return False
        self._begun += 1
        return True

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._begun > 0 and self.seconds_left() < RESERVE_SECONDS

    def check(self, records: int) -> None:
        """To be called in the middle of counting. Raises _OutOfTime if there is no time for this many more records."""
        if self._begun > 1 and self.seconds_left() < records / RECORDS_A_SECOND:
            raise _OutOfTime


class Parts(Protocol):
    """Where counted parts wait for each other (storage.recount_parts.PartStore)."""

    def put_tables(self, unit: Unit, copy: str, number: int, tables: Recount, now: datetime) -> None: ...
    def put(self, unit: Unit, copy: str, summary: Recount, now: datetime) -> None: ...
    def summaries(self, units: Collection[Unit]) -> dict[Unit, Recount]: ...
    def tables(self, unit: Unit, bucket: int) -> Recount: ...


Dispatch = Callable[[Unit], None]
"""Asks another invocation to count a unit; it may be asked again."""


@dataclass(frozen=True, slots=True)
class Recounter:
    """Counts from records. Users it finds that nobody has counted yet are moved, where that is asked for."""

    records: DayRecords
    actors: Ledger
    parts: Parts
    dispatch: Dispatch
    records_at_once: int = RECORDS_AT_ONCE
    wait: Wait = wait_with_jitter
    allowance: Allowance = field(default_factory=Allowance)

    def recount(
        self, product: str, day: date, expected: int, pass_: str, now: datetime, *, counts_users: bool
    ) -> Recount | None:
        """The count of a day with about `expected` records; None while some of it is still to be counted.

        Raises MoreThanExpected, RecountIncomplete, StoreUnavailable.
        """
        try:
            if self.is_in_parts(expected):
                return self._in_parts(self._units(product, day, expected, pass_, counts_users=counts_users), now)
            return self._at_once(product, day, expected, counts_users=counts_users)
        except _OutOfTime:
            return None

    def is_in_parts(self, expected: int) -> bool:
        """Whether a day with this many records is counted in parts."""
        return expected > self.records_at_once

    def finest(self, day: date) -> int:
        """The number of records that makes parts of one hour each: for a day whose number of records is not known."""
        return self.records_at_once * self.records.shard_count(day) * HOURS

    def count_unit(self, unit: Unit, now: datetime) -> None:
        """Counts a part and keeps it; it may be done again. Raises as `recount` does."""
        observations = self.records.observations(
            unit.product, unit.day, [unit.shard], range(unit.first_hour, unit.end_hour)
        )
        if unit.end_hour - unit.first_hour > 1:
            observations = _at_most(MOST_OF_A_PART * self.records_at_once, observations)
        copy, pieces, summary = uuid4().hex[:8], numbers(), Recount()
        for summary in self._steps(observations, unit.day, counts_users=unit.counts_users):
            self.parts.put_tables(unit, copy, next(pieces), summary.take_tables(), now)
        self.parts.put(unit, copy, summary, now)

    def _at_once(self, product: str, day: date, expected: int, *, counts_users: bool) -> Recount | None:
        if not self.allowance.allows(expected):
            return None
        observations = _at_most(SURPRISE * self.records_at_once, self.records.observations(product, day))
        *_, whole = self._steps(observations, day, counts_users=counts_users)
        return whole

    def _in_parts(self, units: Sequence[Unit], now: datetime) -> Recount | None:
        if not self._count_missing(units, now):
            return None
        whole = Recount()
        for part in self.parts.summaries(units).values():
            whole.merge(part)
        for some in grouped(range(units[0].buckets), _READ_AT_ONCE):
            kept = self.parts.summaries([units[0].merging(bucket) for bucket in some])
            for bucket in some:
                settled = kept.get(units[0].merging(bucket)) or self._settle(units, bucket, now)
                if settled is None:
                    return None
                whole.merge(settled)
        return whole

    def _count_missing(self, units: Sequence[Unit], now: datetime) -> bool:
        """Whether all of them are counted afterwards."""
        kept = self.parts.summaries(units)
        missing = [unit for unit in units if unit not in kept]
        if units[0].buckets > MOST_BY_ONE:
            for unit in missing:
                self.dispatch(unit)
            return not missing
        for unit in missing:
            if not self.allowance.allows(self.records_at_once):
                return False
            self.count_unit(unit, now)
        return True

    def _settle(self, units: Sequence[Unit], bucket: int, now: datetime) -> Recount | None:
        """The foremost versions and licences of a bucket, in which all parts have what belongs together."""
        if not self.allowance.allows(self.records_at_once):
            return None
        merged = Recount()
        for unit in units:
            merged.merge(self.parts.tables(unit, bucket))
        settled = merged.settle(units[0].product)
        self.parts.put(units[0].merging(bucket), "", settled, now)
        return settled

    def _units(self, product: str, day: date, expected: int, pass_: str, *, counts_users: bool) -> list[Unit]:
        shards, buckets = self.records.shard_count(day), ceil(expected / self.records_at_once)
        blocks = min(HOURS, ceil(buckets / shards))
        bounds = [HOURS * block // blocks for block in range(blocks + 1)]
        return [
            Unit(product, day, pass_, shard, first, end, counts_users, buckets)
            for shard in range(shards)
            for first, end in pairwise(bounds)
        ]

    def _steps(self, observations: Iterable[Observation], day: date, *, counts_users: bool) -> Iterator[Recount]:
        """The count so far, each time that it may be large; at the end all of it."""
        counting, refused, size = Counting(), list[Refusal](), min(COUNTED_AT_ONCE, self.records_at_once)
        for number, some in enumerate(grouped(observations, size)):
            if number and number % (self.records_at_once // size) == 0:
                yield counting.result
            for seen in some:
                counting.add(seen)
            if counts_users:
                refused += count((seen.sighting for seen in some), self.actors, self.wait)
            if len(some) == size:  # more are to come
                self.allowance.check(size)
        # another run may have closed this day since, and days after it, and so dropped it from histories
        if refused and not self.actors.closing().is_closed(day.toordinal()):
            raise RecountIncomplete(f"{day}: {len(refused)} not counted; {refused[0].cause}")
        yield counting.done()


def _at_most(most: int, observations: Iterable[Observation]) -> Iterator[Observation]:
    for number, seen in enumerate(observations):
        if number >= most:
            raise MoreThanExpected(f"{seen.sighting.product} on {seen.sighting.day}: more than {most} records")
        yield seen
