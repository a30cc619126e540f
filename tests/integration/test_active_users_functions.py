"""From stored records through the functions' handlers to finance's answer."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from telemetry.domain.active_users import Audience
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.hourly_counts import FLAGGED, RECORDS, SUSPECT, UNNAMED, HourCounts, Kind, Measure, of_key, total
from telemetry.domain.instant import hour_of
from telemetry.domain.product import Product
from telemetry.domain.sighting import CATALOGUE
from telemetry.services.api_keys import hash_of
from telemetry.services.reports import active_users
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.hourly_counts import HourlyCountStore
from tests.client import Client
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import SHARD, close_day, deadline, stream_batch, stream_event
from tests.worlds.deployment import Deployment, Mailbox, Post

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 3, 9, 20, tzinfo=UTC)

TODAY = NOW.date()

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def post(deployment: Deployment, clock: FakeClock) -> Post:
    return Post(deployment, clock)


@pytest.fixture
def ask(deployment: Deployment, clock: FakeClock) -> Ask:
    """Asks a freshly started reports function, with the production key unless headers say otherwise."""
    reports = Client(load_function("reports", clock))

    def ask(
        body: object, headers: dict[str, str] | None = None, path: str = "/rest/v3/telemetry/report"
    ) -> tuple[int, dict[str, Any]]:
        key = {"x-api-key": deployment.keys[Environment.PRODUCTION]}
        answer = reports.request("POST", path, body, None, key if headers is None else headers)
        return answer.status, answer.body

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
    return {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": product, "user_identifier": user}


def test_users_reach_the_report_once(deployment: Deployment, post: Post, ask: Ask) -> None:
    rollup = load_function("rollup")
    assert ask(mau("acme-cli")) == answered("acme-cli", 0)
    users = [event(f"user {number}") for number in range(30)] + [event("user 1", "acme-desktop"), event("x", "who?")]
    assert post("/api/v1/telemetry", json.dumps(users)).status == 200
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


def test_a_user_of_very_many_products_is_counted_once_and_the_day_closes(
    deployment: Deployment, post: Post, ask: Ask, mailbox: Mailbox
) -> None:
    """Anyone can be that who has an ingest key."""
    products = [f"product-{number:03d}" for number in range(50)]
    for product in products:
        deployment.products.put(Product(product, product))
    assert post("/api/v1/telemetry", json.dumps([event("jane", product) for product in products])).status == 200
    post("/api/v1/telemetry", json.dumps([event("john", products[0])]))
    for _ in range(2):
        load_function("rollup").handler(stream_batch(deployment), Context())
    assert [ask(mau(each))[1]["responseObject"]["reportData"]["users"] for each in products] == [2] + [1] * 49
    assert ask(mau(CATALOGUE)) == answered(CATALOGUE, 2)
    assert close_day(Environment.PRODUCTION, deadline(TODAY)) == [TODAY.isoformat()]
    assert ask(mau(products[-1])) == answered(products[-1], 1)
    assert ask(mau(CATALOGUE)) == answered(CATALOGUE, 2)
    assert mailbox.failures == []


def test_what_cannot_be_placed_goes_to_the_failure_queue_and_the_rest_counts(
    deployment: Deployment, post: Post, ask: Ask, mailbox: Mailbox
) -> None:
    """A body that cannot be read keeps nobody from counting: the recount, which reads no bodies, counts them too."""
    post("/api/v1/telemetry", json.dumps([event("jane"), event("john"), event("jim")]))
    batch = stream_batch(deployment)
    whole = batch["Records"][1]
    broken = json.loads(json.dumps(whole))
    broken["dynamodb"]["NewImage"]["g"] = {"S": "acme-cli#not a day#c#0"}
    garbled = json.loads(json.dumps(batch["Records"][2]))
    garbled["dynamodb"]["NewImage"]["b"] = {"B": b64encode(b"\x01nonsense").decode()}
    removed = whole | {"eventName": "REMOVE", "dynamodb": whole["dynamodb"] | {"SequenceNumber": f"{4:021d}"}}
    batch["Records"] = [batch["Records"][0], broken, garbled, removed]
    rollup = load_function("rollup")
    for _ in range(2):
        assert rollup.handler(batch, Context()) == {"state": {}}
    assert ask(mau("acme-cli")) == answered("acme-cli", 2)
    (failure,) = mailbox.failures  # and not once more when the batch came again
    assert (failure.key, failure.event_id, failure.shard) == (broken["dynamodb"]["Keys"], broken["eventID"], SHARD)
    assert failure.cause.startswith("ValueError: ")
    assert counted(deployment)[RECORDS] == 2


def test_a_failure_queue_that_fails_brings_the_batch_again(
    deployment: Deployment, post: Post, mailbox: Mailbox
) -> None:
    post("/api/v1/telemetry", json.dumps([event("jane"), event("john")]))
    batch = stream_batch(deployment)
    batch["Records"][0]["dynamodb"]["NewImage"]["g"] = {"S": "?"}
    rollup = load_function("rollup")
    mailbox.is_full = True
    with pytest.raises(StoreUnavailable):
        rollup.handler(batch, Context())
    assert counted(deployment) == {}
    mailbox.is_full = False
    rollup.handler(batch, Context())
    assert (len(mailbox.failures), counted(deployment)[RECORDS]) == (1, 1)


def test_an_empty_batch_ends_a_window(deployment: Deployment) -> None:
    batch = stream_event([], deployment.tables.records(Environment.STAGING)) | {"isFinalInvokeForWindow": True}
    assert load_function("rollup").handler(batch, Context()) == {"state": {}}


def test_a_batch_of_another_table_is_refused(deployment: Deployment) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        load_function("rollup").handler(stream_event([], deployment.tables.registry), Context())


def counted(deployment: Deployment, scope: str = "acme-cli") -> HourCounts:
    """What rollup has counted today."""
    store = HourlyCountStore(deployment.tables.aggregates(Environment.PRODUCTION))
    return total(counts for _, counts in store.hours(scope, NOW - timedelta(days=1), NOW))


def test_hours_count_what_records_are(deployment: Deployment, post: Post, mailbox: Mailbox) -> None:
    bodies = [event(f"user {number}") | {"product_version": f"1.{number % 3}"} for number in range(9)]
    bodies.append(event("pirate") | {"license_key": "LEAKED"})
    post("/api/v1/telemetry", json.dumps([body | {"data_group": "secondary1"} for body in bodies]))
    usage = {"activity_type": "primary", "product_id": "acme-cli", "user_id": "jane", "user_id_type": "EMAIL"}
    usage |= {"source": "TELEMETRY", "event_at": str(int(NOW.timestamp()))}
    post("/api/product/usage", json.dumps({"payload": usage}))
    batch, rollup = stream_batch(deployment), load_function("rollup")
    for _ in range(2):
        rollup.handler(batch, Context())
    key = deployment.api_keys.find(hash_of(deployment.keys[Environment.PRODUCTION], deployment.keyring))
    assert key
    for scope, of_keys in (("acme-cli", {}), (CATALOGUE, {of_key(key.id): 11})):
        assert counted(deployment, scope) == of_keys | {
            RECORDS: 11,
            FLAGGED: 1,
            SUSPECT: 1,
            Measure(Kind.FLAG, "I"): 1,
            Measure(Kind.VERSION, "1.0"): 3,
            Measure(Kind.VERSION, "1.1"): 3,
            Measure(Kind.VERSION, "1.2"): 3,
            Measure(Kind.VERSION, UNNAMED): 2,
            Measure(Kind.GROUP, "secondary1"): 10,
            Measure(Kind.GROUP, "primary"): 1,
        }
    assert mailbox.failures == []


def test_a_key_is_noted_as_used(deployment: Deployment, post: Post) -> None:
    post("/api/v1/telemetry", json.dumps(event("jane")))
    load_function("rollup").handler(stream_batch(deployment), Context())
    key = deployment.api_keys.find(hash_of(deployment.keys[Environment.PRODUCTION], deployment.keyring))
    assert key
    store = HourlyCountStore(deployment.tables.aggregates(Environment.PRODUCTION))
    assert store.uses([key.id, "other"]) == {key.id: hour_of(NOW)}


def test_closing_counts_what_no_stream_delivered(deployment: Deployment, post: Post, ask: Ask) -> None:
    """And what it delivers afterwards changes nothing."""
    post("/api/v1/telemetry", json.dumps([event("jane"), event("john"), event("x", "who?")]))
    assert close_day(Environment.PRODUCTION, deadline(TODAY) - timedelta(minutes=1)) == []
    assert close_day(Environment.PRODUCTION, deadline(TODAY)) == [TODAY.isoformat()]
    assert close_day(Environment.PRODUCTION, deadline(TODAY)) == []
    assert ask(mau("acme-cli")) == answered("acme-cli", 2)
    load_function("rollup").handler(stream_batch(deployment), Context())
    assert ask(mau("acme-cli")) == answered("acme-cli", 2)
    aggregates = LedgerStore(deployment.tables.aggregates(Environment.PRODUCTION))
    assert active_users(CATALOGUE, 30, TODAY, Audience.ALL_USERS, aggregates) == 3


def test_a_record_of_a_closed_day_that_nobody_counted_is_a_failure(
    deployment: Deployment, post: Post, ask: Ask, mailbox: Mailbox
) -> None:
    post("/api/v1/telemetry", json.dumps(event("jane")))
    load_function("rollup").handler(stream_batch(deployment), Context())
    close_day(Environment.PRODUCTION, deadline(TODAY))
    post("/api/v1/telemetry", json.dumps(event("john")))
    load_function("rollup").handler(stream_batch(deployment), Context())
    (failure,) = mailbox.failures
    assert failure.cause == f"DayClosed: {TODAY} is closed"
    assert ask(mau("acme-cli")) == answered("acme-cli", 1)


@pytest.mark.usefixtures("deployment")
def test_without_traffic_days_close_all_the_same() -> None:
    midnight = datetime(2026, 11, 4, tzinfo=UTC)
    assert close_day(Environment.STAGING, midnight + timedelta(minutes=30)) == []
    assert close_day(Environment.STAGING, midnight + timedelta(minutes=40)) == ["2026-11-03"]


@pytest.mark.parametrize("environment", Environment)
def test_a_product_registered_between_two_runs_keeps_no_environment_waiting(
    deployment: Deployment, environment: Environment
) -> None:
    """On a fresh stack the first run comes before the first product."""
    midnight = datetime(2026, 11, 4, tzinfo=UTC)
    assert close_day(environment, midnight + timedelta(minutes=30)) == []
    deployment.products.put(Product("acme-new", "New"))
    assert close_day(environment, midnight + timedelta(minutes=40)) == ["2026-11-03"]
    reports = DayReportStore(deployment.tables.aggregates(environment))
    report = reports.report("acme-new", date(2026, 11, 3))
    assert report
    assert report.totals.records == 0


def test_runs_without_time_get_further(deployment: Deployment, post: Post) -> None:
    """Lambda is about to end each of them when it begins."""
    post("/api/v1/telemetry", json.dumps([event("jane"), event("john", "acme-desktop")]))
    closed: list[str] = []
    for _ in range(12):
        function = load_function("close_day", FakeClock(deadline(TODAY)))
        closed += function.handler({"environment": "production"}, Context(milliseconds_left=0))["closed"]
    assert closed == [TODAY.isoformat()]
    aggregates = LedgerStore(deployment.tables.aggregates(Environment.PRODUCTION))
    assert active_users(CATALOGUE, 30, TODAY, Audience.ALL_USERS, aggregates) == 2


def test_a_closed_day_is_verified_by_event(post: Post) -> None:
    post("/api/v1/telemetry", json.dumps([event("jane"), event("john")]))
    close_day(Environment.PRODUCTION, deadline(TODAY))
    again = {"environment": "production", "product": "acme-cli", "day": TODAY.isoformat()}
    function = load_function("close_day", FakeClock(deadline(TODAY)))
    holds = {"scope": "acme-cli", "outcome": "holds", "difference": None}
    assert function.handler(again, Context()) == {
        "environment": "production",
        "day": TODAY.isoformat(),
        "verdicts": [holds],
    }
    whole = function.handler({"environment": "production", "day": TODAY.isoformat()}, Context())
    assert {verdict["outcome"] for verdict in whole["verdicts"]} == {"holds"}


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
