"""API keys: issued, shown, given another secret, revoked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from telemetry.domain.api_key import ApiKey, Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import Forbidden, NotFound
from telemetry.domain.hourly_counts import OTHER, Kind, Measure, of_key
from telemetry.domain.key_usage import KeyUsage, key_usage
from telemetry.domain.license import ActionNotAllowed
from telemetry.domain.overview import Timeline
from telemetry.domain.page import Page
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.staff import AuditEntry, Staff
from telemetry.services.administration.catalogue import check_product
from telemetry.services.administration.stores import Stores, audited
from telemetry.services.api_keys import IssuedKey, encrypted, hash_of, keep, new_key, with_new_secret
from telemetry.storage.api_keys import StoredKey
from telemetry.storage.encryption import decrypt
from telemetry.storage.hourly_counts import HourlyCountStore

_FIELDS = (
    "kind",
    "name",
    "prefix",
    "last_four",
    "environments",
    "capabilities",
    "role",
    "product_id",
    "is_active",
    "expires_at",
    "allowed_networks",
)


@dataclass(frozen=True, slots=True)
class KeyActivity:
    """What rollup has counted of the API keys of one environment. Raises StoreUnavailable."""

    hourly: HourlyCountStore

    def last_used(self, ids: Collection[str]) -> Mapping[str, datetime]:
        """The last hour in which each key was used; keys that never were are missing."""
        return self.hourly.uses(ids)

    def usage(self, key: ApiKey, cut: Timeline) -> KeyUsage:
        last, only = cut.window.until - timedelta(hours=1), (of_key(key.id), Measure(Kind.API_KEY, OTHER))
        return key_usage(key.id, cut, self.hourly.hours(CATALOGUE, cut.window.since, last, only))


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a key is for, and what limits its use."""

    name: str
    expires_at: datetime | None = None
    allowed_networks: tuple[str, ...] = ()


def create_sdk_key(
    staff: Staff,
    environment: Environment,
    capabilities: Collection[Capability],
    product_id: str | None,
    terms: KeyTerms,
    stores: Stores,
) -> IssuedKey:
    """Issues a key for SDKs. Raises InvalidField when the product does not exist."""
    check_product(product_id, stores)
    key = new_key(KeyKind.SDK, terms.name, frozenset({environment}), staff.now)
    return _issue(staff, replace(key, capabilities=frozenset(capabilities), product_id=product_id), terms, stores)


def create_staff_key(
    staff: Staff, environments: Collection[Environment], role: Role, terms: KeyTerms, stores: Stores
) -> IssuedKey:
    """Issues a key for people. Raises Forbidden when the caller may not, or not for all of the environments."""
    key = new_key(KeyKind.STAFF, terms.name, frozenset(environments), staff.now)
    _check_reach(staff, key)
    return _issue(staff, replace(key, role=role), terms, stores)


def list_keys(
    staff: Staff, kind: KeyKind, environment: Environment, limit: int, after: str | None, stores: Stores
) -> Page[ApiKey]:
    """A page of the keys of an environment. Raises Forbidden for staff keys, unless the caller is a super_admin."""
    if kind is KeyKind.STAFF:
        staff.require(Role.SUPER_ADMIN)
    page = stores.api_keys.page(kind, environment, limit, after)
    return Page(tuple(key for key in page.items if key.environments <= staff.key.environments), page.next)


def regenerate_key(staff: Staff, id_: str, stores: Stores) -> IssuedKey:
    """Gives a key a new secret. The old one ends; where it is cached, it works for up to a minute more.

    Raises NotFound, Forbidden, ActionNotAllowed for a revoked key, ChangedMeanwhile.
    """
    stored = _active(staff, id_, stores)
    issued = with_new_secret(stored.key)
    entry = _entry(staff, "regenerate", stored.key, issued.key)
    key_hash, secret = hash_of(issued.secret, stores.keyring), encrypted(issued, stores.keyring)
    stores.api_keys.replace(stored, issued.key, key_hash, secret, entry)
    return issued


def revoke_key(staff: Staff, id_: str, stores: Stores) -> ApiKey:
    """Ends a key for good. Raises NotFound, Forbidden, ActionNotAllowed for a revoked key, ChangedMeanwhile."""
    stored = _active(staff, id_, stores)
    revoked = replace(stored.key, is_active=False)
    stores.api_keys.revoke(stored, _entry(staff, "revoke", stored.key, revoked))
    return revoked


def reveal_key(staff: Staff, id_: str, stores: Stores) -> IssuedKey:
    """An SDK key with its secret. The audit log notes it first.

    Raises NotFound, Forbidden, and ActionNotAllowed for staff keys, whose secrets are not stored.
    """
    stored = find_key(staff, id_, stores)
    if stored.encrypted_secret is None:
        raise ActionNotAllowed("The secret of a staff key is not kept")
    stores.audit.add(_entry(staff, "reveal", stored.key, stored.key))
    return IssuedKey(stored.key, decrypt(stored.encrypted_secret, id_, stores.keyring))


def find_key(staff: Staff, id_: str, stores: Stores) -> StoredKey:
    """A key that the caller may manage. Raises NotFound in other environments, Forbidden for staff keys."""
    stored = stores.api_keys.get(id_)
    if stored.key.kind is KeyKind.STAFF:
        _check_reach(staff, stored.key)
    elif not stored.key.environments <= staff.environments:
        raise NotFound(f"API key {id_}")
    return stored


def find_sdk_key(staff: Staff, id_: str, environment: Environment, stores: Stores) -> ApiKey:
    """A key that opens this environment to SDKs. Raises NotFound for any other."""
    key = stores.api_keys.get(id_).key
    if key.kind is KeyKind.STAFF or environment not in key.environments & staff.environments:
        raise NotFound(f"API key {id_}")
    return key


def _active(staff: Staff, id_: str, stores: Stores) -> StoredKey:
    stored = find_key(staff, id_, stores)
    if not stored.key.is_active:
        raise ActionNotAllowed("The key was revoked")
    return stored


def _issue(staff: Staff, key: ApiKey, terms: KeyTerms, stores: Stores) -> IssuedKey:
    expires_at = terms.expires_at.replace(microsecond=0) if terms.expires_at else None
    key = replace(key, expires_at=expires_at, allowed_networks=tuple(sorted(terms.allowed_networks)))
    issued = with_new_secret(key)
    return keep(issued, stores.keyring, stores.api_keys, _entry(staff, "create", None, issued.key))


def _entry(staff: Staff, what: str, before: ApiKey | None, after: ApiKey) -> AuditEntry:
    environment = next(iter(after.environments)) if after.kind is KeyKind.SDK else None
    return audited(staff, f"api_key.{what}", after.id, _FIELDS, before, after, environment)


def _check_reach(staff: Staff, key: ApiKey) -> None:
    """Only a super_admin manages staff keys, and only those that open no more environments than their own key."""
    staff.require(Role.SUPER_ADMIN)
    if not key.environments <= staff.key.environments:
        raise Forbidden(staff.key.id, "A staff key manages those that open no more environments than itself.")
