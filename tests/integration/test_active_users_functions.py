"""From stored records through the functions' handlers to finance's answer."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from telemetry.domain.active_users import Audience
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import CATALOGUE
from telemetry.services.close_day import close_days
from telemetry.services.reports import active_users
from telemetry.storage.aggregates import AggregateStore
from telemetry.storage.tables import dynamodb_client
from tests.conftest import Deployment, Post
from tests.lambdas import Context, http_event, load_function

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(deployment: Deployment) -> Ask:
    """Asks a freshly started reports function, with the production key unless headers say otherwise."""
    function = load_function("reports")

    def ask(
        body: object, headers: dict[str, str] | None = None, path: str = "/rest/v3/telemetry/report"
    ) -> tuple[int, dict[str, Any]]:
        key = {"x-api-key": deployment.keys[Environment.PRODUCTION]}
        answer = function.handler(http_event(path, json.dumps(body), key if headers is None else headers), Context())
        return answer["statusCode"], json.loads(answer["body"])

    return ask


def mau(application: str) -> dict[str, Any]:
    return {"requestObject": {"name": "CURRENT_MAU", "parameters": {"application": application}}}


def answered(application: str, users: int) -> tuple[int, dict[str, Any]]:
    data = {"application": application, "users": users, "days": 30}
    return 200, {"status": "OK", "responseObject": {"name": "CURRENT_MAU", "reportData": data}}


def refused(status: int, code: str, message: str) -> tuple[int, dict[str, Any]]:
    body = {"code": code, "message": message, "localizedMessage": message}
    return status, {"status": "ERROR", "responseObject": body}


def event(user: str, product: str = "acme-cli") -> dict[str, str]:
    return {"data_type": "text", "text_data": "x", "product_id": product, "user_identifier": user}


def stream_batch(deployment: Deployment, environment: Environment = Environment.PRODUCTION) -> dict[str, Any]:
    """All records of an environment as its stream delivers them."""
    table = deployment.tables.records(environment)
    items = dynamodb_client().scan(TableName=table)["Items"]
    return {"Records": [stream_record(table, item) for item in items]}


def stream_record(table: str, item: dict[str, Any]) -> dict[str, Any]:
    image = {name: {"B": b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()}
    return {
        "eventName": "INSERT",
        "eventSourceARN": f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/2026-11-01T00:00:00.000",
        "dynamodb": {"Keys": {name: image[name] for name in ("p", "s")}, "NewImage": image},
    }


def test_users_reach_the_report_once(deployment: Deployment, post: Post, ask: Ask) -> None:
    rollup = load_function("rollup")
    assert ask(mau("acme-cli")) == answered("acme-cli", 0)
    users = [event(f"user {number}") for number in range(30)] + [event("user 1", "acme-desktop"), event("x", "who?")]
    assert post("/api/v1/telemetry", json.dumps(users))["statusCode"] == 200
    for _ in range(2):
        batch = stream_batch(deployment)
        assert len(batch["Records"]) == 32
        rollup.handler(batch, Context())
        assert ask(mau("acme-cli")) == answered("acme-cli", 30)
        assert ask(mau("acme-desktop"), path="/rest/v4/telemetry/report") == answered("acme-desktop", 1)
        assert ask(mau("who?")) == answered("who?", 0)
        assert ask(mau(CATALOGUE)) == answered(CATALOGUE, 31)


def test_environments_count_apart(deployment: Deployment, post: Post, ask: Ask) -> None:
    staging = {"x-api-key": deployment.keys[Environment.STAGING]}
    post("/api/v1/telemetry", json.dumps(event("jane")), staging)
    load_function("rollup").handler(stream_batch(deployment, Environment.STAGING), Context())
    assert ask(mau("acme-cli")) == answered("acme-cli", 0)
    assert ask(mau("acme-cli"), staging) == answered("acme-cli", 1)


def test_what_cannot_be_read_is_logged_and_the_rest_counted(
    deployment: Deployment, post: Post, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    post("/api/v1/telemetry", json.dumps([event("jane"), event("john")]))
    batch = stream_batch(deployment)
    broken = json.loads(json.dumps(batch["Records"][0]))
    broken["dynamodb"]["NewImage"]["g"] = {"S": "acme-cli#not a day#c#0"}
    removed = batch["Records"][0] | {"eventName": "REMOVE"}
    caplog.clear()
    load_function("rollup").handler({"Records": [broken, removed, *batch["Records"]]}, Context())
    assert ask(mau("acme-cli")) == answered("acme-cli", 2)
    ((record, cause),) = logged(caplog)
    assert record == broken["dynamodb"]["Keys"]
    assert cause.startswith("ValueError: ")


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, str]]:
    """Record and cause of each error."""
    errors = [vars(entry) for entry in caplog.records if entry.levelname == "ERROR"]
    return [(entry["record"], entry["cause"]) for entry in errors]


def test_a_batch_of_another_table_is_refused(deployment: Deployment) -> None:
    record = stream_record(deployment.tables.registry, {"p": {"S": "x"}, "s": {"S": "y"}})
    with pytest.raises(ValueError, match="not enough values"):
        load_function("rollup").handler({"Records": [record]}, Context())


def test_closing_counts_what_no_stream_delivered(deployment: Deployment, post: Post, ask: Ask) -> None:
    """And what it delivers afterwards changes nothing."""
    before = datetime.now(UTC).date()
    post("/api/v1/telemetry", json.dumps([event("jane"), event("john"), event("x", "who?")]))
    aggregates = AggregateStore(deployment.tables.aggregates(Environment.PRODUCTION))
    products = list(deployment.registry.products())

    def close(at: datetime) -> list[date]:
        return close_days(at, aggregates, deployment.records(), products)

    midnight = datetime(before.year, before.month, before.day, tzinfo=UTC) + timedelta(days=1)
    assert close(midnight + timedelta(minutes=29)) == []
    assert close(midnight + timedelta(minutes=30)) == [before]
    assert close(midnight + timedelta(minutes=30)) == []
    assert ask(mau("acme-cli")) == answered("acme-cli", 2)
    load_function("rollup").handler(stream_batch(deployment), Context())
    assert ask(mau("acme-cli")) == answered("acme-cli", 2)
    assert active_users(CATALOGUE, 30, before, Audience.ALL_USERS, aggregates) == 3


def test_a_record_of_a_closed_day_that_nobody_counted_is_logged(
    deployment: Deployment, post: Post, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    post("/api/v1/telemetry", json.dumps(event("jane")))
    load_function("rollup").handler(stream_batch(deployment), Context())
    aggregates = AggregateStore(deployment.tables.aggregates(Environment.PRODUCTION))
    close_days(datetime.now(UTC) + timedelta(days=2), aggregates, deployment.records(), [])
    post("/api/v1/telemetry", json.dumps(event("john")))
    caplog.clear()
    load_function("rollup").handler(stream_batch(deployment), Context())
    ((_, cause),) = logged(caplog)
    assert cause == f"DayClosed: {datetime.now(UTC).date()} is closed"
    assert ask(mau("acme-cli")) == answered("acme-cli", 1)


@pytest.mark.usefixtures("deployment")
def test_no_traffic_ever_closes_nothing() -> None:
    answer = load_function("close_day").handler({"environment": "staging"}, Context())
    assert answer == {"environment": "staging", "closed": []}


def test_who_may_ask(deployment: Deployment, ask: Ask) -> None:
    unauthorized = refused(401, "ERROR_UNAUTHORIZED", "Authentication failed")
    secret = deployment.keys[Environment.PRODUCTION]
    assert ask(mau("acme-cli"), {"authorization": f"Bearer {secret}"}) == answered("acme-cli", 0)
    assert ask(mau("acme-cli"), {}) == unauthorized
    assert ask(mau("acme-cli"), {"x-api-key": secret[:-1]}) == unauthorized
    assert ask(mau("acme-cli"), {"x-api-key": deployment.key(capabilities=frozenset())}) == unauthorized
    basic = b64encode(f"somebody:{secret}".encode()).decode()
    assert ask(mau("acme-cli"), {"authorization": f"Basic {basic}"}) == unauthorized


def test_other_urls_and_questions(ask: Ask) -> None:
    not_found = refused(404, "ERROR_NOT_FOUND", "Resource not found.")
    assert ask(mau("acme-cli"), path="/rest/v5/telemetry/report") == not_found
    assert ask({}) == refused(400, "ERROR_HTTP_REQUEST", "requestObject - must not be null")
    assert ask(mau("\ud800")) == answered("\ud800", 0)
