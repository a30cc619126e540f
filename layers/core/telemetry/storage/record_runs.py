"""Runs: partitions of records in descending order, each read a little at a time. How much, and in which order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, Self

from pynamodb.pagination import ResultIterator

from telemetry.domain.instant import to_nearest_millisecond
from telemetry.storage.record_item import RecordItem
from telemetry.storage.selection import Listed

_MOST_PER_READ = 200
_NARROW_READS = (200,)  # what one read looks at, of a narrow selection; from the second on all that DynamoDB gives
_NARROW_AT_FIRST = 4_000  # of all partitions together

StartKey = dict[str, dict[str, Any]]
"""The key after which a Query or Scan goes on, in DynamoDB's notation."""

Position = tuple[Any, ...]
"""The record after which a list goes on: (received, epoch ms; partition; sort) by receipt, else (sort; partition).

Positions get smaller along a list. `(ms, "", "")` comes after all that was received in that millisecond or later.
"""


class Step(NamedTuple):
    """How far a list has come, and the record there; None where there is none to be seen."""

    at: Position
    record: Listed | None


@dataclass(slots=True)
class Demand:
    """How many records a caller will take. One that takes more is expected to want twice as many, and so on."""

    wanted: int
    took: int = 0
    has_come_on: bool = False
    """Whether there was a step."""

    @property
    def left(self) -> int:
        while self.took >= self.wanted:
            self.wanted *= 2
        return self.wanted - self.took


@dataclass(frozen=True, slots=True)
class Pace:
    """How many records one read looks at.

    A run that is alone reads as many records as are wanted. One of several reads its share of half of them, and no more
    than were taken from it, since the newest records may all be in another run. Where the selection is narrow, perhaps
    almost nothing fits: each read then looks at much more than the one before. So it does while all records of a read
    tie (a batch of one user has one time of receipt): none of them can be told before the last is there.
    """

    demand: Demand
    least: int
    is_narrow: bool

    def count(self, reads: int, took: int, alive: int, tied: int) -> int | None:
        """For the read after `reads` others, while `alive` runs have more to read. None: as much as DynamoDB gives.

        The last read gave `tied` records, all of one time; 0 if they were not.
        """
        if self.is_narrow:
            if reads == 0:
                return max(self.least, min(_NARROW_READS[0], _NARROW_AT_FIRST // alive))
            return _NARROW_READS[reads] if reads < len(_NARROW_READS) else None
        left = self.demand.left
        share = left if alive == 1 else min(took, left // (2 * alive))
        return max(self.least, min(max(share, 2 * tied), _MOST_PER_READ))


class Run:
    """One partition in descending order, read a little at a time."""

    def __init__(
        self, query: Callable[..., ResultIterator[RecordItem]], order: "type[ReceiptOrder | EventTimeOrder]", pace: Pace
    ) -> None:
        self._query = query
        self._order = order
        self._pace = pace
        self._waiting: list[Step] = []
        self._next: StartKey | None = None
        self._reads = 0
        self._took = 0
        self._tied = 0
        self.is_read = False

    def read(self, alive: int) -> None:
        """Reads the next records, while `alive` runs have more to read, this one included."""
        count = self._pace.count(self._reads, self._took, alive, self._tied)
        page = QueryPage.of(self._query(page_size=count, last_evaluated_key=self._next))
        self._waiting, self._next = [self._order.step(item) for item in page.items], page.next
        is_tie = len(self._waiting) > 1 and self._waiting[0].at[0] == self._waiting[-1].at[0]
        self._tied = len(self._waiting) if is_tie else 0
        if self._next and self._pace.is_narrow:
            self._waiting.append(self._order.read_to(self._next))
        self._reads += 1
        self.is_read = self._next is None

    def steps(self, siblings: Sequence["Run"], ask: Callable[[], None]) -> Iterator[Step]:
        """All steps, after a first `read`. `ask` is called before each further read."""
        while True:
            for step in self._waiting:
                self._took += 1
                yield step
            if self.is_read:
                return
            ask()
            self.read(sum(not run.is_read for run in siblings))


class ReceiptOrder:
    """Steps in the order of the index."""

    @staticmethod
    def step(item: RecordItem) -> Step:
        """To a record."""
        record = Listed.of(item)
        return Step((to_nearest_millisecond(record.received_at), *record.key), record)

    @staticmethod
    def read_to(key: StartKey) -> Step:
        """To the place that reading has reached: that millisecond may have more records, with any keys."""
        return Step((int(key["t"]["N"]) + 1, "", ""), None)


class EventTimeOrder:
    """Steps in the order of base partitions."""

    @staticmethod
    def step(item: RecordItem) -> Step:
        """To a record."""
        record = Listed.of(item)
        return Step((record.key.sort, record.key.partition), record._replace(item=item))

    @staticmethod
    def read_to(key: StartKey) -> Step:
        """To the place that reading has reached."""
        return Step((key["s"]["S"], key["p"]["S"]), None)


def ties_in_order(steps: Iterator[Step]) -> Iterator[Step]:
    """Puts steps with equal sort keys into the order of positions: an index may give them in any order.

    A step to the place that reading has reached comes before ties that may have more members.
    """
    ties: list[Step] = []
    for step in steps:
        if ties and (ties[0].at[0] != step.at[0] if step.record else ties[0].at[0] >= step.at[0]):
            yield from sorted(ties, key=attrgetter("at"), reverse=True)
            ties = []
        if step.record:
            ties.append(step)
        else:
            yield step
    yield from sorted(ties, key=attrgetter("at"), reverse=True)


class QueryPage(NamedTuple):
    """One answer to a Query or Scan, and the key after which it goes on. PynamoDB would go on until an item fits."""

    items: list[RecordItem]
    scanned: int
    next: StartKey | None

    @classmethod
    def of(cls, found: ResultIterator[RecordItem]) -> Self:
        """Makes the request."""
        answer: Any = next(found.page_iter)
        items = [RecordItem.from_raw_data(item) for item in answer["Items"]]
        return cls(items, answer["ScannedCount"], answer.get("LastEvaluatedKey"))
