"""Records as staff see them, through the handlers on a real engine."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import inf
from random import Random
from types import ModuleType
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import RECORDS, Fold, HourKey
from telemetry.domain.instant import hour_of
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.services import record_export, record_search
from telemetry.services.api_keys import issue_sdk_key
from telemetry.storage.audit import AuditLog
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.tables import dynamodb_client
from telemetry.web import records as api
from tests.benchmarks.capacity import reading_records
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import Context, example_event, load_function, restart
from tests.worlds.deployment import Deployment
from tests.worlds.records import KEYS, World, expected, populate, random_filter

pytestmark = pytest.mark.days

BASE = "/api/v1/analytics"
PRODUCTION = {"environment": "production"}
ROUTES = ("/products", "/records", "/records/x", "/records/x/raw", "/export")
A_QUARTER = {"range": "90d"}
KEY = next(iter(KEYS))


Ask = Callable[..., Answer]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch, deployment: Deployment) -> ModuleType:
    del deployment
    monkeypatch.setenv("RECORD_SHARDS", "2")
    return load_function("analytics")


@pytest.fixture
def ask(function: ModuleType, deployment: Deployment) -> Ask:
    """Asks as an admin of all environments unless told."""
    admin = deployment.staff_key()

    def ask(path: str, key: str | None = admin, left: int = 29_000, **query: str) -> Answer:
        headers = {"user-agent": "browser/1", **(bearer(key) if key else {})}
        analytics = Client(function, headers, BASE, context=Context(milliseconds_left=left))
        return analytics.get(path, {name.rstrip("_"): value for name, value in query.items()})

    return ask


@pytest.fixture
def world(deployment: Deployment) -> World:
    return World(deployment)


def pages(ask: Ask, path: str, **query: str) -> Iterator[Answer]:
    """All of them."""
    following: dict[str, str] | None = query
    while following:
        answer = ask(path, **following)
        assert answer.status == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        yield answer
        following = answer.next


def listed(ask: Ask, **query: str) -> list[dict[str, Any]]:
    """All rows of a list."""
    rows = []
    for page in pages(ask, "/records", **PRODUCTION, **query):
        assert page.body.keys() == {"items", "next"}
        assert (page.body["next"] is None) == (page.next is None)
        if page.next:
            assert page.next == {**PRODUCTION, **query, "cursor": page.body["next"]}
        assert len(page.body["items"]) <= int(query.get("limit", "50"))
        rows += page.body["items"]
    return rows


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5)


# ── one record


USAGE: dict[str, Any] = {
    "activity_type": "primary",
    "source": "PRODUCT_CLOUD",
    "event_at": int(datetime.now(UTC).timestamp()),
    "product_id": "acme-cli",
    "user_id": "ann",
}
EVENT: dict[str, Any] = {
    "data_type": "text",
    "text_data": "started",
    "data_group": "runs",
    "license_key": KEY,
    "hwid": "d1",
    "activation_identifier": "a1",
    "user_identifier": "Jane@Customer.example",
    "product_id": "acme-desktop",
    "product_version": "4.12.1",
    "country": "DE",
    "metadata": {"os": "linux"},
    "event_id": "e1",
}


def test_a_row_and_its_details(world: World, ask: Ask) -> None:
    license_id, now = world.issue()[KEY], just_now()
    at = now.replace(microsecond=0) - timedelta(days=40)
    (kept,) = world.keep([EVENT | {"event_at": at.timestamp()}], now, "192.0.2.7")
    row = {
        "id": kept.id,
        "received_at": api.instant(now),
        "event_at": api.instant(at),
        "product": "acme-desktop",
        "version": "4.12.1",
        "user": "jane@customer.example",
        "hwid": "d1",
        "ip": "192.0.2.7",
        "event_ip": None,
        "country": "DE",
        "dialect": "getkeymanager",
        "group": "runs",
        "license": {"id": license_id, "last4": KEY[-4:], "state": "active"},
        "customer": {"id": "globex", "name": "Globex"},
        "flags": ["BYPASSED_ACTIVATION", "CLOCK_SKEW"],
        "data_type": "text",
        "api_key_id": "k1",
        "damage": None,
        "forgotten": False,
    }
    assert listed(ask) == [row]
    midnight = datetime.combine(now.date(), datetime.min.time(), UTC)
    skew = f"{at.timestamp() - now.replace(microsecond=now.microsecond // 1000 * 1000).timestamp():+.0f}"
    answer = ask(f"/records/{kept.id}", **PRODUCTION)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body == row | {
        "flags_judged_later": None,
        "message": "Flagged because its device has no active activation under its licence, "
        "and its time is 40 days behind the time it was received.",
        "context": {
            "evidence": {"BYPASSED_ACTIVATION": "inactive", "CLOCK_SKEW": skew},
            "rules_version": 3,
            "metadata": {"os": "linux"},
        },
        "payload": json.loads(kept.raw),
        "raw": {"text": kept.raw.decode()},
        "api_key": {"id": "k1", "name": None, "last4": None},
        "company": {
            "kind": "company",
            "id": "customer.example",
            "name": "customer.example",
            "source": "domain",
            "confidence": 3,
            "country": None,
            "network_file": "none",
        },
        "expires_at": api.instant(midnight + timedelta(days=91)),
    }


def test_the_address_an_event_is_about_stands_beside_the_callers(world: World, ask: Ask) -> None:
    """A vendor's server relays it: found under both, and under none that it only looks like."""
    now = just_now()
    relayed, own, nonsense = world.keep(
        [
            {"payload": USAGE | {"event_id": each, "ip_addr": each}}
            for each in ("::ffff:203.0.113.77", "192.0.2.1", "n/a")
        ],
        now,
        "192.0.2.1",
    )
    rows = {row["id"]: row for row in listed(ask)}
    assert [(rows[each.id]["ip"], rows[each.id]["event_ip"]) for each in (relayed, own, nonsense)] == [
        ("192.0.2.1", "203.0.113.77"), ("192.0.2.1", None), ("192.0.2.1", None),
    ]  # fmt: skip
    assert [row["id"] for row in listed(ask, ip="203.0.113.77")] == [relayed.id]
    assert {row["id"] for row in listed(ask, ip="192.0.2.1")} == {relayed.id, own.id, nonsense.id}
    assert [rows[each.id]["flags"] for each in (relayed, own, nonsense)] == [[], [], ["MALFORMED"]]
    file, _ = exported(ask, format="csv", ip="203.0.113.77")
    assert b",192.0.2.1,203.0.113.77," in file


def test_a_clean_record_of_nobody_we_know(world: World, ask: Ask) -> None:
    usage = USAGE | {"user_id": "bob", "meta": {"a": [1, None]}}
    (kept,) = world.keep([{"payload": usage}], just_now())
    (row,) = listed(ask)
    absent = ("version", "hwid", "country", "license", "customer", "data_type")
    assert [row[name] for name in absent] == [None] * len(absent)
    assert (row["dialect"], row["group"], row["user"], row["flags"]) == ("reo", "primary", "bob", [])
    detail = ask(f"/records/{kept.id}", **PRODUCTION).body
    assert {name: detail[name] for name in row} == row
    assert (detail["message"], detail["flags_judged_later"]) == (None, None)
    assert detail["context"] == {"evidence": {}, "rules_version": None, "metadata": {"a": [1, None]}}


def test_a_body_that_is_no_json(world: World, ask: Ask) -> None:
    for raw, shown in ((b"\xff\x00", {"base64": "/wA="}), (b'{"a":', {"text": '{"a":'}), (b"[1]", {"text": "[1]"})):
        (kept,) = world.keep_raw([raw], just_now())
        detail = ask(f"/records/{kept.id}", **PRODUCTION).body
        assert (detail["raw"], detail["payload"]) == (shown, [1] if raw == b"[1]" else None)
        assert detail["flags"] == ["MALFORMED", "UNKNOWN_PRODUCT"]
        assert detail["message"].startswith("Flagged because it is malformed (")


def test_what_was_judged_later_is_told_apart(world: World, ask: Ask) -> None:
    world.is_registry_up = False
    waiting, flagged, clean = world.keep([EVENT | {"event_id": f"e{n}", "flags": ["vm"]} for n in range(3)], just_now())
    world.judge_later(flagged, frozenset({Flag.INVALID_LICENSE}))
    world.judge_later(clean, frozenset())
    details = [ask(f"/records/{kept.id}", **PRODUCTION).body for kept in (waiting, flagged, clean)]
    assert [(detail["flags"], detail["flags_judged_later"]) for detail in details] == [
        (["CLIENT_REPORTED"], None),
        (["INVALID_LICENSE", "CLIENT_REPORTED"], ["INVALID_LICENSE"]),
        (["CLIENT_REPORTED"], []),
    ]
    assert details[1]["context"]["evidence"] == {"INVALID_LICENSE": "unknown", "CLIENT_REPORTED": "vm"}
    assert [row["id"] for row in listed(ask, flag="INVALID_LICENSE")] == [flagged.id]


def test_the_key_that_brought_it_is_named(deployment: Deployment, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORD_SHARDS", "2")
    key = deployment.keys[Environment.PRODUCTION]
    id_ = Client(load_function("ingest")).post("/api/v1/telemetry", EVENT, x_api_key=key).body["telemetry_id"]
    named = ask(f"/records/{id_}", **PRODUCTION).body["api_key"]
    assert (named["name"], named["last4"]) == ("test", key[-4:])


def test_a_customer_nobody_registered_has_no_name(world: World, deployment: Deployment, ask: Ask) -> None:
    world.issue()
    dynamodb_client().delete_item(
        TableName=deployment.tables.registry, Key={"pk": {"S": "customer"}, "sk": {"S": "globex"}}
    )
    (kept,) = world.keep([EVENT], just_now())
    assert listed(ask)[0]["customer"] == {"id": "globex", "name": None}
    assert ask(f"/records/{kept.id}", **PRODUCTION).body["customer"] == {"id": "globex", "name": None}


def test_long_texts_are_cut_in_rows_and_whole_in_the_body(world: World, ask: Ask) -> None:
    (kept,) = world.keep([EVENT | {"user_identifier": "ü" * 2_000, "data_group": "g" * 256}], just_now())
    (row,) = listed(ask)
    assert (row["user"], row["group"]) == ("ü" * 255 + "…", "g" * 256)
    assert ask(f"/records/{kept.id}", **PRODUCTION).body["payload"]["user_identifier"] == "ü" * 2_000


@pytest.mark.parametrize("size", [3_000_000, pytest.param(7_000_001, marks=pytest.mark.slow)])
def test_a_body_too_large_for_an_answer_comes_in_parts(world: World, ask: Ask, size: int) -> None:
    body = EVENT | {"text_data": '"' * 1_000 + Random(1).randbytes(size // 2).hex()}
    (kept,) = world.keep([body], just_now())
    answer = ask(f"/records/{kept.id}", **PRODUCTION)
    assert answer.size < 6_000_000
    raw = answer.body["raw"]
    assert raw == {"bytes": len(kept.raw), "href": f"{BASE}/records/{kept.id}/raw?environment=production"}
    assert answer.body["payload"] is None
    received = b""
    for page in pages(ask, f"/records/{kept.id}/raw", **PRODUCTION):
        assert page.size < 6_000_000
        assert page.headers["content-type"] == "application/octet-stream"
        received += page.content
    assert received == kept.raw
    (line,) = (
        json.loads(line) for page in pages(ask, "/export", **PRODUCTION, format="ndjson") for line in lines(page)
    )
    assert line["raw"] == (raw if size > 4_500_000 else {"text": kept.raw.decode()})


def lines(answer: Answer) -> list[bytes]:
    return answer.text.encode().splitlines(keepends=True)


@pytest.mark.parametrize("id_", ["x", "AAAA", "~", "%2e", "a" * 500])
def test_an_id_nobody_was_given(ask: Ask, id_: str) -> None:
    for path in (f"/records/{id_}", f"/records/{id_}/raw"):
        answer = ask(path, **PRODUCTION)
        assert (answer.status, answer.body["type"]) == (404, "/docs#problem-not-found")
        assert answer.headers["content-type"] == "application/problem+json"


def test_what_expired_is_gone_at_once(
    world: World, ask: Ask, function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    license_id = world.issue()[KEY]
    (old,) = world.keep([EVENT], datetime.now(UTC) - timedelta(days=92))
    (kept,) = world.keep([EVENT | {"event_id": "e2"}], datetime.now(UTC) - timedelta(days=10))
    for query in ({}, {"license_id": license_id}):
        assert [row["id"] for row in listed(ask, **A_QUARTER, **query)] == [kept.id]
        long_ago = {
            "from": f"{datetime.now(UTC) - timedelta(days=300):%Y-%m-%d}",
            "to": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        assert [row["id"] for row in listed(ask, **long_ago, **query)] == [kept.id]
    assert ask(f"/records/{old.id}", **PRODUCTION).status == 404
    monkeypatch.setenv("RETENTION_DAYS", "9")  # a shorter retention hides at once
    restart(function)
    assert listed(ask, **A_QUARTER) == []
    assert ask(f"/records/{kept.id}", **PRODUCTION).status == 404


# ── lists: what random filters find, page by page, is what they must


@pytest.mark.parametrize(("seed", "quantity"), [(1, "few"), pytest.param(2, "many", marks=pytest.mark.slow)])
def test_pages_hold_what_they_must_in_order(
    deployment: Deployment, ask: Ask, function: ModuleType, seed: int, quantity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, now = Random(seed), just_now()
    world, other = World(deployment), World(deployment, Environment.STAGING)
    licenses = world.issue()
    other.issue()
    populate(world, random, now, 150)
    populate(other, random, now, 30)
    restart(function, most_records=random.choice((3, 40, 20_000)))
    if quantity == "many":
        function.wired().index_sizes.note(deployment.tables.records(Environment.PRODUCTION), inf)
    monkeypatch.setattr(record_search, "MOST_PARTITIONS", 1_000 if seed == 1 else 5)
    window = {"from": f"{now - timedelta(days=10):%Y-%m-%d}", "to": f"{now:%Y-%m-%d}"}
    found = 0
    for _ in range(12):
        query = random_filter(random, licenses)
        rows = listed(ask, **window, limit=str(random.choice((3, 20, 50, 200))), **query)
        must = expected(world, query, licenses, by_receipt=seed == 2 and _is_large(query))
        assert [row["id"] for row in rows] == [one.id for one in must], query
        found += len(rows)
        for row, one in zip(rows, must, strict=True):
            assert datetime.fromisoformat(row["received_at"]) == one.received_at
            assert (row["product"], row["ip"], row["version"]) == (one.product, one.address, one.version)
            assert row["flags"] == [flag for flag in Flag if flag in one.flags]
            assert row["api_key_id"] == one.api_key_id
    assert found > 100


def _is_large(query: dict[str, str]) -> bool:
    """More partitions than are looked into."""
    return query.get("customer_id") == "globex" and "license_id" not in query


def test_records_of_one_api_key(world: World, deployment: Deployment, ask: Ask) -> None:
    license_id, now = world.issue()[KEY], just_now()
    for number, key in enumerate(("k1", "k2", "k2", "k3")):
        world.keep([EVENT | {"event_id": f"e{number}", "event_at": now.timestamp() + number}], now, api_key_id=key)
    World(deployment, Environment.STAGING).keep([EVENT], now, api_key_id="k2")
    of_key = [one.id for one in expected(world, {"api_key_id": "k2"}, {})]
    assert len(of_key) == 2
    for query in ({}, {"license_id": license_id}, {"product": "acme-desktop", "flagged": "true"}):
        rows = listed(ask, api_key_id="k2", **query)
        assert {row["id"] for row in rows} == set(of_key)
        assert {row["api_key_id"] for row in rows} == {"k2"}
    assert listed(ask, api_key_id="k") == []
    assert ask("/records", **PRODUCTION, api_key_id="").status == 422


@pytest.mark.slow
def test_nothing_comes_twice_or_is_missed_while_others_arrive(world: World, ask: Ask) -> None:
    random, now = Random(3), just_now()
    licenses = world.issue()
    populate(world, random, now, 80)
    for query in ({}, {"flagged": "true"}, {"customer_id": "globex"}, {"ip": "192.0.2.1"}):
        before = list(world.kept)
        seen: list[str] = []
        for page in pages(ask, "/records", **PRODUCTION, **A_QUARTER, limit="9", **query):
            seen += [row["id"] for row in page.body["items"]]
            # of the same milliseconds as what is there, older ones and newer ones
            when = random.choice(world.kept).received_at
            world.keep([EVENT | {"event_id": None, "hwid": f"d{random.random()}"}], when, "192.0.2.1")
            world.keep([EVENT | {"event_id": f"n{random.random()}", "event_at": 1_900_000_000}], just_now())
        assert len(seen) == len(set(seen))
        there = {one.id for one in before}
        assert [id_ for id_ in seen if id_ in there] == [
            one.id for one in expected(replace(world, kept=before), query, licenses)
        ]


def test_a_window_is_time_of_receipt(world: World, ask: Ask) -> None:
    license_id = world.issue()[KEY]
    hour = just_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    kept = [
        world.keep([EVENT | {"event_id": f"e{n}", "event_at": 1_700_000_000 + n}], hour + timedelta(milliseconds=n))[
            0
        ].id
        for n in (-1, 0, 1, 3_599_999, 3_600_000)
    ]
    window = {"from": hour.isoformat(), "to": (hour + timedelta(hours=1)).isoformat()}
    for query in ({}, {"license_id": license_id}):
        rows = listed(ask, **window, **query, limit="2")
        assert [row["id"] for row in rows] == [kept[3], kept[2], kept[1]]
    assert {row["id"] for row in listed(ask)} == set(kept)  # 24 hours unless told


def test_a_list_keeps_the_window_it_began_with(world: World, ask: Ask, function: ModuleType) -> None:
    now = datetime.now(UTC)
    clock = FakeClock(now)
    function.wired.start(clock)
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    kept = [world.keep([EVENT | {"event_id": f"e{n}"}], first + timedelta(minutes=n))[0].id for n in range(4)]
    page = ask("/records", **PRODUCTION, range="24h", limit="2")
    assert [row["id"] for row in page.body["items"]] == [kept[3], kept[2]]

    clock.set(now + timedelta(hours=5))
    assert page.next
    assert [row["id"] for row in ask("/records", **page.next).body["items"]] == [kept[1], kept[0]]
    assert listed(ask) == []


# ── what reading costs


@pytest.mark.parametrize(
    "spread", ["two products", *(pytest.param(each, marks=pytest.mark.slow) for each in ("one product", "none named"))]
)
def test_a_page_by_licence_reads_hardly_more_than_it_shows(world: World, ask: Ask, spread: str) -> None:
    license_id, now, random = world.issue()[KEY], just_now(), Random(4)
    for start in range(0, 400, 100):
        bodies = []
        for number in range(start, start + 100):
            product = {"one product": "acme-desktop", "none named": None}.get(spread, random.choice(("acme-cli", None)))
            bodies.append(
                EVENT | {"event_id": f"e{number}", "event_at": now.timestamp() - number, "product_id": product}
            )
        world.keep(bodies, now)
    following: dict[str, str] | None = {**PRODUCTION, "license_id": license_id}
    shown = 0
    with reading_records() as read:
        while following:
            page = ask("/records", **following)
            shown, following = shown + len(page.body["items"]), page.next
    assert shown == 400
    assert set(read.operations) == {"Query"}
    assert read.items / shown <= 1.1


def test_devices_are_found_by_any_spelling_and_shown_by_their_own(world: World, ask: Ask) -> None:
    spellings = ["AABB-01", "aabb-01", "AABB-01."]
    world.keep([EVENT | {"event_id": f"e{n}", "hwid": each} for n, each in enumerate((*spellings, "c"))], just_now())
    for spelling in spellings:
        shown = [row["hwid"] for row in listed(ask, hwid=spelling)]
        assert sorted(shown) == sorted(spellings)


def test_a_page_by_receipt_reads_no_more_bodies_than_it_shows(
    world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    populate(world, Random(5), just_now(), 200)
    loaded: list[int] = []
    load = RecordBrowser.load

    def counting(self: RecordBrowser, found: Any) -> Any:  # noqa: ANN401
        loaded.append(len(found))
        return load(self, found)

    monkeypatch.setattr(RecordBrowser, "load", counting)
    assert len(ask("/records", **PRODUCTION, **A_QUARTER, hwid="d1", limit="5").body["items"]) == 5
    assert loaded == [5]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/records", "/export"])
def test_a_search_that_finds_nothing_in_time_goes_on(world: World, ask: Ask, function: ModuleType, path: str) -> None:
    world.keep([EVENT | {"event_id": f"e{n}", "license_key": None} for n in range(30)], just_now())
    (rare,) = world.keep([EVENT | {"license_key": None, "hwid": "rare"}], just_now() - timedelta(days=5))
    restart(function, most_requests=10)
    function.wired().index_sizes.note(world.store.table, inf)
    query = PRODUCTION | A_QUARTER | {"hwid": "rare"} | ({"format": "ndjson"} if path == "/export" else {})
    answers = list(pages(ask, path, **query))
    assert len(answers) > 1
    ids = [line for answer in answers for line in re.findall('"id":"([^"]+)","received_at"', answer.text)]
    assert ids == [rare.id]
    # no time at all: still a step at a time
    slow = ask(path, left=8_000, **query)
    assert (slow.status, slow.next is not None) == (200, True)
    text = slow.text
    while slow.next:
        slow = ask(path, left=8_000, **slow.next)
        text += slow.text
    assert re.findall('"id":"([^"]+)","received_at"', text) == [rare.id]


# ── export


def exported(ask: Ask, **query: str) -> tuple[bytes, Answer]:
    """A whole file, checked as README says, and its last page."""
    file, pages_of = b"", []
    for page in pages(ask, "/export", **PRODUCTION, **query):
        assert page.size < 6_000_000
        assert ("export-rows" in page.headers) == ("export-sha-256" in page.headers) == (page.next is None)
        file += page.text.encode()
        pages_of.append(page)
    digest, rows = bytes(32), 0
    for line in io.BytesIO(file):
        digest, rows = sha256(digest + line).digest(), rows + 1
    assert pages_of[-1].headers["export-sha-256"] == digest.hex()
    assert int(pages_of[-1].headers["export-rows"]) == rows - (query["format"] == "csv")
    return file, pages_of[-1]


@pytest.mark.parametrize("seed", [6, pytest.param(7, marks=pytest.mark.slow)])
def test_a_file_holds_what_the_list_shows(
    world: World, ask: Ask, function: ModuleType, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    licenses = world.issue()
    populate(world, random, just_now(), 150)
    restart(function, most_records=random.choice((60, 20_000)))
    monkeypatch.setattr(record_export, "MOST_BYTES", random.choice((5_000, 4_500_000)))
    monkeypatch.setattr(record_export, "_AT_ONCE", random.choice((3, 100)))
    monkeypatch.setattr(record_export, "MOST_ROWS", random.choice((20, 5_000)))
    for _ in range(4):
        query = {**A_QUARTER, **random_filter(random, licenses)}
        rows = listed(ask, limit="200", **query)
        must = expected(world, query, licenses)
        file, last = exported(ask, format="ndjson", **query)
        assert last.headers["content-type"] == "application/x-ndjson"
        parsed = [json.loads(line) for line in file.splitlines()]
        assert parsed == [row | {"raw": {"text": one.raw.decode()}} for row, one in zip(rows, must, strict=True)]
        file, last = exported(ask, format="csv", **query)
        assert last.headers["content-type"] == "text/csv; charset=utf-8"
        assert last.headers["content-disposition"] == 'attachment; filename="records-production.csv"'
        cells = list(csv.DictReader(io.StringIO(file.decode(), newline="")))
        for cell, row in zip(cells, rows, strict=True):
            for name, formula in (("id", "-"), ("user", "="), ("hwid", "-"), ("version", "+"), ("api_key_id", "=")):
                text = row[name] or ""
                assert cell[name] == (f"'{text}" if text.startswith(formula) else text)
            assert cell["flags"].split() == row["flags"]
            assert cell["license_id"] == (row["license"] or {"id": ""})["id"]
            assert cell["customer_name"] == (row["customer"] or {"name": ""})["name"]


def test_a_csv_line_byte_for_byte(world: World, ask: Ask) -> None:
    license_id, now = world.issue()[KEY], just_now()
    changes = {"user_identifier": "@SUM(1)", "hwid": 'a"b', "data_group": "x,\ny", "product_version": "\u2028v"}
    (kept,) = world.keep([EVENT | changes], now)
    file, _ = exported(ask, format="csv")
    at = api.instant(now)
    assert file.decode() == (
        "id,received_at,event_at,product,version,user,hwid,ip,event_ip,country,dialect,group,data_type,value,flags,message,"
        "evidence,license_id,license_last4,license_state,customer_id,customer_name,api_key_id,api_key,damage,forgotten\r\n"
        f"""{kept.id},{at},,acme-desktop,v,'@SUM(1),"a""b",192.0.2.1,,DE,getkeymanager,"x,\\ny",text,started,"""
        "BYPASSED_ACTIVATION,Flagged because its device has no active activation under its licence.,"
        f"BYPASSED_ACTIVATION: inactive,{license_id},0001,active,globex,Globex,k1,,,\r\n"
    )


def test_a_file_tells_values_messages_evidence_and_keys(world: World, ask: Ask, deployment: Deployment) -> None:
    number, pair = "numeric_data_single_value", {"numeric_data_x": -1, "numeric_data_y": "2.5"}
    sent: list[tuple[dict[str, Any], str]] = [
        ({"data_type": "numeric-single-value", number: -4.5}, "-4.5"),
        ({"data_type": "numeric-single-value", number: " 7e2 "}, "700"),
        ({"data_type": "numeric-single-value", number: 10**400}, ""),
        ({"data_type": "numeric-single-value", number: "x"}, ""),
        ({"data_type": "numeric-xy-axis", **pair}, '{"x":-1,"y":2.5}'),
        ({"data_type": "text", "text_data": "=1+1\n"}, "'=1+1"),
        ({"data_type": "text", "text_data": "y" * 300}, "y" * 255 + "…"),
    ]
    key = issue_sdk_key(
        "the key's name", Environment.PRODUCTION, frozenset(), None, deployment.keyring, deployment.api_keys
    ).key
    began = just_now()
    for at, (changes, _) in enumerate(sent):
        body = EVENT | {"license_key": "NOBODYS", "event_id": f"e{at}"} | changes
        world.keep([body], began + timedelta(milliseconds=at), api_key_id=key.id)
    file, _ = exported(ask, format="csv")
    rows = list(csv.DictReader(io.StringIO(file.decode(), newline="")))[::-1]
    assert [row["value"] for row in rows] == [value for _, value in sent]
    assert {row["api_key"] for row in rows} == {"the key's name"}
    assert rows[3]["message"] == (
        "Flagged because its licence key was never issued, and it is malformed (numeric_data_single_value)."
    )
    assert rows[3]["evidence"] == "INVALID_LICENSE: unknown; MALFORMED: numeric_data_single_value"


def test_an_empty_file_says_that_it_is_whole(ask: Ask) -> None:
    file, last = exported(ask, format="ndjson")
    assert (file, last.headers["export-rows"], last.headers["export-sha-256"]) == (b"", "0", "0" * 64)
    file, _ = exported(ask, format="csv")
    assert file.count(b"\n") == 1


@pytest.mark.slow
def test_pages_stay_under_what_lambda_answers(world: World, ask: Ask) -> None:
    body = EVENT | {"license_key": None, "text_data": '"\u0001é' * 60_000}
    for number in range(24):
        world.keep([body | {"event_id": f"e{number}"}], just_now())
    found = list(pages(ask, "/export", **PRODUCTION, format="ndjson"))
    assert len(found) > 3
    assert max(page.size for page in found) < 5_000_000
    assert sum(len(lines(page)) for page in found) == 24


def test_an_export_is_written_down_before_anything_is_given(
    world: World, ask: Ask, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.keep([EVENT | {"event_id": f"e{n}"} for n in range(9)], just_now())
    monkeypatch.setattr(record_export, "_AT_ONCE", 3)
    monkeypatch.setattr(record_export, "MOST_ROWS", 3)
    assert len(list(pages(ask, "/export", **PRODUCTION, format="csv", user="jane@customer.example", range="7d"))) > 2
    now = datetime.now(UTC)
    audit = AuditLog(deployment.tables.registry)
    (entry,) = audit.page(Environment.PRODUCTION, now - timedelta(days=1), now + timedelta(1), 9, None).items
    assert (entry.action, entry.entity, entry.environment, entry.before) == (
        "records.export",
        "records",
        Environment.PRODUCTION,
        {},
    )
    assert (entry.author.key_name, entry.author.user_agent) == ("the admin", "browser/1")
    window = {"from": entry.after["from"], "to": entry.after["to"]}
    assert entry.after == {"format": "csv", "user": "jane@customer.example", **window}
    assert datetime.fromisoformat(window["to"]) - datetime.fromisoformat(window["from"]) == timedelta(days=7)

    def full(*_: object) -> None:
        raise StoreUnavailable("audit log")

    monkeypatch.setattr(AuditLog, "add", full)
    answer = ask("/export", **PRODUCTION, format="csv")
    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "jane" not in answer.text


# ── faults


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/records", {}),
        ("/records", {"customer_id": "globex"}),
        ("/records", {"flag": "INVALID_LICENSE"}),
        ("/export", {"format": "ndjson"}),
        ("/export", {"format": "csv", "customer_id": "globex"}),
        ("/products", {}),
        ("detail", {}),
        ("raw", {}),
    ],
)
def test_whatever_call_fails_the_answer_is_a_problem_and_never_shorter(
    world: World, ask: Ask, path: str, query: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.issue()
    populate(world, Random(8), just_now(), 20)
    last = world.kept[-1].id
    path = {"detail": f"/records/{last}", "raw": f"/records/{last}/raw"}.get(path, path)
    query = PRODUCTION | A_QUARTER | query
    ask("/products", **PRODUCTION)  # the key is remembered from now on
    whole = ask(path, **query)
    assert whole.status == 200
    original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]
    calls = failing = 0

    def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        nonlocal calls
        calls += 1
        if calls == failing:
            if failing % 2:
                raise EndpointConnectionError(endpoint_url="http://gone")
            raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, operation)
        return original(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    assert same(ask(path, **query), whole)
    for failing in range(1, calls + 1):  # noqa: B007
        calls = 0
        answer = ask(path, **query)
        assert same(answer, whole) or (answer.status, answer.body["type"]) == (503, "/docs#problem-unavailable")
    assert failing > 1


def same(one: Answer, other: Answer) -> bool:
    return (one.status, one.text, one.headers) == (other.status, other.text, other.headers)


# ── who may ask, and for what


@pytest.mark.parametrize("path", ROUTES)
def test_roles(ask: Ask, deployment: Deployment, path: str) -> None:
    query = PRODUCTION | ({"format": "csv"} if path == "/export" else {})
    found = 404 if "/x" in path else 200
    assert ask(path, None, **query).status == 401
    assert ask(path, "nobody-issued-this", **query).status == 401
    assert ask(path, deployment.keys[Environment.PRODUCTION], **query).status == 403
    assert ask(path, deployment.staff_key(Role.VIEWER), **query).status == (200 if path == "/products" else 403)
    for role in (Role.ADMIN, Role.SUPER_ADMIN):
        assert ask(path, deployment.staff_key(role), **query).status == found
        assert ask(path, deployment.staff_key(role, Environment.STAGING), **query).status == 403
        answer = ask(path, deployment.staff_key(role), **{**query, "environment": "nowhere"})
        assert (answer.status, answer.body["type"]) == (403, "/docs#problem-forbidden")
    query.pop("environment")
    answer = ask(path, **query)
    assert (answer.status, answer.body["errors"]) == (422, [{"field": "environment", "message": "is missing"}])
    # who may not be here is told that, and nothing of the fields
    assert ask(path, deployment.staff_key(Role.VIEWER), surprise="x").status == (422 if path == "/products" else 403)


def test_a_viewer_is_given_nothing_of_records(world: World, ask: Ask, deployment: Deployment) -> None:
    world.issue()
    (kept,) = world.keep([EVENT], just_now(), "192.0.2.7")
    viewer = deployment.staff_key(Role.VIEWER)
    for path in ("/products", "/records", f"/records/{kept.id}", f"/records/{kept.id}/raw", "/export", "/nothing"):
        for query in (PRODUCTION, PRODUCTION | {"format": "csv", "license_id": "x", "cursor": "x"}):
            text = ask(path, viewer, **query).text.lower()
            assert not [secret for secret in ("192.0.2.7", "jane", "d1", KEY.lower(), "started") if secret in text]


def test_nothing_crosses_environments(deployment: Deployment, ask: Ask) -> None:
    ids = {}
    for environment in Environment:
        world = World(deployment, environment)
        ids[environment] = (world.issue()[KEY], world.keep([EVENT], just_now())[0].id)
    for environment, (license_id, id_) in ids.items():
        for other, (others_license, others_id) in ids.items():
            here, is_own = {"environment": environment.value}, other is environment
            found = [row["id"] for row in ask("/records", **here, license_id=others_license).body["items"]]
            assert found == ([id_] if is_own else [])
            for path in (f"/records/{others_id}", f"/records/{others_id}/raw"):
                assert ask(path, **here).status == (200 if is_own else 404)
        for query in ({}, {"customer_id": "globex"}, {"user": "jane@customer.example"}):
            (row,) = ask("/records", **here, **query).body["items"]
            assert (row["id"], row["license"]["id"]) == (id_, license_id)


def test_products(deployment: Deployment, ask: Ask) -> None:
    known = [{"id": "acme-cli", "name": "Acme CLI"}, {"id": "acme-desktop", "name": "Acme Desktop"}]
    answer = ask("/products", deployment.staff_key(Role.VIEWER), **PRODUCTION, range="7d", product="acme-cli")
    assert (answer.status, answer.body) == (200, {"items": known})
    hour = HourKey(UNKNOWN_PRODUCT, hour_of(datetime.now(UTC)))
    counts = HourlyCountStore(deployment.tables.aggregates(Environment.PRODUCTION))
    counts.add("shard", None, "1", Fold({hour: Counter({RECORDS: 1})}), hour.hour)
    unknown = {"id": "~unknown", "name": "Unknown product"}
    assert ask("/products", **PRODUCTION).body == {"items": [*known, unknown]}
    assert ask("/products", environment="staging").body == {"items": known}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"flagged": "maybe"}, "flagged"),
        ({"flag": "NO_FLAG"}, "flag"),
        ({"range": "1y"}, "range"),
        ({"range": "7d", "from": "2026-11-01", "to": "2026-11-02"}, "range"),
        ({"from": "2026-11-01"}, "range"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "yesterday", "to": "2026-11-01"}, "from"),
        ({"from": "2026-11-01T00:00:00", "to": "2026-11-01"}, "from"),
        ({"user": " "}, "user"),
        ({"licence_id": "x"}, "licence_id"),
        ({"license_id": "x" * 257}, "license_id"),
        ({"license_id": KEY}, "license_id"),
        ({"customer_id": "x" * 257}, "customer_id"),
        ({"format": "csv"}, "format"),
    ],
)
def test_bad_parameters_are_named(ask: Ask, query: dict[str, str], field: str) -> None:
    answer = ask("/records", **PRODUCTION, **query)
    assert (answer.status, answer.body["type"]) == (422, "/docs#problem-invalid-fields")
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert ask("/export", **PRODUCTION, format="xml").body["errors"][0]["field"] == "format"


def test_a_cursor_is_good_for_its_list_alone(world: World, ask: Ask) -> None:
    license_id = world.issue()[KEY]
    world.keep([EVENT | {"event_id": f"e{n}"} for n in range(9)], just_now())
    query = PRODUCTION | {"limit": "4", "license_id": license_id}
    cursor = ask("/records", **query).body["next"]
    assert ask("/records", **query, cursor=cursor).status == 200
    assert ask("/records", **{**query, "limit": "2"}, cursor=cursor).status == 200
    for index in range(len(cursor)):
        swapped = "A" if cursor[index] != "A" else "B"
        tampered = cursor[:index] + swapped + cursor[index + 1 :]
        answer = ask("/records", **query, cursor=tampered)
        # the last character may carry bits that no byte has
        assert (answer.status, answer.body.get("type")) == (400, "/docs#problem-invalid-cursor") or (
            index == len(cursor) - 1
        )
    for path, others in (
        ("/records", query | {"environment": "staging"}),
        ("/records", query | {"flagged": "true"}),
        ("/records", query | {"range": "7d"}),
        ("/records", PRODUCTION),
        ("/export", PRODUCTION | {"license_id": license_id, "format": "csv"}),
    ):
        answer = ask(path, **others, cursor=cursor)
        assert (answer.status, answer.body["type"]) == (400, "/docs#problem-invalid-cursor")
    assert ask("/records", **query, cursor="").status == 400


def test_a_staff_key_is_taken_from_headers_only(world: World, ask: Ask, deployment: Deployment) -> None:
    """In an address, browsers, proxies and logs would keep it."""
    world.keep([EVENT], just_now())
    key = deployment.staff_key(Role.ADMIN)
    for route in ("/records", "/products", "/overview"):
        assert ask(route, None, **PRODUCTION, api_key=key).status == 401
    refused = ask("/records", key, **PRODUCTION, api_key=key)
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "api_key")
    assert key not in json.dumps(refused.headers) + refused.text


def test_the_example_event_finds(world: World, function: ModuleType, deployment: Deployment) -> None:
    (kept,) = world.keep([EVENT], just_now())
    event = example_event("analytics-records")
    event["headers"]["authorization"] = f"Bearer {deployment.staff_key(Role.ADMIN)}"
    assert [row["id"] for row in Client(function).send(event).body["items"]] == [kept.id]


def test_an_unknown_route_is_a_problem_and_the_dialect_has_its_own_words(ask: Ask) -> None:
    answer = ask("/nothing", **PRODUCTION)
    assert (answer.status, answer.body["type"]) == (404, "/docs#problem-not-found")
    assert "response" in Client(load_function("analytics")).get("/api/v1/telemetry").body


@pytest.mark.parametrize(
    "range_",
    [
        {"from": "2026-11-01", "to": "9999-12-31"},
        {"from": "0001-01-01T00:00:00+14:00", "to": "2026-11-01"},
        {"from": "2026-11-01", "to": "9999-12-31T23:59:59-12:00"},
    ],
)
def test_the_ends_of_the_calendar_are_no_window(ask: Ask, range_: dict[str, str]) -> None:
    for path in ("/records", "/overview"):
        assert ask(path, **PRODUCTION, **range_).status == 422, path
