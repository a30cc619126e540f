import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import containers as module
from local.containers import Containers, EventTooLarge, FunctionFailed, Throttled
from local.template import Function
from tests.waiting import eventually

APP = """
import os, pathlib, time

def handler(event, context):
    match event.get("do"):
        case "raise":
            raise ValueError("of the function")
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(60)
        case "wait":
            pathlib.Path(event["begun"]).touch()
            while not os.path.exists(event["end"]):
                time.sleep(0.01)
        case "unjsonable":
            return object()
        case "large":
            return "x" * 7_000_000
        case "context":
            return {
                "name": context.function_name,
                "memory": context.memory_limit_in_mb,
                "arn": context.invoked_function_arn,
                "left": context.get_remaining_time_in_millis(),
                "id": context.aws_request_id,
            }
        case "environment":
            return dict(os.environ)
    print("secret stays in the log")
    return {"pid": os.getpid(), "event": event}
"""

Start = Callable[..., Containers]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Containers of one function called `f`, from the text of its app.py."""
    running: list[Containers] = []

    def start(app: str = APP, most: int = 2, timeout: int = 5) -> Containers:
        (tmp_path / "f").mkdir(exist_ok=True)
        (tmp_path / "f" / "app.py").write_text(app)
        variables = {"OWN": "1", "SECRET_PARAMETER": "/never"}
        function = Function(
            "f", "arn:aws:lambda:r:0:function:s-F", tmp_path / "f", "app", "handler", variables, timeout, 128
        )
        made = Containers([(function, most)], {"SECRET_FILE": "s"}, lambda name: tmp_path / f"{name}.log")
        running.append(made)
        return made

    yield start
    for each in running:
        each.stop()


def started(containers: Containers) -> dict[str, str]:
    """Starts them all; the reasons of those that do not start, by name."""
    failures: dict[str, str] = {}
    containers.start(failures.__setitem__)
    assert containers.still_starting(60) == []
    return failures


SLOW = """
import pathlib, time
pathlib.Path("{begun}").open("a").write("started ")
while not pathlib.Path("{end}").exists():
    time.sleep(0.01)

def handler(event, context):
    return event
"""


def test_a_slow_start_is_waited_for_and_no_failure(start: Start, tmp_path: Path) -> None:
    begun, end = tmp_path / "begun", tmp_path / "end"
    containers = start(SLOW.format(begun=begun, end=end))
    failures: dict[str, str] = {}
    containers.start(failures.__setitem__)
    assert containers.still_starting(0.1) == ["f"]
    for _ in range(2):
        with pytest.raises(Throttled):  # a caller has its own patience
            containers.invoke("f", {}, patience=0.2)
    end.touch()
    assert containers.invoke("f", {"n": 1}, patience=60) == {"n": 1}
    assert containers.still_starting(60) == []
    assert failures == {}
    assert begun.read_text() == "started "  # who waits does not have more of them started


def test_stopping_while_a_function_starts_is_no_failure(start: Start, tmp_path: Path) -> None:
    containers = start(SLOW.format(begun=tmp_path / "begun", end=tmp_path / "end"))
    failures: dict[str, str] = {}
    containers.start(failures.__setitem__)
    assert containers.still_starting(0.1) == ["f"]
    containers.stop()
    assert containers.still_starting(60) == []
    assert failures == {}


def test_runs_one_event_after_another_in_the_same_process(start: Start, tmp_path: Path) -> None:
    containers = start()
    assert started(containers) == {}
    answers = [containers.invoke("f", {"n": n, "text": "é\ud800"}) for n in range(3)]
    assert [answer["event"] for answer in answers] == [{"n": n, "text": "é\ud800"} for n in range(3)]
    assert len({answer["pid"] for answer in answers}) == 1
    assert (tmp_path / "f.log").read_text() == "secret stays in the log\n" * 3


def test_context_and_environment_are_lambdas(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    containers = start()
    context = containers.invoke("f", {"do": "context"})
    assert 4000 < context.pop("left") <= 5000
    assert len(context.pop("id")) == 36
    assert context == {"name": "s-F", "memory": 128, "arn": "arn:aws:lambda:r:0:function:s-F"}
    environment = containers.invoke("f", {"do": "environment"})
    assert environment["OWN"] == "1"
    assert environment["SECRET_FILE"] == "s"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "s-F"
    assert not environment.keys() & {"SECRET_PARAMETER", "AWS_PROFILE", "PYTHONPATH"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"do": "raise"}, "ValueError: of the function"),
        ({"do": "exit"}, "Runtime exited with code 3"),
        ({"do": "unjsonable"}, "TypeError: "),
        ({"do": "large"}, "Function.ResponseSizeTooLarge"),
    ],
)
def test_failures_are_told_and_the_next_event_is_fine(start: Start, event: dict[str, str], message: str) -> None:
    containers = start()
    with pytest.raises(FunctionFailed, match=message):
        containers.invoke("f", event)
    assert containers.invoke("f", {"n": 1})["event"] == {"n": 1}


def test_a_function_out_of_time_is_ended(start: Start) -> None:
    containers = start(timeout=1)
    with pytest.raises(FunctionFailed, match=r"Task timed out after 1\.00 seconds"):
        containers.invoke("f", {"do": "sleep"})
    assert containers.invoke("f", {"n": 1})["event"] == {"n": 1}


def test_an_event_over_the_limit(start: Start) -> None:
    with pytest.raises(EventTooLarge):
        start().invoke("f", {"body": "x" * 6_300_000})


def test_grows_to_its_most_and_then_waits(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GROW_AFTER_SECONDS", 0.01)
    containers, begun = start(most=2, timeout=60), [tmp_path / "one", tmp_path / "two"]
    events = [{"do": "wait", "begun": str(path), "end": str(tmp_path / "end")} for path in begun]
    threads = [threading.Thread(target=containers.invoke, args=("f", event)) for event in events]
    for thread in threads:
        thread.start()
    eventually(lambda: all(path.exists() for path in begun))
    with pytest.raises(Throttled):
        containers.invoke("f", {}, patience=0.1)
    (tmp_path / "end").touch()
    assert containers.invoke("f", {"n": 1}, patience=60)["event"] == {"n": 1}
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("app", ["import nothing_like_this", "handlers = 1", "raise SystemExit(1)"])
def test_a_function_that_does_not_start(start: Start, app: str) -> None:
    containers = start(app)
    assert list(started(containers)) == ["f"]
    for _ in range(2):
        with pytest.raises(FunctionFailed):
            containers.invoke("f", {})


def test_stops_with_an_event_in_flight(start: Start, tmp_path: Path) -> None:
    containers, begun = start(timeout=60), tmp_path / "begun"
    assert started(containers) == {}
    failure: list[Exception] = []

    def invoke() -> None:
        try:
            containers.invoke("f", {"do": "wait", "begun": str(begun), "end": str(tmp_path / "never")})
        except FunctionFailed as exc:
            failure.append(exc)

    thread = threading.Thread(target=invoke)
    thread.start()
    eventually(begun.exists)
    began = time.monotonic()
    containers.stop()
    thread.join(20)
    assert time.monotonic() - began < 20
    assert [str(exc) for exc in failure] == ["Runtime exited with code -9"]
    with pytest.raises(FunctionFailed, match="stopping"):
        containers.invoke("f", {})
