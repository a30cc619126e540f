"""The partitions of the records' index: one for each product, day, class and shard."""

from datetime import date
from typing import NamedTuple

from telemetry.domain.keys import key_text, text_of_key

CLEAN, FLAGGED, UNJUDGED = "c", "f", "u"
EVERY_CLASS = (CLEAN, FLAGGED, UNJUDGED)


class IndexPartition(NamedTuple):
    """The partition of the index that holds a record: `acme-cli#2026-11-21#c#3`.

    Product (as `key_text` has it), UTC day of receipt, clean, flagged or unjudged (`c`, `f`, `u`), shard.
    """

    product: str
    day: date
    record_class: str
    shard: int

    def __str__(self) -> str:
        return f"{key_text(self.product)}#{self.day.isoformat()}#{self.record_class}#{self.shard}"

    @classmethod
    def parse(cls, text: str) -> "IndexPartition":
        """The inverse of `str`."""
        product, day, record_class, shard = text.split("#")
        return cls(text_of_key(product), date.fromisoformat(day), record_class, int(shard))
