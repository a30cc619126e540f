"""The same histories on the real store, with DynamoDB's own errors; and what a report costs."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pynamodb.exceptions import TransactWriteError

from local.engine import Engine, dynamodb
from local.template import read_template
from telemetry.domain.active_users import COUNTERS, NEW, Actor, ActorKey, Audience, Balance, Place, TallyKey
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.sighting import CATALOGUE, Sighting
from telemetry.retry import ATTEMPTS
from telemetry.services import counting
from telemetry.services.reports import active_users
from telemetry.settings import TableNames
from telemetry.storage.active_user_items import SLICES
from telemetry.storage.active_users import MOST_SCOPES
from tests.observations import observe, report_of
from tests.table_aggregates import TableAggregates
from tests.worlds.active_users import FIRST_DAY, PRODUCTS, SHORT_GAPS, Step, World, histories

pytestmark = pytest.mark.slow

SOAK = bool(os.environ.get("SOAK"))
TODAY = date(2026, 11, 3)
FEW = settings(
    max_examples=300 if SOAK else 4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking is for the store in memory
    suppress_health_check=list(HealthCheck),
)
_numbers = count(1)

NewStore = Callable[..., TableAggregates]
"""Makes a store on a table of its own, with so many scopes in an actor's first item."""


@pytest.fixture(scope="module")
def new_store(engine: Engine) -> NewStore:
    tables = TableNames("histories")
    name = tables.aggregates(Environment.PRODUCTION)
    (table,) = (each for each in read_template(tables.prefix).tables if each.name == name)
    client = dynamodb(engine.endpoint)

    def new(most_scopes: int = MOST_SCOPES) -> TableAggregates:
        unique = f"{name}-{next(_numbers)}"
        client.create_table(**{**table.create, "TableName": unique})
        return TableAggregates(unique, most_scopes)

    return new


@FEW
@given(steps=histories(40, SHORT_GAPS), most_scopes=st.sampled_from([1, MOST_SCOPES]))
def test_users_are_exact_for_every_window(new_store: NewStore, steps: list[Step], most_scopes: int) -> None:
    world = World(new_store(most_scopes))
    world.run(steps)
    world.settle()
    world.check_everything()


@FEW
@given(steps=histories(40, SHORT_GAPS), seed=st.integers(0, 2**32), most_scopes=st.sampled_from([1, MOST_SCOPES]))
def test_what_dynamodb_answers_under_load_changes_nothing(
    new_store: NewStore, steps: list[Step], seed: int, most_scopes: int
) -> None:
    world = World(new_store(most_scopes))
    with faults(Random(seed)):
        world.run(steps)
        world.settle()
    world.check_everything()


def test_a_conflict_that_does_not_end_is_unavailability(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store, waited = new_store(), list[int]()
    someone = [Sighting("editor", TODAY, b"a", None, billable=True)]
    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", always("TransactWriteItems", CONFLICT))
        with pytest.raises(StoreUnavailable):
            counting.count(someone, store, waited.append)
    assert waited == list(range(1, ATTEMPTS))
    assert counting.count(someone, store) == []
    assert active_users("editor", 1, TODAY, Audience.USERS, store) == 1


def test_what_no_retry_can_cure_is_raised_as_it_is(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseClient, "_make_api_call", always("TransactWriteItems", DENIED))
    with pytest.raises(TransactWriteError):
        counting.count([Sighting("editor", TODAY, b"a", None, billable=True)], new_store())


@pytest.mark.parametrize("users", [1_000, 100_000])
def test_a_report_is_one_query_of_at_most_three_units(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch, users: int
) -> None:
    """The dearest ledger: every counter of every audience in use, and every part of today's tally."""
    store = new_store()
    fill(store, users)
    calls = recorded_calls(monkeypatch)
    assert active_users(CATALOGUE, 365, TODAY, Audience.USERS, store) > 0
    assert [operation for operation, _ in calls] == ["Query"]
    assert calls[0][1]["ConsumedCapacity"]["CapacityUnits"] <= 3


def test_an_unknown_application_costs_one_query_of_half_a_unit(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store()
    calls = recorded_calls(monkeypatch)
    assert active_users("nobody knows it", 365, TODAY, Audience.USERS, store) == 0
    assert [(operation, answer["ConsumedCapacity"]["CapacityUnits"]) for operation, answer in calls] == [("Query", 0.5)]
    assert active_users("\ud800", 365, TODAY, Audience.USERS, store) == 0
    assert active_users("x" * 5_000, 365, TODAY, Audience.USERS, store) == 0
    assert len(calls) == 1


def test_a_thousand_actors_take_few_transactions(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store = new_store()
    store.add_scopes(["editor", CATALOGUE])
    crowd = [Sighting("editor", TODAY, b"u%d" % each, b"d%d" % each, billable=True) for each in range(500)]
    calls = recorded_calls(monkeypatch)
    assert counting.count(crowd, store) == []
    operations = Counter(operation for operation, _ in calls)
    assert operations["TransactWriteItems"] == operations["BatchGetItem"] == 11
    calls.clear()
    assert counting.count(crowd, store) == []
    assert Counter(operation for operation, _ in calls) == {"GetItem": 1, "BatchGetItem": 11}


def test_one_device_with_thousands_of_products_is_counted(new_store: NewStore) -> None:
    """What anyone can send who has an ingest key; with the longest names no item could hold it."""
    store, later = new_store(), TODAY + timedelta(days=3)
    products = [f"{number:064d}" for number in range(3_800)]
    again = Random(1).sample(products, 60)
    for day, seen in ((TODAY, products), (later, again)):
        sightings = [Sighting(product, day, b"d", b"d", billable=True) for product in seen]
        assert counting.count(sightings, store, lambda _: None) == []
    for scope in (CATALOGUE, *again[:20]):
        assert [active_users(scope, *window, Audience.DEVICES, store) for window in ((1, TODAY), (4, later))] == [1, 1]
        assert active_users(scope, 1, later, Audience.DEVICES, store) == 1
    assert sum(active_users(each, 1, TODAY, Audience.USERS, store) for each in products[:200]) == 200


def test_a_further_product_costs_what_the_first_did(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item of its own, and nothing of what lies elsewhere is read or written again."""
    store, products = new_store(), [f"product-{number:02d}" for number in range(MOST_SCOPES + 3)]
    store.add_scopes([*products, CATALOGUE])
    calls = recorded_calls(monkeypatch)
    for product in products:
        assert counting.count([Sighting(product, TODAY, b"u", None, billable=True)], store) == []
    written = [answer["ConsumedCapacity"] for operation, answer in calls if operation == "TransactWriteItems"]
    units = [each["CapacityUnits"] for (each,) in written]
    reads = Counter(operation for operation, _ in calls)
    assert (units[0], units[MOST_SCOPES - 1], units[MOST_SCOPES:]) == (6, 4, [4, 4, 4])
    assert reads["BatchGetItem"] == len(units) + 3


@pytest.mark.parametrize("most_scopes", [1, MOST_SCOPES])
def test_writers_and_closers_at_once(new_store: NewStore, most_scopes: int) -> None:
    """Six stream shards with overlapping records, and two runs of close_day for days they are still delivering."""
    world = World(new_store(most_scopes))
    random = Random(6)
    days = [FIRST_DAY + timedelta(days=each) for each in range(4)]
    sightings = [
        Sighting(random.choice(PRODUCTS), day, b"u%d" % random.randrange(150), b"d%d" % random.randrange(150), billable)
        for day in days
        for billable in random.choices([True, False], k=150)
    ]
    world.records = [observe(each, number) for number, each in enumerate(sightings)]
    batches = [random.sample(sightings, 400) for _ in range(6)]
    # nothing has been counted live, so the two runs close days by their deadlines
    now = datetime.combine(days[-1] + timedelta(days=1), time(2, 0), UTC)
    with ThreadPoolExecutor(8) as pool:
        runs: list[Future[Any]] = [pool.submit(counting.count, batch, world.store) for batch in batches]
        runs += [pool.submit(world.close_at, now) for _ in range(2)]
        for run in runs:
            run.result()
    counting.count(sightings, world.store)
    world.counted = set(sightings)
    world.today = days[-1]
    for day in days:
        world.check(day, (1, 2, 3, 4, 365))
    assert world.store.closing().closed == days[-2].toordinal()


def fill(store: TableAggregates, users: int) -> None:
    """Users spread over all 366 days in every audience, a share of them back today from each of those days."""
    today = TODAY.toordinal()
    random = Random(users)
    shares = [random.uniform(0.5, 1.5) * users / COUNTERS for _ in range(COUNTERS)]
    counters = tuple(max(1, int(share)) for share in shares)
    store.keep(report_of(CATALOGUE, Balance(today - 1, dict.fromkeys(Audience, counters))))
    back = [max(1, each // SLICES // 3) for each in counters]
    for slice_ in range(SLICES):
        for ages in (range(NEW, 130), range(130, 260), range(260, COUNTERS)):
            for audience in Audience:
                tally = Counter({(audience, age): back[age] for age in ages})
                actor = Actor(1, {Place(CATALOGUE, audience): (today,)})
                key = ActorKey(f"{slice_} {ages.start} {audience}".encode())
                store.commit({key: actor}, {TallyKey(CATALOGUE, today): tally}, slice_)


CONFLICT = {
    "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
    "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict", "Message": "Transaction is ongoing"}],
}
THROTTLED = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
THROTTLED_INSIDE = {
    "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
    "CancellationReasons": [{"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity"}],
}
DENIED = {"Error": {"Code": "AccessDeniedException", "Message": "AccessDenied"}}
_original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]


def always(failing: str, answer: dict[str, Any]) -> Callable[..., Any]:
    """A client whose one operation always fails."""

    def call(self: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        if operation == failing:
            raise ClientError(answer, operation)  # type: ignore[arg-type]
        return _original(self, operation, arguments)

    return call


@contextmanager
def faults(random: Random) -> Iterator[None]:
    """A client that fails now and then: before DynamoDB did what it was asked, or after, when the answer is lost."""

    def call(self: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        if random.random() < 0.05:
            inside = [THROTTLED_INSIDE, CONFLICT] if operation == "TransactWriteItems" else []
            raise ClientError(random.choice([THROTTLED, *inside]), operation)  # type: ignore[arg-type]
        answer = _original(self, operation, arguments)
        if random.random() < 0.05:
            raise ReadTimeoutError(endpoint_url="http://dynamodb", operation=operation)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield


def recorded_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Every operation from now on, with its answer."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def call(self: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        answer = _original(self, operation, arguments)
        calls.append((operation, answer))
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return calls
