"""What alarms watch is what functions emit: seen on their standard output, in CloudWatch's embedded metric format."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from telemetry.domain.environment import Environment
from telemetry.storage.tables import brief_client, dynamodb_client
from tests.client import Client
from tests.lambdas import Context, load_function
from tests.unit.test_template import alarms, watched
from tests.worlds.deployment import Deployment

Emitted = dict[tuple[str, str, frozenset[tuple[str, str]]], float]


def emitted(output: str) -> Emitted:
    """The sum of each metric that was printed, by namespace, name and dimensions."""
    sums: Emitted = {}
    for line in output.splitlines():
        said = json.loads(line) if line.startswith("{") else {}
        for directive in said.get("_aws", {}).get("CloudWatchMetrics", ()):
            for dimensions in directive["Dimensions"]:
                where = frozenset((name, said[name]) for name in dimensions)
                for metric in directive["Metrics"]:
                    value = said[metric["Name"]]
                    key = (directive["Namespace"], metric["Name"], where)
                    sums[key] = sums.get(key, 0) + sum(value if isinstance(value, list) else [value])
    return sums


def alarmed(name: str) -> tuple[str, str, frozenset[tuple[str, str]]]:
    namespace, metric, dimensions = watched(alarms()[name])
    return namespace, metric, frozenset(dimensions.items())


@contextmanager
def failing(error: Exception, *operations: str) -> Iterator[None]:
    """These operations raise meanwhile."""

    def fail(**_: object) -> None:
        raise error

    clients = dynamodb_client(), brief_client()
    for client in clients:
        for operation in operations:
            client.meta.events.register(f"before-call.dynamodb.{operation}", fail)
    try:
        yield
    finally:
        for client in clients:
            for operation in operations:
                client.meta.events.unregister(f"before-call.dynamodb.{operation}", fail)


@pytest.fixture(autouse=True)
def _as_deployed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    del deployment
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")  # the template gives it the stack's name


def test_events_that_are_not_stored(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    ingest = Client(load_function("ingest"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    assert ingest.post("/api/v1/telemetry", '[{"event_id":"a"},{"event_id":"b"}]').status == 200
    watched_metric = alarmed("EventsNotStored")
    assert capsys.readouterr().out == ""
    silence = ConnectTimeoutError(endpoint_url="http://dynamodb")
    hurried = replace(ingest, context=Context(milliseconds_left=4_600))
    with failing(silence, "ExecuteStatement", "BatchExecuteStatement"):
        assert hurried.post("/api/v1/telemetry", '[{"event_id":"c"},{"event_id":"d"}]').status == 503
    assert emitted(capsys.readouterr().out)[watched_metric] == 2


def test_only_what_went_wrong_is_counted(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    ingest = Client(load_function("ingest"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    names = frozenset({("service", "stack")})
    for body, status, counted in (
        ('{"event_id":"a"}', 200, {}),
        ('{"event_id":"a"}', 200, {}),
        ('{"event_id":"a","country":"FR"}', 200, {("Telemetry", "EventsConflict", names): 1}),
        ("no event", 200, {}),
    ):
        assert ingest.post("/api/v1/telemetry", body).status == status
        assert emitted(capsys.readouterr().out) == counted
    assert ingest.post("/api/v1/telemetry", "{}", x_api_key="none").status == 401
    refused = ("Telemetry", "RequestsRefused", names)
    assert emitted(capsys.readouterr().out)[refused] == 1
    assert ingest.post("/v1/nothing", "{}").status == 404
    assert emitted(capsys.readouterr().out)[refused] == 1


def test_storage_that_refuses(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    ingest = Client(load_function("ingest"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetItem")
    with failing(denied, "GetItem"):
        assert ingest.post("/api/v1/telemetry", "{}").status == 500
    assert emitted(capsys.readouterr().out)[alarmed("StorageFaulty")] == 1


@pytest.mark.parametrize("environment", Environment)
def test_an_idle_hour_emits_one_metric(environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    close_day = load_function("close_day").handler
    close_day({"environment": environment.value}, Context())
    dimensions = frozenset({("service", "stack"), ("environment", environment.value)})
    assert emitted(capsys.readouterr().out).keys() == {("Telemetry", "DaysBehind", dimensions)}
