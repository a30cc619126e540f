"""Items read by their keys, many a call."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pynamodb.models import Model

from telemetry.domain.errors import StoreUnavailable
from telemetry.retry import Deadline
from telemetry.storage.errors import storage_errors
from telemetry.storage.tables import dynamodb_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS_PER_CALL = 100

_SECONDS = 3.0
"""To try for without getting any further, where no deadline is given."""

Raw = dict[str, Any]
"""An item or key in DynamoDB's notation."""

M = TypeVar("M", bound=Model)
T = TypeVar("T")


def batch_get(
    model: type[M],
    keys: Iterable[tuple[Any, Any]],
    *,
    consistent_read: bool = False,
    **options: Any,  # noqa: ANN401 (BatchGetItem's own of a table)
) -> Iterator[M]:
    """Those of a bound model's items that are there, in no order. (PynamoDB's own would ask without pause or end.)"""
    pk, sk = (item_key.attr_name for item_key in (model._hash_key_attribute(), model._range_key_attribute()))  # type: ignore[no-untyped-call]  # noqa: SLF001
    raw = [{pk: {"S": partition}, sk: {"S": sort}} for partition, sort in dict.fromkeys(keys)]
    for item in read_items(dynamodb_client, model.Meta.table_name, raw, ConsistentRead=consistent_read, **options):
        yield model.from_raw_data(item)


def read_items(
    client: Callable[[], "DynamoDBClient"],
    table: str,
    keys: Iterable[Raw],
    deadline: Deadline | None = None,
    **options: Any,  # noqa: ANN401
) -> Iterator[Raw]:
    """Those of the items that are there, in no order; `options` are BatchGetItem's own of a table.

    What is throttled or left out is asked for again. Raises StoreUnavailable when nothing more comes in time.
    """
    for some in grouped(keys, KEYS_PER_CALL):
        waiting = some
        while waiting:
            found, left = _read(client(), table, waiting, deadline or Deadline(_SECONDS), options)
            yield from found
            waiting = left


def grouped(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in order, so many at a time."""
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _read(
    client: "DynamoDBClient", table: str, keys: Sequence[Raw], deadline: Deadline, options: Raw
) -> tuple[list[Raw], list[Raw]]:
    """Some items at least, and the keys that are left."""
    request: Any = {table: {"Keys": keys, **options}}
    failure: Exception | None = None
    for _ in deadline.attempts():
        try:
            with storage_errors(table):
                answer: Any = client.batch_get_item(RequestItems=request)
        except StoreUnavailable as exc:
            failure = exc
            continue
        left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if len(left) < len(keys):
            return answer["Responses"].get(table, []), left
    raise StoreUnavailable(f"{table}: not read in time") from failure
