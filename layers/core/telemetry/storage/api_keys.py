"""API keys as staff see them: listed, found by id, given another secret, revoked."""

from dataclasses import dataclass

from pynamodb.exceptions import DoesNotExist

from telemetry.domain.api_key import ApiKey, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, NotFound
from telemetry.domain.staff import AuditEntry
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.pages import FILTERED_PAGE_SIZE, Page, read_page
from telemetry.storage.registry import (
    ApiKeyItem,
    ApiKeyPointer,
    api_key_item,
    api_key_kind,
    api_key_of,
    api_key_pointer,
)
from telemetry.storage.tables import bind


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key, its secret as it is kept (staff keys' is not), and the partition it was found in."""

    key: ApiKey
    encrypted_secret: bytes | None
    lies_at: str


@store("API keys")
@dataclass(frozen=True, slots=True)
class ApiKeyStore:
    """API keys by id. Raises StoreUnavailable when they cannot be read or changed."""

    table: str

    def get(self, id_: str) -> StoredKey:
        """A key by id, strongly consistent. Raises NotFound."""
        try:
            pointer = bind(ApiKeyPointer, self.table).get(api_key_pointer(id_), "api_key", consistent_read=True)
            item = bind(ApiKeyItem, self.table).get(pointer.lies_at, "api_key", consistent_read=True)
        except DoesNotExist as exc:
            raise NotFound(f"API key {id_}") from exc
        return StoredKey(api_key_of(item), item.encrypted_secret, item.pk)

    def page(self, kind: KeyKind, environment: Environment, limit: int, after: str | None) -> Page[ApiKey]:
        """A page of the keys that open an environment, oldest first."""
        model = bind(ApiKeyItem, self.table)
        ours = model.environments.contains(environment.value) if kind is KeyKind.STAFF else None
        found = model.query(
            api_key_kind(kind, environment),
            model.listed > after if after else None,
            ours,
            index_name="by_kind",
            page_size=limit + 1 if ours is None else FILTERED_PAGE_SIZE,
        )
        return read_page(found, "listed", limit, lambda raw: api_key_of(model.from_raw_data(raw)))

    def replace(
        self, old: StoredKey, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None, entry: AuditEntry
    ) -> None:
        """Puts a key under another secret's hash; the old one is gone. Raises ChangedMeanwhile."""
        item = api_key_item(self.table, key, key_hash, encrypted_secret)
        pointer = bind(ApiKeyPointer, self.table)(api_key_pointer(key.id), lies_at=item.pk)
        writes = [
            Write(self._item(old), ApiKeyItem.is_active == True, deletes=True),  # noqa: E712 (a condition)
            Write(item, ApiKeyItem.pk.does_not_exist()),
            Write(pointer, ApiKeyPointer.lies_at == old.lies_at),
        ]
        if not commit(self.table, writes, entry):
            raise ChangedMeanwhile(f"API key {key.id}")

    def revoke(self, stored: StoredKey, entry: AuditEntry) -> None:
        """Makes a key inactive. Raises ChangedMeanwhile."""
        write = Write(self._item(stored), ApiKeyItem.is_active == True, [ApiKeyItem.is_active.set(False)])  # noqa: E712
        if not commit(self.table, [write], entry):
            raise ChangedMeanwhile(f"API key {stored.key.id}")

    def _item(self, stored: StoredKey) -> ApiKeyItem:
        item: ApiKeyItem = bind(ApiKeyItem, self.table)(stored.lies_at, "api_key")
        return item
