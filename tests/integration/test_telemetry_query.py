"""Records read back through the handlers on a real engine."""

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

import pytest

from telemetry.dialects import getkeymanager
from telemetry.dialects.body.reader import Element
from telemetry.dialects.stored import said_in
from telemetry.domain.api_key import Access, ApiKey, Capability, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.errors import InvalidCursor, StoreUnavailable
from telemetry.domain.flags import Flag
from telemetry.domain.judge import LicenseView, Verdict
from telemetry.domain.product import Product
from telemetry.domain.shards import ShardPlan
from telemetry.domain.telemetry_query import PageStart, TelemetryPage, TelemetryQuery
from telemetry.retry import Deadline
from telemetry.services.ingest import Ingest, Status
from telemetry.services.telemetry_query import TelemetrySearch
from telemetry.storage import record_runs
from telemetry.storage.effort import Effort
from telemetry.storage.index_sizes import IndexSizes
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.records import RecordStore
from tests.benchmarks.capacity import counted_calls
from tests.client import Answer, Client
from tests.lambdas import Context, example_event, load_function
from tests.worlds.deployment import Deployment, Post
from tests.worlds.licenses import KEY, issue

pytestmark = pytest.mark.days

ROW = (
    "id", "user_identifier", "license_key", "activation_identifier", "product_id", "product_version", "data_type",
    "data_group", "data", "is_correct_format", "license_key_exists", "product_exists", "product_version_exists",
    "has_red_flags", "created_at", "updated_at",
)  # fmt: skip
GOOD: dict[str, Any] = {
    "data_type": "text",
    "text_data": "started",
    "data_group": "runs",
    "product_id": "acme-desktop",
    "product_version": "4.12.1",
    "user_identifier": "Jane@Customer.example",
    "hwid": "9b74c9897bac770ffc029102a200c5de",
}

Get = Callable[..., Answer]


@pytest.fixture
def get(deployment: Deployment) -> Get:
    """Asks a freshly started analytics function, with the production key."""
    analytics = Client(load_function("analytics"), context=Context(milliseconds_left=29_000))

    def get(key: str | None = None, path: str = "/api/v1/telemetry", **query: str) -> Answer:
        return analytics.get(path, query, x_api_key=key or deployment.keys[Environment.PRODUCTION])

    return get


def response_of(result: Answer) -> dict[str, Any]:
    answer = result.body
    assert result.status == 200, answer
    response: dict[str, Any] = answer["response"]
    assert answer == {
        "response": response,
        "response_base64": answer["response_base64"],
        "private_key_used": "global",
    }
    assert b64decode(answer["response_base64"]) == json.dumps(response, separators=(",", ":")).encode()
    assert (response["code"], response["message"], response["errors"]) == (970, "Telemetry data found", [])
    assert all(tuple(row) == ROW for row in response["data"])
    return response


def rows(result: Answer) -> list[dict[str, Any]]:
    return list(response_of(result)["data"])


def sent(post: Post, body: object, headers: dict[str, str] | None = None, path: str = "/api/v1/telemetry") -> str:
    """Posts an event; gives its telemetry id."""
    answer = post(path, body if isinstance(body, str) else json.dumps(body), headers).body
    return str(answer.get("telemetry_id"))


def test_a_row_field_by_field(deployment: Deployment, post: Post, get: Get) -> None:
    deployment.products.put(Product("acme-desktop", "Acme Desktop", versions=frozenset({"4.12.1"})))
    issue(deployment)
    id_ = sent(post, GOOD | {"license_key": KEY})
    (row,) = rows(get())
    created = row["created_at"]
    assert row == {
        "id": id_,
        "user_identifier": "Jane@Customer.example",
        "license_key": KEY,
        "activation_identifier": GOOD["hwid"],
        "product_id": "acme-desktop",
        "product_version": "4.12.1",
        "data_type": "text",
        "data_group": "runs",
        "data": "started",
        "is_correct_format": 1,
        "license_key_exists": 1,
        "product_exists": 1,
        "product_version_exists": 1,
        "has_red_flags": 1,  # the licence was never activated
        "created_at": created,
        "updated_at": created,
    }
    assert abs(datetime.fromisoformat(created).timestamp() - datetime.now(UTC).timestamp()) < 60


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({}, {"license_key": None, "license_key_exists": 0, "has_red_flags": 0, "product_version_exists": 0}),
        ({"license_key": "unknown"}, {"license_key": "unknown", "license_key_exists": 0, "has_red_flags": 0}),
        ({"license_key": "nobody's"}, {"license_key_exists": 0, "has_red_flags": 1}),
        ({"product_id": "wrong"}, {"product_id": "wrong", "product_exists": 0, "is_correct_format": 0}),
        ({"product_id": None}, {"product_id": None, "product_exists": 0, "is_correct_format": 0}),
        ({"data_type": "other"}, {"data_type": "other", "data": None, "is_correct_format": 0, "has_red_flags": 1}),
        ({"data_type": "numeric-single-value", "data_group": "g", "numeric_data_single_value": 1.5}, {"data": 1.5}),
        (
            {"data_type": "numeric-xy-axis", "data_group": "g", "numeric_data_x": 1, "numeric_data_y": "2"},
            {"data": {"x": 1, "y": "2"}, "is_correct_format": 1},
        ),
        ({"user_identifier": 12345678901234567890}, {"user_identifier": "12345678901234567890"}),
        ({"activation_identifier": "a1"}, {"activation_identifier": "a1"}),
        ({"flags": {"tampering_detected": True}}, {"has_red_flags": 1, "is_correct_format": 1}),
    ],
)
def test_odd_events_as_rows(post: Post, get: Get, change: dict[str, Any], seen: dict[str, Any]) -> None:
    sent(post, GOOD | change)
    (row,) = rows(get())
    assert {name: row[name] for name in seen} == seen


def test_unreadable_bodies_are_rows_too(post: Post, get: Get) -> None:
    sent(post, "not json")
    (row,) = rows(get())
    unread = ROW[1:9]
    assert {row[name] for name in unread} == {None}
    assert (row["is_correct_format"], row["has_red_flags"]) == (0, 1)


def test_product_usage_is_listed_too(post: Post, get: Get) -> None:
    payload = {"activity_type": "primary", "product_id": "acme-cli", "user_id": "j@x.example", "meta": {"a": 1}}
    payload |= {"source": "TELEMETRY", "event_at": str(int(datetime.now(UTC).timestamp()))}
    sent(post, {"payload": payload}, path="/api/product/usage")
    (row,) = rows(get(data_group="primary"))
    assert (row["data_type"], row["data"], row["user_identifier"]) == (None, {"a": 1}, "j@x.example")
    assert (row["product_id"], row["is_correct_format"]) == ("acme-cli", 1)


def test_a_key_is_masked_and_a_large_row_shortened(deployment: Deployment, post: Post, get: Get) -> None:
    key = deployment.keys[Environment.PRODUCTION]
    sent(post, GOOD | {"text_data": f"{key}{'x' * 500_000}", "data_group": key})
    result = get()
    (row,) = rows(result)
    assert (row["data"], row["data_type"], row["data_group"]) == (None, "text", "*" * len(key))
    assert key not in result.text
    sent(post, GOOD | {"text_data": "y" * 15_000})
    assert rows(get())[0]["data"] == "y" * 15_000


@pytest.mark.parametrize("name", ["telemetry", "get-telemetry-data"])
@pytest.mark.parametrize("base", ["/api/v1", "/v1"])
def test_every_alias(post: Post, get: Get, base: str, name: str) -> None:
    id_ = sent(post, GOOD)
    assert [row["id"] for row in rows(get(path=f"{base}/{name}"))] == [id_]


EVENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "point": {"data_type": "numeric-single-value", "data_group": "g", "numeric_data_single_value": 1},
    "other group": {"data_group": "errors"},
    "cli": {"product_id": "acme-cli"},
    "unregistered": {"product_id": "wrong"},
    "licensed": {"license_key": KEY},
    "licensed cli": {"license_key": KEY, "product_id": "acme-cli"},
    "licensed, no product": {"license_key": KEY, "product_id": None},
    "licensed, unregistered": {"license_key": KEY, "product_id": "wrong"},
    "says unknown": {"license_key": "unknown"},
    "joe": {"user_identifier": "joe"},
    "joe's cli": {"user_identifier": "joe", "product_id": "acme-cli"},
    "no user": {"user_identifier": None},
    "tampered": {"flags": ["tampering"]},
}
LICENSED = {"licensed", "licensed cli", "licensed, no product", "licensed, unregistered"}
CLI = {"cli", "licensed cli", "joe's cli"}
RED = LICENSED | CLI | {"unregistered", "tampered"}  # acme-cli has no activity type "runs"
ALL = set(EVENTS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ALL),
        ({"data_type": "numeric-single-value"}, {"point"}),
        ({"data_type": "numeric-single-value", "data_group": "g"}, {"point"}),
        ({"data_type": "text", "data_group": "errors"}, {"other group"}),
        ({"data_type": "numeric-xy-axis"}, set()),
        ({"data_group": "errors"}, {"other group"}),
        ({"product_id": "acme-cli"}, CLI),
        ({"product_id": "wrong"}, {"unregistered", "licensed, unregistered"}),
        ({"product_id": "nobody-sent-this"}, set()),
        ({"user_identifier": "joe"}, {"joe", "joe's cli"}),
        ({"user_identifier": "JANE@customer.EXAMPLE"}, ALL - {"joe", "joe's cli", "no user"}),
        ({"user_identifier": "joe", "product_id": "acme-cli"}, {"joe's cli"}),
        ({"user_identifier": "joe", "data_type": "numeric-single-value"}, set()),
        ({"license_key": KEY}, LICENSED - {"licensed, unregistered"}),
        ({"license_key": KEY, "product_id": "acme-cli"}, {"licensed cli"}),
        ({"license_key": KEY, "product_id": "acme-desktop"}, {"licensed"}),
        ({"license_key": KEY, "product_id": "wrong"}, {"licensed, unregistered"}),
        ({"license_key": KEY, "user_identifier": "joe"}, set()),
        ({"license_key": KEY, "data_type": "text"}, LICENSED - {"licensed, unregistered"}),
        ({"license_key": KEY, "has_red_flags": "0"}, set()),
        ({"license_key": "nobody's"}, set()),
        ({"license_key": "unknown"}, ALL - LICENSED),
        ({"license_key": "unknown", "user_identifier": "joe"}, {"joe", "joe's cli"}),
        ({"license_key": "unknown", "product_id": "wrong"}, {"unregistered"}),
        ({"has_red_flags": "true"}, RED),
        ({"has_red_flags": "1"}, RED),
        ({"has_red_flags": "false"}, ALL - RED),
        ({"has_red_flags": "0"}, ALL - RED),
        ({"has_red_flags": "1", "product_id": "acme-desktop"}, {"licensed", "tampered"}),
        ({"has_red_flags": "", "product_id": " ", "page": "", "surprise": "x"}, ALL),
    ],
)
def test_filters(post: Post, get: Get, query: dict[str, str], found: set[str]) -> None:
    names = {sent(post, GOOD | change): name for name, change in EVENTS.items()}
    assert [names[row["id"]] for row in rows(get(**query))] == [
        name for name in reversed(EVENTS) if name in found
    ]  # newest first


def test_a_key_with_a_product_lends_it(deployment: Deployment, post: Post, get: Get) -> None:
    headers = {"x-api-key": deployment.key(product_id="acme-cli")}
    for change in ({"product_id": None}, {"product_id": "wrong"}, {"product_id": None, "license_key": KEY}):
        sent(post, GOOD | change, headers)
    assert [row["product_id"] for row in rows(get(product_id="acme-cli"))] == ["acme-cli", "wrong", "acme-cli"]
    assert [row["product_id"] for row in rows(get(product_id="wrong"))] == ["wrong"]
    (row,) = rows(get(product_id="acme-cli", license_key=KEY))
    assert (row["product_id"], row["product_exists"]) == ("acme-cli", 1)


@pytest.mark.parametrize("user", ["\u200b", "\0", "\ufeff\u00ad", "undefined"])
def test_a_user_that_nobody_is_finds_no_everybody(post: Post, get: Get, user: str) -> None:
    sent(post, GOOD)
    refused = get(user_identifier=user)
    assert refused.status == 400
    assert "user_identifier" in refused.text


def test_only_the_own_environment_is_seen(deployment: Deployment, post: Post, get: Get) -> None:
    for environment, key in deployment.keys.items():
        sent(post, GOOD | {"text_data": environment, "license_key": KEY}, {"x-api-key": key})
    for environment, key in deployment.keys.items():
        for query in (
            {},
            {"license_key": KEY},
            {"user_identifier": GOOD["user_identifier"]},
            {"data_type": "text"},
        ):
            assert [row["data"] for row in rows(get(key, **query))] == [environment]
    refused = get(environment="staging")
    assert (refused.status, refused.body["response"]["code"]) == (403, 150)


def test_keys_need_the_capability(deployment: Deployment, get: Get) -> None:
    weak = get(deployment.key(frozenset({Capability.INGEST, Capability.REPORT})))
    nobody = get("nobody-issued-this")
    for result, code in ((weak, 102), (nobody, 100)):
        assert (result.status, result.body["response"]["code"]) == (401, code)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"has_red_flags": "maybe"}, "has_red_flags"),
        ({"page": "0"}, "page"),
        ({"page": "-1"}, "page"),
        ({"page": "x"}, "page"),
        ({"page": "9" * 30}, "page"),
        ({"page": "101", "per_page": "100"}, "page"),
        ({"per_page": "0"}, "per_page"),
        ({"per_page": "101"}, "per_page"),
        ({"per_page": "1.5"}, "per_page"),
        ({"per_page": "\u00b2"}, "per_page"),
    ],
)
def test_bad_parameters_are_named(get: Get, query: dict[str, str], field: str) -> None:
    result = get(**query)
    response = result.body["response"]
    assert (result.status, response["code"], list(response["errors"])) == (400, 422, [field])


def test_the_example_event_finds(deployment: Deployment, post: Post) -> None:
    sent(post, GOOD | {"flags": ["tampering"]})
    event = example_event("analytics-telemetry")
    event["headers"]["x-api-key"] = deployment.keys[Environment.PRODUCTION]
    assert len(rows(Client(load_function("analytics")).send(event))) == 1


@pytest.mark.parametrize("name", ["data_type", "data_group"])
def test_any_text_is_looked_for_as_it_is_shown(post: Post, get: Get, name: str) -> None:
    texts = ["r\u00e9gion", "x" * 32, "x" * 33, "x" * 34, "~x", "=t", "t", "5", " padded "]
    ids = {text.strip(): sent(post, GOOD | {name: text}) for text in texts}
    ids["7"] = sent(post, GOOD | {name: 7})  # an error, and shown all the same
    for text, id_ in ids.items():
        assert [(row["id"], row[name]) for row in rows(get(**{name: text}))] == [(id_, text)]


def test_a_group_that_is_spelled_twice_is_one(post: Post, get: Get) -> None:
    for text in ("CALL_HOME", "CALL HOME", "call home"):
        sent(post, GOOD | {"data_group": text})
    for text in ("CALL_HOME", "CALL HOME"):
        assert [row["data_group"] for row in rows(get(data_group=text))] == ["CALL HOME", "CALL_HOME"]


def test_nothing_found_is_found(get: Get) -> None:
    response = response_of(get(page="2", per_page="10"))
    assert response["data"] == []
    assert (response["page"], response["per_page"], response["has_more"], response["next"]) == (2, 10, False, None)


def test_trouble_is_said_in_the_envelope(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    for error, status, code in (
        (InvalidCursor(), 400, 422),
        (StoreUnavailable("records"), 503, 503),
        (RuntimeError("a detail"), 500, 500),
    ):
        monkeypatch.setattr(TelemetrySearch, "page", lambda *_, error=error: (_ for _ in ()).throw(error))
        result = get()
        assert (result.status, result.body["response"]["code"]) == (status, code)
        assert "a detail" not in result.text


# ── order, pages, days: records of many days, put in through the service with a clock of its own

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
PLAN = ShardPlan(8, ((date(2026, 11, 20), 3),))
PRODUCTS = ("acme-cli", "acme-desktop")


class Archive:
    """Records kept at any time, and looked for at any other."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.store = RecordStore(deployment.tables.records(Environment.PRODUCTION), PLAN)
        self.is_registry_up = True
        self.sizes = IndexSizes()
        products = {name: Product(name, name) for name in PRODUCTS}
        self.ingest = Ingest(lambda _: self.store, lambda *_: products, self._views, deployment.keyring, lambda _: 90)

    def _views(self, events: Sequence[object], _environment: Environment, _max_age: float) -> list[LicenseView]:
        if not self.is_registry_up:
            raise StoreUnavailable("licenses")
        return [LicenseView()] * len(events)

    def keep(self, bodies: list[dict[str, Any]], when: datetime) -> None:
        key = ApiKey("k1", KeyKind.SDK, "", "", "", frozenset({Environment.PRODUCTION}))
        events = [getkeymanager.event_of(Element(json.dumps(body).encode(), body)) for body in bodies]
        outcomes = self.ingest.keep(events, Access(key, Environment.PRODUCTION), "203.0.113.7", when, Deadline(60))
        assert {outcome.status for outcome in outcomes} == {Status.STORED}

    def page(
        self,
        query: TelemetryQuery,
        now: datetime = NOW,
        effort: Effort | None = None,
        days: int = 90,
        place: PageStart | None = None,
    ) -> TelemetryPage:
        oldest = now.date() - timedelta(days=days)
        browser = RecordBrowser(self.store, now, oldest, effort or Effort(20_000, 60), self.sizes)
        search = TelemetrySearch(browser, PRODUCTS, said_in, self.deployment.keyring)
        return search.page(query, place or PageStart(skip=(query.page - 1) * query.per_page))


def said(page: TelemetryPage) -> list[Any]:
    return [record.said.data for record in page.records]


@pytest.fixture
def archive(deployment: Deployment) -> Archive:
    return Archive(deployment)


def event(number: int, **changes: object) -> dict[str, Any]:
    """Numbers are times of receipt, in order; users, products and flags vary."""
    usual = {
        "data_type": "text",
        "data_group": "g",
        "text_data": number,
        "product_id": PRODUCTS[number % 2],
        "user_identifier": f"user-{number % 37}",
        "flags": ["odd"] if number % 5 == 0 else [],
    }
    return {**usual, "text_data": str(number), **changes}


@pytest.fixture(params=["few", pytest.param("many", marks=pytest.mark.slow)])
def quantity(request: pytest.FixtureRequest, archive: Archive) -> None:
    """Whether the index is taken for large, and older days are read one by one."""
    if request.param == "many":
        archive.sizes.note(archive.store.table, inf)


@pytest.mark.usefixtures("quantity")
@pytest.mark.parametrize(
    "query", [TelemetryQuery(data_type="text"), pytest.param(TelemetryQuery(), marks=pytest.mark.slow)]
)
def test_pages_are_in_order_and_leave_nothing_out(archive: Archive, query: TelemetryQuery) -> None:
    begin = NOW - timedelta(days=3, hours=1)
    for number in range(250):
        archive.keep([event(number)], begin + timedelta(minutes=17, milliseconds=number) * number)
    everything = [str(number) for number in reversed(range(250))]
    for per_page in (30, 100):
        seen: list[Any] = []
        for number in range(1, 1 + -(-250 // per_page)):
            page = archive.page(TelemetryQuery(data_type=query.data_type, page=number, per_page=per_page), days=6)
            seen += said(page)
            assert (page.rest is not None) == (len(seen) < 250)
        assert seen == everything
    fives = archive.page(TelemetryQuery(is_flagged=True, data_type=query.data_type, per_page=100), days=6)
    assert said(fives) == [str(number) for number in reversed(range(250)) if number % 5 == 0]
    user = archive.page(TelemetryQuery(user_id="user-3", data_type=query.data_type, per_page=100), days=6)
    assert said(user) == [str(number) for number in reversed(range(250)) if number % 37 == 3]


def test_a_licence_is_read_by_event_time_over_its_products(archive: Archive) -> None:
    order = [5, 3, 9, 1, 7, 2, 8, 4, 6, 0]
    for number in order:
        at = int((NOW - timedelta(days=10 - number)).timestamp())
        archive.keep([event(number, license_key=KEY, event_at=at, event_id=f"e{number}")], NOW - timedelta(hours=1))
    archive.keep([event(99, license_key=KEY, event_id="no time")], NOW - timedelta(minutes=1))
    first = archive.page(TelemetryQuery(license_key=KEY, per_page=6))
    second = archive.page(TelemetryQuery(license_key=KEY, per_page=6, page=2))
    assert said(first) + said(second) == ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0", "99"]
    assert (first.rest is None, second.rest is None) == (False, True)


def test_what_expired_is_gone_even_before_it_is_deleted(archive: Archive) -> None:
    archive.keep([event(1), event(1, license_key=KEY)], NOW - timedelta(days=90))
    archive.keep([event(2), event(2, license_key=KEY)], NOW)
    for query in (TelemetryQuery(), TelemetryQuery(license_key=KEY), TelemetryQuery(data_type="text")):
        assert set(said(archive.page(query))) == {"2", "1"}
        assert set(said(archive.page(query, days=89))) == {"2"}  # a shorter retention hides at once
        tomorrow = NOW.replace(hour=0, minute=0) + timedelta(days=1)
        assert set(said(archive.page(query, tomorrow))) == {"2"}
        assert set(said(archive.page(query, tomorrow, days=365))) == {"2"}


@pytest.mark.usefixtures("quantity")
def test_old_records_are_found_behind_empty_days(archive: Archive) -> None:
    archive.keep([event(1), event(2)], NOW - timedelta(days=20))
    assert said(archive.page(TelemetryQuery(product_id=PRODUCTS[1]), days=30)) == ["1"]
    assert said(archive.page(TelemetryQuery(product_id=PRODUCTS[1], is_flagged=True), days=30)) == []


def test_only_the_page_is_read(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        archive.keep([event(number)], NOW - timedelta(minutes=200 - number))
    read: list[int] = []
    many = RecordStore.many

    def counting(self: RecordStore, keys: Any) -> Any:  # noqa: ANN401
        read.append(len(keys))
        return many(self, keys)

    monkeypatch.setattr(RecordStore, "many", counting)
    assert said(archive.page(TelemetryQuery(page=5, per_page=10))) == [str(number) for number in range(159, 149, -1)]
    assert read == [10]


def walked(archive: Archive, query: TelemetryQuery, effort: Callable[[], Effort]) -> list[list[Any]]:
    """The pages of a list to its end."""
    place: PageStart | None = PageStart(skip=(query.page - 1) * query.per_page)
    pages = []
    while place:
        page = archive.page(query, effort=effort(), place=place, days=6)
        assert page.rest != place
        place = page.rest
        pages.append(said(page))
    return pages


@pytest.mark.slow
@pytest.mark.usefixtures("quantity")
@pytest.mark.parametrize(
    "query",
    [
        TelemetryQuery(per_page=10),
        TelemetryQuery(per_page=10, data_type="text"),
        TelemetryQuery(per_page=10, license_key=KEY),
        TelemetryQuery(per_page=10, license_key=KEY, data_type="text"),
    ],
)
def test_a_search_that_is_cut_short_goes_on_exactly_there(archive: Archive, query: TelemetryQuery) -> None:
    for number in range(60):
        at = NOW - timedelta(hours=2 * number)
        archive.keep([event(number, event_at=at.timestamp(), license_key=KEY)], at)
    everything = [str(number) for number in range(60)]
    late = iter([0.0] * 9 + [99.0] * 9_999)
    for effort in (
        lambda: Effort(20_000, 60),
        lambda: Effort(7, 60),
        lambda: Effort(20_000, 60, 1),
        lambda: Effort(20_000, 0),
        lambda: Effort(20_000, 60, clock=lambda: next(late)),
    ):
        pages = walked(archive, query, effort)
        assert [one for page in pages for one in page] == everything
        assert max(map(len, pages)) <= 10
    by_number = replace(query, page=4)
    pages = walked(archive, by_number, lambda: Effort(7, 60))
    assert pages[0] == []
    assert [one for page in pages for one in page] == everything[30:]


def test_many_of_one_millisecond_are_told_though_little_of_them_is_read_at_a_time(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_runs, "_NARROW_READS", (2,) * 99)
    for at in (NOW - timedelta(milliseconds=1), NOW, NOW + timedelta(milliseconds=1)):
        archive.keep([event(number, user_identifier="ann", data_group=f"g{number % 2}") for number in range(20)], at)
    for query in (TelemetryQuery(user_id="ann"), TelemetryQuery(user_id="ann", data_group="g1")):
        whole = archive.page(replace(query, per_page=100))
        in_order = [(record.received_at, record.key) for record in whole.records]
        assert in_order == sorted(in_order, reverse=True)
        assert len(in_order) == (30 if query.data_group else 60)
        pages = walked(archive, replace(query, per_page=7), lambda: Effort(20_000, 60, 1))
        assert [one for page in pages for one in page] == said(whole)


def test_many_of_one_millisecond_are_read_in_few_requests(archive: Archive) -> None:
    archive.keep([event(number, user_identifier="ann", product_id=PRODUCTS[0]) for number in range(500)], NOW)
    archive.keep([event(number) for number in range(60)], NOW - timedelta(seconds=1))
    for query in (TelemetryQuery(per_page=5), TelemetryQuery(per_page=100, page=6)):
        with counted_calls() as calls:
            page = archive.page(query)
        assert len(page.records) == min(query.per_page, 60)
        assert len(calls) <= 40


def test_the_unjudged_are_seen_as_they_were_judged_later(archive: Archive) -> None:
    archive.is_registry_up = False
    archive.keep([event(1, license_key=KEY), event(2, license_key="other", user_identifier="x")], NOW)
    waiting = archive.page(TelemetryQuery())
    assert [(record.flags, record.is_judged) for record in waiting.records] == [(frozenset(), False)] * 2
    for record in waiting.records:
        stored = archive.store.get(record.key)
        assert stored
        flags = frozenset({Flag.INVALID_LICENSE}) if record.said.license_key == KEY else frozenset()
        archive.store.add_judgement(stored, Verdict(flags, ""), NOW, Deadline(60))
    assert said(archive.page(TelemetryQuery(is_flagged=True))) == ["1"]
    (clean,) = archive.page(TelemetryQuery(is_flagged=False)).records
    assert (clean.said.data, clean.is_judged) == ("2", True)
