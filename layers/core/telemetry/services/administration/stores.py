"""The stores that administration works on, and the entries it writes to the audit log."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StaleVersion
from telemetry.domain.keyring import Keyring
from telemetry.domain.staff import AuditEntry, Staff
from telemetry.storage.activations import ActivationStore
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.audit import AuditLog
from telemetry.storage.customers import CustomerStore
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.overrides import OverridesStore
from telemetry.storage.products import ProductStore
from telemetry.storage.retention import RetentionStore


@dataclass(frozen=True, slots=True)
class Stores:
    """All stores of the registry table."""

    products: ProductStore
    customers: CustomerStore
    licenses: LicenseStore
    activations: ActivationStore
    api_keys: ApiKeyStore
    retention: RetentionStore
    overrides: OverridesStore
    audit: AuditLog
    keyring: Keyring

    @classmethod
    def of(cls, table: str, retention_days: int, keyring: Keyring) -> Self:
        """All of one table; `retention_days` is the default of environments."""
        return cls(
            ProductStore(table),
            CustomerStore(table),
            LicenseStore(table, keyring),
            ActivationStore(table, keyring),
            ApiKeyStore(table),
            RetentionStore(table, retention_days),
            OverridesStore(table),
            AuditLog(table),
            keyring,
        )


@contextmanager
def at_version(asked: int, current: int, what: str) -> Iterator[None]:
    """Around a change of what was read at its `current` version. Raises StaleVersion when the caller asked for another.

    So it does when somebody else changes it meanwhile.
    """
    if asked != current:
        raise StaleVersion(what)
    try:
        yield
    except ChangedMeanwhile as exc:
        raise StaleVersion(what) from exc


def audited(
    staff: Staff,
    action: str,
    entity: str,
    fields: Sequence[str],
    before: object = None,
    after: object = None,
    environment: Environment | None = None,
) -> AuditEntry:
    """The audit entry of a change, with the fields that differ. `fields` must not name secret ones."""
    return audited_facts(staff, action, entity, _facts(before, fields), _facts(after, fields), environment)


def audited_facts(
    staff: Staff,
    action: str,
    entity: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    environment: Environment | None = None,
) -> AuditEntry:
    """The audit entry of a change, with those of these facts that differ. They are as JSON has them, and no secrets."""
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return AuditEntry(
        id=str(uuid4()),
        author=staff.author,
        environment=environment,
        action=action,
        entity=entity,
        before={name: before[name] for name in differing if name in before},
        after={name: after[name] for name in differing if name in after},
    )


def _facts(thing: object, fields: Sequence[str]) -> dict[str, Any]:
    return {} if thing is None else {field: _plain(getattr(thing, field)) for field in fields}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """As JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return [each._asdict() for _, each in sorted(value.items())]
    return sorted(value) if isinstance(value, frozenset | tuple) else value
