"""Calling the functions' handlers the way Lambda does, in this process."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from telemetry.clock import Clock, SystemClock
from tests.described import checked

ROOT = Path(__file__).resolve().parent.parent

Handler = Callable[[dict[str, Any], "Context"], dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """What the handlers use of a LambdaContext."""

    function_name: str = "telemetry-test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:telemetry-test"
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    milliseconds_left: int = 10_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds_left


def load_function(name: str, clock: Clock | None = None, **wiring: Any) -> ModuleType:  # noqa: ANN401
    """A fresh copy of a function's module: a cold start.

    `clock` tells it the time, else the machine does; `wiring` changes fields of what it has wired, like its limits. Its
    answers are compared with the description of the API.
    """
    module = load_function_as_it_is(name)
    module.wired.start(clock or SystemClock(), **wiring)
    return module


def load_function_as_it_is(name: str) -> ModuleType:
    """A fresh copy of a function's module, with what it has wired while it was loaded."""
    spec = spec_from_file_location(f"functions_{name}", ROOT / "functions" / name / "app.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module)["handler"] = checked(module.handler)
    return module


def restart(function: ModuleType, **wiring: Any) -> None:  # noqa: ANN401
    """A cold start of a function that is loaded: it forgets all, but keeps its clock."""
    function.wired.start(function.wired.clock, **wiring)


def example_event(name: str) -> dict[str, Any]:
    """An event of events/."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def http_event(
    path: str,
    body: bytes | str,
    headers: dict[str, str],
    query: dict[str, str] | None = None,
    method: str = "POST",
    cookies: Sequence[str] = (),
) -> dict[str, Any]:
    """A request as API Gateway hands it over: text bodies as text, bytes as base64."""
    event = example_event("ingest-telemetry")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    event["headers"] = {"host": event["headers"]["host"]} | headers
    event["body"] = body if isinstance(body, str) else b64encode(body).decode()
    event["isBase64Encoded"] = isinstance(body, bytes)
    if query:
        event["queryStringParameters"] = query
        event["rawQueryString"] = urlencode(query, errors="surrogatepass")
    if cookies:
        event["cookies"] = list(cookies)
    return event
