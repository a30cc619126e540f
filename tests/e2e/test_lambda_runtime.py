"""The unmodified handlers under the real Lambda runtime: its interface client, and AWS's own emulator around it."""

import gzip
import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.engine import Engine, dynamodb, dynamodb_streams
from local.streams import Positions, Pump
from local.template import read_template
from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import Sighting
from telemetry.services.api_keys import issue_staff_key
from telemetry.services.counting import count
from telemetry.storage.active_users import LedgerStore
from tests.lambdas import ROOT, example_event, http_event
from tests.worlds.deployment import Deployment

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
EMULATORS = sorted(ROOT.glob(f".venv-sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (EMULATORS and sys.platform == "linux") and "CI" not in os.environ,
        reason="the emulator comes with SAM CLI (make test installs it), for Linux",
    ),
]

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


def test_an_event_goes_all_the_way_through_four_runtimes(
    engine: Engine, deployment: Deployment, tmp_path: Path
) -> None:
    key = {"x-api-key": deployment.keys[Environment.PRODUCTION], "content-type": "application/json"}
    with runtime("ingest") as ingest, runtime("rollup") as rollup, runtime("reports") as reports:
        body = json.dumps(
            {
                "data_type": "text",
                "data_group": "g",
                "text_data": "x",
                "product_id": "acme-cli",
                "user_identifier": "jane",
            }
        )
        stored = ingest(http_event("/api/v1/telemetry", body, key))
        assert stored["statusCode"] == 200
        answer = json.loads(stored["body"])
        assert answer["response"]["code"] == 830
        assert deployment.record(answer["telemetry_id"]).raw == body.encode()

        (mapping,) = [
            mapping
            for mapping in read_template(deployment.tables.prefix).streams
            if mapping.table == deployment.tables.records(Environment.PRODUCTION)
        ]
        positions = Positions(tmp_path / "positions")
        answers: list[Any] = []

        def deliver(_: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401
            answers.append(rollup(dict(event)))
            return answers[-1]

        pump = Pump(
            mapping,
            dynamodb(engine.endpoint),
            dynamodb_streams(engine.endpoint),
            positions,
            deliver,
        )
        pump.drain()
        assert answers == [{"state": {}}]

        question = {"requestObject": {"name": "CURRENT_MAU", "parameters": {"application": "acme-cli"}}}
        asked = reports(http_event("/rest/v3/telemetry/report", json.dumps(question), key))
        assert asked["statusCode"] == 200
        assert json.loads(asked["body"])["responseObject"] == {
            "name": "CURRENT_MAU",
            "reportData": {"application": "acme-cli", "users": 1, "days": 30},
        }
        unknown = reports(http_event("/rest/elsewhere", "", key))
        assert (unknown["statusCode"], json.loads(unknown["body"])["responseObject"]["code"]) == (
            404,
            "ERROR_NOT_FOUND",
        )


def test_a_day_closes_in_its_runtime(deployment: Deployment) -> None:
    with runtime("close_day") as close_day:
        assert close_day(example_event("close-day")) == {"environment": "production", "closed": []}
        # the deadline of a day is 26 hours after its end: that of three days ago has passed at any hour
        seen = Sighting("acme-cli", datetime.now(UTC).date() - timedelta(days=3), b"jane" * 4, None, billable=True)
        aggregates = LedgerStore(deployment.tables.aggregates(Environment.PRODUCTION))
        assert count([seen], aggregates) == []
        closed = close_day(example_event("close-day"))["closed"]
        assert seen.day.isoformat() in closed
        assert aggregates.closing().closed == date.fromisoformat(closed[-1]).toordinal()


def test_administration_in_its_runtime(deployment: Deployment) -> None:
    key = issue_staff_key("x", frozenset(Environment), Role.ADMIN, deployment.keyring, deployment.api_keys).secret
    headers = {"x-api-key": key, "content-type": "application/json"}
    with runtime("admin") as admin:
        made = admin(http_event("/api/v1/admin/licenses", "{}", headers, {"environment": "staging"}))
        assert (made["statusCode"], made["headers"]["ETag"]) == (201, '"1"')
        path = f"/api/v1/admin/licenses/{json.loads(made['body'])['id']}"
        assert admin(http_event(path, "", headers, method="GET"))["body"] == made["body"]
        assert admin(http_event(path, "", headers, method="DELETE"))["statusCode"] == 404


def test_records_in_their_runtime(deployment: Deployment) -> None:
    staff = issue_staff_key("x", frozenset(Environment), Role.ADMIN, deployment.keyring, deployment.api_keys).secret
    sdk = {"x-api-key": deployment.keys[Environment.PRODUCTION], "content-type": "application/json"}
    body = json.dumps(
        {
            "data_type": "text",
            "data_group": "g",
            "text_data": "é" * 1_000_000,
            "product_id": "acme-cli",
            "flags": ["vm"],
        }
    )
    with runtime("ingest") as ingest, runtime("analytics") as analytics:
        id_ = json.loads(ingest(http_event("/api/v1/telemetry", gzip.compress(body.encode()), sdk))["body"])[
            "telemetry_id"
        ]
        event = example_event("analytics-records")
        event["headers"]["authorization"] = f"Bearer {staff}"
        answer = analytics(event)
        assert [row["id"] for row in json.loads(answer["body"])["items"]] == [id_]
        event["rawPath"] = event["requestContext"]["http"]["path"] = f"{event['rawPath']}/{id_}/raw"
        event["queryStringParameters"] = {"environment": "production"}
        part = analytics(event)
        assert (part["isBase64Encoded"], b64decode(part["body"])) == (True, body.encode()[:3_000_000])
        assert part["headers"]["Link"].endswith('&offset=3000000>; rel="next"')
