"""The products that records can be of."""

from typing import NamedTuple

from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.services.ports import Ledger
from telemetry.storage.products import ProductStore


class NamedProduct(NamedTuple):
    """A product as one chooses it."""

    id: str
    name: str


def product_list(store: ProductStore, ledger: Ledger) -> list[NamedProduct]:
    """All registered products by id, and last the unknown one if it ever had traffic. Raises StoreUnavailable."""
    products = store.all()
    found = [NamedProduct(id_, products[id_].name) for id_ in sorted(products)]
    if ledger.has_scope(UNKNOWN_PRODUCT):
        found.append(NamedProduct(UNKNOWN_PRODUCT, "Unknown product"))
    return found
