"""What holds for every route that staff reach, whoever wrote it: found by asking the resolvers."""

import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from tests.client import Client
from tests.lambdas import http_event, load_function, restart
from tests.worlds.deployment import Deployment

FUNCTIONS = ("admin", "analytics", "dashboard", "reports")
PREFIXES = ("/api/v1/admin/", "/api/v1/analytics/", "/api/v1/reports/", "/admin/session")
SESSION = "/admin/session"
ONE = {"product_id": "acme-cli", "day": "2026-11-03"}
WRONG = "tk_staff_nobody-issued-this"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

CONTENT_TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "Application/JSON",
    "application/json, multipart/form-data",
    "application/jsonl",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    'multipart/form-data; boundary="x"',
    "multipart/form-data; boundary=",
    "application/xml",
    "text/plain",
    "application/octet-stream",
    "",
    ";",
)
BODIES: tuple[str | bytes, ...] = (
    "",
    "{",
    "[]",
    "5",
    "null",
    '"x"',
    "[" * 100_000,
    '{"id":' * 100_000,
    '{"id":' + "9" * 5_000 + "}",
    '{"id":1e400,"name":NaN}',
    '{"id":"\\ud800","name":"\ud800"}',
    b"\xff\xfe{}",
    b"\x00",
    b"\x1f\x8bbroken",
    b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n\xff\r\n--x--',
    "id=a&name=b",
)


@dataclass(frozen=True)
class Route:
    function: str
    method: str
    path: str

    @property
    def url(self) -> str:
        return re.sub("<([a-z_]+)>", lambda name: ONE.get(name[1], "x"), self.path)


@dataclass
class Site:
    functions: dict[str, ModuleType]
    keys: dict[str | None, str]
    cookies: list[str] = field(default_factory=list)
    csrf: str = ""

    @property
    def routes(self) -> list[Route]:
        """All there are of staff's."""
        found = [
            Route(name, each.method, each.path)
            for name, function in self.functions.items()
            for each in (*function.app._static_routes, *function.app._dynamic_routes)
        ]
        return [route for route in found if route.path.startswith(PREFIXES)]

    def ask(
        self,
        route: Route,
        who: str | None = "super_admin",
        query: str = "",
        body: str | bytes = "",
        content_type: str | None = None,
    ) -> tuple[int, Any]:
        """Status and body; as who is signed in, where it is about sessions."""
        headers = {} if content_type is None else {"content-type": content_type}
        is_session = route.path == SESSION and who == "super_admin"
        if is_session:
            headers["x-csrf-token"] = self.csrf
        elif who:
            headers["authorization"] = f"Bearer {self.keys[who]}"
        joined: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        event = http_event(route.url, body, headers, joined, route.method, self.cookies if is_session else ())
        event["rawQueryString"] = query
        answer = Client(self.functions[route.function]).send(event)
        return answer.status, answer.body if "json" in answer.headers.get("content-type", "") else answer.text


@pytest.fixture(scope="module")
def loaded() -> dict[str, ModuleType]:
    return {name: load_function(name) for name in FUNCTIONS}


@pytest.fixture
def site(loaded: dict[str, ModuleType], deployment: Deployment) -> Site:
    for function in loaded.values():
        restart(function)
    keys: dict[str | None, str] = {role.value: deployment.staff_key(role) for role in Role}
    site = Site(loaded, keys | {"sdk": deployment.keys[Environment.PRODUCTION], "nobody": WRONG})
    (cookie,) = Client(loaded["dashboard"]).post(SESSION, {"key": keys["super_admin"]}).cookies
    site.cookies = [f"{name}={morsel.value}" for name, morsel in SimpleCookie(cookie).items()]
    site.csrf = site.ask(Route("dashboard", "GET", SESSION))[1]["csrf"]
    return site


def test_the_routes_are_found(site: Site) -> None:
    assert {route.function for route in site.routes} == set(FUNCTIONS)
    assert len(site.routes) > 45
    assert {route.path for route in site.routes} > {SESSION, "/api/v1/admin/products", "/api/v1/analytics/overview"}


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("nonsense=1", ["nonsense"]),
        pytest.param("nonsense=", ["nonsense"], marks=pytest.mark.slow),
        ("enviroment=production&Environment=staging", ["Environment", "enviroment"]),
        pytest.param("limt=5&stat=active&customer=globex", ["customer", "limt", "stat"], marks=pytest.mark.slow),
        pytest.param("nonsense=1&nonsense=2", ["nonsense"], marks=pytest.mark.slow),
        ("license_key=ACME-7F3K-92QM-XT4B-LL08", ["license_key"]),
        pytest.param("first=2026-11-01", ["first"], marks=pytest.mark.slow),
    ],
)
def test_no_parameter_is_overlooked(site: Site, query: str, wrong: list[str]) -> None:
    """Not where something is changed either: it would be done to something else than was meant."""
    told = {route: site.ask(route, query=f"environment=production&{query}") for route in site.routes}
    expected = [{"field": name, "message": "there is no such parameter"} for name in wrong]
    assert [
        (route, answer)
        for route, answer in told.items()
        if answer[0] != 422 or (answer[1]["errors"] != expected if route.method != "HEAD" else False)
    ] == []


def test_a_key_is_no_parameter_where_only_staff_may_ask(site: Site) -> None:
    for route in site.routes:
        status, told = site.ask(route, query="environment=production&api_key=tk_prod_x")
        if route.function != "reports":
            assert (status, [each["field"] for each in told["errors"]]) == (422, ["api_key"]), route


@pytest.mark.parametrize(
    ("path", "query", "wrong"),
    [
        ("/api/v1/admin/licenses", "state=active&state=revoked", ["state"]),
        ("/api/v1/admin/licenses", "customer_id=a&customer_id=a&limit=1&limit=2", ["customer_id", "limit"]),
        ("/api/v1/analytics/records", "flag=CLOCK_SKEW&flag=MALFORMED", ["flag"]),
        ("/api/v1/analytics/records", "user=a&user=b", ["user"]),
        ("/api/v1/analytics/overview", "product=acme-cli&product=acme-desktop", ["product"]),
        ("/api/v1/reports/daily", "application=acme-cli&application=*", ["application"]),
        ("/api/v1/reports/applications", "format=csv&format=json", ["format"]),
    ],
)
def test_a_parameter_comes_once(site: Site, path: str, query: str, wrong: list[str]) -> None:
    """Not the first, not the last, and not both joined by the gateway: nobody can know which was meant."""
    (route,) = (route for route in site.routes if route.path == path and route.method == "GET")
    status, told = site.ask(route, query=f"environment=production&{query}")
    assert (status, told["errors"]) == (
        422,
        [{"field": name, "message": "is given more than once"} for name in wrong],
    )
    # a comma in a value is no repetition
    status, _ = site.ask(route, query="environment=production&" + query.partition("&")[0] + "%2Cx")
    assert status != 500


def expected(route: Route, who: str | None) -> int | None:
    """What comes before everything else; None for who may ask."""
    if route.path == SESSION:
        return {"GET": 401}.get(route.method)  # to sign in is to authenticate, and to sign out needs nobody
    if who in {None, "nobody"}:
        return 401
    if route.path.startswith("/api/v1/reports/"):
        return None
    of_viewers = ("search", "overview", "activity-types", "products", "companies", "developers", "values")
    is_for_viewers = route.path.endswith(tuple(f"/analytics/{name}" for name in of_viewers))
    return None if who == "viewer" and is_for_viewers else 403


@pytest.mark.parametrize(
    "who", [None, *(pytest.param(who, marks=pytest.mark.slow) for who in ("nobody", "sdk")), "viewer"]
)
def test_who_asks_comes_first(site: Site, who: str | None) -> None:
    wrong = []
    for route in site.routes:
        if (first := expected(route, who)) is None:
            continue
        sent: list[tuple[str | bytes, str | None, str]] = [
            *(("x", content_type, "") for content_type in CONTENT_TYPES),
            *(("", content_type, "") for content_type in CONTENT_TYPES),
            *((body, "application/json", "") for body in BODIES),
            ("{}", None, "nonsense=1&limit=x&limit=y&days=many"),
        ]
        for body, content_type, query in sent:
            status, _ = site.ask(route, who, query, body, content_type)
            if status != first:
                wrong.append((route, status, content_type, body[:20], query))
    assert wrong == []


@pytest.mark.slow
def test_nothing_that_is_sent_is_a_failure_of_ours(site: Site) -> None:
    failed = []
    for route in site.routes:
        if route.path == SESSION and route.method == "DELETE":
            continue  # the session is needed on
        sent = [(BODIES[-2], content_type) for content_type in CONTENT_TYPES]
        if route.method not in {"GET", "HEAD"}:
            sent += [("", content_type) for content_type in CONTENT_TYPES]
            sent += [(body, "application/json") for body in BODIES]
        for body, content_type in sent:
            status, _ = site.ask(route, "admin", "environment=production", body, content_type)
            if status >= 500:
                failed.append((route, status, content_type, body[:20]))
    assert failed == []


@pytest.mark.parametrize("content_type", CONTENT_TYPES[3:])
def test_forms_are_not_json(site: Site, content_type: str) -> None:
    for body in ("", '{"id":"a","name":"b"}', b"x"):
        answer = site.ask(Route("admin", "POST", "/api/v1/admin/customers"), "admin", "", body, content_type)
        assert (answer[0], answer[1]["type"]) == (415, "/docs#problem-unsupported-media-type"), content_type


NOWHERE = ("nothing", "products/", "licenses/a/b/c", "{x}", "<x>", "%", "\ud800", "records/x/raw/y", "days//verify")


@pytest.mark.parametrize("function", ["admin", "analytics", "reports"])
def test_what_is_not_there_is_told_to_who_may_ask(site: Site, function: str) -> None:
    prefix = f"/api/v1/{function}/"
    there = {(route.method, route.path) for route in site.routes if route.function == function}
    there |= {("HEAD", path) for method, path in there if method == "GET"}
    paths = {path for _, path in there} | {prefix + path for path in NOWHERE}
    absent = [Route(function, method, path) for path in paths for method in METHODS if (method, path) not in there]
    # another route of the same shape may be there: /licenses/top is one, /licenses/<license_id> another
    absent = [route for route in absent if route.url == route.path]
    assert len(absent) > 60
    for route in absent:
        for who, status in ((None, 401), ("nobody", 401), ("super_admin", 404)):
            query, form = "environment=production&nonsense=1", "multipart/form-data"
            assert site.ask(route, who, query, "{", form)[0] == status, (route, who)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "paths"),
    [
        # product usage knows no 401: its clients are told of bad keys by a 400
        ("ingest", ("/api/v1/telemetry", "/v1/send-telemetry-data", "/api/product/usage")),
        ("licensing", ("/api/v1/verify", "/v1/activate", "/v1/deactivate")),
        ("reports", ("/rest/v3/telemetry/report", "/rest/v4/telemetry/report")),
    ],
)
@pytest.mark.parametrize("key", [None, WRONG])
def test_sdks_are_asked_first_too(deployment: Deployment, function: str, paths: tuple[str, ...], key: str) -> None:
    del deployment
    client = Client(load_function(function), {"x-api-key": key})
    for path in paths:
        for content_type in CONTENT_TYPES:
            for body in BODIES:
                status = client.post(path, body, content_type=content_type).status
                assert status == (400 if "usage" in path else 401), (path, content_type, body[:20])


def test_head_is_answered_as_get(site: Site) -> None:
    asked = [each for each in site.routes if each.method == "GET" and "export" not in each.path]
    assert len(asked) > 20
    for route in asked:
        head = Route(route.function, "HEAD", route.path)
        for who in (None, "super_admin"):
            got, headed = (site.ask(each, who, "environment=production") for each in (route, head))
            assert headed[0] == got[0], route
            assert headed[0] < 500, route


def test_a_key_that_slips_into_an_address_is_neither_answered_nor_logged(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever put it there may show the answer to others, and the log is read by more people than may have the key."""
    key = site.keys["super_admin"]
    assert key
    for route in site.routes:
        slipped = Route(route.function, route.method, re.sub("<([a-z_]+)>", key, route.path))
        for who, query in (("super_admin", f"{key}=1&environment=production"), ("viewer", ""), ("sdk", ""), (None, "")):
            said = site.ask(slipped, who, query)
            printed = capsys.readouterr()
            assert key not in f"{said} {printed.out} {printed.err}", (slipped, who)


def test_a_key_in_an_address_of_sdks_is_not_logged(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    key = deployment.staff_key()
    for function, path in (
        ("ingest", "/api/v1/telemetry/{}"),
        ("ingest", "/v1/{}"),
        ("licensing", "/api/v1/verify/{}"),
    ):
        Client(load_function(function), {"x-api-key": "wrong"}).post(path.format(key), "{}")
        printed = capsys.readouterr()
        assert key not in f"{printed.out} {printed.err}"
