"""How often licensing was asked, and what it answered, by product and hour."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.operand import Path
from pynamodb.models import Model

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.licensing import DeviceAction
from telemetry.storage.tables import bind

RETENTION = timedelta(days=400)

_ACTIONS = frozenset(action.value for action in DeviceAction)

Calls = Counter[tuple[DeviceAction, int]]
"""Calls by action and answer code."""


class LicensingHourItem(Model):
    """An hour of a product. pk `licensing#acme-desktop` (or `licensing#~unknown`), sk `2026-11-21T08` (UTC).

    Its counters are attributes like `activate_302`, so that ADD needs nothing to be there first.
    """

    class Meta:
        """Bound to a table by storage.tables.bind."""

        table_name = "unbound"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute()

    calls: Calls

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """An item as it was read, its counters too."""
        item = super().from_raw_data(data)
        named = ((name.partition("_"), value) for name, value in data.items())
        item.calls = Counter(
            {
                (DeviceAction(action), int(code)): int(value["N"])
                for (action, _, code), value in named
                if action in _ACTIONS
            }
        )
        return item


@dataclass(frozen=True, slots=True)
class LicensingCounters:
    """The counters of one environment, in its aggregates table. Raises StoreUnavailable."""

    table: str

    def add(self, product: str, action: DeviceAction, code: int, now: datetime) -> None:
        """Counts one call: one write."""
        model = bind(LicensingHourItem, self.table)
        expires = model.expires_at.set(int((now + RETENTION).timestamp()))
        try:
            model(_partition(product), _hour(now)).update([Path(f"{action}_{code}").add(1), expires])
        except PynamoDBException as exc:
            raise StoreUnavailable("licensing counters") from exc

    def hours(self, product: str, first: datetime, last: datetime) -> Iterator[tuple[datetime, Calls]]:
        """The hours with calls from `first`'s to `last`'s, in order, each by its beginning."""
        model = bind(LicensingHourItem, self.table)
        try:
            for item in model.query(_partition(product), model.sk.between(_hour(first), _hour(last))):
                yield datetime.fromisoformat(f"{item.sk}:00+00:00"), item.calls
        except PynamoDBException as exc:
            raise StoreUnavailable("licensing counters") from exc


def _partition(product: str) -> str:
    return f"licensing#{product}"


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")
