"""The unmodified handlers under the real Lambda runtime: its interface client, and AWS's own emulator around it."""

import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.lambdas import ROOT

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
EMULATORS = sorted(ROOT.glob(f".venv-sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"))

pytestmark = pytest.mark.skipif(
    not (EMULATORS and sys.platform == "linux") and "CI" not in os.environ,
    reason="the emulator comes with SAM CLI (make test installs it), for Linux",
)

Invoke = Callable[[dict[str, Any]], Any]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def runtime(function: str) -> Iterator[Invoke]:
    """The function in a runtime of its own; calling gives what Lambda would answer."""
    api, inner = free_port(), free_port()
    folder = ROOT / "functions" / function
    variables = os.environ | {
        "AWS_LAMBDA_FUNCTION_NAME": f"telemetry-{function}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "LAMBDA_TASK_ROOT": str(folder),
        "PYTHONPATH": f"{ROOT / 'layers' / 'core'}{os.pathsep}{folder}",
    }
    command = [
        str(EMULATORS[0]), "--log-level", "error",
        "--runtime-interface-emulator-address", f"127.0.0.1:{api}",
        "--runtime-api-address", f"127.0.0.1:{inner}",
        sys.executable, "-m", "awslambdaric", "app.handler",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL) as process:
        try:
            yield lambda event: _invoke(api, event)
        finally:
            process.terminate()


def _invoke(port: int, event: dict[str, Any]) -> Any:  # noqa: ANN401
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, json.dumps(event).encode(), timeout=30) as answer:
                return json.loads(answer.read())
        except (ConnectionError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
