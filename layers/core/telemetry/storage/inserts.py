"""Write-once inserts: PartiQL INSERT never overwrites, which IAM can grant alone (a put can always overwrite)."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from telemetry.domain.errors import StoreUnavailable
from telemetry.retry import Deadline
from telemetry.storage.batches import grouped
from telemetry.storage.errors import DRIVER_ERRORS, ConditionFailed, conditions, storage_errors
from telemetry.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

_STATEMENTS_PER_CALL = 25

_CALLS_AT_ONCE = 4
"""Each has a copy of its items in memory, and a connection."""


class Insertion(Enum):
    """What became of an insert."""

    INSERTED = auto()
    EXISTS = auto()
    UNAVAILABLE = auto()


def insert(
    client: "DynamoDBClient", table: str, items: Sequence[Mapping[str, Any]], deadline: Deadline
) -> list[Insertion]:
    """Inserts items with distinct keys, in DynamoDB's notation, 25 a call, four calls at once; a result each, in order.

    INSERTED means durable. Each is tried once before any is tried again; no call begins after the deadline. Raises
    botocore's ClientError on what trying again cannot mend.
    """
    results = [Insertion.UNAVAILABLE] * len(items)
    waiting = list(range(len(items)))
    for _ in deadline.attempts() if waiting else ():
        tried = insert_once(client, table, [items[i] for i in waiting], deadline)
        for i, result in zip(waiting, tried, strict=True):
            results[i] = result
        waiting = [i for i in waiting if results[i] is Insertion.UNAVAILABLE]
        if not waiting:
            break
    return results


def insert_once(
    client: "DynamoDBClient", table: str, items: Sequence[Mapping[str, Any]], deadline: Deadline
) -> list[Insertion]:
    """The same with a single attempt for each."""

    def attempt(some: Sequence[Mapping[str, Any]]) -> list[Insertion]:
        if deadline.is_over:
            return [Insertion.UNAVAILABLE] * len(some)
        return _execute(client, [_statement(table, item) for item in some])

    results: list[Insertion] = []
    for groups in grouped(grouped(items, _STATEMENTS_PER_CALL), _CALLS_AT_ONCE):
        for found in side_by_side(attempt, groups):
            results += found
    return results


def _statement(table: str, item: Mapping[str, Any]) -> "BatchStatementRequestTypeDef":
    names = ", ".join(f"'{name}': ?" for name in item)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{names}}}', "Parameters": list(item.values())}


def _execute(client: "DynamoDBClient", statements: list["BatchStatementRequestTypeDef"]) -> list[Insertion]:
    """The result of each statement. What keeps a whole call from being answered keeps each of them."""
    try:
        if len(statements) == 1:
            client.execute_statement(**statements[0])
            return [Insertion.INSERTED]
        answers = client.batch_execute_statement(Statements=statements)["Responses"]
    except (*DRIVER_ERRORS, StoreUnavailable) as exc:
        return [_meaning(exc)] * len(statements)
    return [_result(answer.get("Error")) for answer in answers]


def _result(error: Any) -> Insertion:  # noqa: ANN401 (as botocore has it, or None)
    """Of one statement in a batch."""
    return _meaning(ClientError({"Error": error}, "BatchExecuteStatement")) if error else Insertion.INSERTED


def _meaning(error: Exception) -> Insertion:
    """What an error says of an insert; one that trying again cannot mend is raised as it is."""
    try:
        with storage_errors("inserts"), conditions():
            raise error
    except ConditionFailed:
        return Insertion.EXISTS
    except StoreUnavailable:
        return Insertion.UNAVAILABLE
