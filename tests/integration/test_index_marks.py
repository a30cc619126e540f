"""A record without the mark of its index partition cannot exist, so where there is no mark nobody looks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.dialects import getkeymanager
from telemetry.domain.event import Event
from telemetry.domain.judge import LicenseView
from telemetry.domain.retention import LONGEST_DAYS, expiry
from telemetry.domain.shards import ShardPlan
from telemetry.retry import Deadline
from telemetry.services.ingest import Ingest, Status
from telemetry.settings import TableNames
from telemetry.storage.index_marks import mark_item
from telemetry.storage.index_partition import IndexPartition
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import dynamodb_client
from tests.integration.test_ingest_faults import ACCESS, ENVIRONMENT, KEYRING, NOW, FaultyClient, keep, products

PLAN = ShardPlan(8)


def events(count: int, random: Random) -> list[Event]:
    """Of some users, so that they lie in several partitions; one in three is not of a registered product."""
    bodies = [
        getkeymanager.parse_one(
            b'{"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "%s", "user_identifier": "u%d"}'
            % (random.choice([b"acme", b"acme", b"other"]), random.randrange(count))
        )
        for _ in range(count)
    ]
    return [replace(event, event_id=f"e{number}") for number, event in enumerate(bodies)]


def stored(tables: TableNames) -> tuple[set[str], set[str]]:
    """The partitions that hold records, and those that are marked."""
    items = dynamodb_client().scan(TableName=tables.records(ENVIRONMENT))["Items"]
    marks = {item["s"]["S"] for item in items if item["p"]["S"].startswith("M")}
    return {item["g"]["S"] for item in items if "g" in item}, marks


@pytest.mark.parametrize("fault", ["before", "after", "throttle", "some"])
@pytest.mark.parametrize("call", range(4))
def test_no_record_without_a_mark_whichever_call_fails(tables: TableNames, fault: str, call: int) -> None:
    random = Random(call)
    client = FaultyClient([None] * call + [fault], random)
    sent = events(30, random)
    outcomes = keep(tables, sent, client)
    assert Status.FAILED not in {outcome.status for outcome in outcomes}
    holding, marked = stored(tables)
    assert holding == marked


@pytest.mark.parametrize("fault", ["before", "after", "throttle", "some"])
@pytest.mark.parametrize("seed", range(4))
def test_no_record_without_a_mark_while_calls_keep_failing(tables: TableNames, fault: str, seed: int) -> None:
    random = Random(seed)
    keep(tables, events(30, random), FaultyClient([fault] * random.randrange(1, 60), random), attempts=3)
    holding, marked = stored(tables)
    assert holding <= marked


class Selective:
    """A client that throttles the marks of one product, for as long as it is asked."""

    def __init__(self, refused: str) -> None:
        self.refused = refused
        self.real = dynamodb_client()

    def batch_get_item(self, **arguments: Any) -> Any:  # noqa: ANN401
        return self.real.batch_get_item(**arguments)

    def execute_statement(self, **arguments: Any) -> Any:  # noqa: ANN401
        return self.real.execute_statement(**arguments)

    def batch_execute_statement(self, *, Statements: list[Any]) -> Any:  # noqa: ANN401, N803
        is_refused = [self._is_refused(statement) for statement in Statements]
        sent = [each for each, refused in zip(Statements, is_refused, strict=True) if not refused]
        answers = iter(self.real.batch_execute_statement(Statements=sent)["Responses"] if sent else [])
        error = {"Error": {"Code": "ThrottlingError", "Message": ""}}
        return {"Responses": [error if refused else next(answers) for refused in is_refused]}

    def _is_refused(self, statement: Any) -> bool:  # noqa: ANN401
        partition, sort = (value.get("S", "") for value in statement["Parameters"][:2])
        return bool(partition.startswith("M") and sort.startswith(self.refused))


def test_a_mark_that_cannot_be_written_holds_up_its_own_records_only(tables: TableNames) -> None:
    sent = events(60, Random(1))
    outcomes = keep(tables, sent, Selective("acme#"), attempts=3)
    failed = {event.product_id for event, each in zip(sent, outcomes, strict=True) if each.status is Status.FAILED}
    kept = {event.product_id for event, each in zip(sent, outcomes, strict=True) if each.status is Status.STORED}
    assert (failed, kept) == ({"acme"}, {"other"})
    holding, marked = stored(tables)
    assert holding == marked
    assert {IndexPartition.parse(each).product for each in marked} == {"~unknown"}


def test_a_partition_is_marked_once_by_a_process(tables: TableNames) -> None:
    statements: list[Any] = []

    class Listening(FaultyClient):
        def batch_execute_statement(self, *, Statements: list[Any]) -> Any:  # noqa: ANN401, N803
            statements.extend(Statements)
            return super().batch_execute_statement(Statements=Statements)

        def execute_statement(self, **arguments: Any) -> Any:  # noqa: ANN401
            statements.append(arguments)
            return super().execute_statement(**arguments)

    client: Any = Listening([], Random(0))
    store = RecordStore(tables.records(ENVIRONMENT), PLAN, client=lambda: client)
    ingest = Ingest(lambda _: store, products, lambda some, *_: [LicenseView()] * len(some), KEYRING, lambda _: 90)

    def marks_of(sent: list[Event], now: datetime) -> int:
        statements.clear()
        ingest.keep(sent, ACCESS, "203.0.113.7", now, Deadline(10))
        return sum(each["Parameters"][0].get("S", "").startswith("M") for each in statements)

    sent = events(40, Random(2))
    first = marks_of(sent, NOW)
    assert first == len(stored(tables)[1])
    assert marks_of([replace(event, event_id=f"again-{event.event_id}") for event in sent], NOW) == 0
    assert marks_of([replace(event, event_id=f"next-{event.event_id}") for event in sent], NOW + timedelta(days=1)) > 0


def test_a_mark_is_always_the_same_and_outlives_its_records() -> None:
    day, zone = date(2026, 11, 21), UTC
    item = mark_item(str(IndexPartition("a#b", day, "c", 3)))
    assert item == mark_item("a%23b#2026-11-21#c#3")
    assert (item["p"], item["s"]) == ({"S": "M2026-11-21"}, {"S": "a%23b#2026-11-21#c#3"})
    last = datetime(2026, 11, 21, 23, 59, 59, 999_999, zone)
    assert int(item["x"]["N"]) > expiry(last, LONGEST_DAYS).timestamp()


def test_marks_tell_products_apart_whose_names_begin_alike(tables: TableNames) -> None:
    day = NOW.date()
    names = ["acme", "acme#", "acme-cli", "acme%", "~unknown"]
    places = [IndexPartition(name, day, "c", shard) for name in names for shard in range(2)]
    for place in places:
        dynamodb_client().put_item(TableName=tables.records(ENVIRONMENT), Item=mark_item(str(place)))
    store = RecordStore(tables.records(ENVIRONMENT), PLAN)
    assert set(store.marked(day)) == set(places)
    for name in names:
        assert store.marked(day, [name]) == [place for place in places if place.product == name]
    assert {place.product for place in store.marked(day, ["acme", "acme%"])} == {"acme", "acme%"}
    assert store.marked(day, []) == []
    assert store.marked(day + timedelta(days=1)) == []
