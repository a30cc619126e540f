"""`make run`, as its user meets it."""

import gzip
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import pytest
from reo_census_mcp import ReoProductUsageLogger

from tests.lambdas import ROOT
from tests.local_service import START_SECONDS, LocalService, command, run
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """One service for the tests that leave it running."""
    with LocalService(tmp_path_factory.mktemp("service") / "state") as running:
        yield running


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


def reo_client(
    service: LocalService, monkeypatch: pytest.MonkeyPatch, product: str, *, blocking: bool
) -> ReoProductUsageLogger:
    """As published, whatever the machine's environment says of it."""
    for variable in ("DO_NOT_TRACK", "PACKAGE_TRACKER_ANALYTICS", "REO_CENSUS_MCP_ENDPOINT", "REO_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    return ReoProductUsageLogger(
        endpoint_url=f"{service.url}/api/product/usage",
        api_key=service.key("ingest_key"),
        activity_type="primary",
        product_id=product,
        blocking=blocking,
    )


def count_all_that_was_sent(service: LocalService) -> None:
    """Returns when production's stream has been read as far as it goes now: its records are counted in order."""
    product = service.keys["products"][0]
    before = service.monthly_users(product)
    event = {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": product}
    service.post("/api/v1/telemetry", event | {"user_identifier": "the last"}, service.key("ingest_key"))
    eventually(lambda: service.monthly_users(product) == before + 1)


def test_a_published_client_is_counted_exactly_once(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(monkeypatch)
    product = service.keys["products"][1]
    before = service.monthly_users(product)
    staging = service.monthly_users(product, "staging")
    client = reo_client(service, monkeypatch, product, blocking=True)
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
    count_all_that_was_sent(service)
    assert service.monthly_users(product) == before + 120
    assert service.records("--product", product) == stored
    assert len(stored) == 500
    assert service.monthly_users(product, "staging") == staging
    assert service.records("--product", product, "--environment", "staging") == []


def test_a_published_client_that_does_not_wait(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads send what it queued; with its own defaults (nobody, ANONYMOUS) nothing is flagged."""
    product = service.keys["products"][1]
    before = service.records("--product", product)
    client = reo_client(service, monkeypatch, product, blocking=False)
    now = int(time.time())
    for number in range(20):
        user, kind = ("anonymous", "ANONYMOUS") if number % 2 else ("ann@example.org", "EMAIL")
        assert client.log_usage(user_id=user, user_id_type=kind, event_id=number, event_at=now)

    def new() -> list[list[str]]:
        records = service.records("--product", product)
        return [record["flags"] for record in records if record not in before]

    eventually(lambda: len(new()) == 20)
    assert new() == [[]] * 20


def test_bodies_arrive_as_sent(service: LocalService) -> None:
    product = service.keys["products"][0]
    headers = {"x-api-key": service.key("ingest_key", "development"), "content-type": "application/json"}
    zipped = headers | {"content-type": "application/octet-stream", "content-encoding": "gzip"}
    compressed = gzip.compress(b'{"event_id":"zipped","product_id":"%s"}' % product.encode())
    chunks = iter([b'{"event_id":"chunked",', b'"product_id":"%s"}' % product.encode()])
    url = f"{service.url}/api/v1/telemetry"
    assert httpx.post(url, content=compressed, headers=zipped).status_code == 200
    assert httpx.post(url, content=chunks, headers=headers).status_code == 200
    bodies = {record["body"] for record in service.records("--environment", "development", "--product", product)}
    assert {f'{{"event_id":"{name}","product_id":"{product}"}}' for name in ("zipped", "chunked")} <= bodies


def test_gzip_under_a_type_that_is_text_is_kept_and_told_what_to_send(service: LocalService) -> None:
    """What API Gateway hands over then is disputed in reports; here it is the worse."""
    headers = {"x-api-key": service.key("ingest_key", "development"), "content-encoding": "gzip"}
    url, compressed = (
        f"{service.url}/api/v1/telemetry",
        gzip.compress(b'{"data_type":"text","data_group":"g","text_data":"zipped"}'),
    )
    for media_type in ("application/json", "text/plain"):
        answer = httpx.post(url, content=compressed, headers=headers | {"content-type": media_type})
        (told,) = answer.json()["response"]["errors"]["body"]
        assert (answer.status_code, answer.json()["response"]["code"]) == (200, 831)
        assert told.endswith("send gzip as application/octet-stream.")


BASE = "/api/v1/"
"""A base URL as it should not be: with a slash at its end."""


def test_an_sdk_whose_base_url_ends_in_a_slash(service: LocalService) -> None:
    product = service.keys["products"][0]
    key = {"authorization": f"Bearer {service.key('ingest_key', 'development')}"}
    event = {"event_id": "doubled", "data_type": "text", "text_data": "x", "data_group": "g", "product_id": product}
    sent = httpx.post(f"{service.url}{BASE}/send-telemetry-data", json=event, headers=key)
    assert (sent.status_code, sent.json()["response"]["code"]) == (200, 830)
    again = httpx.post(f"{service.url}{BASE}send-telemetry-data/", json=event, headers=key)
    assert again.json()["telemetry_id"] == sent.json()["telemetry_id"]
    reader = {"authorization": f"Bearer {service.key('read_key', 'development')}"}
    read = httpx.get(f"{service.url}{BASE}/get-telemetry-data?data_group=g", headers=reader)
    assert [row["id"] for row in read.json()["response"]["data"]] == [sent.json()["telemetry_id"]]
    for base in ("/", "/api/"):
        php = httpx.post(f"{service.url}{base}/v1/send-telemetry", json=event, headers=key)
        assert php.json()["telemetry_id"] == sent.json()["telemetry_id"]
    body = {"license_key": "NOBODY-ISSUED-THIS", "identifier": "d"}
    for name in ("verify", "activate", "deactivate"):
        slash = httpx.post(f"{service.url}{BASE}{name}/", json=body, headers=key)
        assert (slash.status_code, slash.json()["response"]["code"]) == (200, 210)
        doubled = httpx.post(f"{service.url}{BASE}/{name}", json=body, headers=key)
        assert (doubled.status_code, doubled.headers["location"]) == (308, f"{BASE}{name}")
        followed = httpx.post(f"{service.url}/{BASE}/{name}", json=body, headers=key, follow_redirects=True)
        assert followed.json()["response"]["code"] == 210


def test_head_and_the_root(service: LocalService) -> None:
    with httpx.Client(base_url=service.url) as client:
        for path in ("/", "/admin"):
            for method in ("GET", "HEAD"):
                answer = client.request(method, path)
                assert (answer.status_code, answer.headers["location"]) == (302, "/admin/telemetry")
        reader = {"x-api-key": service.key("read_key")}
        for path in ("/api/v1/telemetry", "/v1/get-telemetry", "/openapi.json"):
            got, head = client.get(path, headers=reader), client.head(path, headers=reader)
            assert (head.status_code, head.content) == (got.status_code, b"") == (200, b"")
            assert head.headers["content-type"] == got.headers["content-type"]
        assert client.head("/api/v1/telemetry").status_code == 401


def test_what_reaches_no_route_is_in_the_system_logs(service: LocalService) -> None:
    for path in ("/nothing", "/.env", "/api/v2/telemetry"):
        answer = httpx.get(f"{service.url}{path}")
        assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
    staff = {"authorization": f"Bearer {service.keys['admin_key']}"}
    query = {"environment": "production", "cause": "unknown_route"}
    logs = httpx.get(f"{service.url}/api/v1/analytics/system-logs", params=query, headers=staff).json()
    assert logs["failed_calls"]
    found = logs["failed_calls"][0]
    assert (found["environment"], found["cause"], found["ip"]) == (None, "unknown_route", "127.0.0.1")


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


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("records", "--product", "nope"), "there is no product 'nope'; there are: orbit-cli, orbit-desktop, ~unknown"),
        (
            ("verify", "--product", "nope"),
            "there is no product 'nope'; there are: *, orbit-cli, orbit-desktop, ~unknown",
        ),
        (
            ("key", "sdk", "--environment", "staging", "--capability", "ingest", "--product", "nope"),
            "there is no product 'nope'; there are: orbit-cli, orbit-desktop",
        ),
    ],
)
def test_what_there_is_not_is_told_with_the_choices(service: LocalService, words: tuple[str, ...], line: str) -> None:
    command, *options = words
    refused = run(command, "--state", str(service.state), *options)
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", f"{line}\n")


def test_a_day_that_is_not_closed(service: LocalService) -> None:
    refused = run("verify", "--state", str(service.state), "--day", "2020-01-01")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith("2020-01-01 is no closed day of *: ")


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
        event = {
            "event_id": "kept",
            "product_id": product,
            "user_identifier": "u",
            "data_type": "text",
            "data_group": "g",
        }
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
        eventually((tmp_path / "loading").exists, START_SECONDS, pause=0.001)
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
