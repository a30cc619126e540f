"""Fixtures every test may use: an engine in memory, the template's tables, a deployment with products and keys."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from local.engine import Engine, create_tables, dynamodb, environment
from local.template import Table, read_template
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Keyring
from telemetry.domain.product import ActivityLevel, ActivityType, Product, by_key
from telemetry.messages.alerts import AlertTopic
from telemetry.messages.uncounted_records import UncountedRecordQueue
from telemetry.services.api_keys import issue_sdk_key
from telemetry.settings import TableNames
from telemetry.storage import secret
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.products import ProductStore
from tests.worlds.deployment import ALL, SECRET, SHARDS, Deployment, Mailbox, Post, start_ingest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# a busy machine is no fault of the code
settings.register_profile("patient", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("patient")

ACTIVITY_TYPES = by_key(
    ActivityType("primary", "Ran a build", ActivityLevel.PRIMARY),
    ActivityType("secondary1", "Opened the docs", ActivityLevel.SECONDARY),
)
_STACK = "test-stack"
_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--at", metavar="MOMENT", help="run the tests as if it were this moment: 2027-12-31T23:58:00Z")


class OneDemo(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Deals tests out one by one, but those that share a demo to one process: each would make a demo of its own.

    Marks of `xdist_group` would do, were they not lost on pytest from 9.2 on.
    """

    _SHARED = ("tests/browser/", "tests/e2e/test_documents.py")

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in self._SHARED if nodeid.startswith(shared)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneDemo:  # noqa: ANN401
    return OneDemo(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Moves the clock of this process before any module of tests is imported. Programs it starts keep the machine's."""
    if moment := config.getoption("--at"):
        travel = time_machine.travel(datetime.fromisoformat(moment), tick=True)
        travel.start()
        config.add_cleanup(travel.stop)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine per test process; AWS clients made without arguments reach it."""
    with Engine.start() as running, pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in environment(running.endpoint).items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="session")
def engine_client(engine: Engine) -> "DynamoDBClient":
    return dynamodb(engine.endpoint)


@pytest.fixture(scope="session")
def template_tables() -> list[Table]:
    """Those of the template, in which nothing is deleted by time: deleting is DynamoDB's, and late."""
    return [replace(table, ttl_attribute=None) for table in read_template(_STACK).tables]


@pytest.fixture
def tables(engine_client: "DynamoDBClient", template_tables: list[Table]) -> TableNames:
    """All tables of the template, empty, for this test alone."""
    names = TableNames(f"{_STACK}-{next(_numbers)}")
    create_tables(engine_client, [renamed(table, names.prefix) for table in template_tables])
    return names


def renamed(table: Table, prefix: str) -> Table:
    name = f"{prefix}{table.name.removeprefix(_STACK)}"
    return replace(table, name=name, create={**table.create, "TableName": name})


@pytest.fixture
def deployment(tables: TableNames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    (tmp_path / "secret").write_text(SECRET.hex())
    for name, value in {
        "TABLE_PREFIX": tables.prefix,
        "SECRET_FILE": str(tmp_path / "secret"),
        "RECORD_SHARDS": str(SHARDS),
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
    products.put(Product("acme-cli", "Acme CLI", activity_types=ACTIVITY_TYPES))
    products.put(Product("acme-desktop", "Acme Desktop"))
    keys = {
        environment: issue_sdk_key("test", environment, ALL, None, keyring, api_keys).secret
        for environment in Environment
    }
    yield Deployment(tables, keyring, keys)
    secret.keyring.cache_clear()


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Takes the place of queue and topic; what these take is tested with local.endpoint."""
    mailbox = Mailbox()
    monkeypatch.setattr(UncountedRecordQueue, "send", lambda _, failures: mailbox.send(failures))
    monkeypatch.setattr(AlertTopic, "publish", lambda _, subject, message: mailbox.publish(subject, message))
    return mailbox


@pytest.fixture
def post(deployment: Deployment) -> Post:
    return start_ingest(deployment)
