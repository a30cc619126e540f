"""How often licensing was asked, and what it answered, by hour and product."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path

from telemetry.domain.instant import hour_text, to_seconds
from telemetry.domain.licensing import Calls, DeviceAction
from telemetry.storage.errors import store
from telemetry.storage.tables import CountersItem, bind

RETENTION = timedelta(days=400)

_PARTITION = "licensing"
_ACTIONS = frozenset(action.value for action in DeviceAction)


class LicensingHourItem(CountersItem):
    """An hour (UTC) of a product. pk `licensing`, sk `2026-11-21T08#acme-desktop` (or `2026-11-21T08#~unknown`).

    Its counters are like `activate_302`. One partition holds all products: their hours are then read in one request,
    and a call costs no second write for all together.
    """

    pk = UnicodeAttribute(hash_key=True, default=_PARTITION)
    expires_at = NumberAttribute()

    @property
    def calls(self) -> Calls:
        named = ((name.partition("_"), count) for name, count in self.counters.items())
        return Counter(
            {(DeviceAction(action), int(code)): count for (action, _, code), count in named if action in _ACTIONS}
        )


@store("licensing counters")
@dataclass(frozen=True, slots=True)
class LicensingCounters:
    """The counters of one environment, in its aggregates table. Raises StoreUnavailable."""

    table: str

    def add(self, product: str, action: DeviceAction, code: int, now: datetime) -> None:
        """Counts one call: one write."""
        model = bind(LicensingHourItem, self.table)
        expires = model.expires_at.set(to_seconds(now + RETENTION))
        model(_PARTITION, f"{hour_text(now)}#{product}").update([Path(f"{action}_{code}").add(1), expires])

    def calls(self, first: datetime, last: datetime) -> dict[str, Calls]:
        """The calls by product of the hours from `first`'s to `last`'s, together: one request, unless they are many."""
        model, found = bind(LicensingHourItem, self.table), dict[str, Calls]()
        for item in model.query(_PARTITION, model.sk.between(hour_text(first), f"{hour_text(last)}$")):
            found.setdefault(item.sk.partition("#")[2], Counter()).update(item.calls)
        return found
