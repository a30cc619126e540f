"""The products of the registry, remembered for a while."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from telemetry.domain.judge import Product

CACHE_SECONDS = 60
_REREAD_SECONDS = 2


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

    def find(self, product_id: str) -> Product | None:
        """The product, or None when nobody registered it. Raises StoreUnavailable."""
        age = self._clock() - self._read_at
        if age > CACHE_SECONDS or (product_id not in self._products and age > _REREAD_SECONDS):
            self._products = self._registry.products()
            self._read_at = self._clock()
        return self._products.get(product_id)
