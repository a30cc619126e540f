"""Judges records after they were stored. A judgement is stored beside its record; the record is never changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.event import Event
from telemetry.domain.judge import EventProducts, LicenseView, Verdict, judge
from telemetry.domain.product import Product
from telemetry.domain.record import Record, RecordKey
from telemetry.retry import Deadline
from telemetry.storage.batches import grouped
from telemetry.storage.inserts import Insertion
from telemetry.storage.records import RecordStore

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges stored records by what the registry says now."""

    environment: Environment
    products: Mapping[str, Product]
    licenses: Callable[[Sequence[Event], Environment, float], list[LicenseView]]
    event_of: Callable[[Record], Event]

    def verdicts(self, records: Sequence[Record]) -> list[Verdict]:
        """The flags that the records would have if they were received under today's registry.

        The flags that a record was stored with do not change: these are shown beside them. Rules that depend on time
        (clock skew, expiry by date) use the time of receipt. Raises StoreUnavailable.
        """
        events = [self.event_of(record) for record in records]
        views = self.licenses(events, self.environment, float("inf"))  # nothing remembered is recent enough
        return [
            judge(event, view, self._products(event, record), self.environment, record.received_at)
            for event, view, record in zip(events, views, records, strict=True)
        ]

    def _products(self, event: Event, record: Record) -> EventProducts:
        """The product a record was stored under stands in for the API key's."""
        named = self.products.get(event.product_id) if event.product_id else None
        return EventProducts(named, self.products.get(record.product))


def judge_stored(
    unjudged: Iterable[RecordKey], records: RecordStore, judge: Judge, now: datetime, deadline: Deadline
) -> int:
    """Judges records that were stored while the registry could not be read; gives how many.

    A record whose body cannot be read stays unjudged, and bills nobody. Raises StoreUnavailable when others cannot be
    judged, and the day must wait. Each has as long as the deadline at first.
    """
    readable = (record for key in unjudged if (record := records.get(key)) and record.has_body)
    return sum(_keep(records, judge, some, now, deadline) for some in grouped(readable, _AT_ONCE))


def _keep(records: RecordStore, judge: Judge, waiting: Sequence[Record], now: datetime, deadline: Deadline) -> int:
    for record, verdict in zip(waiting, judge.verdicts(waiting), strict=True):
        if records.add_judgement(record, verdict, now, deadline.anew()) is Insertion.UNAVAILABLE:
            raise StoreUnavailable("judgements")
    return len(waiting)
