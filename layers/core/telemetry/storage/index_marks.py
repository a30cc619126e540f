"""Marks: which partitions of the records' index may hold something. They lie beside the records, and in no index.

A process inserts the mark of a partition, once, before its first record in there; without it no record is stored. So a
partition without a mark is empty, and nobody has to look into it. A mark alone says little: its record may never have
come.

pk `M2026-11-21`, sk `acme-cli#2026-11-21#c#3`: the day of receipt, and the partition as `IndexPartition` has it.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from cachetools import LRUCache

from telemetry.domain.instant import midnight, to_seconds
from telemetry.domain.keys import key_text
from telemetry.domain.retention import LONGEST_DAYS
from telemetry.storage.index_partition import IndexPartition
from telemetry.storage.record_item import RecordItem
from telemetry.storage.tables import bind

_REMEMBERED = 50_000
"""Partitions, some 10 MB. One that is forgotten costs a write unit, no more."""

_KEPT = timedelta(days=LONGEST_DAYS + 2)
"""After the beginning of the day: for longer than any record of it, whatever the retention is or will be."""


class KnownMarks:
    """The partitions whose marks this process knows to be there."""

    def __init__(self) -> None:
        self._known: LRUCache[str, bool] = LRUCache(_REMEMBERED)

    def missing(self, partitions: Iterable[str]) -> list[str]:
        """Those that are to be marked first, each once."""
        return [each for each in dict.fromkeys(partitions) if each not in self._known]

    def note(self, partitions: Iterable[str]) -> None:
        """Their marks are durable."""
        self._known.update(dict.fromkeys(partitions, True))


def mark_item(partition: str) -> dict[str, Any]:
    """The mark of a partition, in DynamoDB's notation: always the same one."""
    day = IndexPartition.parse(partition).day
    expires_at = to_seconds(midnight(day) + _KEPT)
    return {"p": {"S": _marks(day)}, "s": {"S": partition}, "x": {"N": str(expires_at)}}


def read_marks(
    table: str, day: date, products: Collection[str] | None = None, *, consistent: bool = False
) -> Iterator[IndexPartition]:
    """The marked partitions of a day, in order; only those of some products, if these are given.

    One request, unless there are many thousands.
    """
    model = bind(RecordItem, table)
    wanted = None if products is None else frozenset(products)
    of_one = model.sort.startswith(f"{key_text(*wanted)}#") if wanted and len(wanted) == 1 else None
    found = model.query(_marks(day), of_one, consistent_read=consistent, attributes_to_get=["p", "s"])
    partitions = (IndexPartition.parse(item.sort) for item in found)
    return (each for each in partitions if wanted is None or each.product in wanted)


def _marks(day: date) -> str:
    return f"M{day.isoformat()}"
