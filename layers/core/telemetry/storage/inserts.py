"""Write-once inserts: PartiQL INSERT never overwrites, which IAM can grant alone (a put can always overwrite)."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 (botocore's own)

from telemetry.storage.backoff import Backoff

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

UNANSWERED = (ConnectionError, HTTPClientError)
"""The call got no answer: whether it had its effect is not known."""

_STATEMENTS_PER_CALL = 25
_DUPLICATE = "DuplicateItem"
# What AWS may answer to one statement or to the call, and that passes by itself.
_PASSING = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingError",
        "TransactionConflict",
        "TransactionInProgress",
    }
)


class Insertion(Enum):
    """What became of an insert."""

    INSERTED = auto()
    EXISTS = auto()
    UNAVAILABLE = auto()


def insert(
    client: "DynamoDBClient", table: str, items: Sequence[Mapping[str, Any]], backoff: Backoff
) -> list[Insertion]:
    """Inserts items with distinct keys, in DynamoDB's notation, 25 a call; one result each, in order.

    INSERTED means durable. Raises botocore's ClientError on what trying again cannot mend.
    """
    statements = [_statement(table, item) for item in items]
    results: list[Insertion] = []
    for start in range(0, len(statements), _STATEMENTS_PER_CALL):
        results += _insert_group(client, statements[start : start + _STATEMENTS_PER_CALL], backoff)
    return results


def passing_code(error: ClientError) -> str:
    """The code of an error that passes by itself, or of a duplicate, without `Exception`; raises any other."""
    return _code(error.response["Error"]["Code"], error)


def _statement(table: str, item: Mapping[str, Any]) -> "BatchStatementRequestTypeDef":
    names = ", ".join(f"'{name}': ?" for name in item)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{names}}}', "Parameters": list(item.values())}


def _insert_group(
    client: "DynamoDBClient", statements: Sequence["BatchStatementRequestTypeDef"], backoff: Backoff
) -> list[Insertion]:
    """At most 25 inserts; only those that throttling or conflicts kept out are sent again."""
    results = [Insertion.UNAVAILABLE] * len(statements)
    waiting = list(range(len(statements)))
    for _ in backoff.attempts():
        for i, code in zip(waiting, _execute(client, [statements[i] for i in waiting]), strict=True):
            if code is None:
                results[i] = Insertion.INSERTED
            elif code == _DUPLICATE:
                results[i] = Insertion.EXISTS
        waiting = [i for i in waiting if results[i] is Insertion.UNAVAILABLE]
        if not waiting:
            break
    return results


def _execute(client: "DynamoDBClient", statements: list["BatchStatementRequestTypeDef"]) -> list[str | None]:
    """Error code of each statement, None for success. Passing errors of the whole call go to all of them."""
    try:
        if len(statements) == 1:
            client.execute_statement(**statements[0])
            return [None]
        responses = client.batch_execute_statement(Statements=statements)["Responses"]
    except UNANSWERED as exc:
        return [type(exc).__name__] * len(statements)
    except ClientError as exc:
        return [passing_code(exc)] * len(statements)
    return [_code(error["Code"], error) if (error := response.get("Error")) else None for response in responses]


def _code(code: str, error: object) -> str:
    code = code.removesuffix("Exception")
    if code != _DUPLICATE and code not in _PASSING:
        raise error if isinstance(error, ClientError) else ClientError({"Error": error}, "BatchExecuteStatement")  # type: ignore[typeddict-item]
    return code
