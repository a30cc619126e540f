"""The products that records can be of."""

from collections.abc import Callable
from typing import NamedTuple

from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.storage.products import ProductStore


class NamedProduct(NamedTuple):
    """A product as one chooses it."""

    id: str
    name: str


def product_list(store: ProductStore, had_records: Callable[[str], bool]) -> list[NamedProduct]:
    """All registered products by id, and last the unknown one if it ever had traffic. Raises StoreUnavailable.

    It has a report of each day also without any.
    """
    products = store.all()
    found = [NamedProduct(id_, products[id_].name) for id_ in sorted(products)]
    if had_records(UNKNOWN_PRODUCT):
        found.append(NamedProduct(UNKNOWN_PRODUCT, "Unknown product"))
    return found
