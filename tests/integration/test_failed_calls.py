"""Failed calls to ingest are counted by who made them, in bounds, and at the cost of one write."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import QueryError, UpdateError

from local.template import read_template
from telemetry.domain.api_key import Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.failed_call import OTHERS, Caller, FailedCalls
from telemetry.services.api_keys import hash_of, issue_staff_key
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.failed_calls import CALLERS_PER_SLOT, RETENTION, SLOTS, FailedCallsItem, FailedCallStore
from telemetry.storage.inserts import Insertion
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.capacity import counted_calls
from tests.client import Client
from tests.integration.test_metrics import emitted, failing
from tests.lambdas import Context, load_function
from tests.worlds.deployment import Deployment, Post, start_ingest

pytestmark = pytest.mark.days

PRODUCTION = Environment.PRODUCTION
HOUR = datetime(2026, 11, 21, 8, tzinfo=UTC)
EVENT = json.dumps({"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-cli"})
WRONG = "tk_prod_nobody-was-ever-given-this-a1b2"
IP = "203.0.113.7"


@pytest.fixture
def store(deployment: Deployment) -> FailedCallStore:
    return FailedCallStore(deployment.tables.registry)


def who(number: int) -> Caller:
    return Caller("bad_key", f"{number:04d}", "192.0.2.7")


def noted(store: FailedCallStore, environment: Environment | None = None) -> Mapping[Caller, int]:
    """What is counted of the last two hours."""
    now = datetime.now(UTC)
    return {
        caller: calls
        for hour in store.hours(environment, now - timedelta(hours=1), now)
        for caller, calls in hour.calls.items()
    }


# ── the store


def test_counts_by_hour_and_environment(store: FailedCallStore) -> None:
    later = HOUR + timedelta(hours=1)
    for environment, hour, number in ((PRODUCTION, HOUR, 1), (PRODUCTION, HOUR, 1), (None, HOUR, 1), (None, later, 2)):
        assert store.add(environment, who(number), hour)
    assert store.add(None, OTHERS, later, 7)
    assert list(store.hours(PRODUCTION, HOUR, later)) == [FailedCalls(PRODUCTION, HOUR, {who(1): 2})]
    assert list(store.hours(None, HOUR, later)) == [
        FailedCalls(None, later, {who(2): 1, OTHERS: 7}),
        FailedCalls(None, HOUR, {who(1): 1}),
    ]
    assert list(store.hours(None, HOUR, HOUR)) == [FailedCalls(None, HOUR, {who(1): 1})]
    assert list(store.hours(Environment.STAGING, HOUR, later)) == []


@pytest.mark.slow
def test_an_hour_has_room_for_so_many(store: FailedCallStore) -> None:
    added = [number for number in range(600) if store.add(None, who(number), HOUR)]
    assert len(added) == SLOTS * CALLERS_PER_SLOT
    assert store.add(None, who(added[0]), HOUR)
    (hour,) = store.hours(None, HOUR, HOUR)
    assert hour.calls == {who(number): 2 if number == added[0] else 1 for number in added}
    sizes = [item_size(item) for item in dynamodb_client().scan(TableName=store.table)["Items"] if is_ours(item)]
    assert len(sizes) == SLOTS
    assert max(sizes) <= 1024


def is_ours(item: Mapping[str, Any]) -> bool:
    return bool(item["pk"]["S"].startswith("failed_calls#"))


def item_size(item: Mapping[str, Any]) -> int:
    texts = [text for value in item.values() for text in (value.get("SS") or [value.get("S") or value.get("N")])]
    return sum(len(text) for text in (*item, *texts))


def test_expires(store: FailedCallStore, deployment: Deployment) -> None:
    store.add(None, who(1), HOUR)
    (item,) = [each for each in dynamodb_client().scan(TableName=store.table)["Items"] if is_ours(each)]
    template = read_template(deployment.tables.prefix)
    (attribute,) = (each.ttl_attribute for each in template.tables if each.name == store.table)
    assert attribute in FailedCallsItem.get_attributes()
    assert item[attribute] == {"N": str(int((HOUR + RETENTION).timestamp()))}


def test_a_key_may_end_in_anything(store: FailedCallStore) -> None:
    odd = Caller("bad_key", "#a#b", "2001:db8::7")
    store.add(None, odd, HOUR)
    assert [hour.calls for hour in store.hours(None, HOUR, HOUR)] == [{odd: 1}]


def test_a_table_that_is_not_there_is_told_as_it_is(deployment: Deployment) -> None:
    missing = FailedCallStore(f"{deployment.tables.prefix}-nothing")
    with pytest.raises(UpdateError):
        missing.add(None, who(1), HOUR)
    with pytest.raises(QueryError):
        list(missing.hours(None, HOUR, HOUR))


# ── what ingest notes


def refused(post: Post, key: str | None, body: str = EVENT, path: str = "/api/v1/telemetry", **query: str) -> int:
    """The HTTP status of a call from IP."""
    headers = {} if key is None else {"x-api-key": key}
    return post(path, body, headers, query).status


def test_calls_with_keys_that_are_not_good(deployment: Deployment, post: Post, store: FailedCallStore) -> None:
    key = deployment.keys[PRODUCTION]
    revoked, of_reader = deployment.key(), deployment.key(frozenset({Capability.READ}))
    deactivate(deployment, revoked)
    for _ in range(2):
        assert refused(post, WRONG) == 401
    assert refused(post, WRONG, path="/api/product/usage") == 400
    assert refused(post, None) == 401
    assert refused(post, revoked) == 401
    assert refused(post, of_reader) == 401
    assert refused(post, key, environment="staging") == 403
    assert refused(post, None, json.dumps({"api_key": WRONG[:-1] + "z"})) == 401
    assert noted(store) == {("bad_key", "a1b2", IP): 3, ("bad_key", "", IP): 1, ("bad_key", "a1bz", IP): 1}
    assert noted(store, PRODUCTION) == {
        ("inactive_key", revoked[-4:], IP): 1,
        ("forbidden", of_reader[-4:], IP): 1,
        ("forbidden", key[-4:], IP): 1,
    }
    assert noted(store, Environment.STAGING) == {}


def deactivate(deployment: Deployment, secret: str) -> None:
    key_hash = hash_of(secret, deployment.keyring)
    dynamodb_client().update_item(
        TableName=deployment.tables.registry,
        Key={"pk": {"S": f"api_key#{key_hash.hex()[:32]}"}, "sk": {"S": "api_key"}},
        UpdateExpression="SET is_active = :no",
        ExpressionAttributeValues={":no": {"BOOL": False}},
    )


def test_staff_keys_belong_to_no_one_environment(deployment: Deployment, post: Post, store: FailedCallStore) -> None:
    staff = issue_staff_key("s", frozenset(Environment), Role.ADMIN, deployment.keyring, deployment.api_keys).secret
    assert refused(post, staff) == 401
    assert noted(store) == {("forbidden", staff[-4:], IP): 1}


def test_bodies_in_which_nothing_can_be_read(deployment: Deployment, post: Post, store: FailedCallStore) -> None:
    key = deployment.keys[PRODUCTION]
    for body in ("{", "[1]", '{"events": [], "more": 1}', f"[{EVENT}, 7]"):
        assert refused(post, key, body) == 200
    assert refused(post, key, "nonsense", "/api/product/usage") == 200
    assert refused(post, key, json.dumps({"data_type": 7})) == 200  # malformed, but it can be read
    assert refused(post, key) == 200
    assert noted(store, PRODUCTION) == {("malformed", key[-4:], IP): 5}


def test_what_could_not_be_stored(
    deployment: Deployment, post: Post, store: FailedCallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = deployment.keys[PRODUCTION]

    def throttled(_: RecordStore, records: list[object], *__: object) -> list[Insertion]:
        return [Insertion.UNAVAILABLE] * len(records)

    monkeypatch.setattr(RecordStore, "insert", throttled)
    assert refused(post, key) == 503
    assert refused(post, key, f"[{EVENT}, {EVENT}]") == 503
    assert refused(post, key, "{") == 503
    assert refused(post, key, "{}", "/api/product/usage") == 503
    assert noted(store, PRODUCTION) == {("unavailable", key[-4:], IP): 4}


def test_a_registry_that_does_not_answer(
    deployment: Deployment, post: Post, store: FailedCallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise StoreUnavailable("API keys")

    with monkeypatch.context() as patch:
        patch.setattr(ApiKeyStore, "find", unavailable)
        assert refused(post, deployment.keys[PRODUCTION]) == 503
    assert noted(store) == {("unavailable", deployment.keys[PRODUCTION][-4:], IP): 1}


# ── what it costs


def test_a_failed_call_takes_one_write_and_a_good_one_none(deployment: Deployment, post: Post) -> None:
    refused(post, deployment.keys[PRODUCTION])  # a warm start
    expected = {deployment.keys[PRODUCTION]: 0, WRONG: 1}
    for key, writes in expected.items():
        with counted_calls() as calls:
            refused(post, key)
        assert [call for call in calls if "Update" in call] == ["UpdateItem registry"] * writes


@pytest.mark.parametrize("fault", [StoreUnavailable("x"), UpdateError("x"), KeyError("x")])
def test_it_is_answered_whatever_goes_wrong(
    deployment: Deployment, fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> bool:
        raise fault

    monkeypatch.setattr(FailedCallStore, "add", broken)
    post = start_ingest(deployment)
    assert refused(post, WRONG) == 401
    assert refused(post, deployment.keys[PRODUCTION], "{") == 200
    assert caplog.text.count("Not counted") == 2
    assert WRONG not in caplog.text


@pytest.mark.parametrize("function", ["ingest", "unknown_route"])
def test_a_call_that_storage_forbids_to_count_rings(
    deployment: Deployment, function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployment
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "UpdateItem")
    with failing(denied, "UpdateItem"):
        assert Client(load_function(function)).post("/v1/nothing", "{}").status == 404
    assert "StorageFaults" in {name for _, name, _ in emitted(capsys.readouterr().out)}


@pytest.mark.usefixtures("deployment")
def test_a_call_that_took_all_its_time_is_not_counted(store: FailedCallStore) -> None:
    ingest = Client(load_function("ingest"), context=Context(milliseconds_left=1_000))
    assert ingest.post("/api/v1/telemetry", EVENT).status == 401
    assert noted(store) == {}
