"""The routes about developers and companies: who may ask, what is answered, and where pages and files end."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.domain.profiles.ids import id_of
from telemetry.services import record_export
from telemetry.services.profiles import export
from telemetry.wiring.analytics import AnalyticsWiring
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment
from tests.worlds.profiles import ACME, DAY, FILE, HandMadeProfiles, closed, company, company_card, fingerprint

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ANN = id_of(fingerprint(1))
LISTS = ("companies", "developers")
DETAILS = ("companies/acme.com", f"developers/{ANN}")
EXPORTS = ("companies/export", "developers/export")


class World:
    """One deployment in which acme-cli has profiles, made by hand for each environment."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.readers = {each: HandMadeProfiles() for each in Environment}
        self.function = load_function("analytics", FakeClock(NOW))
        self.keys = {role: deployment.staff_key(role) for role in (Role.VIEWER, Role.ADMIN)}

    def answered(self, path: str, key: str | None = None, **query: str) -> Answer:
        """An admin asks of acme-cli in production, unless told."""
        client = Client(self.function, bearer(key or self.keys[Role.ADMIN]), "/api/v1/analytics/")
        return client.get(path, {"environment": "production", "product": "acme-cli", **query})

    def given(self, path: str, **query: str) -> dict[str, Any]:
        answer = self.answered(path, **query)
        assert answer.status == 200, answer.text
        body: dict[str, Any] = answer.body
        return body

    def refused(self, path: str, **query: str) -> tuple[int, list[str]]:
        """The status, and the wrong fields."""
        answer = self.answered(path, **query)
        return answer.status, [each["field"] for each in answer.body.get("errors", ())]


@pytest.fixture
def world(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(deployment)
    of_registry = AnalyticsWiring.product

    def product(wiring: AnalyticsWiring, id_: str) -> Product | None:
        found = of_registry(wiring, id_)
        return replace(found, profiles=True) if found and id_ == "acme-cli" else found

    monkeypatch.setattr(AnalyticsWiring, "product", product)
    monkeypatch.setattr(AnalyticsWiring, "profiles", lambda _, environment: made.readers[environment])
    return made


def ids(body: dict[str, Any]) -> list[str]:
    return [each["name"] for each in body["items"]]


# ── lists


def test_companies(world: World) -> None:
    body = world.given("companies")
    assert {
        name: body[name] for name in ("environment", "product", "profiles", "order", "listed", "total", "next")
    } == {
        "environment": "production",
        "product": "acme-cli",
        "profiles": True,
        "order": "active",
        "listed": 1_000,
        "total": 3,
        "next": None,
    }
    assert (body["closed_day"], body["closed_at"]) == ("2026-11-20", "2026-11-21T00:50:00.000Z")
    assert (body["view"], body["network_file"], body["missing"]) == (0, FILE, None)
    assert [each["id"] for each in body["items"]] == ["acme.com", "globex.co.uk", "~o:acme inc"]
    assert body["items"][0] == {
        "id": "acme.com",
        "name": "acme.com",
        "source": "domain",
        "confidence": 3,
        "developers": 3,
        "developers_before": 1,
        "activity": {
            "first_day": "2026-09-01",
            "last_day": "2026-11-20",
            "active_days": 3,
            "active_days_before": 1,
            "uses": {
                "total": 13,
                "primary": 10,
                "secondary": 2,
                "unclassified": 1,
                "activities": [
                    {"activity_type": "primary", "label": "Ran a build", "level": "primary", "uses": 10},
                    {"activity_type": "secondary1", "label": "Opened the docs", "level": "secondary", "uses": 2},
                    {"activity_type": "x", "label": None, "level": "unclassified", "uses": 1},
                ],
            },
            "weeks": [0] * 12 + [13],
        },
        "countries": ["DE", "GB"],
        "active_today": True,
        "new_today": False,
    }
    (new,) = body["new"]
    assert (new["id"], new["developers"], new["activity"], new["active_today"]) == ("new.example", None, None, True)
    assert new["new_today"]


def test_developers(world: World) -> None:
    body = world.given("developers")
    ann, bob, nobody = body["items"]
    assert (ann["id"], ann["name"], ann["id_type"], ann["company"]["id"]) == (ANN, "ann@acme.com", "EMAIL", "acme.com")
    assert (bob["carried"], bob["activity"]["active_days"]) == (True, 7)
    assert (nobody["name"], nobody["company"]) == (None, None)
    assert [each["name"] for each in body["new"]] == ["new@new.example"]


def test_totals_are_those_of_the_closed_day(world: World) -> None:
    totals = world.given("companies")["totals"]
    assert (totals["developers"], totals["companies"]) == (5, 3)
    levels = ("total", "primary", "secondary", "unclassified")
    assert [totals["uses"][level] for level in levels] == [50, 40, 8, 2]
    assert [totals["unattributed"][level] for level in levels] == [1, 0, 0, 1]


def test_orders(world: World) -> None:
    assert [each["id"] for each in world.given("companies", order="growing")["items"]] == ["acme.com", "~o:acme inc"]
    assert world.given("companies", order="quiet")["items"] == []
    assert world.refused("companies", order="loud") == (422, ["order"])


@pytest.mark.parametrize("list_", LISTS)
def test_pages_go_on_exactly_and_end(world: World, list_: str) -> None:
    whole = world.given(list_)
    first = world.answered(list_, limit="2")
    assert first.body["items"] == whole["items"][:2]
    assert first.next
    assert first.next["cursor"] == first.body["next"]
    second = world.given(list_, limit="2", cursor=first.body["next"])
    assert (second["items"], second["new"], second["next"]) == (whole["items"][2:], [], None)


def test_a_cursor_is_good_for_its_list_alone(world: World) -> None:
    cursor = world.given("companies", limit="1")["next"]
    for path, query in (
        ("companies", {"order": "new"}),
        ("companies", {"environment": "staging"}),
        ("companies", {"view": "1"}),
        ("companies", {"name": "acme"}),
        ("developers", {}),
        ("companies/export", {"format": "csv"}),
    ):
        assert world.refused(path, cursor=cursor, **query)[0] == 400, (path, query)
    assert world.refused("companies", cursor=cursor[:-2] + "AA")[0] == 400
    assert world.refused("companies", cursor="nonsense")[0] == 400


@pytest.mark.parametrize("changed", [closed(DAY + timedelta(days=1)), closed(view=1), None])
def test_a_list_that_is_made_anew_begins_anew(world: World, changed: Any) -> None:  # noqa: ANN401
    cursor = world.given("companies", limit="1")["next"]
    world.readers[Environment.PRODUCTION].day = changed
    assert world.refused("companies", limit="1", cursor=cursor)[0] == 400


@pytest.mark.parametrize(
    ("list_", "query", "found"),
    [
        ("companies", {"name": "ACM"}, ["acme.com", "ACME, Inc."]),
        ("companies", {"name": "inc"}, ["ACME, Inc."]),
        ("companies", {"name": "co.u"}, ["globex.co.uk"]),
        ("companies", {"name": "lobex"}, []),
        ("companies", {"country": "gb"}, ["acme.com", "globex.co.uk"]),
        ("companies", {"country": "GB", "name": "glo"}, ["globex.co.uk"]),
        ("developers", {"name": "act"}, ["bob.acton@globex.co.uk"]),
        ("developers", {"company": "acme.com"}, ["ann@acme.com"]),
        ("developers", {"company": "acme.com", "name": "bob"}, []),
        ("developers", {"company": "nobody.example"}, []),
    ],
)
def test_filters(world: World, list_: str, query: dict[str, str], found: list[str]) -> None:
    body = world.given(list_, **query)
    assert (ids(body), body["total"], body["new"]) == (found, len(found), [])
    assert all(each["active_today"] is None for each in body["items"])


def test_what_a_filter_finds_comes_in_pages_too(world: World) -> None:
    first = world.given("companies", name="acme", limit="1")
    second = world.given("companies", name="acme", limit="1", cursor=first["next"])
    assert (ids(first), ids(second), second["next"], second["total"]) == (["acme.com"], ["ACME, Inc."], None, 2)


@pytest.mark.parametrize("list_", LISTS)
@pytest.mark.parametrize("query", [{}, {"name": "acme"}])
def test_before_the_first_closed_day_there_is_nobody_but_who_came_today(
    world: World, list_: str, query: dict[str, str]
) -> None:
    world.readers[Environment.PRODUCTION].day = None
    body = world.given(list_, **query)
    assert [body[name] for name in ("closed_day", "view", "network_file", "missing", "listed", "totals")] == [None] * 6
    assert (body["profiles"], body["items"], body["total"], len(body["new"])) == (True, [], 0, 0 if query else 1)


def test_without_a_network_file_it_is_told_what_is_missing(world: World) -> None:
    world.readers[Environment.PRODUCTION].day = closed(network_file=None)
    body = world.given("companies")
    assert (body["network_file"], body["missing"].split(",")[0]) == (None, "There was no network file")


def test_a_view_is_asked_for_by_its_number(world: World) -> None:
    for path in (*LISTS, *DETAILS):
        world.given(path, view="3")
    for path in EXPORTS:
        answer = world.answered(path, view="3", format="csv")
        assert (answer.status, answer.headers["profiles-view"]) == (200, "3")
    for path in LISTS:
        assert world.given(path, view="3", key=world.keys[Role.VIEWER])["view"] == 3
    assert set(world.readers[Environment.PRODUCTION].asked) >= {3}
    assert world.refused("companies", view="-1") == (422, ["view"])


# ── products and environments


@pytest.mark.parametrize("product", ["acme-desktop", "nothing", "~unknown"])
def test_of_a_product_without_profiles_there_is_nobody(world: World, product: str) -> None:
    for list_ in LISTS:
        for role in world.keys.values():
            body = world.given(list_, product=product, key=role)
            assert (body["profiles"], body["items"], body["new"], body["totals"]) == (False, [], [], None)
    for path in DETAILS:
        assert world.refused(path, product=product)[0] == 404
    for path in EXPORTS:
        file = world.answered(path, product=product, format="csv")
        assert (file.headers["export-rows"], file.text.count("\n")) == ("0", 1)


def test_a_product_must_be_named(world: World) -> None:
    client = Client(world.function, bearer(world.keys[Role.ADMIN]), "/api/v1/analytics/")
    for path in (*LISTS, *DETAILS, *EXPORTS):
        answer = client.get(
            path, {"environment": "production", "format": "csv"} if path in EXPORTS else {"environment": "production"}
        )
        assert (answer.status, [each["field"] for each in answer.body["errors"]]) == (422, ["product"])


def test_environments_are_apart(world: World) -> None:
    world.readers[Environment.STAGING].companies_ = [company_card(company("staged.example"))]
    assert ids(world.given("companies", environment="staging")) == ["staged.example"]
    assert "staged.example" not in ids(world.given("companies"))
    assert world.refused("companies/staged.example")[0] == 404
    key = world.deployment.staff_key(Role.ADMIN, Environment.STAGING)
    for path in (*LISTS, *DETAILS, *EXPORTS):
        assert world.answered(path, key=key).status == 403


# ── roles


@pytest.mark.parametrize("list_", LISTS)
def test_a_viewer_gets_totals_and_no_names(world: World, list_: str) -> None:
    key = world.keys[Role.VIEWER]
    body = world.given(list_, key=key)
    whole = world.given(list_)
    assert body == whole | {"items": [], "new": [], "total": None, "next": None}
    assert not {"acme.com", "ann@acme.com", ANN} & set(json.dumps(body).split('"'))
    for query in ({"name": "acme"}, {"cursor": "x"}, {"country": "DE"} if list_ == "companies" else {"company": "a.b"}):
        assert world.answered(list_, key=key, **query).status == 403


def test_details_and_files_are_for_admins(world: World) -> None:
    for path in (*DETAILS, *EXPORTS):
        assert world.answered(path, key=world.keys[Role.VIEWER]).status == 403
        client = Client(world.function, {}, "/api/v1/analytics/")
        assert client.get(path, {"environment": "production", "product": "acme-cli"}).status == 401


# ── one of them


def test_a_company(world: World) -> None:
    body = world.given("companies/acme.com")
    assert (body["company"]["id"], body["developers"], body["countries"]) == ("acme.com", 3, ["DE", "GB"])
    assert (body["first_day"], body["last_day"], body["active_today"]) == ("2026-09-01", "2026-11-20", True)
    (at,) = body["items"]
    assert (at["developer"]["name"], at["uses"]["total"], at["versions"]) == ("ann@acme.com", 120, ["2.0"])
    assert (body["anonymous"]["developer"], body["anonymous"]["uses"]["primary"]) == (None, 7)


def test_a_company_by_its_name(world: World) -> None:
    """API Gateway hands paths over decoded."""
    assert world.given("companies/~o:acme inc")["company"]["name"] == "ACME, Inc."
    assert world.refused("companies/~o:nobody")[0] == 404


def test_a_companys_developers_come_in_pages(world: World) -> None:
    reader = world.readers[Environment.PRODUCTION]
    reader.developers_ = [replace(each, company=ACME) for each in reader.developers_]
    first = world.answered("companies/acme.com", limit="2")
    assert len(first.body["items"]) == 2
    assert first.next
    second = world.given("companies/acme.com", limit="2", cursor=first.body["next"])
    assert ([each["developer"]["id"] for each in second["items"]], second["next"]) == ([id_of(fingerprint(3))], None)
    assert world.refused("companies/globex.co.uk", limit="2", cursor=first.body["next"])[0] == 400


def test_a_developer(world: World) -> None:
    body = world.given(f"developers/{ANN}")
    assert (body["id"], body["name"], body["company"]["id"], body["carried"]) == (
        ANN,
        "ann@acme.com",
        "acme.com",
        False,
    )
    assert (body["shared_devices"], body["forgotten"], body["active_today"]) == (1, False, True)
    assert body["links"] == [
        {
            "id": id_of(fingerprint(2)),
            "name": "bob",
            "id_type": "GITHUB",
            "device": id_of(b"d" * 16),
            "seen_on": "2026-11-20",
            "undone": False,
        }
    ]
    assert [each["company"]["id"] for each in body["at"]] == ["acme.com"]


@pytest.mark.parametrize("id_", [id_of(fingerprint(77)), "x", f"{ANN}=", f"{ANN[:-1]}B", "a" * 23, "ann@acme.com"])
def test_what_is_no_developer_is_not_found(world: World, id_: str) -> None:
    assert world.refused(f"developers/{quote(id_, safe='@=')}")[0] == 404


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("companies", {"limit": "101"}, "limit"),
        ("companies", {"limit": "0"}, "limit"),
        ("companies", {"country": "Germany"}, "country"),
        ("companies", {"company": "acme.com"}, "company"),
        ("companies", {"range": "7d"}, "range"),
        ("companies", {"name": " "}, "name"),
        ("developers", {"country": "DE"}, "country"),
        ("companies/export", {}, "format"),
        ("companies/export", {"format": "xml"}, "format"),
        ("companies/export", {"format": "csv", "order": "new"}, "order"),
        (f"developers/{ANN}", {"limit": "5"}, "limit"),
    ],
)
def test_bad_parameters_are_named(world: World, path: str, query: dict[str, str], field: str) -> None:
    assert world.refused(path, **query) == (422, [field])


# ── files


def test_a_file_of_companies(world: World) -> None:
    answer = world.answered("companies/export", format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="companies-production.csv"'
    assert (answer.headers["closed-day"], answer.headers["profiles-view"]) == ("2026-11-20", "0")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == ["acme.com", "globex.co.uk", "~o:acme inc"]
    assert {name: rows[0][name] for name in ("developers", "countries", "uses", "uses_primary", "weeks")} == {
        "developers": "3",
        "countries": "DE GB",
        "uses": "13",
        "uses_primary": "10",
        "weeks": " ".join(["0"] * 12 + ["13"]),
    }


def test_a_file_of_developers(world: World) -> None:
    rows = list(csv.DictReader(io.StringIO(world.answered("developers/export", format="csv").text)))
    told = [(row["name"], row["company_id"], row["company_confidence"], row["carried"]) for row in rows]
    assert told == [
        ("ann@acme.com", "acme.com", "3", "false"),
        ("bob.acton@globex.co.uk", "globex.co.uk", "3", "true"),
        ("", "", "", "false"),
    ]


@pytest.mark.parametrize("path", EXPORTS)
def test_lines_of_json_are_what_lists_have(world: World, path: str) -> None:
    lines = [json.loads(line) for line in world.answered(path, format="ndjson").text.splitlines()]
    items = world.given(path.partition("/")[0])["items"]
    assert lines == [each | {"active_today": None} for each in items]


def test_a_filter_narrows_a_file(world: World) -> None:
    text = world.answered("companies/export", format="csv", country="DE").text
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == ["acme.com"]


def test_names_are_no_formulas(world: World) -> None:
    reader = world.readers[Environment.PRODUCTION]
    reader.companies_ = [company_card(company("~o:x", "=1+1\n@x"))]
    (row,) = csv.DictReader(io.StringIO(world.answered("companies/export", format="csv").text))
    assert row["name"] == "'=1+1\\n@x"


@pytest.mark.parametrize("path", EXPORTS)
@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_the_last_page_says_how_many_rows_there_are_and_their_digest(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str, format_: str
) -> None:
    whole = world.answered(path, format=format_)
    monkeypatch.setattr(export, "MOST_ROWS", 2)
    first = world.answered(path, format=format_)
    assert "export-rows" not in first.headers
    assert first.next
    last = world.answered(path, **first.next)
    assert first.text + last.text == whole.text
    assert last.next is None
    digest = bytes(32)
    for line in whole.content.splitlines(keepends=True):
        digest = hashlib.sha256(digest + line).digest()
    assert (last.headers["export-rows"], last.headers["export-sha-256"]) == ("3", digest.hex())
    assert last.headers["export-sha-256"] == whole.headers["export-sha-256"]
    world.readers[Environment.PRODUCTION].day = closed(DAY + timedelta(days=1))
    assert world.answered(path, **first.next).status == 400


def test_the_audit_log_notes_a_file_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 2)
    first = world.answered("developers/export", format="csv", company="acme.com")
    assert first.status == 200
    second = world.answered("companies/export", format="csv")
    assert second.next
    world.answered("companies/export", **second.next)
    logs = Client(world.function, bearer(world.keys[Role.ADMIN]), "/api/v1/analytics/")
    exports = logs.get("system-logs", {"environment": "production"}).body["exports"]
    noted = {each["action"]: each["after"] for each in exports}
    assert noted == {
        "developers.export": {"product": "acme-cli", "company": "acme.com", "format": "csv"},
        "companies.export": {"product": "acme-cli", "format": "csv"},
    }
    assert len(exports) == 2


def test_a_page_stays_within_what_lambda_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_BYTES", 10)
    assert record_export.MOST_BYTES < 6 * 1024 * 1024
    pages, query = 1, world.answered("companies/export", format="csv").next
    while query:
        pages, query = pages + 1, world.answered("companies/export", **query).next
    assert pages == 3


def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    tag = world.answered("companies").headers["etag"]
    client: Callable[..., Answer] = Client(world.function, bearer(world.keys[Role.ADMIN])).get
    again = client(
        "/api/v1/analytics/companies", {"environment": "production", "product": "acme-cli"}, if_none_match=tag
    )
    assert again.status == 304
