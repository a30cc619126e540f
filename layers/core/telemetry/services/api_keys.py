"""Issuing API keys."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from telemetry.domain.api_key import SECRET_CHARACTERS, STAFF_PREFIX, ApiKey, Capability, KeyKind, Role, sdk_prefix
from telemetry.domain.environment import Environment
from telemetry.domain.errors import NotFound
from telemetry.domain.keyring import Keyring, Purpose
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.encryption import encrypt

if TYPE_CHECKING:
    from telemetry.domain.staff import AuditEntry

_SECRET_BYTES = SECRET_CHARACTERS * 3 // 4


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its secret, which is shown now and, for staff keys, never again."""

    key: ApiKey
    secret: str


def hash_of(secret: str, keyring: Keyring) -> bytes:
    """What a presented key is looked up by: 32 bytes that are useless without the deployment secret."""
    return keyring.mac(Purpose.API_KEYS, secret.encode("utf-8", "surrogatepass"))


def known_key(id_: str, api_keys: ApiKeyStore) -> ApiKey | None:
    """The key with an id, None where there is none any more."""
    try:
        return api_keys.get(id_).key
    except NotFound:
        return None


def issue_sdk_key(
    name: str,
    environment: Environment,
    capabilities: frozenset[Capability],
    product_id: str | None,
    keyring: Keyring,
    api_keys: ApiKeyStore,
    now: datetime | None = None,
) -> IssuedKey:
    """A key for SDKs. Its secret is kept encrypted, so that staff can be shown it again."""
    key = new_key(KeyKind.SDK, name, frozenset({environment}), now)
    return keep(with_new_secret(replace(key, capabilities=capabilities, product_id=product_id)), keyring, api_keys)


def issue_staff_key(
    name: str,
    environments: frozenset[Environment],
    role: Role,
    keyring: Keyring,
    api_keys: ApiKeyStore,
    now: datetime | None = None,
) -> IssuedKey:
    """A key for people. Nobody can be shown it again."""
    return keep(with_new_secret(replace(new_key(KeyKind.STAFF, name, environments, now), role=role)), keyring, api_keys)


def new_key(kind: KeyKind, name: str, environments: frozenset[Environment], now: datetime | None) -> ApiKey:
    """A key with an id of its own, which cannot do anything yet and has no secret."""
    return ApiKey(_key_id(), kind, name, prefix="", last_four="", environments=environments, created_at=now)


def with_new_secret(key: ApiKey) -> IssuedKey:
    """The same key under a new secret."""
    prefix = STAFF_PREFIX if key.kind is KeyKind.STAFF else sdk_prefix(next(iter(key.environments)))
    secret = prefix + secrets.token_urlsafe(_SECRET_BYTES)
    return IssuedKey(replace(key, prefix=prefix, last_four=secret[-4:]), secret)


def keep(issued: IssuedKey, keyring: Keyring, api_keys: ApiKeyStore, entry: "AuditEntry | None" = None) -> IssuedKey:
    """Stores a key that was just made."""
    api_keys.add(issued.key, hash_of(issued.secret, keyring), encrypted(issued, keyring), entry)
    return issued


def encrypted(issued: IssuedKey, keyring: Keyring) -> bytes | None:
    """The secret as it is stored: not at all for staff keys."""
    return None if issued.key.kind is KeyKind.STAFF else encrypt(issued.secret, issued.key.id, keyring)


def _key_id() -> str:
    """Ten characters: every record names the key that brought it, so it is short."""
    return f"k{secrets.token_hex(5)[:9]}"
