"""The registry: products and API keys, across environments."""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from telemetry.domain.api_key import ApiKey, Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import AlreadyExists, ChangedMeanwhile, NotFound
from telemetry.domain.judge import Product
from telemetry.domain.staff import AuditEntry
from telemetry.storage.batches import batch_get
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.pages import Page, read_page
from telemetry.storage.tables import bind

_PRODUCTS = "product"
_API_KEY = "api_key"
_LOOKUP_HEX_DIGITS = 32


class ProductItem(Model):
    """A product. pk `product`, sk its id: there are few, and ingest reads them all at once."""

    class Meta:
        """Bound to a table by storage.tables.bind."""

        table_name = "unbound"

    pk = UnicodeAttribute(hash_key=True, default=_PRODUCTS)
    id = UnicodeAttribute(range_key=True, attr_name="sk")
    name = UnicodeAttribute()
    requires_license = BooleanAttribute(default=False)
    activity_types = UnicodeSetAttribute(null=True)
    versions = UnicodeSetAttribute(null=True)
    is_active = BooleanAttribute(default=True)
    version = NumberAttribute(default=1)


class ByKind(GlobalSecondaryIndex["ApiKeyItem"]):  # type: ignore[no-untyped-call]
    """Lists API keys of an environment, or of staff, oldest first."""

    class Meta:
        """Written once, in template.yaml; here for reading."""

        index_name = "by_kind"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    listed = UnicodeAttribute(range_key=True)


class ApiKeyItem(Model):
    """An API key. pk `api_key#<first half of the hash, hex>`, e.g. `api_key#9f86d081884c7d659a2feaa0c55ad015`.

    kind `api_key#production`, or `api_key#staff`; listed `<created, epoch ms>#<id>`.
    """

    class Meta:
        """Bound to a table by storage.tables.bind."""

        table_name = "unbound"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_API_KEY)
    key_hash = BinaryAttribute(legacy_encoding=False)
    key_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    listed = UnicodeAttribute()
    key_kind = UnicodeAttribute()
    name = UnicodeAttribute()
    prefix = UnicodeAttribute()
    last_four = UnicodeAttribute()
    environments = UnicodeSetAttribute()
    capabilities = UnicodeSetAttribute(null=True)
    role = UnicodeAttribute(null=True)
    product_id = UnicodeAttribute(null=True)
    is_active = BooleanAttribute(default=True)
    valid_until = NumberAttribute(null=True)
    allowed_networks = UnicodeSetAttribute(null=True)
    encrypted_secret = BinaryAttribute(null=True, legacy_encoding=False)

    by_kind = ByKind()


class ApiKeyPointer(Model):
    """Where the API key with an id lies. pk `api_key_id#k3f2a9c0d1`; `lies_at` is the other item's pk."""

    class Meta:
        """Bound to a table by storage.tables.bind."""

        table_name = "unbound"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_API_KEY)
    lies_at = UnicodeAttribute()


@store("registry")
@dataclass(frozen=True, slots=True)
class RegistryStore:
    """The registry table. Raises StoreUnavailable."""

    table: str

    def products(self) -> Mapping[str, Product]:
        """All products by id."""
        model = bind(ProductItem, self.table)
        return {item.id: _product(item) for item in model.query(_PRODUCTS)}

    def products_named(self, ids: Collection[str]) -> Mapping[str, Product]:
        """Those of at most 100 products that there are, by id; strongly consistent, one request."""
        model = bind(ProductItem, self.table)
        found = batch_get(model, [(_PRODUCTS, id_) for id_ in ids], consistent_read=True)
        return {item.id: _product(item) for item in found}

    def product(self, id_: str) -> Product:
        """A product by id, strongly consistent. Raises NotFound."""
        model = bind(ProductItem, self.table)
        try:
            return _product(model.get(_PRODUCTS, id_, consistent_read=True))
        except model.DoesNotExist as exc:
            raise NotFound(f"product {id_}") from exc

    def product_page(self, limit: int, after: str | None) -> Page[Product]:
        """A page of products by id."""
        model = bind(ProductItem, self.table)
        found = model.query(_PRODUCTS, model.id > after if after else None, consistent_read=True, page_size=limit + 1)
        return read_page(found, "sk", limit, lambda raw: _product(model.from_raw_data(raw)))

    def add_product(self, product: Product, entry: AuditEntry) -> None:
        """Registers a new product. Raises AlreadyExists."""
        if not commit(self.table, [Write(self._product_item(product), ProductItem.pk.does_not_exist())], entry):
            raise AlreadyExists(f"product {product.id}")

    def change_product(self, product: Product, entry: AuditEntry) -> Product:
        """Stores a product that was read at this version; gives it with the next. Raises ChangedMeanwhile."""
        changed = replace(product, version=product.version + 1)
        unchanged = ProductItem.version == product.version
        if not commit(self.table, [Write(self._product_item(changed), unchanged)], entry):
            raise ChangedMeanwhile(f"product {product.id}")
        return changed

    def put_product(self, product: Product) -> None:
        """Registers a product, or replaces it."""
        self._product_item(product).save()

    def _product_item(self, product: Product) -> ProductItem:
        item: ProductItem = bind(ProductItem, self.table)(
            id=product.id,
            name=product.name,
            requires_license=product.requires_license,
            activity_types=set(product.activity_types) or None,
            versions=set(product.versions) or None,
            is_active=product.is_active,
            version=product.version,
        )
        return item

    def api_key(self, key_hash: bytes) -> ApiKey | None:
        """The key with this hash (32 bytes), compared in constant time; None when nobody issued it."""
        model = bind(ApiKeyItem, self.table)
        try:
            item = model.get(_api_key_partition(key_hash), _API_KEY)
        except model.DoesNotExist:
            return None
        return api_key_of(item) if hmac.compare_digest(item.key_hash, key_hash) else None

    def put_api_key(
        self, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None, entry: AuditEntry | None = None
    ) -> None:
        """Stores a new key; never replaces one. Raises AlreadyExists."""
        item = api_key_item(self.table, key, key_hash, encrypted_secret)
        pointer = bind(ApiKeyPointer, self.table)(api_key_pointer(key.id), lies_at=item.pk)
        writes = [Write(item, ApiKeyItem.pk.does_not_exist()), Write(pointer, ApiKeyPointer.pk.does_not_exist())]
        if not commit(self.table, writes, entry):
            raise AlreadyExists(f"API key {key.id}")


def api_key_pointer(id_: str) -> str:
    """`api_key_id#k3f2a9c0d1`, of a key's id."""
    return f"{_API_KEY}_id#{id_}"


def api_key_kind(kind: KeyKind, environment: Environment) -> str:
    """`api_key#production`, or `api_key#staff`: what keys are listed under."""
    return f"{_API_KEY}#{kind if kind is KeyKind.STAFF else environment}"


def api_key_item(table: str, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None) -> ApiKeyItem:
    """The item of a key, not yet stored."""
    created = int(key.created_at.timestamp() * 1000) if key.created_at else 0
    item: ApiKeyItem = bind(ApiKeyItem, table)(
        pk=_api_key_partition(key_hash),
        key_hash=key_hash,
        key_id=key.id,
        kind=api_key_kind(key.kind, next(iter(key.environments))),
        listed=f"{created:013d}#{key.id}",
        key_kind=key.kind.value,
        name=key.name,
        prefix=key.prefix,
        last_four=key.last_four,
        environments=set(key.environments),
        capabilities=set(key.capabilities) or None,
        role=key.role.value if key.role else None,
        product_id=key.product_id,
        is_active=key.is_active,
        valid_until=int(key.expires_at.timestamp()) if key.expires_at else None,
        allowed_networks=set(key.allowed_networks) or None,
        encrypted_secret=encrypted_secret,
    )
    return item


def _api_key_partition(key_hash: bytes) -> str:
    return f"{_API_KEY}#{key_hash.hex()[:_LOOKUP_HEX_DIGITS]}"


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


def api_key_of(item: ApiKeyItem) -> ApiKey:
    """The key of an item."""
    created = int(item.listed.partition("#")[0])
    return ApiKey(
        id=item.key_id,
        kind=KeyKind(item.key_kind),
        name=item.name,
        prefix=item.prefix,
        last_four=item.last_four,
        environments=frozenset(Environment(name) for name in item.environments),
        capabilities=frozenset(Capability(name) for name in item.capabilities or ()),
        role=Role(item.role) if item.role else None,
        product_id=item.product_id,
        is_active=item.is_active,
        expires_at=datetime.fromtimestamp(item.valid_until, UTC) if item.valid_until is not None else None,
        allowed_networks=tuple(sorted(item.allowed_networks or ())),
        created_at=datetime.fromtimestamp(created / 1000, UTC) if created else None,
    )
