"""One deadline for a request: whatever storage does, it is answered in time, event by event."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from telemetry.domain.environment import Environment
from tests.client import Answer, Client
from tests.clock import FakeClock
from tests.faulty_transport import BadDay, Fault, answer, bad_day, only, refused, silent, unreachable
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment, start_ingest
from tests.worlds.licenses import KEY, issue

TIMEOUTS = {"ingest": 10.0, "licensing": 20.0, "reports": 10.0, "analytics": 29.0, "admin": 29.0}
OURS = 1.0
"""Seconds of a function's time that no call of storage takes: for itself."""

INSERTS = ("ExecuteStatement", "BatchExecuteStatement")
READS = ("GetItem", "BatchGetItem", "Query")

Send = Callable[..., tuple[Answer, BadDay]]


def client(deployment: Deployment, function: str, **headers: str) -> Client:
    return Client(load_function(function), {"x-api-key": deployment.keys[Environment.PRODUCTION], **headers})


@contextmanager
def in_time(client: Client, fault: Fault) -> Iterator[tuple[Client, BadDay]]:
    """Has DynamoDB fail for a client whose function must answer before Lambda ends it."""
    name = client.function.__name__.removeprefix("functions_")
    with bad_day(fault) as day:
        began = day.now
        yield replace(client, context=day.context(TIMEOUTS[name])), day
        assert day.now - began <= TIMEOUTS[name] - OURS


@pytest.fixture
def send(deployment: Deployment) -> Send:
    """Sends a body to ingest in its time; the key, the products and the index partitions are known already."""
    ingest = client(deployment, "ingest")
    known = [an_event(number, event_id=f"known-{number}") for number in range(20)]  # in all shards of the index
    assert ingest.post("/v1/telemetry", known).status == 200

    def sent(fault: Fault, body: object, path: str = "/v1/telemetry") -> tuple[Answer, BadDay]:
        with in_time(ingest, fault) as (hurried, day):
            result = hurried.post(path, body)
        return result, day

    return sent


def an_event(number: int, **fields: object) -> dict[str, object]:
    return {
        "data_type": "text",
        "data_group": "g",
        "text_data": "x",
        "product_id": "acme-cli",
        "hwid": f"d{number}",
        "event_id": f"e{number}",
    } | fields


def statuses(result: Answer) -> Counter[str]:
    return Counter(each["status"] for each in result.body["results"])


THROTTLED = refused("ThrottlingException", 3.0)
ONE_BY_ONE = [THROTTLED, silent, unreachable, refused("ProvisionedThroughputExceededException")]


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
def test_a_batch_of_which_nothing_can_be_stored(send: Send, fault: Fault) -> None:
    result, _ = send(only(fault, *INSERTS), [an_event(number) for number in range(500)])
    assert result.status == 503
    assert result.headers["retry-after"] == "5"
    assert statuses(result) == {"failed": 500}


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
def test_a_batch_of_which_some_is_stored(send: Send, fault: Fault) -> None:
    result, _ = send(only(fault, *INSERTS, after=7), [an_event(number) for number in range(1, 501)])
    assert result.status == 503
    assert statuses(result) == {"stored": 175, "failed": 325}


def test_what_one_group_waits_for_holds_no_other_up(send: Send) -> None:
    """A throttled partition, say: all others are tried before it is again."""
    hot = only(refused("ThrottlingException"), *INSERTS, table="Hotland")
    result, _ = send(hot, [an_event(number, country="Hotland" if number == 33 else "FR") for number in range(1, 501)])
    assert statuses(result) == {"stored": 475, "failed": 25}


def test_statements_throttled_one_by_one(send: Send) -> None:
    """AWS says so inside an answer that succeeds, and botocore does not try again."""

    def fault(day: BadDay, _operation: str, request: dict[str, Any]) -> Any:  # noqa: ANN401
        day.pass_(3)
        refusal = {"Error": {"Code": "ThrottlingError", "Message": "Rate exceeded"}}
        return answer({"Responses": [refusal for _ in request["Statements"]]})

    result, _ = send(only(fault, "BatchExecuteStatement"), [an_event(number) for number in range(500)])
    assert statuses(result) == {"failed": 500}


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
def test_duplicates_that_cannot_be_told_from_conflicts(send: Send, fault: Fault) -> None:
    events = [an_event(number) for number in range(1, 201)]
    send(lambda *_: None, events[:150])
    result, _ = send(only(fault, "BatchGetItem", table="-records-", after=1), events)
    assert result.status == 503
    assert statuses(result) == {"duplicate": 100, "stored": 50, "failed": 50}


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
def test_chunks_that_cannot_be_stored(send: Send, fault: Fault) -> None:
    large = [an_event(number, metadata={"a": number_text(number)}) for number in range(1, 5)]
    result, _ = send(only(fault, *INSERTS), large)
    assert statuses(result) == {"failed": 4}


def number_text(seed: int) -> str:
    """What does not deflate below what a head holds."""

    return Random(seed).randbytes(300_000).hex()


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
@pytest.mark.parametrize("path", ["/v1/telemetry", "/api/product/usage"])
def test_one_event_that_cannot_be_stored(send: Send, path: str, fault: Fault) -> None:
    result, _ = send(only(fault, *INSERTS), an_event(1), path)
    assert result.status == 503
    assert result.headers["retry-after"] == "5"


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
def test_a_registry_that_is_away_leaves_time_to_store(send: Send, fault: Fault) -> None:
    events = [an_event(number, license_key=f"ACME-{number % 9}") for number in range(1, 101)]
    result, _ = send(only(fault, *READS, table="-registry"), events)
    assert (result.status, statuses(result)) == (200, {"stored": 100})


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
def test_everything_is_away_at_a_cold_start(deployment: Deployment, fault: Fault) -> None:
    with in_time(client(deployment, "ingest"), fault) as (ingest, _):
        assert ingest.post("/v1/telemetry", an_event(1)).status == 503


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
@pytest.mark.parametrize("action", ["verify", "activate", "deactivate"])
@pytest.mark.parametrize("is_known", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_licences(
    deployment: Deployment,
    fault: Fault,
    action: str,
    is_known: bool,  # noqa: FBT001
) -> None:
    issue(deployment)
    licensing, body = client(deployment, "licensing"), {"license_key": KEY, "identifier": "d"}
    if is_known:
        licensing.post(f"/v1/{action}", body, idempotency_key="k")
    with in_time(licensing, fault) as (hurried, _):
        answer = hurried.post(f"/v1/{action}", body, idempotency_key="another" if is_known else "k")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("fault", ONE_BY_ONE, ids=["slow throttle", "silent", "unreachable", "throttle"])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("reports", "/api/v1/reports/applications"),
        ("reports", "/rest/v3/telemetry/report"),
        ("analytics", "/api/v1/telemetry"),
        ("analytics", "/api/v1/analytics/products"),
        ("admin", "/api/v1/admin/products"),
    ],
)
def test_reads(deployment: Deployment, fault: Fault, name: str, path: str) -> None:
    method, query = "POST" if "rest" in path else "GET", {"environment": "production"}
    with in_time(client(deployment, name), fault) as (hurried, _):
        answer = hurried.request(method, path, None, query)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_pages_that_come_too_slowly(deployment: Deployment) -> None:
    """Each answer is in time; all together they are not."""

    def slow(day: BadDay, _operation: str, _request: dict[str, Any]) -> Any:  # noqa: ANN401
        day.pass_(2)
        last = {"pk": {"S": "product"}, "sk": {"S": "x"}}
        return answer({"Items": [], "Count": 0, "ScannedCount": 1, "LastEvaluatedKey": last})

    with in_time(client(deployment, "reports"), only(slow, "Query")) as (reports, _):
        assert reports.get("/api/v1/reports/applications").status == 503


def test_keys_that_are_left_out_again_and_again(deployment: Deployment) -> None:
    """BatchGetItem may answer, and leave out everything: what is asked for again must come to an end."""

    def nothing(day: BadDay, _operation: str, request: dict[str, Any]) -> Any:  # noqa: ANN401
        day.pass_(0.1)
        return answer({"Responses": {}, "UnprocessedKeys": request["RequestItems"]})

    issue(deployment)
    with in_time(client(deployment, "licensing"), only(nothing, "BatchGetItem")) as (licensing, _):
        assert licensing.post("/v1/verify", {"license_key": KEY, "identifier": "d"}).status == 503


YEAR = {"environment": "production", "from": "2026-01-01", "to": "2026-11-21"}


@pytest.mark.parametrize("seconds", [1.5, pytest.param(0.3, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("path", "query", "rows"),
    [
        ("/api/v1/analytics/records", {"hwid": "d3", **YEAR}, 10),
        ("/api/v1/analytics/records", {"limit": "7", **YEAR}, 50),
        ("/api/v1/analytics/export", {"format": "ndjson", **YEAR}, 50),
        ("/api/v1/analytics/export", {"format": "ndjson", "hwid": "d3", **YEAR}, 10),
        ("/api/v1/telemetry", {"data_group": "rare"}, 10),
    ],
)
@pytest.mark.slow
def test_a_year_of_a_slow_table(
    deployment: Deployment, path: str, query: dict[str, str], rows: int, seconds: float
) -> None:
    """Each request takes its time, and the index is too large to be read at once: pages are short, and lead on."""
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for age in range(0, 30, 3):
        events = [an_event(number, event_id=f"{age}-{number}") for number in range(5)]
        events[0]["data_group"] = "rare"
        assert (
            start_ingest(deployment, now - timedelta(days=age))("/api/v1/telemetry", json.dumps(events)).status == 200
        )
    analytics = load_function("analytics", FakeClock(now))
    table = deployment.tables.records(Environment.PRODUCTION)
    analytics.wired().index_sizes.note(table, 1_000_000)
    key = deployment.staff_key() if "analytics" in path else deployment.keys[Environment.PRODUCTION]

    def slow(day: BadDay, _operation: str, _request: dict[str, Any]) -> None:
        day.pass_(seconds)

    found, page, cursor = 0, query, "next" if path.endswith("telemetry") else "cursor"
    for _ in range(60):
        with in_time(Client(analytics, {"authorization": f"Bearer {key}"}), slow) as (hurried, _):
            result = hurried.get(path, page)
        assert result.status == 200, result.text
        if "export" in path:
            found += len(result.text.splitlines())
            following = result.headers.get("link", "").partition(">")[0].removeprefix("<")
        else:
            told = result.body["response"] if path.endswith("telemetry") else result.body
            found += len(told["data"] if path.endswith("telemetry") else told["items"])
            following = told["next"]
        if not following:
            break
        page = dict(parse_qsl(urlsplit(following).query)) if "?" in following else {**query, cursor: following}
    assert found == rows
