"""The products that records can be of."""

from typing import NamedTuple, Protocol

from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.storage.products import ProductStore


class Scopes(Protocol):
    """What had traffic in an environment."""

    def has_scope(self, scope: str) -> bool: ...


class NamedProduct(NamedTuple):
    """A product as one chooses it."""

    id: str
    name: str


def product_list(store: ProductStore, aggregates: Scopes) -> list[NamedProduct]:
    """All registered products by id, and last the unknown one if it ever had traffic. Raises StoreUnavailable."""
    products = store.all()
    found = [NamedProduct(id_, products[id_].name) for id_ in sorted(products)]
    if aggregates.has_scope(UNKNOWN_PRODUCT):
        found.append(NamedProduct(UNKNOWN_PRODUCT, "Unknown product"))
    return found
