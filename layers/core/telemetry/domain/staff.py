"""Staff at work: who asks for a change, and what is written down of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telemetry.domain.api_key import ApiKey, Role, needs_role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something, when, and from where."""

    key_id: str
    key_name: str
    at: datetime
    source_ip: str
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff key at work, in the environments it was granted for this request."""

    key: ApiKey
    environments: frozenset[Environment]
    author: Author

    @property
    def now(self) -> datetime:
        return self.author.at

    def has(self, role: Role) -> bool:
        """Whether the key's role includes this one."""
        return self.key.role is not None and self.key.role.includes(role)

    def require(self, role: Role) -> None:
        """Raises Forbidden unless the key's role includes this one."""
        if not self.has(role):
            raise Forbidden(self.key.id, needs_role(role, self.key.role))


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change: `before` and `after` hold the fields that differ, never a secret.

    `environment` is None where what changed belongs to all of them. `action` is `<kind>.<what>`, as `license.revoke`;
    `entity` is the id of what changed.
    """

    id: str
    author: Author
    environment: Environment | None
    action: str
    entity: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What kind of thing changed, as `license`."""
        return self.action.partition(".")[0]
