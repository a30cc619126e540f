"""Licences listed: filtered, sorted, each with its customer's name and when it was last seen; and as a file."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from telemetry.domain.errors import InvalidField
from telemetry.domain.license import License
from telemetry.domain.license_list import MOST_SORTED, LicenseFilter, LicenseOrder, sort_key
from telemetry.domain.page import Page
from telemetry.domain.record import license_named, partition_with
from telemetry.services.administration.stores import Stores
from telemetry.storage.records import RecordStore


@dataclass(frozen=True, slots=True)
class ListedLicense:
    """A licence as lists show it.

    `customer_name` is None without a customer, and of one that nobody registered. `last_seen` is when the record with
    the latest event time came in that was sent under the licence's own product, or under none.
    """

    license: License
    customer_name: str | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class LicenseList:
    """Lists the licences of one environment, as they are `now`. Raises StoreUnavailable."""

    stores: Stores
    records: RecordStore
    now: datetime

    def page(self, wanted: LicenseFilter, order: LicenseOrder, limit: int, after: str | None) -> Page[ListedLicense]:
        """A page. Raises InvalidField where so many licences cannot be had in this order."""
        found = self._in_order(wanted, order, limit, after)
        return Page(tuple(self.told(found.items)), found.next)

    def told(self, licenses: Sequence[License]) -> list[ListedLicense]:
        """The licences with what else lists show of them: their customers in one request, two for each last seen."""
        names, seen = self._names(licenses), self._last_seen(licenses)
        return [ListedLicense(each, names.get(each.customer_id or ""), seen.get(each.id)) for each in licenses]

    def _in_order(self, wanted: LicenseFilter, order: LicenseOrder, limit: int, after: str | None) -> Page[License]:
        if order.is_of_issue:
            return self.stores.licenses.page(wanted, self.now, limit, after, newest=order.is_descending)
        all_ = self._all(wanted)
        key = sort_key(order, self._names(all_) if "customer" in order.value else {}, self.now)
        return _sorted_page(all_, key, limit, after, is_descending=order.is_descending)

    def _all(self, wanted: LicenseFilter) -> Sequence[License]:
        page = self.stores.licenses.page(wanted, self.now, MOST_SORTED)
        if page.next is not None:
            raise InvalidField("sort", f"More than {MOST_SORTED:,} licences to look at: filter, or sort by issue")
        return page.items

    def _names(self, licenses: Sequence[License]) -> Mapping[str, str]:
        customers = self.stores.customers.many({each.customer_id for each in licenses if each.customer_id})
        return {id_: customer.name for id_, customer in customers.items()}

    def _last_seen(self, licenses: Sequence[License]) -> Mapping[str, datetime]:
        places = {
            partition_with(license_named(each.fingerprint), product): each.id
            for each in licenses
            for product in {each.product_id or "", ""}
        }
        seen: dict[str, datetime] = {}
        for place, moment in self.records.last_received(list(places), self.now).items():
            seen[places[place]] = max(moment, seen.get(places[place], moment))
        return seen


def _sorted_page(
    licenses: Sequence[License],
    key: Callable[[License], tuple[str, str]],
    limit: int,
    after: str | None,
    *,
    is_descending: bool,
) -> Page[License]:
    """A page of a list that was read whole. The position is the last one's key: nobody comes twice who did not move."""
    ranked = sorted(((key(each), each) for each in licenses), key=lambda each: each[0], reverse=is_descending)
    if after is not None:
        last = tuple(json.loads(after))
        ranked = [each for each in ranked if (each[0] < last if is_descending else each[0] > last)]
    shown = ranked[:limit]
    return Page(tuple(each for _, each in shown), json.dumps(shown[-1][0]) if len(ranked) > limit else None)
