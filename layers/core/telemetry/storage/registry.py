"""The registry: products and API keys, across environments."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from telemetry.domain.api_key import ApiKey, Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.judge import Product
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


class ApiKeyItem(Model):
    """An API key. pk `api_key#<first half of the hash, hex>`, e.g. `api_key#9f86d081884c7d659a2feaa0c55ad015`."""

    class Meta:
        """Bound to a table by storage.tables.bind."""

        table_name = "unbound"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_API_KEY)
    key_hash = BinaryAttribute(legacy_encoding=False)
    key_id = UnicodeAttribute()
    kind = UnicodeAttribute()
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


@dataclass(frozen=True, slots=True)
class RegistryStore:
    """The registry table. Raises StoreUnavailable when it cannot be read."""

    table: str

    def products(self) -> Mapping[str, Product]:
        """All products by id."""
        model = bind(ProductItem, self.table)
        try:
            return {item.id: _product(item) for item in model.query(_PRODUCTS)}
        except PynamoDBException as exc:
            raise StoreUnavailable("products") from exc

    def put_product(self, product: Product) -> None:
        """Registers a product, or replaces it."""
        bind(ProductItem, self.table)(
            id=product.id,
            name=product.name,
            requires_license=product.requires_license,
            activity_types=set(product.activity_types) or None,
            versions=set(product.versions) or None,
            is_active=product.is_active,
        ).save()

    def api_key(self, key_hash: bytes) -> ApiKey | None:
        """The key with this hash (32 bytes), compared in constant time; None when nobody issued it."""
        model = bind(ApiKeyItem, self.table)
        try:
            item = model.get(_api_key_partition(key_hash), _API_KEY)
        except model.DoesNotExist:
            return None
        except PynamoDBException as exc:
            raise StoreUnavailable("API keys") from exc
        return _api_key(item) if hmac.compare_digest(item.key_hash, key_hash) else None

    def put_api_key(self, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None) -> None:
        """Stores a new key; never replaces one."""
        model = bind(ApiKeyItem, self.table)
        model(
            pk=_api_key_partition(key_hash),
            key_hash=key_hash,
            key_id=key.id,
            kind=key.kind.value,
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
        ).save(condition=model.pk.does_not_exist())


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
    )


def _api_key(item: ApiKeyItem) -> ApiKey:
    return ApiKey(
        id=item.key_id,
        kind=KeyKind(item.kind),
        name=item.name,
        prefix=item.prefix,
        last_four=item.last_four,
        environments=frozenset(Environment(name) for name in item.environments),
        capabilities=frozenset(Capability(name) for name in item.capabilities or ()),
        role=Role(item.role) if item.role else None,
        product_id=item.product_id,
        is_active=item.is_active,
        expires_at=datetime.fromtimestamp(item.valid_until, UTC) if item.valid_until else None,
        allowed_networks=tuple(sorted(item.allowed_networks or ())),
    )
