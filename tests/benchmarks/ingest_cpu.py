"""What ingest takes of the processor, beside plain calls of AWS's client that store as many items of the same size.

CPU of this process alone, as medians: what the engine takes is not in it, and other work on the machine hits both.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from local.template import read_template
from telemetry.domain.environment import Environment
from tests.lambdas import Context, example_event, http_event, load_function
from tests.worlds.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GROUP = 25

_numbers = count()


class Cpu(NamedTuple):
    """Seconds of ingest, and of its reference."""

    ours: float
    plain: float

    @property
    def ratio(self) -> float:
        return self.ours / self.plain


def event() -> dict[str, Any]:
    """As the example, of ever another user and of one of fifty devices."""
    number = next(_numbers)
    example: dict[str, Any] = json.loads(example_event("ingest-telemetry")["body"])
    del example["license_key"]
    changes = {"event_id": f"event-{number}", "event_at": 1795249799, "hwid": f"device-{number % 50}"}
    return example | changes | {"user_identifier": f"user-{number}@example.com"}


class Bench:
    """Ingest that is warm, and a table like that of the records for plain calls."""

    def __init__(self, deployment: Deployment) -> None:
        self._handler = load_function("ingest").handler.__wrapped__  # without the comparison with the description
        self._headers = {
            "x-api-key": deployment.keys[Environment.PRODUCTION],
            "content-type": "application/json",
        }
        self._plain: DynamoDBClient = boto3.client("dynamodb")
        self._table = f"{deployment.tables.prefix}-plain"
        tables = read_template("plain").tables
        create = next(table.create for table in tables if table.name == "plain-records-production")
        self._plain.create_table(**{**create, "TableName": self._table})
        self.send([event() for _ in range(50)])  # into all shards of the index: their partitions are marked then
        items = self._plain.scan(TableName=deployment.tables.records(Environment.PRODUCTION))["Items"]
        self._item = next(item for item in items if "g" in item)

    def send(self, events: Sequence[dict[str, Any]]) -> float:
        """One event is sent by itself, more as a batch."""
        return self.answer(self.request(events))

    def request(self, events: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """As API Gateway hands it over."""
        body = json.dumps(events[0] if len(events) == 1 else events)
        return http_event("/api/v1/telemetry", body, self._headers)

    def answer(self, request: dict[str, Any]) -> float:
        """The function's part alone."""
        result: dict[str, Any] = {}
        spent = _cpu(lambda: result.update(self._handler(request, Context())))
        assert result["statusCode"] == 200
        return spent

    def put(self, item: dict[str, Any] | None = None) -> float:
        item = item or self.another()
        return _cpu(lambda: self._plain.put_item(TableName=self._table, Item=item))

    def write(self, items: Sequence[dict[str, Any]]) -> float:
        """In groups of 25."""
        requests: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
        groups = [requests[start : start + GROUP] for start in range(0, len(items), GROUP)]
        return _cpu(lambda: [self._plain.batch_write_item(RequestItems={self._table: group}) for group in groups])

    def one_event(self, times: int) -> Cpu:
        return _compared(
            [partial(self.answer, self.request([event()])) for _ in range(times)],
            [partial(self.put, self.another()) for _ in range(times)],
        )

    def batch_of_100(self, times: int) -> Cpu:
        return _compared(
            [partial(self.answer, self.request([event() for _ in range(100)])) for _ in range(times)],
            [partial(self.write, [self.another() for _ in range(100)]) for _ in range(times)],
        )

    def another(self) -> dict[str, Any]:
        return self._item | {"s": {"S": f"1795249799000#event-{next(_numbers)}"}}


def calls_of(run: Callable[[], object]) -> int:
    """Calls of functions, in Python and in C: they are the same each time, and what Python takes goes by them."""
    counted = 0

    def note(_frame: object, what: str, _argument: object) -> None:
        nonlocal counted
        counted += what in {"call", "c_call"}

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return counted


def _compared(ours: Sequence[Callable[[], float]], plain: Sequence[Callable[[], float]]) -> Cpu:
    """By turns, so that whatever slows the machine down slows both, and nothing else in between; the first warm up."""
    pairs = [(mine(), theirs()) for mine, theirs in zip(ours, plain, strict=True)][max(3, len(ours) // 10) :]
    return Cpu(median(mine for mine, _ in pairs), median(theirs for _, theirs in pairs))


def _cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
