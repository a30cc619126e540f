"""What ingest asks of DynamoDB and writes into logs when all goes well: counted, so it is the same on any machine."""

from collections.abc import Iterator
from typing import Any

import pytest

from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.ingest_cpu import Bench, calls_of, event
from tests.unit.test_costs import log_line
from tests.worlds.deployment import Deployment


@pytest.fixture
def bench(deployment: Deployment) -> Bench:
    return Bench(deployment)


@pytest.fixture
def sent(bench: Bench) -> Iterator[list[Any]]:  # noqa: ARG001 (it is warm)
    """The requests that go out, as botocore sends them."""
    requests: list[Any] = []

    def note(request: Any, **_: object) -> None:  # noqa: ANN401
        requests.append(request)

    events = dynamodb_client().meta.events
    events.register("before-send", note)
    yield requests
    events.unregister("before-send", note)


def operations(sent: list[Any]) -> list[str]:
    return [request.headers["X-Amz-Target"].decode().partition(".")[2] for request in sent]


def test_an_event_is_one_request(bench: Bench, sent: list[Any]) -> None:
    bench.send([event()])
    assert operations(sent) == ["ExecuteStatement"]
    assert len(sent[0].body) <= 1_800
    assert sum(len(name) + len(value) for name, value in sent[0].headers.items()) <= 900


def test_a_hundred_events_are_four_requests(bench: Bench, sent: list[Any]) -> None:
    bench.send([event() for _ in range(100)])
    assert operations(sent) == ["BatchExecuteStatement"] * 4
    assert sum(len(request.body) for request in sent) <= 180_000


def test_a_good_request_writes_no_line_but_the_access_log(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    bench.send([event()])
    bench.send([event() for _ in range(3)])
    assert capfd.readouterr() == ("", "")
    assert len(log_line()) <= 280


def test_the_processor_is_not_wasted(bench: Bench) -> None:
    """Calls of functions, beside those that plain calls of AWS's client take.

    Of a batch it is what ingest does with a hundred events, without the four calls that store them side by side.
    """
    bench.put()
    hundred = [bench.another() for _ in range(100)]
    bench.write(hundred)
    assert calls_of(lambda: bench.send([event()])) <= 1.4 * calls_of(bench.put)
    assert calls_of(lambda: bench.send([event() for _ in range(100)])) <= 0.65 * calls_of(lambda: bench.write(hundred))
