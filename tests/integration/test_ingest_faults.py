"""Acknowledged means durable, whatever fails between us and the table."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from telemetry.dialects import getkeymanager
from telemetry.domain.api_key import Access, ApiKey, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.judge import LicenseView
from telemetry.domain.keyring import Keyring
from telemetry.domain.product import Product
from telemetry.domain.record import read_telemetry_id
from telemetry.domain.shards import ShardPlan
from telemetry.retry import Deadline
from telemetry.services.ingest import EventOutcome, Ingest, Status
from telemetry.settings import TableNames
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import dynamodb_client

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KEYRING = Keyring(bytes(32))
ENVIRONMENT = Environment.PRODUCTION
ACCESS = Access(ApiKey("k1", KeyKind.SDK, "test", "tk_prod_", "last", frozenset({ENVIRONMENT})), ENVIRONMENT)
PASSING_CODES = ["ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict", "InternalServerError"]


class FaultyClient:
    """A DynamoDB client that fails as a plan says: one entry per call, then never again.

    `before` and `after` fail the call without and with its effect; `throttle` refuses the call; `some` refuses
    single statements of a batch without sending them; None lets the call through.
    """

    def __init__(self, plan: Sequence[str | None], random: Random) -> None:
        self.plan = list(plan)
        self.random = random
        self.real = dynamodb_client()
        self.faults = 0

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Any:  # noqa: ANN401
        match self.plan.pop(0) if self.plan else None:
            case None:
                return operation(**arguments)
            case "before":
                self.faults += 1
                raise ConnectTimeoutError(endpoint_url="http://dynamodb")
            case "after":
                self.faults += 1
                operation(**arguments)
                raise ReadTimeoutError(endpoint_url="http://dynamodb")
            case _:
                self.faults += 1
                code = self.random.choice(["ThrottlingException", "ProvisionedThroughputExceededException"])
                raise ClientError({"Error": {"Code": code, "Message": ""}}, "any")

    def execute_statement(self, **arguments: Any) -> Any:  # noqa: ANN401
        return self._call(self.real.execute_statement, **arguments)

    def batch_get_item(self, **arguments: Any) -> Any:  # noqa: ANN401
        return self._call(self.real.batch_get_item, **arguments)

    def batch_execute_statement(self, *, Statements: list[Any]) -> Any:  # noqa: ANN401, N803
        if not self.plan or self.plan[0] != "some":
            return self._call(self.real.batch_execute_statement, Statements=Statements)
        self.plan.pop(0)
        self.faults += 1
        kept = [self.random.random() < 0.5 for _ in Statements]
        sent = [statement for statement, keep in zip(Statements, kept, strict=True) if keep]
        answers = iter(self.real.batch_execute_statement(Statements=sent)["Responses"] if sent else [])
        refused = {"Error": {"Code": self.random.choice(PASSING_CODES), "Message": ""}}
        return {"Responses": [next(answers) if keep else refused for keep in kept]}


def products(*_: object) -> dict[str, Product]:
    return {"acme": Product("acme", "Acme")}


def keep(tables: TableNames, events: list[Event], client: Any, attempts: int = 12) -> list[EventOutcome]:  # noqa: ANN401
    store = RecordStore(tables.records(ENVIRONMENT), ShardPlan(8), client=lambda: client)
    pauses: list[float] = []  # of a second each, whatever they are asked to be
    deadline = Deadline(attempts, clock=lambda: float(len(pauses)), sleep=pauses.append)
    ingest = Ingest(lambda _: store, products, lambda some, *_: [LicenseView()] * len(some), KEYRING, lambda _: 90)
    return ingest.keep(events, ACCESS, "203.0.113.7", NOW, deadline)


def batch(count: int, random: Random) -> list[Event]:
    """Events of which some repeat, some conflict, some are large and some have no id."""
    bodies = []
    for number in range(count):
        body: dict[str, Any] = {
            "data_type": "text",
            "data_group": "g",
            "text_data": str(number),
            "product_id": "acme",
            "hwid": "h",
        }
        if random.random() < 0.8:
            body["event_id"] = f"e{random.randrange(count)}"
        if random.random() < 0.05:
            body["text_data"] = random.randbytes(400_000).hex()
        bodies.append(body)
    bodies += random.sample(bodies, count // 4)
    return list(getkeymanager.parse(json.dumps(bodies).encode(), "application/json").events)


def assert_durable(tables: TableNames, events: list[Event], outcomes: list[EventOutcome]) -> None:
    store = RecordStore(tables.records(ENVIRONMENT), ShardPlan(8))
    for event, outcome in zip(events, outcomes, strict=True):
        if outcome.status is not Status.FAILED:
            key = read_telemetry_id(outcome.telemetry_id, ENVIRONMENT, KEYRING)
            assert key
            record = store.get(key)
            assert record
            assert (record.raw, record.flags) == (event.raw, outcome.flags)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_what_is_acknowledged_is_there_and_the_rest_succeeds_later(tables: TableNames, seed: int) -> None:
    random = Random(seed)
    events = batch(40, random)
    plan = random.choices(["before", "after", "throttle", "some", None], k=25)
    client = FaultyClient(plan, random)
    outcomes = keep(tables, events, client)
    assert client.faults
    assert_durable(tables, events, outcomes)

    again = keep(tables, events, dynamodb_client())
    assert_durable(tables, events, again)
    assert Status.FAILED not in {outcome.status for outcome in again}
    for event, first, second in zip(events, outcomes, again, strict=True):
        if event.event_id and first.status is not Status.FAILED:  # a resent event meets its own record
            assert first.telemetry_id == second.telemetry_id
            assert second.status in {Status.DUPLICATE, Status.CONFLICT}


@pytest.mark.parametrize("fault", ["before", "throttle"])
@pytest.mark.parametrize("count", [1, 30])
def test_nothing_is_acknowledged_while_the_table_does_not_answer(tables: TableNames, fault: str, count: int) -> None:
    outcomes = keep(tables, batch(count, Random(1)), FaultyClient([fault] * 500, Random(1)), attempts=3)
    assert {outcome.status for outcome in outcomes} == {Status.FAILED}


def test_an_answer_lost_after_the_commit_is_no_duplicate_of_somebody_else(tables: TableNames) -> None:
    events = list(getkeymanager.parse(b'[{"data_type":"text","data_group":"g","text_data":"x"}]', "").events)
    (outcome,) = keep(tables, events, FaultyClient(["after"], Random(1)))
    assert outcome.status is Status.STORED
    assert_durable(tables, events, [outcome])


def test_what_trying_again_cannot_mend_is_raised(tables: TableNames) -> None:
    absent = TableNames(f"{tables.prefix}-absent")
    with pytest.raises(ClientError):
        keep(absent, batch(2, Random(1)), dynamodb_client())
