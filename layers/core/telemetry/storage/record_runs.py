"""Partitions of records in descending order, each read a little at a time: how much, and in which order they come."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, Self

from pynamodb.pagination import ResultIterator

from telemetry.domain.instant import to_nearest_millisecond
from telemetry.storage.record_item import RecordItem
from telemetry.storage.selection import Listed

_MOST_PER_READ = 200
_NARROW_READS = (200, 2_000)  # what one read looks at, of a narrow selection; from the third on all that DynamoDB gives
_NARROW_AT_FIRST = 4_000  # of all partitions together

StartKey = dict[str, dict[str, Any]]
"""Where a Query or Scan goes on, in DynamoDB's notation."""

Position = tuple[Any, ...]
"""After which record a list goes on: (received, epoch ms; partition; sort) by receipt, (sort; partition) by event time.

What is listed has ever smaller positions. `(ms, "", "")` stands before all that was received in that millisecond, and
behind all that came later.
"""


class Step(NamedTuple):
    """How far a list has come, and the record there; None where there is none to be seen."""

    at: Position
    record: Listed | None


@dataclass(slots=True)
class Demand:
    """How many records will be taken; whoever takes more is taken to want as many again, and so on."""

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
    """How much one read looks at.

    A run that is alone is read by as many records as are wanted. Beside others, it gets its share of half of these, and
    no more than were taken of it: the newest records may all be in another. Of a narrow selection hardly anything may
    fit, so each read looks at much more than the one before.
    """

    demand: Demand
    least: int
    is_narrow: bool

    def count(self, reads: int, took: int, alive: int) -> int | None:
        """Of the read after so many; `alive` runs are not yet read to their ends. None: as much as DynamoDB gives."""
        if self.is_narrow:
            if reads == 0:
                return max(self.least, min(_NARROW_READS[0], _NARROW_AT_FIRST // alive))
            return _NARROW_READS[reads] if reads < len(_NARROW_READS) else None
        left = self.demand.left
        share = left if alive == 1 else min(took, left // (2 * alive))
        return max(self.least, min(share, _MOST_PER_READ))


class Run:
    """One partition in descending order, read a little at a time."""

    def __init__(
        self,
        query: Callable[..., ResultIterator[RecordItem]],
        order: "type[ReceiptOrder | EventTimeOrder]",
        pace: Pace,
    ) -> None:
        self._query = query
        self._order = order
        self._pace = pace
        self._waiting: list[Step] = []
        self._next: StartKey | None = None
        self._reads = 0
        self._took = 0
        self.is_read = False

    def read(self, alive: int) -> None:
        """Reads on; `alive` runs are not yet read to their ends, this one among them."""
        count = self._pace.count(self._reads, self._took, alive)
        page = QueryPage.of(self._query(page_size=count, last_evaluated_key=self._next))
        self._waiting, self._next = [self._order.step(item) for item in page.items], page.next
        if self._next and self._pace.is_narrow:
            self._waiting.append(self._order.read_to(self._next))
        self._reads += 1
        self.is_read = self._next is None

    def steps(self, siblings: Sequence["Run"], ask: Callable[[], None]) -> Iterator[Step]:
        """All of it; the first records have been read. `ask` is called before others are."""
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
        """To where reading has come: of that millisecond there may be more, with any keys."""
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
        """To where reading has come."""
        return Step((key["s"]["S"], key["p"]["S"]), None)


def ties_in_order(steps: Iterator[Step]) -> Iterator[Step]:
    """An index leaves open in which order equal sort keys come.

    A step to where reading has come stands before ties of which there may be more.
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
    """One answer to a Query or Scan, and the key after which it goes on. PynamoDB alone would ask until one fits."""

    items: list[RecordItem]
    scanned: int
    next: StartKey | None

    @classmethod
    def of(cls, found: ResultIterator[RecordItem]) -> Self:
        """Makes the request."""
        answer: Any = next(found.page_iter)
        items = [RecordItem.from_raw_data(item) for item in answer["Items"]]
        return cls(items, answer["ScannedCount"], answer.get("LastEvaluatedKey"))
