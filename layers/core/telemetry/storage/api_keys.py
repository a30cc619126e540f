"""API keys: found by their secret's hash or by id, listed, issued, given another secret, revoked."""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from telemetry.domain.api_key import ApiKey, Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import AlreadyExists, ChangedMeanwhile, NotFound
from telemetry.domain.instant import from_milliseconds, from_seconds, to_milliseconds, to_seconds
from telemetry.domain.page import Page
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.pages import FILTERED_PAGE_SIZE, read_page
from telemetry.storage.tables import KeyedItem, bind, found_item

if TYPE_CHECKING:
    from telemetry.domain.staff import AuditEntry

_API_KEY = "api_key"
_LOOKUP_HEX_DIGITS = 32


class ByKind(GlobalSecondaryIndex["ApiKeyItem"]):  # type: ignore[no-untyped-call]
    """Lists API keys of an environment, or of staff, oldest first."""

    class Meta:
        """Written once, in template.yaml; here for reading."""

        index_name = "by_kind"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    listed = UnicodeAttribute(range_key=True)


class ApiKeyItem(KeyedItem):
    """An API key. pk `api_key#<first half of the hash, hex>`, e.g. `api_key#9f86d081884c7d659a2feaa0c55ad015`.

    kind `api_key#production`, or `api_key#staff`; listed `<created, epoch ms>#<id>`.
    """

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


class ApiKeyPointer(KeyedItem):
    """Where the API key with an id lies. pk `api_key_id#k3f2a9c0d1`; `lies_at` is the other item's pk."""

    sk = UnicodeAttribute(range_key=True, default=_API_KEY)
    lies_at = UnicodeAttribute()


class StoredKey(NamedTuple):
    """A key, its secret as it is kept (staff keys' is not), and the partition it was found in."""

    key: ApiKey
    encrypted_secret: bytes | None
    lies_at: str


@store("API keys")
@dataclass(frozen=True, slots=True)
class ApiKeyStore:
    """API keys by id. Raises StoreUnavailable when they cannot be read or changed."""

    table: str

    def find(self, key_hash: bytes) -> ApiKey | None:
        """The key with this hash (32 bytes), compared in constant time; None when nobody issued it."""
        item = found_item(bind(ApiKeyItem, self.table), _partition(key_hash), _API_KEY, consistent_read=False)
        return _api_key(item) if item and hmac.compare_digest(item.key_hash, key_hash) else None

    def add(
        self, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None, entry: "AuditEntry | None" = None
    ) -> None:
        """Stores a new key; never replaces one. Raises AlreadyExists."""
        item = _api_key_item(self.table, key, key_hash, encrypted_secret)
        pointer = bind(ApiKeyPointer, self.table)(_pointer_key(key.id), lies_at=item.pk)
        writes = [Write(item, ApiKeyItem.pk.does_not_exist()), Write(pointer, ApiKeyPointer.pk.does_not_exist())]
        if not commit(self.table, writes, entry):
            raise AlreadyExists(f"key {key.id}")

    def get(self, id_: str) -> StoredKey:
        """A key by id, strongly consistent. Raises NotFound."""
        pointer = found_item(bind(ApiKeyPointer, self.table), _pointer_key(id_), _API_KEY)
        item = found_item(bind(ApiKeyItem, self.table), pointer.lies_at, _API_KEY) if pointer else None
        if item is None:
            raise NotFound(f"API key {id_}")
        return StoredKey(_api_key(item), item.encrypted_secret, item.pk)

    def page(self, kind: KeyKind, environment: Environment, limit: int, after: str | None) -> Page[ApiKey]:
        """A page of the keys that open an environment, oldest first."""
        model = bind(ApiKeyItem, self.table)
        ours = model.environments.contains(environment.value) if kind is KeyKind.STAFF else None
        found = model.query(
            _kind(kind, environment),
            model.listed > after if after else None,
            ours,
            index_name="by_kind",
            page_size=limit + 1 if ours is None else FILTERED_PAGE_SIZE,
        )
        return read_page(found, "listed", limit, lambda raw: _api_key(model.from_raw_data(raw)))

    def replace(
        self, old: StoredKey, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None, entry: "AuditEntry"
    ) -> None:
        """Puts a key under another secret's hash; the old one is gone. Raises ChangedMeanwhile."""
        item = _api_key_item(self.table, key, key_hash, encrypted_secret)
        pointer = bind(ApiKeyPointer, self.table)(_pointer_key(key.id), lies_at=item.pk)
        writes = [
            Write(self._item(old), ApiKeyItem.is_active == True, deletes=True),  # noqa: E712 (a condition)
            Write(item, ApiKeyItem.pk.does_not_exist()),
            Write(pointer, ApiKeyPointer.lies_at == old.lies_at),
        ]
        if not commit(self.table, writes, entry):
            raise ChangedMeanwhile(f"API key {key.id}")

    def revoke(self, stored: StoredKey, entry: "AuditEntry") -> None:
        """Makes a key inactive. Raises ChangedMeanwhile."""
        write = Write(self._item(stored), ApiKeyItem.is_active == True, [ApiKeyItem.is_active.set(False)])  # noqa: E712
        if not commit(self.table, [write], entry):
            raise ChangedMeanwhile(f"API key {stored.key.id}")

    def _item(self, stored: StoredKey) -> ApiKeyItem:
        return bind(ApiKeyItem, self.table)(stored.lies_at, "api_key")


def _pointer_key(id_: str) -> str:
    """`api_key_id#k3f2a9c0d1`, of a key's id."""
    return f"{_API_KEY}_id#{id_}"


def _kind(kind: KeyKind, environment: Environment) -> str:
    """`api_key#production`, or `api_key#staff`: what keys are listed under."""
    return f"{_API_KEY}#{kind if kind is KeyKind.STAFF else environment}"


def _api_key_item(table: str, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None) -> ApiKeyItem:
    created = to_milliseconds(key.created_at) if key.created_at else 0
    return bind(ApiKeyItem, table)(
        pk=_partition(key_hash),
        key_hash=key_hash,
        key_id=key.id,
        kind=_kind(key.kind, next(iter(key.environments))),
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
        valid_until=to_seconds(key.expires_at) if key.expires_at else None,
        allowed_networks=set(key.allowed_networks) or None,
        encrypted_secret=encrypted_secret,
    )


def _partition(key_hash: bytes) -> str:
    return f"{_API_KEY}#{key_hash.hex()[:_LOOKUP_HEX_DIGITS]}"


def _api_key(item: ApiKeyItem) -> ApiKey:
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
        expires_at=from_seconds(item.valid_until) if item.valid_until is not None else None,
        allowed_networks=tuple(sorted(item.allowed_networks or ())),
        created_at=from_milliseconds(created) if created else None,
    )
