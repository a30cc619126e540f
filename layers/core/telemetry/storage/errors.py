"""What an error of AWS means: the one list of codes, and the one translation, around every method of every store.

- Throttled, unanswered, in conflict: StoreUnavailable. It passes by itself; trying again later is right.
- A condition that did not hold: what it means is said where it was set (`conditions`).
- Denied, missing, invalid, anything else: raised as it is. Nobody is told to try again what cannot succeed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from types import FunctionType
from typing import Any, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 (botocore's own)
    HTTPClientError,
)
from pynamodb.exceptions import PynamoDBConnectionError, PynamoDBException, VerboseClientError

from telemetry.domain.errors import ConfigurationError, StoreUnavailable, TelemetryError

PASSING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2Throttled",
        "InternalError",
        "InternalServerError",
        "LimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ReplicatedWriteConflict",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttled",
        "Throttling",
        "ThrottlingError",
        "TooManyRequests",
        "TransactionConflict",
        "TransactionInProgress",
    }
)
"""Of a call, of a statement in a batch, of an item in a transaction; all without `Exception` at the end."""

UNANSWERED = (ConnectionError, HTTPClientError)
"""The call got no answer: whether it had its effect is not known."""

REFUSED = frozenset({"ConditionalCheckFailed", "DuplicateItem"})
"""The condition did not hold; an INSERT's is that there is no such item."""

_NOTHING = "None"
DRIVER_ERRORS = (PynamoDBException, ClientError, BotoCoreError)
"""Whatever a call of AWS may raise; what it means, `storage_errors` and `conditions` say."""

C = TypeVar("C")
T = TypeVar("T")


class ConditionFailed(TelemetryError):
    """Conditions did not hold: those of the `items` at these places in the transaction, 0 where there was but one."""

    def __init__(self, items: Sequence[int] = (0,)) -> None:
        super().__init__(f"conditions {list(items)}")
        self.items = tuple(items)


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Raises StoreUnavailable for an error that passes by itself, any other as it is; `what` was asked."""
    try:
        yield
    except DRIVER_ERRORS as exc:
        if _is_passing(exc):
            raise StoreUnavailable(f"{what}: {_name(exc)}") from exc
        raise


@contextmanager
def conditions(meaning: Exception | None = None) -> Iterator[None]:
    """Raises `meaning`, else ConditionFailed, when a condition did not hold; other errors as they are."""
    try:
        yield
    except DRIVER_ERRORS as exc:
        if failed := [place for place, code in enumerate(_codes(exc)) if code in REFUSED]:
            raise (meaning or ConditionFailed(failed)) from exc
        raise


def store(what: str) -> Callable[[type[C]], type[C]]:
    """Puts `storage_errors` around every public method of a class, and around what its iterators do later."""

    def translated(cls: type[C]) -> type[C]:
        for name, method in list(vars(cls).items()):
            if isinstance(method, FunctionType) and not name.startswith("_"):
                setattr(cls, name, _translated(method, what))
        return cls

    return translated


def is_fault(error: BaseException) -> bool:
    """Whether storage refused for good: denied, missing, invalid, or a deployment that is not complete."""
    return isinstance(error, (*DRIVER_ERRORS, ConfigurationError))


def code_of(code: str) -> str:
    """A code as it is listed here: AWS appends `Exception` to some, depending on where they stand."""
    return code.removesuffix("Exception")


def _translated(method: Callable[..., Any], what: str) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (whatever the method takes and gives)
        with storage_errors(what):
            result = method(*args, **kwargs)
        return _each(result, what) if isinstance(result, Iterator) else result

    return call


def _each(items: Iterator[T], what: str) -> Iterator[T]:
    with storage_errors(what):
        yield from items


def _is_passing(exc: Exception) -> bool:
    if isinstance(exc, PynamoDBException):
        # without a cause it is PynamoDB's own loop that gave up on what DynamoDB had left out
        return _is_passing(exc.cause) if exc.cause else isinstance(exc, PynamoDBConnectionError)
    if isinstance(exc, ClientError):
        codes = set(_codes(exc)) - {_NOTHING}
        return (bool(codes) and codes <= PASSING) or _status(exc) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(exc, UNANSWERED)


def _codes(exc: Exception) -> list[str]:
    """The code of the error; of a cancelled transaction one for each item, in order."""
    if isinstance(exc, PynamoDBException):
        return _codes(exc.cause) if exc.cause else []
    if not isinstance(exc, ClientError):
        return []
    return [code_of(code) for code in _reasons(exc)] or [code_of(exc.response["Error"]["Code"])]


def _reasons(exc: ClientError) -> list[str]:
    if isinstance(exc, VerboseClientError):
        return [reason.code if reason else _NOTHING for reason in exc.cancellation_reasons]
    response: Any = exc.response
    return [reason["Code"] for reason in response.get("CancellationReasons", ())]


def _status(exc: ClientError) -> int:
    """The HTTP status; PynamoDB keeps it in the error it was made of alone."""
    original = exc.__cause__ if isinstance(exc.__cause__, ClientError) else exc
    return int(original.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _name(exc: Exception) -> str:
    """For the log."""
    cause = getattr(exc, "cause", None) or exc
    return ", ".join(sorted(set(_codes(exc)) - {_NOTHING})) or type(cause).__name__
