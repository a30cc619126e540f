"""An entry of the audit log, as the admin API and the analytics show it."""

from datetime import datetime
from typing import Any, Self

from telemetry.domain import staff
from telemetry.domain.environment import Environment
from telemetry.web.administration.models import Output


class AuditEntry(Output):
    """Who changed what, when, from where; `before` and `after` hold the fields that differ."""

    id: str
    at: datetime
    key_id: str
    key_name: str
    environment: Environment | None
    action: str
    entity: str
    before: dict[str, Any]
    after: dict[str, Any]
    source_ip: str
    user_agent: str
    request_id: str

    @classmethod
    def of(cls, entry: staff.AuditEntry) -> Self:
        return cls(
            id=entry.id,
            at=entry.author.at,
            key_id=entry.author.key_id,
            key_name=entry.author.key_name,
            environment=entry.environment,
            action=entry.action,
            entity=entry.entity,
            before=dict(entry.before),
            after=dict(entry.after),
            source_ip=entry.author.source_ip,
            user_agent=entry.author.user_agent,
            request_id=entry.author.request_id,
        )
