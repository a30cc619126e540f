"""Signing in and out on a real engine: what a session opens, for how long, and to whom."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest
from botocore.exceptions import ConnectTimeoutError

from telemetry.domain.api_key import KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.session import LIFETIME, Session
from telemetry.domain.sign_in_attempts import FREE_ATTEMPTS
from telemetry.services.api_keys import hash_of, keep, new_key, with_new_secret
from telemetry.services.sign_in import Desk
from telemetry.storage.audit import AuditLog
from telemetry.storage.tables import dynamodb_client
from tests.client import Answer, Client
from tests.clock import FakeClock
from tests.lambdas import http_event, load_function
from tests.worlds.deployment import Deployment

pytestmark = pytest.mark.days

SESSION = "/admin/session"
PRODUCTS = "/api/v1/admin/products"
JSON = {"content-type": "application/json", "user-agent": "browser/1"}
LOCAL = {"x-forwarded-proto": "http", "host": "127.0.0.1:8000"}
WRONG = "tk_staff_nobody-issued-this"


_OF_THE_API = ("admin", "analytics", "reports")


@dataclass
class Browser:
    """Keeps its cookies between the functions it asks."""

    functions: dict[str, ModuleType]
    clock: FakeClock
    headers: dict[str, str] = field(default_factory=dict)
    source_ip: str = "203.0.113.7"
    domain: str = "abc123.execute-api.eu-central-1.amazonaws.com"
    jar: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: object = None, query: str = "", **headers: str) -> Answer:
        sent = JSON | self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        cookies = [f"{name}={value}" for name, value in self.jar.items()]
        event = http_event(
            path, "" if body is None else json.dumps(body), sent, dict(parse_qsl(query)), method, cookies
        )
        event["requestContext"]["http"]["sourceIp"] = self.source_ip
        event["requestContext"]["domainName"] = self.domain
        self.clock.advance(0.001)  # no two requests come at the same moment
        name = next((each for each in _OF_THE_API if path.startswith(f"/api/v1/{each}/")), "dashboard")
        answer = Client(self.functions[name]).send(event)
        for cookie in answer.cookies:
            for morsel in SimpleCookie(cookie).values():
                self.jar[morsel.key] = morsel.value
        return answer

    def sign_in(self, key: str) -> Answer:
        return self.ask("POST", SESSION, {"key": key})

    @property
    def token(self) -> str:
        return str(self.ask("GET", SESSION).body["csrf"])


@pytest.fixture(scope="module")
def loaded() -> dict[str, ModuleType]:
    return {name: load_function(name) for name in (*_OF_THE_API, "dashboard")}


@pytest.fixture
def browser(loaded: dict[str, ModuleType]) -> Browser:
    """One that asks functions which know nothing yet."""
    clock = FakeClock()
    for function in loaded.values():
        function.wired.start(clock)
    return Browser(loaded, clock)


@pytest.fixture
def key(deployment: Deployment) -> str:
    return deployment.staff_key(Role.ADMIN)


@pytest.fixture
def desk(deployment: Deployment) -> Desk:
    return Desk.of(deployment.tables.registry, deployment.keyring)


def audit(deployment: Deployment) -> list[tuple[str, str, str]]:
    now = datetime.now(UTC)
    page = AuditLog(deployment.tables.registry).page(
        Environment.PRODUCTION, now - timedelta(hours=1), now + timedelta(seconds=1), limit=100, after=None
    )
    return [(entry.action, entry.author.key_name, entry.author.source_ip) for entry in page.items]


def test_a_session_does_what_its_key_does(browser: Browser, key: str, deployment: Deployment) -> None:
    assert browser.ask("GET", SESSION).status == 401
    signed_in = browser.sign_in(key)
    assert (signed_in.status, signed_in.body, signed_in.headers["cache-control"]) == (204, None, "no-store")
    (cookie,) = signed_in.cookies
    assert cookie.startswith("__Host-session=")
    assert cookie.partition("; ")[2] == "Path=/; Max-Age=28800; HttpOnly; Secure; SameSite=Strict"
    assert key not in cookie

    shown = browser.ask("GET", SESSION)
    assert (shown.status, shown.headers["cache-control"]) == (200, "no-store")
    assert shown.body == {
        "name": "the admin",
        "role": "admin",
        "environments": ["development", "production", "staging"],
        "csrf": browser.token,
    }
    assert browser.ask("GET", PRODUCTS).status == 200
    made = browser.ask("POST", PRODUCTS, {"id": "new", "name": "New"}, x_csrf_token=browser.token)
    assert made.status == 201

    before = dict(browser.jar)
    signed_out = browser.ask("DELETE", SESSION, x_csrf_token=browser.token)
    assert (signed_out.status, signed_out.body) == (204, None)
    assert signed_out.cookies == ["__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict"]
    browser.jar = before  # whoever kept it
    assert [browser.ask("GET", path).status for path in (SESSION, PRODUCTS)] == [401, 401]
    assert browser.ask("DELETE", SESSION).status == 204
    assert audit(deployment) == [
        (action, "the admin", browser.source_ip) for action in ("session.end", "product.create", "session.create")
    ]


@pytest.mark.parametrize(
    ("domain", "protocol", "secure"),
    [
        ("127.0.0.1:8000", "http", False),
        ("localhost:8000", "http", False),
        ("[::1]:8000", "http", False),
        ("127.0.0.1:8443", "https", True),
        ("telemetry.example.org", "http", True),
        ("localhost.example.org", "http", True),
        ("telemetry.example.org", "https", True),
        ("LOCALHOST:", "http", False),
        ("[", "http", True),
        ("[::1", "http", True),
        ("127.0.0.1:8000:x", "http", True),
    ],
)
def test_cookies_are_secure_but_on_this_machine(
    browser: Browser,
    key: str,
    domain: str,
    protocol: str,
    secure: bool,  # noqa: FBT001
) -> None:
    browser.domain, browser.headers = domain, {"x-forwarded-proto": protocol}
    (cookie,) = browser.sign_in(key).cookies
    assert ("; Secure" in cookie) is secure
    assert cookie.startswith("__Host-session=" if secure else "session=")
    assert browser.ask("GET", SESSION).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x_csrf_token": "wrong"}, 403),
        ({"x_csrf_token": "wröng"}, 403),
        ({"x_csrf_token": "{token}"}, 201),
        ({"x_csrf_token": "{token}", "sec_fetch_site": "same-origin"}, 201),
        ({"x_csrf_token": "{token}", "sec_fetch_site": "same-origin", "origin": "https://cdn.example.org"}, 201),
        ({"x_csrf_token": "{token}", "sec_fetch_site": "same-site"}, 403),
        ({"x_csrf_token": "{token}", "sec_fetch_site": "cross-site"}, 403),
        ({"x_csrf_token": "{token}", "host": "t.example.org", "origin": "https://t.example.org"}, 201),
        ({"x_csrf_token": "{token}", "host": "t.example.org", "origin": "https://evil.example"}, 403),
        ({"x_csrf_token": "{token}", "origin": "null"}, 403),
        ({"x_csrf_token": "{token}", "origin": "https://["}, 403),
        ({"x_csrf_token": "{token}", "origin": ""}, 403),
        ({"authorization": "Bearer {key}"}, 201),
        ({"authorization": "Bearer {key}", "sec_fetch_site": "cross-site"}, 201),
    ],
)
def test_a_change_comes_from_our_page_or_with_a_key(
    browser: Browser, key: str, headers: dict[str, str], status: int
) -> None:
    browser.sign_in(key)
    token = browser.token
    sent = {name: value.format(token=token, key=key) for name, value in headers.items()}
    answer = browser.ask("POST", PRODUCTS, {"id": "new", "name": "New"}, **sent)
    assert answer.status == status, answer.body
    if status == 403:
        assert answer.body["type"] == "/docs#problem-cross-site-request"
        if "x_csrf_token" not in sent or sent["x_csrf_token"] != token:
            assert browser.ask("DELETE", SESSION, **sent).status == 403
            assert browser.ask("GET", SESSION).status == 200


def test_nobody_is_signed_in_by_another_site(browser: Browser, key: str) -> None:
    assert browser.ask("POST", SESSION, {"key": key}, sec_fetch_site="cross-site").status == 403
    assert browser.jar == {}


def test_a_session_is_no_sdk_key(browser: Browser, key: str) -> None:
    browser.sign_in(key)
    cookies = [f"{name}={value}" for name, value in browser.jar.items()]
    for function, method, path in (
        ("ingest", "POST", "/api/v1/telemetry"),
        ("licensing", "POST", "/api/v1/verify"),
        ("analytics", "GET", "/api/v1/telemetry"),
        ("reports", "POST", "/rest/v3/telemetry/report"),
    ):
        event = http_event(path, "{}", JSON | {"x-csrf-token": browser.token}, None, method, cookies)
        assert Client(load_function(function)).send(event).status == 401, function


def test_a_session_reaches_as_far_as_its_key(browser: Browser, deployment: Deployment) -> None:
    browser.sign_in(deployment.staff_key(Role.VIEWER, Environment.STAGING))
    assert browser.ask("GET", SESSION).body["environments"] == ["staging"]
    assert browser.ask("GET", PRODUCTS).status == 403
    asked = {
        (path, environment): browser.ask("GET", f"/api/v1/analytics/{path}", query=f"environment={environment}").status
        for path in ("products", "records")
        for environment in ("staging", "production")
    }
    assert asked.pop(("products", "staging")) == 200
    assert set(asked.values()) == {403}


@pytest.mark.parametrize("role", list(Role))
def test_whoever_is_signed_in_reads_the_reports_of_their_environments(
    browser: Browser, deployment: Deployment, role: Role
) -> None:
    browser.sign_in(deployment.staff_key(role, Environment.STAGING))

    def told(query: str, path: str = "applications") -> tuple[int, str]:
        answer = browser.ask("GET", f"/api/v1/reports/{path}", query=query)
        return answer.status, str(answer.headers.get("vary"))

    varies = "Accept, Authorization, Cookie, X-API-Key"
    assert told("environment=staging") == told("environment=staging&format=csv") == (200, varies)
    assert [told(query)[0] for query in ("environment=production", "")] == [403, 422]
    assert told("environment=staging&application=nobody's&month=2026-10", "active-users")[0] == 404
    browser.ask("DELETE", SESSION, x_csrf_token=browser.token)
    assert told("environment=staging")[0] == 401


@pytest.mark.parametrize(("kind", "status"), [("nobody's", 401), ("sdk", 403), ("revoked", 401), ("elsewhere", 403)])
def test_only_good_staff_keys_sign_in(
    browser: Browser, deployment: Deployment, kind: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    presented = {"nobody's": WRONG, "sdk": deployment.keys[Environment.PRODUCTION]}.get(kind) or _made(deployment, kind)
    answer = browser.sign_in(presented)
    assert (answer.status, answer.cookies) == (status, [])
    logged = str([vars(record) for record in caplog.records])
    assert browser.source_ip in logged
    assert presented not in json.dumps(answer.body) + logged
    assert audit(deployment) == []


def _made(deployment: Deployment, kind: str) -> str:
    key = replace(new_key(KeyKind.STAFF, "x", frozenset(Environment), None), role=Role.ADMIN)
    odd = replace(key, is_active=False) if kind == "revoked" else replace(key, allowed_networks=("192.0.2.0/24",))
    return keep(with_new_secret(odd), deployment.keyring, deployment.api_keys).secret


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"key": 7}', '{"key": " "}', "[" * 100_000, "\ud800"])
def test_bad_bodies_are_told(browser: Browser, body: str) -> None:
    answer = Client(browser.functions["dashboard"]).post(SESSION, body)
    assert answer.status in {400, 422}
    assert answer.body["type"].endswith(("unreadable-body", "invalid-fields"))


def test_a_session_ends_with_its_key(browser: Browser, deployment: Deployment, key: str) -> None:
    browser.sign_in(key)
    boss = deployment.staff_key(Role.SUPER_ADMIN)
    found = deployment.api_keys.find(hash_of(key, deployment.keyring))
    assert found
    revoked = browser.ask("POST", f"/api/v1/admin/api-keys/{found.id}/revoke", authorization=f"Bearer {boss}")
    assert revoked.status == 200
    browser.clock.advance(61)
    assert [browser.ask("GET", path).status for path in (SESSION, PRODUCTS)] == [401, 401]


@pytest.mark.parametrize("what", ["regenerated", "over", "forged"])
def test_what_is_no_session(browser: Browser, deployment: Deployment, key: str, desk: Desk, what: str) -> None:
    browser.sign_in(key)
    (name,) = browser.jar
    id_ = browser.jar[name].partition(".")[0]
    session = desk.sessions.session(id_)
    assert session
    assert session.expires_at - datetime.now(UTC) > LIFETIME - timedelta(minutes=1)
    match what:
        case "regenerated":
            boss = deployment.staff_key(Role.SUPER_ADMIN)
            found = deployment.api_keys.find(session.key_hash)
            assert found
            path = f"/api/v1/admin/api-keys/{found.id}/regenerate"
            assert browser.ask("POST", path, authorization=f"Bearer {boss}").status == 200
            browser.clock.advance(61)
        case "over":
            # TTL deletes late
            over = Session(id_, session.key_hash, browser.clock.now())
            desk.sessions._item(over).save()
        case "forged":
            browser.jar[name] = f"{id_}.{'A' * 43}"
    assert [browser.ask("GET", path).status for path in (SESSION, PRODUCTS)] == [401, 401]


# ── wrong keys


def test_wrong_keys_are_slowed_down_and_no_one_else(browser: Browser, key: str) -> None:
    answers = [browser.sign_in(WRONG) for _ in range(FREE_ATTEMPTS + 1)]
    assert [answer.status for answer in answers] == [401] * FREE_ATTEMPTS + [429]
    assert answers[-1].body["type"] == "/docs#problem-too-many-attempts"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 15
    assert browser.sign_in(key).status == 429  # else a right key could be told from a wrong one
    assert browser.ask("GET", PRODUCTS, authorization=f"Bearer {key}").status == 200
    assert Browser(browser.functions, browser.clock, source_ip="203.0.113.8").sign_in(key).status == 204


def test_a_right_key_begins_anew(browser: Browser, key: str, desk: Desk) -> None:
    for _ in range(3):
        statuses = [browser.sign_in(WRONG).status for _ in range(FREE_ATTEMPTS - 1)]
        assert statuses == [401] * (FREE_ATTEMPTS - 1)
        assert browser.sign_in(key).status == 204
    assert desk.attempts.get(browser.source_ip) is None


def test_many_at_once_are_as_slow(browser: Browser, desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(Browser(browser.functions, browser.clock).sign_in, WRONG) for _ in range(40)]
    statuses = [answer.result().status for answer in asked]
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= FREE_ATTEMPTS
    attempts = desk.attempts.get(browser.source_ip)
    assert attempts
    assert attempts.count == statuses.count(401)


# ── when the registry does not answer


@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "TransactWriteItems", "DeleteItem"])
def test_without_the_registry_nobody_is_signed_in_or_out(
    browser: Browser, key: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Browser(browser.functions, browser.clock)
    assert other.sign_in(key).status == 204
    token = other.token
    client: Any = dynamodb_client()
    real = client._make_api_call

    def fail(name: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        if name == operation:
            raise ConnectionError
        return real(name, arguments)

    monkeypatch.setattr("telemetry.storage.changes._SECONDS", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(client, "_make_api_call", _as_driver_error(fail))
        answer = browser.sign_in(key)
        assert (answer.status, answer.cookies, answer.headers["retry-after"]) == (503, [], "5")
        if operation in {"GetItem", "TransactWriteItems"}:
            assert other.ask("DELETE", SESSION, x_csrf_token=token).status == 503
    assert other.ask("GET", SESSION).status == 200


def _as_driver_error(fail: Callable[[str, dict[str, Any]], Any]) -> Callable[[str, dict[str, Any]], Any]:
    def call(name: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        try:
            return fail(name, arguments)
        except ConnectionError as exc:
            raise ConnectTimeoutError(endpoint_url="somewhere") from exc

    return call
