"""The whole service on one machine, from the lock on its state to the last container."""

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local import Json
from local.containers import Containers
from local.endpoint import Endpoint
from local.engine import Engine, create_tables, damage, dynamodb, dynamodb_streams, environment, use
from local.errors import CommandError
from local.gateway import Gateway
from local.http_server import HttpServer
from local.schedules import Scheduler
from local.sign_in_link import LIFETIME_SECONDS, SignInLink
from local.starting import NotReady
from local.state import State, write_atomically
from local.streams import Positions, Pump
from local.template import Template, read_template
from telemetry.domain.keyring import Keyring
from telemetry.settings import TableNames

STACK = "telemetry"

_HOST = "127.0.0.1"
_HIGHEST_PORT = 65_535
_MOST_CONTAINERS = 4
_FINISH_SECONDS = 2.0

# Containers that take longer are spoken of once; after the second time the service is ready without them.
_SLOW_START_SECONDS = 15.0
_AWAITED_START_SECONDS = 60.0


class PortTaken(CommandError):
    """Another program listens on the port."""


class _StopRequested(BaseException):
    """A signal came while the service was starting."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `run`."""
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one")
    parser.add_argument("--no-demo", action="store_true", help="on a fresh state make keys only")


def run(arguments: argparse.Namespace) -> int:
    """Serves until SIGINT or SIGTERM; gives the exit code. Raises PortTaken, StateError, EngineError, TemplateError."""
    os.umask(0o077)  # keys, and what customers sent
    stop = _Stop()
    try:
        with stop.listening(), ExitStack() as stack:
            _serve(arguments.port, Path(arguments.state), stack, stop, history=not arguments.no_demo)
    except _StopRequested:
        pass
    return stop.exit_code


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no port: choose one from 1 to {_HIGHEST_PORT}, or 0 for a free one"
        )
    return int(text)


def _serve(port: int, folder: Path, stack: ExitStack, stop: "_Stop", *, history: bool) -> None:
    listener = stack.enter_context(_listen(port))
    url = f"http://{_HOST}:{listener.getsockname()[1]}"
    template = read_template(STACK)
    start = _Start()
    gateway = Gateway(template.routes, template.cors, start.invoke, complain)
    server = HttpServer(gateway, listener, int(_FINISH_SECONDS))
    server.start()
    stack.callback(server.stop)
    state = stack.enter_context(State.hold(folder))
    state.withdraw()
    if state.discard_unfinished():
        say("the first start was interrupted: beginning again")
    fresh = not state.database.exists()
    keyring = Keyring(state.secret())
    positions = Positions(state.positions)
    state.read_demo_keys()

    start.say("starting the database")
    if fresh:
        _begin_loading(state, history=history)
    engine = stack.enter_context(Engine.start(state.database, [state.lock]))
    use(engine.endpoint)
    os.environ["SECRET_FILE"] = str(state.secret_file)
    tables = dynamodb(engine.endpoint)
    create_tables(tables, template.tables)

    start.say(f"starting {len(template.functions)} functions")
    endpoint = stack.enter_context(Endpoint(template, state.folder, complain))
    containers = stack.enter_context(_containers(template, state, environment(engine.endpoint) | endpoint.environment))
    endpoint.start(containers.invoke)
    containers.start(lambda name, reason: complain(f"{name} does not start: {reason} (see {state.log(name)})"))

    streams, report = dynamodb_streams(engine.endpoint), complain_of(state.database)
    pumps = [Pump(mapping, tables, streams, positions, containers.invoke, report) for mapping in template.streams]
    if fresh:
        _load_demo(template, state, keyring, pumps, start, history=history)
        state.end_loading()
    _tell_url(state, url)
    state.announce(engine.endpoint)
    stack.callback(state.withdraw)

    scheduler = Scheduler(template.schedules, containers.invoke, report)
    stack.callback(_finish, scheduler, pumps)
    for pump in pumps:
        pump.start()
    scheduler.start()
    stack.callback(server.stop)
    start.hand_over(containers)
    threading.Thread(target=stop.without, args=(engine,), daemon=True).start()
    _await_functions(containers)
    gateway.sign_in_link = _sign_in_link(state)
    say(_ready(url, gateway.sign_in_link, state))
    stop.wait()
    say("stopping")


class _Start:
    """How far the start is: on the terminal, and for who asks the service too early."""

    def __init__(self) -> None:
        self._progress = "reading the state"
        self._containers: Containers | None = None

    def say(self, text: str) -> None:
        """Tells the terminal; callers are told the same."""
        say(text)
        self.show(text)

    def show(self, progress: str) -> None:
        """Tells callers alone."""
        self._progress = progress

    def hand_over(self, containers: Containers) -> None:
        """From now on functions answer."""
        self._containers = containers

    def invoke(self, name: str, event: Json, patience: float) -> Json:
        """Runs a function by name; raises NotReady before that."""
        if self._containers is None:
            raise NotReady(self._progress)
        return self._containers.invoke(name, event, patience)


class _Stop:
    """Ends the service on a signal, or when its database is gone."""

    def __init__(self) -> None:
        self.exit_code = 0
        self._is_awaited = False
        self._asked = threading.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes SIGINT and SIGTERM meanwhile."""
        before = {number: signal.signal(number, self._signalled) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def wait(self) -> None:
        """Returns when the service is to end."""
        self._is_awaited = True
        self._asked.wait()

    def _signalled(self, *_: object) -> None:
        # Asked once more, it still stops in order: every step of it is short.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._asked.set()
        if not self._is_awaited:
            raise _StopRequested

    def without(self, engine: Engine) -> None:
        """Waits for the engine's end, which nobody may have asked for."""
        engine.wait()
        if not self._asked.is_set():
            complain("the database ended unexpectedly")
            self.exit_code = 1
            self._asked.set()


@contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    """Takes the port before anything expensive is done."""
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
        aws | {"SECRET_FILE": str(state.secret_file)} | network_file(state),
        state.log,
    )


def network_file(state: State) -> dict[str, str]:
    """Where functions find the network file: what whoever started this has set, else the demo's, else nowhere."""
    path = os.environ.get("NETWORK_FILE") or (str(state.network_file) if state.network_file.exists() else "")
    return {"NETWORK_FILE": path} if path else {}


def _begin_loading(state: State, *, history: bool) -> None:
    """The network file comes first: functions are told when they start that there is one."""
    state.begin_loading()
    if history:
        from local.demo_networks import write_network_file  # noqa: PLC0415 (every other start would wait for it too)

        write_network_file(state.network_file)


def _await_functions(containers: Containers) -> None:
    """A busy machine is no failure: what is slow is waited for, and said once."""
    slow = containers.still_starting(_SLOW_START_SECONDS)
    if slow:
        say(f"  still starting {', '.join(slow)}: this machine is busy")
        slow = containers.still_starting(_AWAITED_START_SECONDS)
    if slow:
        say(f"  going on without {', '.join(slow)}: they answer as soon as they have started, and 503 until then")


def _load_demo(
    template: Template, state: State, keyring: Keyring, pumps: list[Pump], start: _Start, *, history: bool
) -> None:
    from local import demo  # noqa: PLC0415 (every other start would wait for this import too)

    def settle() -> None:
        for pump in pumps:
            pump.drain()

    start.say("loading the demo" if history else "making keys")
    site = demo.Site(
        tables=TableNames(template.stack),
        keyring=keyring,
        settings=template.function("ingest").environment,
        network_file=network_file(state).get("NETWORK_FILE"),
        settle=settle,
        say=say,
        show=lambda progress: start.show(f"loading the demo: {progress}"),
    )
    write_atomically(state.demo_keys, json.dumps(demo.load(site, history=history), indent=2) + "\n")


def _sign_in_link(state: State) -> SignInLink | None:
    """None when the demo's keys are gone: then people type their own."""
    key = state.read_demo_keys().get("admin_key")
    return SignInLink(key) if isinstance(key, str) else None


def _ready(url: str, link: SignInLink | None, state: State) -> str:
    if link is None:
        return f"ready on {url} (Ctrl-C stops)"
    return (
        f"ready on {url} - open {link.url(url)} (signs you in once, within {LIFETIME_SECONDS / 60:.0f} minutes)\n"
        f"later sign in on {url}/admin with admin_key of {state.demo_keys}; Ctrl-C stops"
    )


def _tell_url(state: State, url: str) -> None:
    """The port may be another one than last time."""
    keys = state.read_demo_keys()
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


def complain_of(database: Path) -> Callable[[str], None]:
    """Complains too, and the first time that the database fails looks whether its file is damaged."""
    looked = threading.Event()

    def report(text: str) -> None:
        complain(text)
        if "InternalServerError" in text and not looked.is_set():
            looked.set()
            if damaged := damage(database):
                complain(damaged)

    return report
