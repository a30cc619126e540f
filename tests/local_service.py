"""The whole local service as a subprocess, for end-to-end tests."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from tests.lambdas import ROOT

START_SECONDS = 180.0
"""How long a start, or a command, may take on a machine that is busy with other tests."""

DEMO_SECONDS = 600.0
"""How long a start with the demo's history may take there."""

_READY = re.compile(r"ready on (\S+)")


def command(*arguments: str, program: Sequence[str] = ("local",)) -> tuple[list[str], dict[str, str]]:
    """`python -m local …` and the environment it needs; `program` is another one that takes the same arguments."""
    return [sys.executable, "-m", *program, *arguments], os.environ | {"PYTHONPATH": f"layers/core{os.pathsep}."}


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    line, environment = command(*arguments)
    return subprocess.run(
        line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )


class LocalService:
    """`make run` on a state folder, with keys only or with the demo's history. Use it as a context manager."""

    def __init__(self, state: Path, port: int = 0, *, demo: bool = False, program: Sequence[str] = ("local",)) -> None:
        """Returns when it is ready. `program` may be one that loads another history than the demo's."""
        self.state = state
        history = [] if demo else ["--no-demo"]
        line, environment = command("run", "--port", str(port), "--state", str(state), *history, program=program)
        self.process = subprocess.Popen(
            line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.output: list[str] = []
        self._ready = threading.Event()
        self._url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(DEMO_SECONDS if demo else START_SECONDS) or not self._url:
            self.kill()
            raise AssertionError("".join(self.output))

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.output.append(line)
            if match := _READY.search(line):
                self._url = match[1]
                self._ready.set()
        self._ready.set()

    @property
    def url(self) -> str:
        return self._url

    @property
    def keys(self) -> dict[str, Any]:
        """The content of demo-keys.json."""
        keys: dict[str, Any] = json.loads((self.state / "demo-keys.json").read_text())
        return keys

    def key(self, name: str, environment: str = "production") -> str:
        """`ingest_key`, `report_key`, …"""
        return str(self.keys["environments"][environment][name])

    def post(self, path: str, body: Any, key: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401
        """A POST of JSON."""
        return httpx.post(f"{self.url}{path}", json=body, headers={"x-api-key": key}, timeout=30, **arguments)

    def monthly_users(self, product: str, environment: str = "production") -> int:
        """CURRENT_MAU."""
        question = {"name": "CURRENT_MAU", "parameters": {"application": product}}
        key = self.key("report_key", environment)
        answer = self.post("/rest/v3/telemetry/report", {"requestObject": question}, key)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["responseObject"]["reportData"]["users"])

    def records(self, *arguments: str) -> list[dict[str, Any]]:
        """What `python -m local records` prints, checked against its own count."""
        answer = run("records", "--state", str(self.state), *arguments)
        assert answer.returncode == 0, answer.stderr
        *lines, count = answer.stdout.splitlines()
        assert count == f"{len(lines)} events"
        return [json.loads(line) for line in lines]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to stop; gives the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self, seconds: float = 60) -> int:
        """Waits for its end; gives the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def kill(self) -> None:
        """SIGKILL to all of its processes at once: to the engine and to each container as well."""
        for pid in self.family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process.stdout and not self.process.stdout.closed:
            self.ended()

    def family(self) -> Sequence[int]:
        """The process and all that descend from it, parents first."""
        children: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(stat.parent.name))
        family = [self.process.pid]
        for member in family:
            family += children.get(member, [])
        return family

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        elif self.process.stdout and not self.process.stdout.closed:
            self.ended()
