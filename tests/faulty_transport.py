"""AWS as it behaves on a bad day, below botocore: what it answers, and how long that takes by a clock of the test's."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from telemetry.retry import Deadline
from telemetry.storage.effort import Effort
from telemetry.storage.tables import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, dynamodb_client
from telemetry.web import deadline as module
from tests.lambdas import Context

A = TypeVar("A")
R = TypeVar("R")

Request = dict[str, Any]
"""A call's body."""

Fault = Callable[["BadDay", str, Request], AWSResponse | None]
"""What becomes of a call of an operation: an answer in place of the real one, an error raised, or None."""


@dataclass
class BadDay:
    """Time passes only where calls and pauses take some. `calls` are those that got as far as the network."""

    fault: Fault
    now: float = 1_000.0
    calls: list[tuple[str, Request]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds

    def side_by_side(self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        """Calls that begin at the same time; what goes on after them does when the last of them has ended."""
        began, ends, results = self.now, [self.now], []
        for argument in arguments:
            self.now = began
            results.append(call(argument))
            ends.append(self.now)
        self.now = max(ends)
        return results

    def context(self, seconds: float) -> "PassingContext":
        """Of a function that may take so long."""
        return PassingContext(self, self.now + seconds)

    def meet(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
        sent: Any = request.body
        operation, body = event_name.rpartition(".")[2], json.loads(sent or "{}")
        self.calls.append((operation, body))
        return self.fault(self, operation, body)


class PassingContext(Context):
    """Its time passes as the day's does."""

    def __init__(self, day: BadDay, end: float) -> None:
        super().__init__()
        self._day, self._end = day, end

    def get_remaining_time_in_millis(self) -> int:
        return round(1_000 * (self._end - self._day.now))


@contextmanager
def bad_day(fault: Fault) -> Iterator[BadDay]:
    """Every attempt of every call of DynamoDB meets the fault; functions, retries and botocore go by its clock."""
    day = BadDay(fault)
    events: Any = dynamodb_client().meta.events
    sleeping = SimpleNamespace(sleep=day.pass_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.endpoint.time", sleeping)
        patch.setattr("telemetry.storage.inserts.side_by_side", day.side_by_side)
        patch.setattr(module, "Deadline", partial(Deadline, clock=day.clock, sleep=day.pass_))
        for name in ("batches", "changes"):
            patch.setattr(f"telemetry.storage.{name}.Deadline", partial(Deadline, clock=day.clock, sleep=day.pass_))
        patch.setattr("telemetry.wiring.analytics.Effort", partial(Effort, clock=day.clock))
        events.register("before-send", day.meet)  # as the check of the deadline is, and after it
        try:
            yield day
        finally:
            events.unregister("before-send", day.meet)


def refused(code: str, seconds: float = 0.0) -> Fault:
    """Answers with an error after some time."""

    def fault(day: BadDay, _operation: str, _request: Request) -> AWSResponse:
        day.pass_(seconds)
        return answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}, 400)

    return fault


def silent(day: BadDay, _operation: str, _request: Request) -> None:
    """Takes the connection and says nothing."""
    day.pass_(READ_TIMEOUT_SECONDS)
    raise ReadTimeoutError(endpoint_url="https://dynamodb")


def unreachable(day: BadDay, _operation: str, _request: Request) -> None:
    """Does not even take the connection."""
    day.pass_(CONNECT_TIMEOUT_SECONDS)
    raise ConnectTimeoutError(endpoint_url="https://dynamodb")


def only(fault: Fault, *operations: str, table: str = "", after: int = 0) -> Fault:
    """The fault for these operations alone (on this table), and only for those after the first few."""
    seen = 0

    def chosen(day: BadDay, operation: str, request: Request) -> AWSResponse | None:
        nonlocal seen
        if operation not in operations or table not in json.dumps(request):
            return None
        seen += 1
        return fault(day, operation, request) if seen > after else None

    return chosen


def answer(body: object, status: int = 200) -> AWSResponse:
    """As botocore gets it."""
    made: Any = AWSResponse
    response: AWSResponse = made("https://dynamodb", status, {}, None)
    vars(response)["_content"] = json.dumps(body).encode()
    return response


def soon(_seconds: float = 0) -> Deadline:
    """Over when it was looked at a few times: after an attempt or two."""
    looks = count()
    return Deadline(4, clock=lambda: float(next(looks)), sleep=lambda _: None)
