"""The products of the registry, remembered for a while."""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from itertools import islice
from typing import Protocol

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.judge import Product, is_product_id

CACHE_SECONDS = 60
REREAD_SECONDS = 2

MOST_LOOKED_UP = 25
"""Names of one request that are looked for once more; any further one is unknown."""


class Products(Protocol):
    """Where products are listed."""

    def products(self) -> Mapping[str, Product]:
        """All products by id."""

    def products_named(self, ids: Collection[str]) -> Mapping[str, Product]:
        """Those of these ids that there are; strongly consistent, one request."""


class Catalogue:
    """Finds products by id. Only that there is one is remembered: one registered a moment ago is known at once."""

    def __init__(self, registry: Products, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._products: dict[str, Product] = {}
        self._read_at = float("-inf")

    def find(self, product_id: str, max_age: float = CACHE_SECONDS) -> Product | None:
        """The product as it was at most `max_age` seconds ago, or None when nobody registered it."""
        return self.find_all([product_id], max_age).get(product_id)

    def find_all(self, product_ids: Collection[str], max_age: float = CACHE_SECONDS) -> Mapping[str, Product]:
        """The products with these ids as they were at most `max_age` seconds ago, without those nobody registered.

        What is not in the list is looked for by its id: the first MOST_LOOKED_UP, in one request. A list that was read
        once serves on while the registry cannot be read; raises StoreUnavailable without one.
        """
        if self._clock() - self._read_at > max_age:
            self._refresh()
        unknown = (id_ for id_ in dict.fromkeys(product_ids) if id_ not in self._products and is_product_id(id_))
        if wanted := list(islice(unknown, MOST_LOOKED_UP)):
            self._look_up(wanted)
        return {id_: self._products[id_] for id_ in product_ids if id_ in self._products}

    def _refresh(self) -> None:
        try:
            self._products |= self._registry.products()  # none is ever taken away
        except StoreUnavailable:
            if self._read_at == float("-inf"):
                raise
        self._read_at = self._clock()

    def _look_up(self, ids: Collection[str]) -> None:
        with suppress(StoreUnavailable):
            self._products |= self._registry.products_named(ids)
