"""The inside of a container: a process that runs one function, one event at a time, until its socket closes.

Started by `local.containers` as `python -m local.container <socket> <configuration>`. Beside the function it imports
the standard library only, so that a cold start costs what the function costs.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from local import Json

MAX_ANSWER_BYTES = 6_291_556
"""Lambda's limit for an answer."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a function gets beside the event, under Lambda's names."""

    aws_request_id: str
    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    deadline: float
    function_version: str = "$LATEST"
    log_group_name: str = "local"
    log_stream_name: str = "local"
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self.deadline - time.monotonic()) * 1000))


def main() -> None:
    """Says `{"ready": true}` or `{"error": …}` once, then answers events with `{"answer": …}` or `{"error": …}`."""
    connection = Connection(int(sys.argv[1]))
    configuration = json.loads(sys.argv[2])
    # what Lambda's path holds, instead of this repository's root
    sys.path[0:1] = configuration["path"]
    try:
        module = importlib.import_module(configuration["module"])
        handler = getattr(module, configuration["handler"])
    except Exception as exc:  # noqa: BLE001 (whatever stops a function from starting is told)
        _send(connection, {"error": _told(exc)})
        return
    _send(connection, {"ready": True})
    while (message := _receive(connection)) is not None:
        _send(connection, _answer(handler, message, configuration))


def _answer(handler: Callable[[Any, Context], Any], message: Json, configuration: Json) -> Json:
    context = Context(
        aws_request_id=message["request_id"],
        function_name=configuration["function_name"],
        memory_limit_in_mb=configuration["memory"],
        invoked_function_arn=configuration["arn"],
        deadline=time.monotonic() + configuration["timeout"],
    )
    try:
        answer = handler(message["event"], context)
        text = json.dumps(answer)
        size = len(text.encode("utf-8", "surrogatepass"))
    except Exception as exc:  # noqa: BLE001 (a function's exception is its answer)
        return {"error": _told(exc)}
    if size > MAX_ANSWER_BYTES:
        return {"error": f"Function.ResponseSizeTooLarge: {size} bytes"}
    return {"answer": answer}


def _told(exc: BaseException) -> str:
    # the whole story is for the function's log
    sys.excepthook(type(exc), exc, exc.__traceback__)
    return f"{type(exc).__name__}: {exc}"


def _send(connection: Connection, message: Json) -> None:
    try:
        connection.send_bytes(json.dumps(message).encode())
    except (BrokenPipeError, ConnectionResetError):
        # nobody is left to answer to
        raise SystemExit(0) from None


def _receive(connection: Connection) -> Json:
    try:
        return json.loads(connection.recv_bytes())
    except (EOFError, ConnectionResetError):
        return None


if __name__ == "__main__":
    main()
