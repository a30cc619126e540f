"""How many records there are of each day, counted in the index without reading one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock

from botocore.exceptions import BotoCoreError, ClientError

from telemetry.domain.errors import StoreUnavailable
from telemetry.storage.browse import EVERY_CLASS, Effort
from telemetry.storage.records import ByReceived, RecordStore, index_partition

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class IndexCount:
    """The records of one environment that count for these products and have not expired `now`.

    Raises SearchTooWide when `effort` is spent (an index entry is a record looked at), StoreUnavailable.
    """

    store: RecordStore
    products: Sequence[str]
    now: datetime
    effort: Effort
    _lock: Lock = field(default_factory=Lock)

    def records_by_day(self, first: date, last: date) -> Mapping[date, int]:
        """The number of records received on each UTC day from first to last that has any."""
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        partitions = [
            (day, index_partition(product, day, record_class, shard))
            for day in days
            for product in self.products
            for record_class in EVERY_CLASS
            for shard in range(self.store.shards.on(day))
        ]
        counted: Counter[date] = Counter()
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            counts = threads.map(self._count, [name for _, name in partitions])
            for (day, _), count in zip(partitions, counts, strict=True):
                counted[day] += count
        return +counted

    def _count(self, partition: str) -> int:
        pages = (
            self.store.client()
            .get_paginator("query")
            .paginate(
                TableName=self.store.table,
                IndexName=ByReceived.Meta.index_name,
                Select="COUNT",
                KeyConditionExpression="g = :partition",
                FilterExpression="x > :now",
                ExpressionAttributeValues={
                    ":partition": {"S": partition},
                    ":now": {"N": str(int(self.now.timestamp()))},
                },
            )
        )
        count = 0
        self._spend(0)
        try:
            for page in pages:
                self._spend(page["ScannedCount"])
                count += page["Count"]
        except (BotoCoreError, ClientError) as exc:
            raise StoreUnavailable("records") from exc
        return count

    def _spend(self, records: int) -> None:
        with self._lock:
            self.effort.spend(records)
