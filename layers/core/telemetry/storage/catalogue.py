"""The products of the registry, remembered for a while."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.judge import Product

CACHE_SECONDS = 60
REREAD_SECONDS = 2


class Products(Protocol):
    """Where products are listed."""

    def products(self) -> Mapping[str, Product]:
        """All products by id."""


class Catalogue:
    """Finds products by id. A product that is missing is looked for again unless the list is fresh.

    So a product registered a moment ago is known, and random ids cost at most one query in two seconds.
    """

    def __init__(self, registry: Products, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._products: Mapping[str, Product] = {}
        self._read_at = float("-inf")

    def find(self, product_id: str, max_age: float = CACHE_SECONDS) -> Product | None:
        """The product as it was at most `max_age` seconds ago, or None when nobody registered it.

        A list that was read once serves on while the registry cannot be read; raises StoreUnavailable without one.
        """
        age = self._clock() - self._read_at
        if age > max_age or (product_id not in self._products and age > REREAD_SECONDS):
            self._refresh()
        return self._products.get(product_id)

    def _refresh(self) -> None:
        try:
            self._products = self._registry.products()
        except StoreUnavailable:
            if self._read_at == float("-inf"):
                raise
        self._read_at = self._clock()
