"""API keys: who may do what, in which environment."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telemetry.domain.addresses import address_of, network_of
from telemetry.domain.environment import Environment
from telemetry.domain.errors import AddressNotAllowed, CapabilityMissing, Forbidden, KeyInactive

STAFF_PREFIX = "tk_staff_"
"""What staff keys begin with."""

SECRET_CHARACTERS = 40
"""After the prefix: 240 bits."""

KEY_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
"""The characters that keys are made of (RFC 4648, section 5)."""


def sdk_prefix(environment: Environment) -> str:
    """`tk_prod_`: what the SDK keys of an environment begin with."""
    return f"tk_{environment.value[:4]}_"


KEY_PREFIXES = (STAFF_PREFIX, *map(sdk_prefix, Environment))
"""The prefixes of all keys. Any text with one of them and SECRET_CHARACTERS characters after it is taken for a key."""


_KEY = re.compile(rf"(?:{'|'.join(KEY_PREFIXES)})[A-Za-z0-9_-]{{{SECRET_CHARACTERS}}}")


def without_keys(text: str) -> str:
    """A text as it may be logged or kept: each key in it overwritten by as many asterisks."""
    return _KEY.sub(lambda found: "*" * len(found[0]), text)


class Capability(StrEnum):
    """What an SDK key may do."""

    INGEST = "ingest"
    READ = "read"
    REPORT = "report"


class Role(StrEnum):
    """What a staff key may do; each includes the ones before it."""

    VIEWER = "viewer"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"

    def includes(self, other: "Role") -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class KeyKind(StrEnum):
    """SDK keys belong to one environment and carry capabilities; staff keys hold environments and a role."""

    SDK = "sdk"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An issued key, without its secret. `prefix` and `last_four` are all of it that may be shown."""

    id: str
    kind: KeyKind
    name: str
    prefix: str
    last_four: str
    environments: frozenset[Environment]
    capabilities: frozenset[Capability] = frozenset()
    role: Role | None = None
    product_id: str | None = None
    is_active: bool = True
    expires_at: datetime | None = None
    allowed_networks: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller has been granted: one environment, and nothing beyond it."""

    key: ApiKey
    environment: Environment


def grant(key: ApiKey, capability: Capability, environment: str | None, source_ip: str, now: datetime) -> Access:
    """The environment an SDK key opens for one capability.

    `environment` is what the caller asked for, if anything. Raises KeyInactive, AddressNotAllowed, CapabilityMissing,
    and Forbidden when the key belongs to another environment.
    """
    _check(key, source_ip, now)
    if key.kind is not KeyKind.SDK or capability not in key.capabilities:
        raise CapabilityMissing(key.id, f"This needs an SDK key with the capability {capability}.")
    (own,) = key.environments
    if environment is not None and environment != own:
        raise Forbidden(key.id, f"The API key opens {own} only.")
    return Access(key, own)


def grant_staff(
    key: ApiKey, role: Role, environment: str | None, source_ip: str, now: datetime
) -> frozenset[Environment]:
    """The environments a staff key opens to a request: the one it asks for, or all of the key's if it names none.

    Raises KeyInactive, AddressNotAllowed, and Forbidden for SDK keys, lesser roles and environments of others.
    """
    _check(key, source_ip, now)
    if key.kind is not KeyKind.STAFF or key.role is None:
        raise Forbidden(key.id, "This needs a staff key, and the API key is one of an SDK.")
    if not key.role.includes(role):
        raise Forbidden(key.id, needs_role(role, key.role))
    if environment is None:
        return key.environments
    asked = frozenset(own for own in key.environments if own == environment)
    if not asked:
        raise Forbidden(key.id, f"The API key opens these environments: {', '.join(sorted(key.environments))}.")
    return asked


def needs_role(role: Role, own: Role | None) -> str:
    """What somebody is told whose role is a lesser one."""
    return f"This needs a staff key with the role {role}; yours is {own}."


def _check(key: ApiKey, source_ip: str, now: datetime) -> None:
    if not key.is_active or (key.expires_at and key.expires_at <= now):
        raise KeyInactive(key.id)
    if key.allowed_networks and not _within(source_ip, key.allowed_networks):
        raise AddressNotAllowed(key.id)


def _within(source_ip: str, networks: tuple[str, ...]) -> bool:
    address = address_of(source_ip)
    return address is not None and any(address in network_of(network) for network in networks)
