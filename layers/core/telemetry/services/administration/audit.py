"""The audit log, read."""

from datetime import datetime, timedelta

from telemetry.domain.environment import Environment
from telemetry.domain.errors import InvalidField
from telemetry.domain.page import Page
from telemetry.domain.staff import AuditEntry
from telemetry.services.administration.stores import Stores

_USUAL = timedelta(days=31)
_LONGEST = timedelta(days=366)


def read_audit(
    environment: Environment, since: datetime | None, until: datetime, limit: int, after: str | None, stores: Stores
) -> Page[AuditEntry]:
    """A page of what was done before a time, newest first; the month before it unless told. Raises InvalidField."""
    since = since or until - _USUAL
    if not timedelta(0) <= until - since <= _LONGEST:
        raise InvalidField("from", "Must be before `to`, by at most 366 days")
    return stores.audit.page(environment, since, until, limit, after)


def read_history(
    kind: str, entity: str, environment: Environment, limit: int, after: str | None, stores: Stores
) -> Page[AuditEntry]:
    """A page of what was ever done to one thing, newest first."""
    return stores.audit.history(kind, entity, environment, limit, after)
