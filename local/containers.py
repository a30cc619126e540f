"""Runs functions as Lambda does: each in processes of its own, one event at a time per process, more on demand."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from local import Json
from local.template import ROOT, Function

MAX_EVENT_BYTES = 6_291_556
"""Lambda's limit for an event."""

_START_SECONDS = 30.0
_STOP_SECONDS = 1.0

# Starting a process costs more than waiting a moment for one to come free.
_GROW_AFTER_SECONDS = 0.1


class FunctionFailed(Exception):
    """The function raised, crashed, did not start, or ran out of time; the message says which."""


class Throttled(FunctionFailed):
    """All containers were busy for too long."""


class EventTooLarge(FunctionFailed):
    """The event is over Lambda's 6 MB."""


class Container:
    """One process of a function."""

    def __init__(self, function: Function, environment: Mapping[str, str], log: Path) -> None:
        """Starts the process, and returns before it is ready."""
        self._timeout = function.timeout
        configuration = {
            "path": [str(function.code), str(ROOT / "layers" / "core")],
            "module": function.module,
            "handler": function.handler,
            "function_name": function.physical_name,
            "arn": function.arn,
            "memory": function.memory,
            "timeout": function.timeout,
        }
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.container", str(theirs.fileno()), json.dumps(configuration)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl-C is for the service, which closes the socket
            )
        self._connection = Connection(ours.detach())
        self._ready = False

    def invoke(self, message: bytes) -> Json:
        """Runs one event to its end. After FunctionFailed look at `alive`: the process may be gone."""
        self.start()
        return self._exchange(message, self._timeout).get("answer")

    def start(self) -> None:
        """Waits until the process is ready; raises FunctionFailed when it does not get there."""
        if self._ready:
            return
        try:
            self._exchange(None, _START_SECONDS)
        except FunctionFailed:
            self._discard()
            raise
        self._ready = True

    def _exchange(self, message: bytes | None, seconds: float) -> Json:
        try:
            if message is not None:
                self._connection.send_bytes(message)
            if not self._connection.poll(seconds):
                self._discard()
                raise FunctionFailed(f"Task timed out after {seconds:.2f} seconds")
            answer = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            self._discard()
            raise FunctionFailed(f"Runtime exited with code {self._process.returncode}") from None
        if "error" in answer:
            raise FunctionFailed(answer["error"])
        return answer

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """Lets the process end by itself. Only for who has the container: nobody may be waiting for its answer."""
        with suppress(OSError):
            self._connection.close()

    def end(self, deadline: float) -> None:
        """Waits for the process until `deadline` (monotonic), then ends it."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _discard(self) -> None:
        self._process.kill()
        self._process.wait()
        self.close()


class Pool:
    """The containers of one function: `start` gives the first, load gives more, up to `most`."""

    def __init__(self, function: Function, environment: Mapping[str, str], log: Path, most: int) -> None:
        self._function = function
        self._environment = environment
        self._log = log
        self._most = most
        self._idle: list[Container] = []
        self._all: set[Container] = set()
        self._changed = threading.Condition()
        self._closed = False

    def start(self) -> None:
        """Has one container ready; raises FunctionFailed when the function does not start."""
        container = self._take(_START_SECONDS)
        try:
            container.start()
        finally:
            self._give_back(container)

    def invoke(self, event: Json, patience: float = 900.0) -> Json:
        """Runs the event in a free container; `patience` is how many seconds to wait for one.

        Raises EventTooLarge, Throttled (nothing came free), or FunctionFailed.
        """
        payload = json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
        if len(payload) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"{len(payload)} bytes")
        message = b'{"request_id":"%s","event":%s}' % (str(uuid4()).encode(), payload)
        container = self._take(patience)
        try:
            return container.invoke(message)
        finally:
            self._give_back(container)

    def _take(self, patience: float) -> Container:
        deadline = time.monotonic() + patience
        with self._changed:
            if not self._idle and self._all:
                self._changed.wait_for(lambda: self._idle or self._closed, _GROW_AFTER_SECONDS)
            if not self._idle and len(self._all) >= self._most:
                self._changed.wait_for(
                    lambda: self._idle or self._closed or len(self._all) < self._most, deadline - time.monotonic()
                )
            if self._closed:
                raise FunctionFailed("the service is stopping")
            if self._idle:
                return self._idle.pop()
            if len(self._all) >= self._most:
                raise Throttled(f"{self._function.name}: all {self._most} containers are busy")
            container = Container(self._function, self._environment, self._log)
            self._all.add(container)
            return container

    def _give_back(self, container: Container) -> None:
        with self._changed:
            if container.alive and not self._closed:
                self._idle.append(container)
            else:
                self._all.discard(container)
            self._changed.notify_all()

    def close(self) -> list[Container]:
        """Lets idle containers end; gives all, to wait for."""
        with self._changed:
            self._closed = True
            containers = list(self._all)
            for container in self._idle:
                container.close()
            self._changed.notify_all()
        return containers


class Containers:
    """The pools of all functions, by name. Use it as a context manager."""

    def __init__(
        self,
        functions: Iterable[tuple[Function, int]],
        environment: Mapping[str, str],
        log: Callable[[str], Path],
    ) -> None:
        """`functions` with how many containers each may have; `environment` goes to all of them."""
        self._pools = {
            function.name: Pool(function, _environment(function, environment), log(function.name), most)
            for function, most in functions
        }

    def start(self) -> dict[str, str]:
        """Starts one container per function at once; gives the reasons of those that do not start, by name."""
        failures: dict[str, str] = {}

        def start(name: str, pool: Pool) -> None:
            try:
                pool.start()
            except FunctionFailed as exc:
                failures[name] = str(exc)

        threads = [threading.Thread(target=start, args=item) for item in self._pools.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return failures

    def invoke(self, name: str, event: Json, patience: float = 900.0) -> Json:
        """Runs a function by name; see Pool.invoke."""
        return self._pools[name].invoke(event, patience)

    def stop(self) -> None:
        """Ends all containers; those that still work have a second."""
        containers = [container for pool in self._pools.values() for container in pool.close()]
        deadline = time.monotonic() + _STOP_SECONDS
        for container in containers:
            container.end(deadline)

    def __enter__(self) -> "Containers":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# What a process needs of its surroundings. Nothing else gets in: a function must not come to rely on it.
_INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "VIRTUAL_ENV")


def _environment(function: Function, common: Mapping[str, str]) -> dict[str, str]:
    variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    variables |= {key: value for key, value in function.environment.items() if key != "SECRET_PARAMETER"}
    variables |= {
        "AWS_LAMBDA_FUNCTION_NAME": function.physical_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
    }
    return variables | dict(common)
