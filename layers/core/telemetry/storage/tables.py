"""Clients and table-bound models. Nothing here runs at import; everything made is kept for the life of the process."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session, get_session
from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist
from pynamodb.models import Model

from telemetry.retry import check_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 2
BRIEF_TIMEOUT_SECONDS = 0.5

M = TypeVar("M", bound=Model)


class TableItem(Model):
    """An item of a table, which `bind` gives it. Without one it can be made and read from raw data, but not stored."""

    class Meta:
        """PynamoDB requires it; no table has this name."""

        table_name = "unbound"


class KeyedItem(TableItem):
    """An item of the registry, or of an environment's aggregates."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class AnyItem(KeyedItem):
    """An item of any kind: a report's parts are read together."""

    raw: dict[str, Any]

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        item = cls(data["pk"]["S"], data["sk"]["S"])
        item.raw = data
        return item


class CountersItem(KeyedItem):
    """An item whose counters are attributes of their own, and not a map: ADD needs nothing to be there first then."""

    counters: dict[str, int]

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """An item as it was read, its counters by their names."""
        item, others = super().from_raw_data(data), {each.attr_name for each in cls.get_attributes().values()}
        item.counters = {name: int(value["N"]) for name, value in data.items() if "N" in value and name not in others}
        return item


@cache
def session() -> Session:
    """Region, credentials and endpoints of this process. botocore's own: boto3 would load s3transfer too."""
    return get_session()


_LEAN = Config(parameter_validation=False, user_agent="telemetry")
"""What every client leaves out. DynamoDB validates parameters itself; botocore's own check takes processor time.

A user agent of its own would be put together anew for each call.
"""


def short_config() -> Config:
    """Time-outs of a client's calls, as long as an answer may take at worst and no longer."""
    return _LEAN.merge(
        Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
            max_pool_connections=16,
        )
    )


def in_time(client: BaseClient) -> None:
    """Lets no attempt of a call begin after the deadline in force (telemetry.retry).

    The client is the one place that sees them all: its own second attempts, the pages of a query, what PynamoDB asks.
    None of these takes a time-out of its own.
    """
    client.meta.events.register_first("before-send", lambda **_: check_time())


@cache
def dynamodb_client() -> "DynamoDBClient":
    """The botocore client, with timeouts shorter than a function's own (PynamoDB's and botocore's defaults are not)."""
    client = session().create_client("dynamodb", config=short_config())
    in_time(client)
    return cast("DynamoDBClient", client)


@cache
def brief_client() -> "DynamoDBClient":
    """A client that gives up at once: for what an answer must not wait for."""
    config = Config(
        connect_timeout=BRIEF_TIMEOUT_SECONDS,
        read_timeout=BRIEF_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return cast("DynamoDBClient", session().create_client("dynamodb", config=_LEAN.merge(config)))


def bind(model: type[M], table: str, client: Callable[[], "DynamoDBClient"] = dynamodb_client) -> type[M]:
    """The model bound to a table: a subclass, so that no global switch decides where a model reads and writes.

    PynamoDB would make a session and a client for each (0.1 s of a cold start apiece); all share ours instead.
    """
    return cast("type[M]", _bound(model, table, client))  # `cache` knows nothing of M


def found_item(model: type[M], partition: str, sort: str, *, consistent_read: bool = True) -> M | None:
    """The item of a bound model with these keys, None where there is none."""
    try:
        return model.get(partition, sort, consistent_read=consistent_read)
    except DoesNotExist:
        return None


@cache
def _bound(model: type[M], table: str, client: Callable[[], "DynamoDBClient"]) -> type[M]:
    meta = type("Meta", (), {"table_name": table})
    bound: type[M] = type(model.__name__, (model,), {"Meta": meta})
    bound._get_connection().connection._client = client()  # type: ignore[assignment]  # noqa: SLF001
    return bound


@cache
def connection() -> Connection:
    """What PynamoDB's transactions run on; it shares the one client too."""
    made = Connection()
    made._client = dynamodb_client()  # type: ignore[assignment]  # noqa: SLF001
    return made
