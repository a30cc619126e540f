"""The products of the registry, and which of them are remembered for a while."""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from telemetry.domain.errors import AlreadyExists, ChangedMeanwhile, NotFound, StoreUnavailable
from telemetry.domain.page import Page
from telemetry.domain.product import Product, is_product_id
from telemetry.domain.staff import AuditEntry
from telemetry.storage.batches import batch_get
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.pages import read_page
from telemetry.storage.tables import TableItem, bind, found_item

CACHE_SECONDS = 60
REREAD_SECONDS = 2

MOST_LOOKED_UP = 25
"""Names of one request that are looked for once more; any further one is unknown."""

_PRODUCTS = "product"


class ProductItem(TableItem):
    """A product. pk `product`, sk its id: there are few, and ingest reads them all at once."""

    pk = UnicodeAttribute(hash_key=True, default=_PRODUCTS)
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    name = UnicodeAttribute()
    requires_license = BooleanAttribute(default=False)
    activity_types = UnicodeSetAttribute(null=True)
    versions = UnicodeSetAttribute(null=True)
    is_active = BooleanAttribute(default=True)
    version = NumberAttribute(default=1)


@store("products")
@dataclass(frozen=True, slots=True)
class ProductStore:
    """The products in the registry table. Raises StoreUnavailable."""

    table: str

    def all(self) -> Mapping[str, Product]:
        model = bind(ProductItem, self.table)
        return {item.id: _product(item) for item in model.query(_PRODUCTS)}

    def named(self, ids: Collection[str]) -> Mapping[str, Product]:
        """Those of at most 100 products that there are, by id; strongly consistent, one request."""
        model = bind(ProductItem, self.table)
        found = batch_get(model, [(_PRODUCTS, id_) for id_ in ids], consistent_read=True)
        return {item.id: _product(item) for item in found}

    def get(self, id_: str) -> Product:
        """A product by id, strongly consistent. Raises NotFound."""
        if item := found_item(bind(ProductItem, self.table), _PRODUCTS, id_):
            return _product(item)
        raise NotFound(f"product {id_}")

    def page(self, limit: int, after: str | None) -> Page[Product]:
        model = bind(ProductItem, self.table)
        found = model.query(_PRODUCTS, model.id > after if after else None, consistent_read=True, page_size=limit + 1)
        return read_page(found, "sk", limit, lambda raw: _product(model.from_raw_data(raw)))

    def add(self, product: Product, entry: AuditEntry) -> None:
        """Registers a new product. Raises AlreadyExists."""
        if not commit(self.table, [Write(self._item(product), ProductItem.pk.does_not_exist())], entry):
            raise AlreadyExists(f"product {product.id}")

    def change(self, product: Product, entry: AuditEntry) -> Product:
        """Stores a product that was read at this version; gives it with the next. Raises ChangedMeanwhile."""
        changed = replace(product, version=product.version + 1)
        unchanged = ProductItem.version == product.version
        if not commit(self.table, [Write(self._item(changed), unchanged)], entry):
            raise ChangedMeanwhile(f"product {product.id}")
        return changed

    def put(self, product: Product) -> None:
        """Registers a product, or replaces it."""
        self._item(product).save()

    def _item(self, product: Product) -> ProductItem:
        return bind(ProductItem, self.table)(
            id=product.id,
            name=product.name,
            requires_license=product.requires_license,
            activity_types=set(product.activity_types) or None,
            versions=set(product.versions) or None,
            is_active=product.is_active,
            version=product.version,
        )


def _product(item: ProductItem) -> Product:
    return Product(
        id=item.id,
        name=item.name,
        requires_license=item.requires_license,
        activity_types=frozenset(item.activity_types or ()),
        versions=frozenset(item.versions or ()),
        is_active=item.is_active,
        version=int(item.version),
    )


class Products(Protocol):
    """Where products are listed (ProductStore)."""

    def all(self) -> Mapping[str, Product]: ...
    def named(self, ids: Collection[str]) -> Mapping[str, Product]: ...


class Catalogue:
    """Finds products by id. Only that there is one is remembered: one registered a moment ago is known at once."""

    def __init__(self, products: Products, clock: Callable[[], float] = time.monotonic) -> None:
        self._stored = products
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
            self._products |= self._stored.all()  # none is ever taken away
        except StoreUnavailable:
            if self._read_at == float("-inf"):
                raise
        self._read_at = self._clock()

    def _look_up(self, ids: Collection[str]) -> None:
        with suppress(StoreUnavailable):
            self._products |= self._stored.named(ids)
