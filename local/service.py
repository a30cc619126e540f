"""The whole service on one machine, from the lock on its state to the last container."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import uvicorn

from local import demo
from local.containers import Containers
from local.endpoint import Endpoint
from local.engine import Engine, create_tables, dynamodb, dynamodb_streams, environment, use
from local.gateway import Gateway, served
from local.schedules import Scheduler
from local.state import State, read_json, write_atomically
from local.streams import Positions, Pump
from local.template import Template, read_template
from telemetry.domain.keyring import Keyring
from telemetry.settings import TableNames

STACK = "telemetry"

_HOST = "127.0.0.1"
_MOST_CONTAINERS = 4
_FINISH_SECONDS = 2.0


class PortTaken(Exception):
    """Another program listens on the port."""


class _StopRequested(BaseException):
    """A signal came before there was a server to stop."""


def run(port: int, folder: Path, *, history: bool) -> int:
    """Serves until SIGINT or SIGTERM; gives the exit code.

    Port 0 takes a free one. `history` says whether a fresh state gets the demo's past, or its keys only. Raises
    PortTaken, StateError, EngineError, TemplateError.
    """
    os.umask(0o077)  # keys, and what customers sent
    stop = _Stop()
    try:
        with stop.listening(), ExitStack() as stack:
            _serve(port, folder, stack, stop, history=history)
    except _StopRequested:
        pass
    return stop.exit_code


def _serve(port: int, folder: Path, stack: ExitStack, stop: "_Stop", *, history: bool) -> None:
    listener = stack.enter_context(_listen(port))
    url = f"http://{_HOST}:{listener.getsockname()[1]}"
    template = read_template(STACK)
    state = stack.enter_context(State.hold(folder))
    state.withdraw()
    if state.discard_unfinished():
        say("the first start was interrupted: beginning again")
    fresh = not state.database.exists()
    keyring = Keyring(state.secret())
    positions = Positions(state.positions)

    say("starting the database")
    if fresh:
        state.begin_loading()
    engine = stack.enter_context(Engine.start(state.database, [state.lock]))
    use(engine.endpoint)
    os.environ["SECRET_FILE"] = str(state.secret_file)
    tables = dynamodb(engine.endpoint)
    create_tables(tables, template.tables)

    say(f"starting {len(template.functions)} functions")
    endpoint = stack.enter_context(Endpoint(template, state.folder, complain))
    containers = stack.enter_context(_containers(template, state, environment(engine.endpoint) | endpoint.environment))
    endpoint.start(containers.invoke)
    for name, reason in containers.start().items():
        complain(f"{name} does not start: {reason} (see {state.log(name)})")

    streams = dynamodb_streams(engine.endpoint)
    pumps = [Pump(mapping, tables, streams, positions, containers.invoke, complain) for mapping in template.streams]
    if fresh:
        _load_demo(template, state, keyring, pumps, history=history)
        state.end_loading()
    _tell_url(state, url)
    state.announce(engine.endpoint)
    stack.callback(state.withdraw)

    scheduler = Scheduler(template.schedules, containers.invoke, complain)
    stack.callback(_finish, scheduler, pumps)
    for pump in pumps:
        pump.start()
    scheduler.start()
    gateway = Gateway(template.routes, template.cors, containers.invoke, complain)
    server = _Server(served(gateway, finish_seconds=int(_FINISH_SECONDS)))
    stop.server = server
    threading.Thread(target=stop.without, args=(engine,), daemon=True).start()
    say(f"ready on {url} (Ctrl-C stops); to sign in on {url}/admin take admin_key of {state.demo_keys}")
    server.run(sockets=[listener])
    say("stopping")


class _Stop:
    """Ends the service on a signal, or when its database is gone."""

    def __init__(self) -> None:
        self.exit_code = 0
        self.server: uvicorn.Server | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes SIGINT and SIGTERM meanwhile."""
        before = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, *_: object) -> None:
        # Asked once more, it still stops in order: every step of it is short.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if self.server is None:
            raise _StopRequested
        self.server.should_exit = True

    def without(self, engine: Engine) -> None:
        """Waits for the engine's end, which nobody may have asked for."""
        engine.wait()
        if self.server and not self.server.should_exit:
            complain("the database ended unexpectedly")
            self.exit_code = 1
            self.server.should_exit = True


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leaves signals to _Stop: a clean stop is no failure."""
        return nullcontext()


@contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    """Takes the port before anything expensive is done; who connects early waits until the service is ready."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
            listener.listen(1024)
        except OSError as exc:
            raise PortTaken(
                f"port {port} cannot be used ({exc.strerror}): choose another, e.g. make run PORT=8001"
            ) from exc
        yield listener


def _containers(template: Template, state: State, aws: dict[str, str]) -> Containers:
    behind_the_api = {route.function for route in template.routes}
    return Containers(
        ((function, _MOST_CONTAINERS if function.name in behind_the_api else 1) for function in template.functions),
        aws | {"SECRET_FILE": str(state.secret_file)},
        state.log,
    )


def _load_demo(template: Template, state: State, keyring: Keyring, pumps: list[Pump], *, history: bool) -> None:
    def settle() -> None:
        for pump in pumps:
            pump.drain()

    say("loading the demo" if history else "making keys")
    site = demo.Site(
        tables=TableNames(template.stack),
        keyring=keyring,
        settings=template.function("ingest").environment,
        settle=settle,
        say=say,
    )
    write_atomically(state.demo_keys, json.dumps(demo.load(site, history=history), indent=2) + "\n")


def _tell_url(state: State, url: str) -> None:
    """The port may be another one than last time."""
    keys = read_json(state.demo_keys, {})
    if keys and keys.get("url") != url:
        write_atomically(state.demo_keys, json.dumps({"url": url} | keys | {"url": url}, indent=2) + "\n")


def _finish(scheduler: Scheduler, pumps: list[Pump]) -> None:
    """Lets the stream batch and the schedule that are being worked on come to their end, if that is soon."""
    deadline = time.monotonic() + _FINISH_SECONDS
    scheduler.ask_to_stop()
    for pump in pumps:
        pump.ask_to_stop()
    workers: list[Scheduler | Pump] = [scheduler, *pumps]
    for worker in workers:
        worker.join(deadline - time.monotonic())


def say(text: str) -> None:
    """Progress, for people."""
    print(text, flush=True)


def complain(text: str) -> None:
    """Trouble, for people; never a request's content."""
    print(text, file=sys.stderr, flush=True)
