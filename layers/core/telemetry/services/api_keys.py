"""Issuing API keys."""

import secrets
from dataclasses import dataclass
from typing import Protocol

from telemetry.domain.api_key import ApiKey, Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Keyring, Purpose
from telemetry.storage.encryption import encrypt

_SECRET_BYTES = 30  # 40 characters, 240 bits


class ApiKeys(Protocol):
    """Where keys are stored."""

    def put_api_key(self, key: ApiKey, key_hash: bytes, encrypted_secret: bytes | None) -> None:
        """Stores a new key; never replaces one."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its secret, which is shown now and, for staff keys, never again."""

    key: ApiKey
    secret: str


def hash_of(secret: str, keyring: Keyring) -> bytes:
    """What a presented key is looked up by: 32 bytes that are useless without the deployment secret."""
    return keyring.mac(Purpose.API_KEYS, secret.encode("utf-8", "surrogatepass"))


def issue_sdk_key(
    name: str,
    environment: Environment,
    capabilities: frozenset[Capability],
    product_id: str | None,
    keyring: Keyring,
    registry: ApiKeys,
) -> IssuedKey:
    """A key for SDKs. Its secret is kept encrypted, so that staff can be shown it again."""
    secret = f"tk_{environment.value[:4]}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey(
        id=_key_id(),
        kind=KeyKind.SDK,
        name=name,
        prefix=secret[:8],
        last_four=secret[-4:],
        environments=frozenset({environment}),
        capabilities=capabilities,
        product_id=product_id,
    )
    registry.put_api_key(key, hash_of(secret, keyring), encrypt(secret, key.id, keyring))
    return IssuedKey(key, secret)


def issue_staff_key(
    name: str, environments: frozenset[Environment], role: Role, keyring: Keyring, registry: ApiKeys
) -> IssuedKey:
    """A key for people. Nobody can be shown it again."""
    secret = f"tk_staff_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey(
        id=_key_id(),
        kind=KeyKind.STAFF,
        name=name,
        prefix=secret[:9],
        last_four=secret[-4:],
        environments=environments,
        role=role,
    )
    registry.put_api_key(key, hash_of(secret, keyring), None)
    return IssuedKey(key, secret)


def _key_id() -> str:
    """Ten characters: every record names the key that brought it, so it is short."""
    return f"k{secrets.token_hex(5)[:9]}"
