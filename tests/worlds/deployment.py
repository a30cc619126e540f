"""A deployment with products and keys, its ingest function, and what it sends to queue and topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telemetry.domain.api_key import Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.keyring import Keyring
from telemetry.domain.record import Record, read_telemetry_id
from telemetry.domain.recount import Unit
from telemetry.domain.shards import ShardPlan
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.services.api_keys import issue_sdk_key, issue_staff_key
from telemetry.settings import TableNames
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.products import ProductStore
from telemetry.storage.records import RecordStore
from tests.client import Answer, Client
from tests.clock import FakeClock
from tests.lambdas import load_function

SECRET = bytes(range(32))
ALL = frozenset(Capability)
SHARDS = 2
"""Of the index, as a deployment has them that sets no other number."""


@dataclass(frozen=True)
class Deployment:
    """Tables with two products, and one all-capable key per environment."""

    tables: TableNames
    keyring: Keyring
    keys: dict[Environment, str]

    @property
    def products(self) -> ProductStore:
        return ProductStore(self.tables.registry)

    @property
    def api_keys(self) -> ApiKeyStore:
        return ApiKeyStore(self.tables.registry)

    def records(self, environment: Environment = Environment.PRODUCTION) -> RecordStore:
        return RecordStore(self.tables.records(environment), ShardPlan(SHARDS))

    def day_records(self, environment: Environment = Environment.PRODUCTION) -> DayRecordStore:
        return DayRecordStore(self.records(environment))

    def record(self, telemetry_id: str, environment: Environment = Environment.PRODUCTION) -> Record:
        key = read_telemetry_id(telemetry_id, environment, self.keyring)
        assert key
        record = self.records(environment).get(key)
        assert record
        return record

    def key(self, capabilities: frozenset[Capability] = ALL, product_id: str | None = None) -> str:
        return issue_sdk_key(
            "test", Environment.PRODUCTION, capabilities, product_id, self.keyring, self.api_keys
        ).secret

    def staff_key(self, role: Role = Role.ADMIN, *environments: Environment) -> str:
        """A key for these environments, or for all."""
        reach = frozenset(environments or Environment)
        return issue_staff_key(f"the {role}", reach, role, self.keyring, self.api_keys).secret


def never(unit: Unit) -> None:
    """No day of a test is counted in parts unless the test is about that."""
    raise AssertionError(unit)


@dataclass
class Mailbox:
    """What rollup has sent to the failure queue, and published."""

    failures: list[UncountedRecord] = field(default_factory=list)
    alerts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    is_full: bool = False

    def send(self, failures: Sequence[UncountedRecord]) -> None:
        if self.is_full:
            raise StoreUnavailable("failure queue")
        self.failures += failures

    def publish(self, subject: str, message: Mapping[str, Any]) -> None:
        if self.is_full:
            raise StoreUnavailable("alert topic")
        self.alerts.append((subject, message))


class Post:
    """Posts to a freshly started ingest function, with the production key unless headers say otherwise.

    It goes by `clock`, which moves on by a millisecond after each request.
    """

    def __init__(self, deployment: Deployment, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.function = load_function("ingest", self.clock)
        self._deployment = deployment

    def __call__(
        self, path: str, body: object, headers: dict[str, str] | None = None, query: dict[str, str] | None = None
    ) -> Answer:
        if headers is None:
            headers = {"x-api-key": self._deployment.keys[Environment.PRODUCTION]}
        answer = Client(self.function, headers).request("POST", path, body, query)
        self.clock.advance(0.001)  # no two requests come at the same moment
        return answer


def start_ingest(deployment: Deployment, now: datetime | None = None) -> Post:
    """A cold start, at this moment or at the present."""
    return Post(deployment, FakeClock(now))
