"""`make run`, as its user meets it."""

import gzip
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest
from reo_census_mcp import ReoProductUsageLogger

from tests.lambdas import ROOT
from tests.local_service import START_SECONDS, LocalService, command, run


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """One service for the tests that leave it running."""
    with LocalService(tmp_path_factory.mktemp("service") / "state") as running:
        yield running


def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Answers:
    """Stands around urlopen and keeps the bodies that a client does not look at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bodies: list[bytes] = []
        real = urllib.request.urlopen

        def urlopen(request: urllib.request.Request, timeout: float) -> "_Read":
            with real(request, timeout=timeout) as answer:
                self.bodies.append(answer.read())
                return _Read(answer.status)

        monkeypatch.setattr(urllib.request, "urlopen", urlopen)


class _Read:
    def __init__(self, status: int) -> None:
        self.status = status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        pass


def test_a_published_client_is_counted_exactly_once(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DO_NOT_TRACK", "PACKAGE_TRACKER_ANALYTICS", "REO_CENSUS_MCP_ENDPOINT", "REO_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    answers = Answers(monkeypatch)
    product = service.keys["products"][1]
    before = service.monthly_users(product)
    staging = service.monthly_users(product, "staging")
    client = ReoProductUsageLogger(
        endpoint_url=f"{service.url}/api/product/usage",
        api_key=service.key("ingest_key"),
        activity_type="primary",
        product_id=product,
        blocking=True,
    )
    now = int(time.time())

    def send() -> list[bytes]:
        answers.bodies.clear()
        for number in range(500):
            user = f"developer-{number % 120}@example.org"
            assert client.log_usage(
                user_id=user, user_id_type="EMAIL", event_id=7_000_000_000_000_000_000 + number, event_at=now - number
            )
        return list(answers.bodies)

    first = send()
    eventually(lambda: service.monthly_users(product) == before + 120)
    stored = service.records("--product", product)
    second = send()
    assert second == first
    time.sleep(1.5)
    assert service.monthly_users(product) == before + 120
    assert service.records("--product", product) == stored
    assert len(stored) == 500
    assert service.monthly_users(product, "staging") == staging
    assert service.records("--product", product, "--environment", "staging") == []


def test_bodies_arrive_as_sent(service: LocalService) -> None:
    product = service.keys["products"][0]
    headers = {"x-api-key": service.key("ingest_key", "development"), "content-type": "application/json"}
    compressed = gzip.compress(b'{"event_id":"zipped","product_id":"%s"}' % product.encode())
    chunks = iter([b'{"event_id":"chunked",', b'"product_id":"%s"}' % product.encode()])
    url = f"{service.url}/api/v1/telemetry"
    assert httpx.post(url, content=compressed, headers=headers | {"content-encoding": "gzip"}).status_code == 200
    assert httpx.post(url, content=chunks, headers=headers).status_code == 200
    bodies = {record["body"] for record in service.records("--environment", "development", "--product", product)}
    assert {f'{{"event_id":"{name}","product_id":"{product}"}}' for name in ("zipped", "chunked")} <= bodies


def test_staff_read_and_export_what_was_sent(service: LocalService) -> None:
    product = service.keys["products"][0]
    event = {"event_id": "looked-at", "product_id": product, "user_identifier": "=looked@at.example", "hwid": "h1"}
    service.post("/api/v1/telemetry", event, service.key("ingest_key", "staging"))
    headers = {"authorization": f"Bearer {service.keys['admin_key']}"}
    query = {"environment": "staging", "range": "24h", "hwid": "h1"}
    url = f"{service.url}/api/v1/analytics"
    (row,) = httpx.get(f"{url}/records", params=query, headers=headers).json()["items"]
    detail = httpx.get(f"{url}/records/{row['id']}", params={"environment": "staging"}, headers=headers).json()
    assert (detail["payload"], detail["hwid"], detail["product"]) == (event, "h1", product)
    file = httpx.get(f"{url}/export", params=query | {"format": "csv"}, headers=headers)
    assert ",'=looked@at.example,h1," in file.text
    assert (file.headers["export-rows"], file.headers["content-type"]) == ("1", "text/csv; charset=utf-8")
    viewer = {"authorization": f"Bearer {service.keys['viewer_key']}"}
    assert httpx.get(f"{url}/records", params=query, headers=viewer).status_code == 403
    products = httpx.get(f"{url}/products", params=query | {"hwid": ""}, headers=viewer)
    assert products.status_code == 422
    products = httpx.get(f"{url}/products", params={"environment": "staging"}, headers=viewer)
    assert product in [item["id"] for item in products.json()["items"]]


def test_answers_like_api_gateway(service: LocalService) -> None:
    answer = httpx.get(f"{service.url}/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
    url = f"{service.url}/api/v1/telemetry"
    for size in (10 * 1024 * 1024 + 1, 7_000_000):
        answer = httpx.post(url, content=bytes(size), headers={"x-api-key": service.key("ingest_key")}, timeout=30)
        assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})
    asked = {"origin": "https://example.org", "access-control-request-method": "POST"}
    answer = httpx.options(url, headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")


def test_keys_made_beside_a_running_service_work_at_once(service: LocalService) -> None:
    made = run("key", "--state", str(service.state), "sdk", "--environment", "staging", "--capability", "ingest")
    assert made.returncode == 0, made.stderr
    answer = service.post("/api/v1/telemetry", {"event_id": "made-key"}, made.stdout.strip())
    assert answer.status_code == 200
    keys = {record["api_key"] for record in service.records("--environment", "staging")}
    assert made.stderr.split()[-1] in keys


def test_logs_no_keys_and_no_bodies(service: LocalService) -> None:
    key = service.key("ingest_key")
    httpx.post(f"{service.url}/api/v1/telemetry?api_key={key}", json={"event_id": "in-the-body"})
    httpx.post(f"{service.url}/api/v1/telemetry?api_key={key}wrong", json={"event_id": "in-the-body"})
    logged = "".join(path.read_text() for path in (service.state / "logs").iterdir()) + "".join(service.output)
    assert key not in logged
    assert "in-the-body" not in logged


def test_one_instance_per_state(service: LocalService) -> None:
    second = run("run", "--port", "0", "--state", str(service.state))
    assert second.returncode == 1
    assert second.stderr == f"another instance is using {service.state}: stop it, or choose another STATE=\n"


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        refused = run("run", "--port", port, "--state", str(tmp_path / "state"))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"port {port} cannot be used (Address already in use): choose another")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_clean_and_starts_again_with_its_data(tmp_path: Path, number: signal.Signals) -> None:
    with LocalService(tmp_path) as service:
        product = service.keys["products"][0]
        event = {"event_id": "kept", "product_id": product, "user_identifier": "u", "data_type": "text"}
        first = service.post("/api/v1/telemetry", event, service.key("ingest_key"))
        began = time.monotonic()
        assert service.stop(number) == 0
        assert time.monotonic() - began < 20
        assert "Traceback" not in "".join(service.output)
    # what was acknowledged a moment before the stop is still counted after it
    with LocalService(tmp_path) as service:
        eventually(lambda: service.monthly_users(product) == 1, seconds=60)
        again = service.post("/api/v1/telemetry", event, service.key("ingest_key"))
        assert again.json()["telemetry_id"] == first.json()["telemetry_id"]
    assert len(service.records("--product", product)) == 1


def test_a_first_start_that_was_interrupted_begins_again(tmp_path: Path) -> None:
    line, environment = command("run", "--port", "0", "--state", str(tmp_path), "--no-demo")
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + START_SECONDS
        while not (tmp_path / "loading").exists():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in output
    assert (tmp_path / "loading").exists()
    with LocalService(tmp_path) as service:
        assert "the first start was interrupted: beginning again\n" in service.output
        assert not (tmp_path / "loading").exists()


def test_an_engine_that_dies_ends_the_service(tmp_path: Path) -> None:
    with LocalService(tmp_path) as service:
        (engine,) = (pid for pid in service.family() if Path(f"/proc/{pid}/comm").read_text() == "dynoxide\n")
        os.kill(engine, signal.SIGKILL)
        assert service.ended() == 1
        assert "the database ended unexpectedly\n" in service.output
