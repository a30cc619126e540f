"""Runs functions as Lambda does: each in processes of its own, one event at a time per process, more on demand."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from local import Json
from local.template import ROOT, Function

MAX_EVENT_BYTES = 6_291_556
"""Lambda's limit for an event."""

_STOP_SECONDS = 1.0

# A process that is not ready after so long is taken for stuck.
_LONGEST_START_SECONDS = 3600.0

# More at once would only share the processors, and each would be ready later.
_STARTED_AT_ONCE = max(2, os.cpu_count() or 1)

# Starting a process costs more than waiting a moment for one to come free.
_GROW_AFTER_SECONDS = 0.1


class FunctionFailed(Exception):
    """The function raised, crashed, did not start, or ran out of time; the message says which."""


class Throttled(FunctionFailed):
    """No container came free for too long: all were busy, or still starting."""


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

    def await_ready(self) -> None:
        """Waits until the process is ready, however long that takes; raises FunctionFailed when it never will be."""
        try:
            self._receive()
        except FunctionFailed:
            self._discard()
            raise

    def invoke(self, message: bytes) -> Json:
        """Runs one event to its end. After FunctionFailed look at `alive`: the process may be gone."""
        try:
            self._connection.send_bytes(message)
            in_time = self._connection.poll(self._timeout)
        except OSError:
            in_time = True  # the process has ended: reading says so
        if not in_time:
            self._discard()
            raise FunctionFailed(f"Task timed out after {self._timeout:.2f} seconds")
        return self._receive().get("answer")

    def _receive(self) -> Json:
        try:
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
        self._is_starting = False
        self._failed_starts = 0
        self._failure = ""
        self._changed = threading.Condition()
        self._closed = False

    def start(self) -> None:
        """Has one container ready; raises FunctionFailed when the function does not start."""
        self._give_back(self._take(_LONGEST_START_SECONDS))

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
            if self._all and not self._idle:
                self._changed.wait_for(lambda: self._idle or self._closed, _GROW_AFTER_SECONDS)
            failed_starts = self._failed_starts
            while not self._closed and not self._idle:
                if self._failed_starts > failed_starts:
                    raise FunctionFailed(self._failure)
                if not self._is_starting and len(self._all) < self._most:
                    self._grow()
                if not self._changed.wait(deadline - time.monotonic()):
                    raise Throttled(f"{self._function.name}: no container came free in time")
            if self._closed:
                raise FunctionFailed("the service is stopping")
            return self._idle.pop()

    def _grow(self) -> None:
        """Begins to start one more container, never two at once: on a busy machine both would take twice as long."""
        container = Container(self._function, self._environment, self._log)
        self._all.add(container)
        self._is_starting = True
        name = f"start of {self._function.name}"
        threading.Thread(target=self._await_ready, args=(container,), name=name, daemon=True).start()

    def _await_ready(self, container: Container) -> None:
        failure = None
        try:
            container.await_ready()
        except FunctionFailed as exc:
            failure = str(exc)
        with self._changed:
            self._is_starting = False
            if failure is not None:
                self._failed_starts += 1
                self._failure = failure
            self._give_back(container)

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
        self._starters = ThreadPoolExecutor(_STARTED_AT_ONCE, "start")
        self._starts: dict[Future[None], str] = {}
        self._is_stopping = False

    def start(self, failed: Callable[[str, str], None]) -> None:
        """Begins to start one container per function, a few at a time; who needs one earlier gets it earlier.

        `failed` is told the name and the reason of each that does not start.
        """

        def start(name: str, pool: Pool) -> None:
            try:
                pool.start()
            except FunctionFailed as exc:
                if not self._is_stopping:
                    failed(name, str(exc))

        self._starts = {self._starters.submit(start, *item): item[0] for item in self._pools.items()}

    def still_starting(self, patience: float) -> list[str]:
        """Waits so many seconds for the containers that `start` is at; gives the functions that have none then."""
        return sorted(self._starts[start] for start in wait(self._starts, patience).not_done)

    def invoke(self, name: str, event: Json, patience: float = 900.0) -> Json:
        """Runs a function by name; see Pool.invoke."""
        return self._pools[name].invoke(event, patience)

    def stop(self) -> None:
        """Ends all containers; those that still work have a second."""
        self._is_stopping = True
        self._starters.shutdown(wait=False, cancel_futures=True)
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
