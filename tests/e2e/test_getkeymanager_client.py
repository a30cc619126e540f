"""A client of the GetKeyManager kind against the gateway: JavaScript's fetch, chunked bodies, the key in two places."""

import json
import os
import shutil
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from local.gateway import Gateway
from local.http_server import served
from local.template import read_template
from telemetry.domain.environment import Environment
from telemetry.domain.license import activation_id
from tests.lambdas import Context, load_function
from tests.waiting import eventually
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import DEVICE, KEY, issue

NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None and "CI" not in os.environ, reason="node is not on PATH")

GOOD: dict[str, Any] = {
    "data_type": "numeric-single-value",
    "numeric_data_single_value": 1,
    "data_group": "starts",
    "license_key": KEY,
    "activation_identifier": DEVICE,
    "product_id": "acme-desktop",
    "product_version": "4.12.1",
    "user_identifier": "u-1",
    "country": "DE",
    "metadata": {"os": "linux"},
    "flags": [],
}


@pytest.fixture
def url(deployment: Deployment) -> Iterator[str]:
    """The template's routes, served by this process's functions."""
    template = read_template(deployment.tables.prefix)
    functions = {route.function: load_function(route.function) for route in template.routes}
    one_at_a_time = threading.Lock()  # as in a Lambda container

    def invoke(name: str, event: Any, _patience: float) -> Any:  # noqa: ANN401
        with one_at_a_time:
            return functions[name].handler(event, Context(milliseconds_left=20_000))

    config = served(Gateway(template.routes, template.cors, invoke), finish_seconds=2)
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def run(url: str, key: str, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    """Makes the calls one after the other; gives their answers."""
    assert NODE, "node is not on PATH"
    script = Path(__file__).with_name("getkeymanager_client.mjs")
    given = json.dumps({"url": url, "key": key, "calls": calls})
    done = subprocess.run([NODE, script], input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert {answer["type"] for answer in answers} == {"application/json"}
    return answers


def post(name: str, body: dict[str, Any] | None = None, base: str = "/v1", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"method": "POST", "path": f"{base}/{name}", "body": body or {}, **more}


def envelope(response: dict[str, Any]) -> dict[str, Any]:
    encoded = b64encode(json.dumps(response, separators=(",", ":")).encode()).decode()
    return {"response": response, "response_base64": encoded, "private_key_used": "global"}


def body_and_time(answer: dict[str, Any], status: int = 200) -> tuple[dict[str, Any], int]:
    body = json.loads(answer["text"])
    assert answer["status"] == status
    timestamp = body["response"]["timestamp"]
    assert isinstance(timestamp, int)
    assert abs(timestamp - time.time()) < 60
    return body, timestamp


def test_licences_through_their_life(deployment: Deployment, url: str) -> None:
    license_ = issue(deployment, activation_limit=1, expires_at=datetime(2031, 1, 31, tzinfo=UTC))
    me = {"license_key": KEY, "identifier": DEVICE}
    other = {"license_key": KEY, "domain": "Another.example"}
    once = {"Idempotency-Key": "3f1c"}
    answers = run(
        url,
        deployment.keys[Environment.PRODUCTION],
        post("verify", me),
        post("activate", me, headers=once),
        post("activate", me, headers=once),
        post("activate", {"license_key": KEY, "hardwareId": DEVICE.upper()}, base="/api/v1"),
        post("verify", me),
        post("activate", other),
        post("verify", {"license_key": KEY}),
        post("verify", {"license_key": "NOBODY-ISSUED-THIS", "identifier": DEVICE}),
        post("deactivate", me),
        post("deactivate", me),
        post("activate", other),
    )
    expected: list[tuple[int, str, str | None, str | None]] = [
        (202, "No activation found for this license key/identifier combination", "assigned", None),
        (300, "License key activated", "active", DEVICE),
        (300, "License key activated", "active", DEVICE),
        (301, "License key already active", "active", DEVICE.upper()),
        (200, "Valid license key", "active", None),
        (302, "License key reached activation limit", "active", None),
        (215, "Identifier is required", "active", None),
        (210, "Invalid license key", None, None),
        (400, "License key deactivated", "active", None),
        (401, "License key already inactive", "active", None),
        (300, "License key activated", "active", "Another.example"),
    ]
    first = answers[1]["told"]["activated"]
    assert abs(first - time.time()) < 60
    for answer, (code, message, status, device) in zip(answers, expected, strict=True):
        body, timestamp = body_and_time(answer)
        response: dict[str, Any] = {"code": code, "message": message, "errors": [], "timestamp": timestamp}
        beside: dict[str, Any] = {
            "code": code,
            "message": message,
            "success": code in {200, 300, 301, 400, 401},
            "valid": code in {200, 300, 301},
        }
        if code == 215:
            needed = "The identifier field is required, with at most 1024 characters."
            response["errors"] = {"identifier": [needed]}
        if status:
            said = {
                "product_uuid": "acme-desktop",
                "status": status,
                "expires_at": "2031-01-31T00:00:00Z",
                "activation_limit": 1,
            }
            response["data"] = {"uuid": license_.id} | said
            beside["license"] = said | {"license_key": KEY, "product_name": "Acme Desktop", "features": {}}
        if device:
            id_ = activation_id(license_.id, device, deployment.keyring)
            beside["activation"] = {"id": id_, "identifier": device, "activated_at": body["activation"]["activated_at"]}
        assert body == envelope(response) | beside
        activation = body.get("activation", {})
        assert answer["told"] == {
            "code": code,
            "message": message,
            "success": beside["success"],
            "valid": beside["valid"],
            "status": status,
            "key": KEY if status else None,
            "expires": datetime(2031, 1, 31, tzinfo=UTC).timestamp() if status else None,
            "product": "Acme Desktop" if status else None,
            "features": [],
            "activation": activation.get("id"),
            "device": device,
            "activated": first if device in {DEVICE, DEVICE.upper()} else answer["told"]["activated"],
        }
    assert answers[1] == answers[2]
    assert answers[3]["told"]["activation"] == answers[1]["told"]["activation"] != answers[10]["told"]["activation"]


def test_ordinary_and_odd_telemetry(deployment: Deployment, url: str) -> None:
    issue(deployment)
    saved: list[tuple[dict[str, Any], bool]] = [
        ({}, False),
        ({"license_key": "unknown"}, False),
        ({"license_key": None}, False),
        ({"flags": ["tampering_detected"]}, True),
        ({"flags": {"tampering_detected": True, "debugger": False}}, True),
        ({"flags": {"tampering_detected": False}}, False),
        (
            {"data_type": "text", "data_group": "g", "text_data": "x", "hwid": DEVICE, "activation_identifier": None},
            False,
        ),
        ({"data_type": "numeric-xy-axis", "data_group": "g", "numeric_data_x": 1, "numeric_data_y": 2.5}, False),
        ({"license_key": "NOBODY-ISSUED-THIS"}, True),
    ]
    malformed: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
        ({"data_type": None}, {"data_type": ["The data type field is required."]}),
        ({"product_id": "nobody-knows"}, {"product_id": ["The selected product id is invalid."]}),
        (
            {"data_type": "numeric-xy-axis", "data_group": "g"},
            {
                "numeric_data_x": ["The numeric data x field is required."],
                "numeric_data_y": ["The numeric data y field is required."],
            },
        ),
        ({"flags": "x"}, {"flags": ["The flags must be a list of strings or an object of booleans."]}),
    ]
    key = deployment.keys[Environment.PRODUCTION]
    activated, *answers, unreadable = run(
        url,
        key,
        post("activate", {"license_key": KEY, "identifier": DEVICE}),
        *(post("send-telemetry", GOOD | change) for change, _ in saved),
        *(post("send-telemetry-data", GOOD | change, base="/api/v1") for change, _ in malformed),
        post("telemetry", text='{"data_type": "text", "data_group": "g", '),
    )
    assert body_and_time(activated)[0]["response"]["code"] == 300
    expected: list[tuple[int, str, Any, bool]] = [
        *((830, "Correct format data saved", [], is_flagged) for _, is_flagged in saved),
        *((831, "Incorrect format data saved", errors, True) for _, errors in malformed),
    ]
    for answer, (code, message, errors, is_flagged) in zip(answers, expected, strict=True):
        body, timestamp = body_and_time(answer)
        response = {"code": code, "message": message, "errors": errors, "timestamp": timestamp}
        assert body == envelope(response) | {"telemetry_id": body["telemetry_id"], "is_flagged": is_flagged}
        raw = deployment.record(body["telemetry_id"]).raw
        assert json.loads(raw)["api_key"] == "*" * len(key)
    body, _ = body_and_time(unreadable)
    assert (body["response"]["code"], list(body["response"]["errors"])) == (831, ["body"])


def test_telemetry_read_back(deployment: Deployment, url: str) -> None:
    key = deployment.keys[Environment.PRODUCTION]
    stored, tampered, *found = run(
        url,
        key,
        post("telemetry", GOOD | {"license_key": None}),
        post("telemetry", GOOD | {"license_key": None, "flags": ["tampering"]}),
        {"method": "GET", "path": "/api/v1/telemetry?has_red_flags=true&data_type=numeric-single-value"},
        {"method": "GET", "path": "/v1/get-telemetry-data?has_red_flags=0"},
    )
    for source, answer, red in ((tampered, found[0], 1), (stored, found[1], 0)):
        body, timestamp = body_and_time(answer)
        (row,) = body["response"]["data"]
        assert body == envelope(
            {
                "code": 970,
                "message": "Telemetry data found",
                "errors": [],
                "timestamp": timestamp,
                "data": [row],
                "page": 1,
                "per_page": 25,
                "has_more": False,
                "next": None,
            }
        )
        assert (row["id"], row["has_red_flags"]) == (json.loads(source["text"])["telemetry_id"], red)


def test_a_key_nobody_issued(url: str) -> None:
    for name in ("telemetry", "verify", "activate", "deactivate"):
        (answer,) = run(url, "nobody-issued-this", post(name, GOOD))
        body, timestamp = body_and_time(answer, 401)
        assert body == {
            "response": {"code": 100, "message": "Invalid API Key", "errors": [], "timestamp": timestamp},
        }
