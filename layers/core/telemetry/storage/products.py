"""The products of the registry, and which of them are remembered for a while."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cachetools import LRUCache
from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from telemetry.domain.errors import AlreadyExists, ChangedMeanwhile, NotFound, StoreUnavailable
from telemetry.domain.page import Page
from telemetry.domain.product import ActivityLevel, ActivityType, Product, is_product_id
from telemetry.storage.batches import batch_get
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.pages import read_page
from telemetry.storage.tables import TableItem, bind, found_item

if TYPE_CHECKING:
    from telemetry.domain.staff import AuditEntry

CACHE_SECONDS = 60
REREAD_SECONDS = 2

MOST_REMEMBERED = 1_000
"""Products that one process remembers."""

_PRODUCTS = "product"


class ProductItem(TableItem):
    """A product. pk `product`, sk its id: listed together, and found by their ids."""

    pk = UnicodeAttribute(hash_key=True, default=_PRODUCTS)
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    name = UnicodeAttribute()
    requires_license = BooleanAttribute(default=False)
    activity_types = JSONAttribute(null=True)
    """`[[key, label, level], …]`, in the order of their keys."""
    versions = UnicodeSetAttribute(null=True)
    is_active = BooleanAttribute(default=True)
    profiles = BooleanAttribute(null=True)
    """Absent: off."""
    version = NumberAttribute(default=1)


@store("products")
@dataclass(frozen=True, slots=True)
class ProductStore:
    """The products in the registry table. Raises StoreUnavailable."""

    table: str

    def all(self) -> Mapping[str, Product]:
        model = bind(ProductItem, self.table)
        return {item.id: _product(item) for item in model.query(_PRODUCTS)}

    def named(self, ids: Collection[str], *, consistent: bool = True) -> Mapping[str, Product]:
        """Those of these products that there are, by id: one request for each hundred."""
        model = bind(ProductItem, self.table)
        found = batch_get(model, [(_PRODUCTS, id_) for id_ in ids], consistent_read=consistent)
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

    def add(self, product: Product, entry: "AuditEntry") -> None:
        """Registers a new product. Raises AlreadyExists."""
        if not commit(self.table, [Write(self._item(product), ProductItem.pk.does_not_exist())], entry):
            raise AlreadyExists(f"product {product.id}")

    def change(self, product: Product, entry: "AuditEntry") -> Product:
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
            activity_types=[[each.key, each.label, each.level] for _, each in sorted(product.activity_types.items())]
            or None,
            versions=set(product.versions) or None,
            is_active=product.is_active,
            profiles=product.profiles or None,
            version=product.version,
        )


def _product(item: ProductItem) -> Product:
    return Product(
        id=item.id,
        name=item.name,
        requires_license=item.requires_license,
        activity_types={
            key: ActivityType(key, label, ActivityLevel(level)) for key, label, level in item.activity_types or ()
        },
        versions=frozenset(item.versions or ()),
        is_active=item.is_active,
        profiles=bool(item.profiles),
        version=int(item.version),
    )


class Products(Protocol):
    """Where products are found by id (ProductStore)."""

    def named(self, ids: Collection[str], *, consistent: bool = True) -> Mapping[str, Product]: ...


class _Read(NamedTuple):
    """A product as it was read at a moment."""

    product: Product
    at: float


class Catalogue:
    """Finds products by id, and remembers the MOST_REMEMBERED that were last asked for.

    Only that there is one is remembered: one registered a moment ago is known at once, and nobody registered is told
    only of what was just looked up, strongly consistent.
    """

    def __init__(
        self, products: Products, clock: Callable[[], float] = time.monotonic, most: int = MOST_REMEMBERED
    ) -> None:
        self._stored = products
        self._clock = clock
        self._read: LRUCache[str, _Read] = LRUCache(most)

    def find(self, product_id: str, max_age: float = CACHE_SECONDS) -> Product | None:
        """The product as it was at most `max_age` seconds ago, or None when nobody registered it."""
        return self.find_all([product_id], max_age).get(product_id)

    def find_all(self, product_ids: Collection[str], max_age: float = CACHE_SECONDS) -> Mapping[str, Product]:
        """The products with these ids as they were at most `max_age` seconds ago, without those nobody registered.

        One request for each hundred that have to be read. A product that was read once serves on while the registry
        cannot be read; raises StoreUnavailable if there is any other.
        """
        possible = [id_ for id_ in dict.fromkeys(product_ids) if is_product_id(id_)]
        known = {id_: read for id_ in possible if (read := self._read.get(id_))}
        new = [id_ for id_ in possible if id_ not in known]
        old = [id_ for id_, read in known.items() if self._clock() - read.at > max_age]
        if new or old:
            known |= self._refreshed(new, old)
        return {id_: known[id_].product for id_ in possible if id_ in known}

    def _refreshed(self, new: Sequence[str], old: Sequence[str]) -> Mapping[str, _Read]:
        """Products are never taken away, so only what may not be there at all must be read consistently."""
        try:
            found = self._stored.named([*new, *old], consistent=bool(new))
        except StoreUnavailable:
            if new:
                raise
            return {}
        read = {id_: _Read(product, self._clock()) for id_, product in found.items()}
        self._read.update(read)
        return read
