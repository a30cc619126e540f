"""Counting what calls cost, from ReturnConsumedCapacity."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient

from telemetry.storage.tables import brief_client, dynamodb_client

Call = tuple[str, float]
"""An operation, and the capacity units it consumed."""

READS = {"GetItem", "BatchGetItem", "Query", "Scan"}


@dataclass
class Meter:
    """A DynamoDB client that adds up calls and capacity units (table and indexes together) by operation."""

    calls: list[tuple[str, float]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(dynamodb_client(), name)

        def metered(**arguments: Any) -> Any:  # noqa: ANN401
            answer = operation(**arguments, ReturnConsumedCapacity="TOTAL")
            consumed = answer.get("ConsumedCapacity", [])
            entries = consumed if isinstance(consumed, list) else [consumed]
            self.calls.append((name, sum(entry["CapacityUnits"] for entry in entries)))
            return answer

        return metered

    @property
    def units(self) -> float:
        return sum(units for _, units in self.calls)


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """The operations of all stores meanwhile, as `Operation table`: stores share two clients."""
    calls: list[str] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        request = json.loads(params["body"])
        table = request.get("TableName") or next(iter(request.get("RequestItems", {})), "")
        calls.append(f"{model.name} {table.rsplit('-', 1)[-1]}".strip())

    clients = dynamodb_client(), brief_client()
    for client in clients:
        client.meta.events.register("before-call.dynamodb", note)
    try:
        yield calls
    finally:
        for client in clients:
            client.meta.events.unregister("before-call.dynamodb", note)


@dataclass
class Read:
    """What was read of records: `items` are those that were looked at, whether or not they were returned."""

    operations: list[str] = field(default_factory=list)
    items: int = 0
    units: float = 0


@contextmanager
def reading_records() -> Iterator[Read]:
    """What calls meanwhile read of records tables."""
    read = Read()

    def ask(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        consumed = parsed.get("ConsumedCapacity", [])
        for entry in consumed if isinstance(consumed, list) else [consumed]:
            if "-records-" in entry["TableName"]:
                read.operations.append(model.name)
                read.items += parsed.get("ScannedCount", sum(map(len, parsed.get("Responses", {}).values())))
                read.units += entry["CapacityUnits"]

    events = dynamodb_client().meta.events
    events.register("provide-client-params.dynamodb", ask)
    events.register("after-call.dynamodb", note)
    try:
        yield read
    finally:
        events.unregister("provide-client-params.dynamodb", ask)
        events.unregister("after-call.dynamodb", note)


@contextmanager
def metered(only: Callable[[dict[str, Any], dict[str, Any]], bool] = lambda *_: True) -> Iterator[list[Call]]:
    """What is asked of DynamoDB meanwhile; `only` calls with such arguments and answers."""
    calls: list[Call] = []
    original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        answer = original(self, operation, {**arguments, "ReturnConsumedCapacity": "TOTAL"})
        consumed = answer.get("ConsumedCapacity", [])
        entries = consumed if isinstance(consumed, list) else [consumed]
        if only(arguments, answer):
            calls.append((operation, sum(entry["CapacityUnits"] for entry in entries)))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield calls


def write_units(calls: Sequence[Call]) -> float:
    return sum(units for operation, units in calls if operation not in READS)


def read_units(calls: Sequence[Call]) -> float:
    """The read units among them: those of writes are write units."""
    return sum(units for operation, units in calls if operation in READS)
