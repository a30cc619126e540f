"""Licences and their activations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from telemetry.domain.environment import Environment
from telemetry.domain.errors import TelemetryError
from telemetry.domain.keyring import Identity, Keyring, Purpose

SHORTEST_KEY, LONGEST_KEY = 8, 256
"""Characters of a licence key that is issued or imported."""


class LicenseState(StrEnum):
    """`available → assigned → active → suspended | expired → revoked`; suspended may return, revoked is the end."""

    AVAILABLE = "available"
    ASSIGNED = "assigned"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"


class LicenseAction(StrEnum):
    """What staff do to a licence."""

    ASSIGN = "assign"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


ENDED_BY_DATE = frozenset({LicenseState.AVAILABLE, LicenseState.ASSIGNED, LicenseState.ACTIVE})
"""The states that a passed expiry date turns into expired; a revoked or suspended licence stays that."""


class _Rule(NamedTuple):
    """The states from which an action is allowed, the state it leads to, and what is then done to the licence."""

    allowed: frozenset[LicenseState]
    state: LicenseState
    done: str


_RULES = {
    LicenseAction.ASSIGN: _Rule(frozenset({LicenseState.AVAILABLE}), LicenseState.ASSIGNED, "assigned"),
    LicenseAction.SUSPEND: _Rule(
        frozenset({LicenseState.ASSIGNED, LicenseState.ACTIVE}), LicenseState.SUSPENDED, "suspended"
    ),
    LicenseAction.RESUME: _Rule(frozenset({LicenseState.SUSPENDED}), LicenseState.ACTIVE, "resumed"),
    LicenseAction.REVOKE: _Rule(frozenset(LicenseState) - {LicenseState.REVOKED}, LicenseState.REVOKED, "revoked"),
}


class ActionNotAllowed(TelemetryError):
    """It is not in a state from which this can be done."""


@dataclass(frozen=True, slots=True)
class License:
    """A licence of one environment, without its key.

    `id` is a UUID made of environment and key, so that either finds the licence. `fingerprint` is the one that names
    its records' partition. `activation_limit` 0 or less means unlimited. `version` grows with every change by staff.
    """

    id: str
    environment: Environment
    fingerprint: bytes
    last_four: str
    product_id: str | None
    customer_id: str | None
    state: LicenseState
    expires_at: datetime | None
    activation_limit: int
    active_activations: int
    created_at: datetime
    version: int = 1

    def state_at(self, now: datetime) -> LicenseState:
        """The state, with expiry by date taken into account."""
        lapsed = self.expires_at is not None and self.expires_at <= now
        return LicenseState.EXPIRED if lapsed and self.state in ENDED_BY_DATE else self.state

    @property
    def has_room(self) -> bool:
        """Whether another device may be activated."""
        return self.activation_limit <= 0 or self.active_activations < self.activation_limit


class ActivationState(StrEnum):
    """Activations are never deleted."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Activation:
    """A device, or whatever else a client calls itself, that runs under a licence."""

    license_id: str
    identifier: str
    state: ActivationState
    first_seen: datetime
    last_seen: datetime


def license_id(environment: Environment, license_key: str, keyring: Keyring) -> str:
    """The id of the licence with this key in this environment: a UUID of our own making."""
    return license_id_of(environment, keyring.fingerprint(Identity.LICENSE, license_key), keyring)


def license_id_of(environment: Environment, fingerprint: bytes, keyring: Keyring) -> str:
    """The same of the key's fingerprint: who has seen a licence in records finds it without its key."""
    return _uuid(keyring.mac(Purpose.LICENSE_IDS, environment.encode() + b"\0" + fingerprint))


def activation_id(license_id: str, identifier: str, keyring: Keyring) -> str:
    """The id of a device's activation under a licence, the same whenever it is activated: a UUID of our own making."""
    device = keyring.fingerprint(Identity.DEVICE, identifier)
    return _uuid(keyring.mac(Purpose.ACTIVATION_IDS, license_id.encode() + device))


def last_four(license_key: str) -> str:
    """What may be shown of a key to tell it from others: its last four characters, fewer of a key under sixteen."""
    shown = min(4, len(license_key) // 4)
    return license_key[len(license_key) - shown :]


def after(action: LicenseAction, state: LicenseState) -> LicenseState:
    """The state an action leads to. Raises ActionNotAllowed."""
    rule = _RULES[action]
    if state not in rule.allowed:
        raise ActionNotAllowed(f"A licence that is {state} cannot be {rule.done}")
    return rule.state


def _uuid(mac: bytes) -> str:
    """Version 8 of RFC 9562: of the first 16 bytes, six bits say that it is one."""
    value = int.from_bytes(mac[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))
