"""Fixtures every test may use: an engine in memory, the template's tables, a deployment with products and keys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from local.engine import Engine, create_tables, dynamodb, environment
from local.template import read_template
from telemetry.domain.api_key import Capability
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.failure import Failure
from telemetry.domain.keyring import Keyring
from telemetry.domain.product import Product
from telemetry.domain.record import Record, read_telemetry_id
from telemetry.domain.recount import Unit
from telemetry.domain.shards import ShardPlan
from telemetry.messages.alerts import AlertTopic
from telemetry.messages.failures import FailureQueue
from telemetry.services.api_keys import issue_sdk_key
from telemetry.settings import TableNames
from telemetry.storage import secret
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.products import ProductStore
from telemetry.storage.records import RecordStore
from tests.lambdas import Context, http_event, load_function

# a busy machine is no fault of the code
settings.register_profile("patient", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("patient")

_numbers = count(1)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine per test process; AWS clients made without arguments reach it."""
    with Engine.start() as running, pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in environment(running.endpoint).items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
def tables(engine: Engine) -> TableNames:
    """All tables of the template, empty, for this test alone."""
    prefix = f"test-stack-{next(_numbers)}"
    create_tables(dynamodb(engine.endpoint), read_template(prefix).tables)
    return TableNames(prefix)


SECRET = bytes(range(32))
ALL = frozenset(Capability)


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
        return RecordStore(self.tables.records(environment), ShardPlan(8))

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


@pytest.fixture
def deployment(tables: TableNames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    (tmp_path / "secret").write_text(SECRET.hex())
    for name, value in {
        "TABLE_PREFIX": tables.prefix,
        "SECRET_FILE": str(tmp_path / "secret"),
        "RECORD_SHARDS": "8",
        "RETENTION_DAYS": "90",
        "LICENSE_CACHE_SECONDS": "60",
        "FAILURE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/failures",
        "ALERT_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:alerts",
        "POWERTOOLS_SERVICE_NAME": "telemetry",
        "POWERTOOLS_METRICS_NAMESPACE": "Telemetry",
    }.items():
        monkeypatch.setenv(name, value)
    secret.keyring.cache_clear()
    keyring = Keyring(SECRET)
    products, api_keys = ProductStore(tables.registry), ApiKeyStore(tables.registry)
    products.put(Product("acme-cli", "Acme CLI", activity_types=frozenset({"primary", "secondary1"})))
    products.put(Product("acme-desktop", "Acme Desktop"))
    keys = {
        environment: issue_sdk_key("test", environment, ALL, None, keyring, api_keys).secret
        for environment in Environment
    }
    yield Deployment(tables, keyring, keys)
    secret.keyring.cache_clear()


def never(unit: Unit) -> None:
    """No day of a test is counted in parts unless the test is about that."""
    raise AssertionError(unit)


@dataclass
class Mailbox:
    """What rollup has sent to the failure queue, and published."""

    failures: list[Failure] = field(default_factory=list)
    alerts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    is_full: bool = False

    def send(self, failures: Sequence[Failure]) -> None:
        if self.is_full:
            raise StoreUnavailable("failure queue")
        self.failures += failures

    def publish(self, subject: str, message: Mapping[str, Any]) -> None:
        if self.is_full:
            raise StoreUnavailable("alert topic")
        self.alerts.append((subject, message))


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Takes the place of queue and topic; what these take is tested with local.endpoint."""
    mailbox = Mailbox()
    monkeypatch.setattr(FailureQueue, "send", lambda _, failures: mailbox.send(failures))
    monkeypatch.setattr(AlertTopic, "publish", lambda _, subject, message: mailbox.publish(subject, message))
    return mailbox


class Clock:
    """Seconds that pass when told to, and a microsecond each time somebody looks: no two moments are the same."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Post:
    """Posts to a freshly started ingest function, with the production key unless headers say otherwise.

    What it remembers of the registry ages by `clock`.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.clock = Clock()
        self._deployment = deployment
        self._function = load_function("ingest")
        ingest = replace(self._function.ingest(), clock=self.clock)
        ingest.products.__self__._clock = self.clock
        ingest.licenses.__self__._clock = self.clock
        ingest.retention_days.__self__._clock = self.clock
        vars(self._function)["ingest"] = lambda: ingest

    def __call__(
        self, path: str, body: bytes | str, headers: dict[str, str] | None = None, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        if headers is None:
            headers = {"x-api-key": self._deployment.keys[Environment.PRODUCTION]}
        event = http_event(path, body, {"content-type": "application/json"} | headers, query)
        result: dict[str, Any] = self._function.handler(event, Context())
        return result


def start_ingest(deployment: Deployment) -> Post:
    """A cold start."""
    return Post(deployment)


@pytest.fixture
def post(deployment: Deployment) -> Post:
    return start_ingest(deployment)
