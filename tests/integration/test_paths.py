"""Spelled paths, through the template's routes to the functions: who answers, with what, and what is counted."""

from collections.abc import Callable
from functools import cache

import pytest

from local.payloads import Router
from local.template import read_template
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.services import failed_calls
from telemetry.storage.failed_calls import FailedCallStore
from tests.client import Answer, Client
from tests.integration.test_failed_calls import HOUR, IP, WRONG, noted
from tests.integration.test_leading_keys import may, updated, within
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import DEVICE, KEY, issue

ROUTER = Router(read_template().routes)
LICENSE = {"license_key": KEY, "identifier": DEVICE}
EVENT = {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-cli", "user_identifier": "u"}
USAGE = {"payload": {"activity_type": "primary", "product_id": "acme-cli", "user_id": "u"}}
NOT_FOUND = {"message": "Not Found"}

Ask = Callable[..., tuple[str, Answer]]


@pytest.fixture
def ask(deployment: Deployment) -> Ask:
    """Sends what the gateway would to whom it would, with a good key unless another is given."""
    start = cache(load_function)

    def send(method: str, path: str, body: object = None, key: str | None = None) -> tuple[str, Answer]:
        found = ROUTER.find(method, path)
        assert found
        name = found[0].function
        headers = {"x-api-key": key or deployment.keys[Environment.PRODUCTION]}
        return name, Client(start(name)).request(method, path, body, None, headers)

    return send


def code(answer: Answer) -> int:
    assert answer.status == 200
    found: int = answer.body["response"]["code"]
    return found


@pytest.mark.parametrize("spelled", ["/api/v1/{}", "/api/v1/{}/", "/api/v1/{}//", "/v1/{}", "/v1/{}/"])
def test_a_slash_at_the_end_means_nothing(deployment: Deployment, ask: Ask, spelled: str) -> None:
    issue(deployment)
    for name in ("telemetry", "send-telemetry", "send-telemetry-data"):
        function, answer = ask("POST", spelled.format(name), EVENT)
        assert (function, code(answer)) == ("ingest", 830)
    for name, expected in (("verify", 202), ("activate", 300), ("verify", 200), ("deactivate", 400)):
        function, answer = ask("POST", spelled.format(name), LICENSE)
        assert (function, code(answer)) == ("licensing", expected)
    for name in ("telemetry", "get-telemetry", "get-telemetry-data"):
        function, answer = ask("GET", spelled.format(name))
        assert (function, code(answer)) == ("analytics", 970)
        assert len(answer.body["response"]["data"]) == 3


@pytest.mark.parametrize("path", ["usage/", "/usage", "aggregateusage//", "//aggregateusage/"])
def test_usage_is_taken_however_many_slashes(ask: Ask, path: str) -> None:
    function, answer = ask("POST", f"/api/product/{path}", USAGE)
    assert (function, answer.body["response"]) == ("ingest", "Data Uploaded")


@pytest.mark.parametrize("base", ["/api/v1/", "/v1/"])
def test_what_an_sdk_sends_whose_base_url_ends_in_a_slash(deployment: Deployment, ask: Ask, base: str) -> None:
    """Telemetry is taken and read back; of licensing it is told where to ask, for no route can tell the two apart."""
    issue(deployment)
    for name in ("send-telemetry-data", "send-telemetry", "telemetry"):
        function, answer = ask("POST", f"{base}/{name}", EVENT)
        assert (function, code(answer)) == ("ingest", 830)
    for name in ("get-telemetry-data", "get-telemetry", "telemetry"):
        function, answer = ask("GET", f"{base}/{name}")
        assert (function, code(answer)) == ("analytics", 970)
    for name in ("verify", "activate", "deactivate"):
        _, answer = ask("POST", f"{base}/{name}", LICENSE)
        assert (answer.status, answer.headers["location"]) == (308, f"{base}{name}")


@pytest.mark.parametrize("base", ["/", "/api/"])
def test_what_the_php_sdk_sends_whose_base_url_ends_in_a_slash(deployment: Deployment, ask: Ask, base: str) -> None:
    """Its base URL has no version: `https://host/` or `https://host/api/`, behind which it puts `/v1/…`."""
    issue(deployment)
    for name in ("send-telemetry", "send-telemetry/", "telemetry"):
        function, answer = ask("POST", f"{base}/v1/{name}", EVENT)
        assert (function, code(answer)) == ("ingest", 830)
    for name in ("verify", "activate", "deactivate"):
        _, answer = ask("POST", f"{base}/v1/{name}", LICENSE)
        assert (answer.status, answer.headers["location"]) == (308, f"{base.rstrip('/')}/v1/{name}")


def test_no_slash_but_the_first_loses_what_is_sent_or_read(ask: Ask) -> None:
    for path in ("//api/v1/telemetry", "/api//v1/telemetry", "///api///v1///send-telemetry-data///"):
        assert code(ask("POST", path, EVENT)[1]) == 830
    for path in ("//api/product/usage", "/api//product/usage", "/api//product//aggregateusage/"):
        assert ask("POST", path, USAGE)[1].body["response"] == "Data Uploaded"
    for path in ("/api//v1/get-telemetry-data", "/api//v1//telemetry/"):
        function, answer = ask("GET", path)
        assert (function, code(answer)) == ("analytics", 970)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "//v1/verify/", "/v1/verify"),
        ("POST", "//rest/v3/telemetry/report", "/rest/v3/telemetry/report"),
        ("POST", "//admin/session", "/admin/session"),
        ("GET", "//v1/get-telemetry-data", "/v1/get-telemetry-data"),
        ("GET", "/admin/", "/admin"),
        ("GET", "/admin/telemetry/", "/admin/telemetry"),
        ("HEAD", "//v1/telemetry", "/v1/telemetry"),
        ("HEAD", "/admin//", "/admin"),
        ("GET", "//", "/"),
        ("GET", "//openapi.json", "/openapi.json"),
    ],
)
def test_the_right_path_is_told_where_no_route_leads(ask: Ask, method: str, path: str, expected: str) -> None:
    function, answer = ask(method, path)
    assert (function, answer.status) == ("ingest" if method == "POST" else "unknown_route", 308)
    assert (answer.headers["location"], answer.headers["cache-control"]) == (expected, "no-store")
    assert ROUTER.find(method, expected) is not None
    assert ask(method, expected)[0] not in {"unknown_route", function}


def test_the_query_goes_along(ask: Ask, deployment: Deployment) -> None:
    answer = Client(load_function("unknown_route")).get("//v1/telemetry", {"product_id": "a b", "page": "2"})
    assert answer.headers["location"] == "/v1/telemetry?product_id=a+b&page=2"
    del ask, deployment


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", "unknown_route"),
        ("GET", "//evil.example/%2e", "unknown_route"),
        ("PUT", "/api/v1/telemetry", "unknown_route"),
        ("GET", "/api/v1/verify", "analytics"),
        ("GET", "/api/v1/verify/", "analytics"),
        ("POST", "/admin", "ingest"),
        ("POST", "/", "ingest"),
        ("PATCH", "//v1/telemetry", "unknown_route"),
        ("POST", "/api/nothing", "ingest"),
        ("GET", "/api/nothing", "analytics"),
        ("BREW", "/", "unknown_route"),
        ("HEAD", "/api/v1/nothing", "unknown_route"),
        ("POST", "/api/v1/nothing", "ingest"),
        ("POST", "/api/v1/telemetry/x", "ingest"),
        ("POST", "/api/product/usage/x/", "ingest"),
        ("POST", "/api/v1//admin/products", "ingest"),
        ("POST", "/v1/verify/x", "licensing"),
        ("POST", "/api/v1/activate/verify", "licensing"),
        ("GET", "/api/v1/telemetry/x", "analytics"),
        ("GET", "/v1/nothing/", "analytics"),
        ("GET", "/api/v1//analytics/overview", "analytics"),
    ],
)
def test_all_else_is_no_route_and_counted(
    deployment: Deployment, ask: Ask, method: str, path: str, expected: str
) -> None:
    with updated() as keys:
        function, answer = ask(method, path, key=WRONG)
    assert (function, answer.status, answer.body) == (expected, 404, NOT_FOUND)
    assert noted(FailedCallStore(deployment.tables.registry)) == {("unknown_route", "a1b2", IP): 1}
    assert keys == {"failed_calls#unknown"}
    role = {"unknown_route": "UnknownRouteFunction"}.get(function, f"{function.capitalize()}Function")
    assert within(keys, may(role))


def test_ten_seconds_are_one_write(deployment: Deployment, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FailedCallStore(deployment.tables.registry)
    for _ in range(5):
        ask("GET", "/nothing", key=WRONG)
    assert noted(store) == {("unknown_route", "a1b2", IP): 1}
    monkeypatch.setattr(failed_calls, "PAUSE", 0 * failed_calls.PAUSE)
    ask("GET", "//", key=WRONG)
    assert noted(store) == {("unknown_route", "a1b2", IP): 6}


def test_it_is_answered_whatever_goes_wrong(
    deployment: Deployment, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unavailable(*_: object) -> bool:
        raise StoreUnavailable("failed calls")

    monkeypatch.setattr(FailedCallStore, "add", unavailable)
    assert ask("GET", "/nothing", key=WRONG)[1].status == 404
    assert "Not counted" in caplog.text
    assert WRONG not in caplog.text
    assert list(FailedCallStore(deployment.tables.registry).hours(None, HOUR, HOUR)) == []


@pytest.mark.parametrize("path", ["/admin", "/", "/api/v1/telemetry", "/v1/get-telemetry", "/openapi.json"])
def test_head_is_answered_as_get(ask: Ask, path: str) -> None:
    (by_get, got), (by_head, head) = ask("GET", path), ask("HEAD", path)
    assert (by_head, head.status, head.headers) == (by_get, got.status, got.headers)


@pytest.mark.parametrize("path", ["/", "/admin"])
def test_the_root_leads_to_the_page(ask: Ask, path: str) -> None:
    function, answer = ask("GET", path)
    assert (function, answer.status, answer.headers["location"]) == ("dashboard", 302, "/admin/telemetry")


def test_who_takes_the_rest_needs_no_secret(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_FILE", "SECRET_PARAMETER"):
        monkeypatch.delenv(name, raising=False)
    answer = Client(load_function("unknown_route")).post("/x", "{" * 1000, x_api_key=WRONG)
    assert answer.status == 404
    assert len(noted(FailedCallStore(deployment.tables.registry))) == 1
