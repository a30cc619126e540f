"""Summaries of closed days, in an environment's aggregates: for views over many days, and no part of the evidence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pynamodb.attributes import BinaryAttribute

from telemetry.domain.day_summary import DaySummary
from telemetry.domain.licensing import DeviceAction
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.errors import store
from telemetry.storage.tables import KeyedItem, bind


class SummaryItem(KeyedItem):
    """A day of a product or the catalogue. pk `summaries#acme-cli`, sk `2026-11-03`; b is JSON, deflated.

    About 200 B with a few versions, 1.6 KB with as many as there may be and names as long as they may be.
    """

    body = BinaryAttribute(attr_name="b", legacy_encoding=False)


@store("summaries")
@dataclass(frozen=True, slots=True)
class SummaryStore:
    """Reads and writes summaries. Raises StoreUnavailable."""

    table: str

    def put(self, summaries: Sequence[DaySummary]) -> None:
        """Writes them; again is the same as once."""
        model = bind(SummaryItem, self.table)
        with model.batch_write() as batch:
            for each in summaries:
                batch.save(model(_partition(each.scope), each.day.isoformat(), body=_packed(each)))

    def read(self, scope: str, first: date, last: date) -> list[DaySummary]:
        """The closed days from `first` to `last`, in order: one request for some hundred days."""
        model = bind(SummaryItem, self.table)
        days = model.sk.between(first.isoformat(), last.isoformat())
        return [_summary(scope, item) for item in model.query(_partition(scope), days)]


def _partition(scope: str) -> str:
    return f"summaries#{scope}"


def _packed(summary: DaySummary) -> bytes:
    calls = [[action, code, count] for (action, code), count in sorted(summary.calls.items())]
    return deflated_json([dict(summary.versions), calls, dict(summary.uses)])


def _summary(scope: str, item: SummaryItem) -> DaySummary:
    versions, calls, uses = inflated_json(item.body)
    counted = Counter({(DeviceAction(action), code): count for action, code, count in calls})
    return DaySummary(scope, date.fromisoformat(item.sk), versions, counted, uses)
