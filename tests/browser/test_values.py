"""What products send, as staff see it: on answers that are made up, and on the demo against a recount of its export."""

import csv
import io
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from local.demo_history import DESKTOP
from tests.browser.answers import Analytics, at
from tests.browser.clicks import Person
from tests.browser.conftest import OpenPage
from tests.browser.reading import asked, bucket_ends, cells, file_of
from tests.browser.screen import PHONE, axe, overflow, panel
from tests.local_service import LocalService
from tests.recount_values import NUMBER, PAIR, TEXT, Recount, check_series, recounts

Json = Any

LONG = "a-group-whose-name-goes-on-and-on-" * 8
STATS = {"values": 310, "min": -12.5, "mean": 640.25, "p50": 611.7, "p95": 1_180.4, "max": 2.5e12, "error": 1 / 65}
DAYS = [at(days=4 - number)[:10] for number in range(5)]
STARTS = [f"{day}T00:00:00.000Z" for day in DAYS]


def answer(*series: Json, group: str | None = "startup-ms", **more: Json) -> Json:
    """Five days: one of them is incomplete, the last is open."""
    day = {"closed": True, "records": 600, "unread": 0, "missing": 0, "complete": True, "digest": "ab" * 32}
    days = [{"day": name, **day} for name in DAYS]
    days[1] |= {"missing": 3, "unread": 1, "complete": False}
    days[-1] |= {"closed": False, "missing": None, "complete": None, "digest": None}
    groups = [("startup-ms", NUMBER), ("size", PAIR), ("gpu", TEXT), (LONG, TEXT), ("~other", NUMBER)]
    return {
        "environment": "production",
        "product": DESKTOP,
        "from": STARTS[0],
        "to": at(days=-1)[:10] + "T00:00:00.000Z",
        "bucket": "day",
        "as_of": at(),
        "groups": [
            {"group": name, "type": type_, "values": 310, "versions": 2, "last_seen": at(minutes=5)}
            for name, type_ in groups
        ],
        "group": group,
        "version": None,
        "series": list(series),
        "days": days,
        **more,
    }


def numbers() -> Json:
    buckets = [{"start": start, "closed": start != STARTS[-1], "stats": STATS} for start in STARTS]
    buckets[2]["stats"] = None
    versions = [{"version": name, **STATS} for name in ("5.0.1", LONG[:64], "~unknown", "~other")]
    return {"type": NUMBER, "total": STATS, "buckets": buckets, "versions": versions}


def pairs() -> Json:
    stats = {"values": 7, "x": {"min": -1.5, "max": 1_920}, "y": {"min": 3, "max": 3}}
    return {
        "type": PAIR,
        "total": stats,
        "latest": {"x": 1_280, "y": 3, "received_at": at(minutes=5)},
        "buckets": [{"start": start, "closed": True, "stats": stats} for start in STARTS],
        "versions": [{"version": "5.0.1", **stats}],
    }


def texts(*, told: bool = True) -> Json:
    counts = [{"text": name, "values": values} for name, values in (("NVIDIA", 6), ("<b>x</b>", 3), ("~other", 1))]
    return {
        "type": TEXT,
        "values": 10,
        "texts": counts if told else None,
        "buckets": [{"start": start, "closed": True, "values": 2} for start in STARTS],
        "versions": [{"version": "5.0.1", "values": 10}],
    }


def test_from_the_groups_to_one_and_back(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["values"] = answer(group=None)
    page = open_page("?view=values&range=7d")
    panel(page, "values").get_by_role("link", name="Orbit Desktop").click()
    assert [row[:3] for row in cells(page, "values")][:2] == [
        ["startup-ms", "numbers", "310"],
        ["size", "pairs", "310"],
    ]
    expect(panel(page, "values")).to_contain_text("other groups")
    analytics.given["values"] = answer(numbers())
    page.get_by_role("link", name="startup-ms").click()
    expect(page.get_by_role("heading", name="startup-ms")).to_be_visible()
    assert [query.get("group") for query in analytics.asked_for("values")][-1] == "startup-ms"
    page.go_back()
    expect(panel(page, "values")).to_be_visible()
    page.go_forward()
    page.get_by_role("button", name="5.0.1").click()
    expect(page).to_have_url(re.compile("version=5.0.1"))
    assert analytics.asked_for("values")[-1]["version"] == "5.0.1"


def test_a_link_to_a_group_waits_for_its_product(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["values"] = answer(numbers())
    page = open_page("?view=values&group=startup-ms")
    panel(page, "values").get_by_role("link", name="Orbit Desktop").click()
    expect(page.get_by_role("heading", name="startup-ms")).to_be_visible()
    asked = analytics.asked_for("values")
    assert [(query["product"], query["group"]) for query in asked] == [(DESKTOP, "startup-ms")]


def test_numbers_say_what_they_are_worth(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["values"] = answer(numbers())
    page = open_page(f"?view=values&range=7d&product={DESKTOP}&group=startup-ms")
    card = panel(page, "number-stats")
    expect(card.locator("[data-stat=p95]")).to_have_text("1,180.4")
    expect(card.locator("[data-stat=min]")).to_have_text("-12.5")
    expect(card.locator("[data-stat=max]")).to_have_text("2.5E12")
    expect(card.get_by_text("± 1.6%")).to_have_count(2)
    versions = cells(page, "value-versions")
    assert versions[0] == ["5.0.1", "310", "1,180.4", "611.7", "± 1.6%", "640.25", "-12.5", "2.5E12"]
    assert [each[0] for each in versions[2:]] == ["no version", "other versions"]
    course = panel(page, "number-course")
    course.get_by_role("radio", name="Table").check()
    told = cells(page, "number-course")
    assert [row[0].split()[1:] for row in told] == [["so", "far"], [], [], ["incomplete"], []]
    assert told[2][1:] == ["–", "–", "–"]
    missing = f"Incomplete on 1 day, in records: {DAYS[1]} (3 not looked at, 1 without a body at hand)."
    expect(panel(page, "value-group")).to_contain_text(missing)


def test_pairs_and_texts(open_page: OpenPage, analytics: Analytics) -> None:
    """A group may have values of several types; a viewer is not told texts."""
    analytics.given["values"] = answer(pairs(), texts())
    page = open_page(f"?view=values&range=7d&product={DESKTOP}&group=both")
    card = panel(page, "pair-stats")
    expect(card.locator("[data-stat=x]")).to_have_text("-1.5 to 1,920")
    expect(card.locator("[data-stat=y]")).to_have_text("3")
    expect(card.locator("[data-stat=latest]")).to_have_text("1,280 and 3")
    assert cells(page, "texts") == [
        ["NVIDIA", "6", "60.0%"], ["<b>x</b>", "3", "30.0%"], ["all others", "1", "10.0%"],
    ]  # fmt: skip
    analytics.given["values"] = answer(texts(told=False))
    page = open_page(f"?view=values&range=7d&product={DESKTOP}&group=gpu", key="viewer_key")
    expect(panel(page, "texts")).to_contain_text("only an admin is told")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("viewport", [PHONE, pytest.param({"width": 1440, "height": 900}, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_anyone_can_use_it_at_any_width(
    open_page: OpenPage, analytics: Analytics, scheme: str, viewport: dict[str, int]
) -> None:
    page = open_page(color_scheme=scheme, viewport=viewport)
    for given, query in (
        (answer(group=None), ""),
        (answer(numbers(), pairs(), texts(), group=LONG), f"&group={LONG}"),
        (answer(group="none"), "&group=none"),
        (answer(group=None, groups=[]), ""),
    ):
        analytics.given["values"] = given
        page.goto(f"/admin/telemetry?view=values&range=7d&product={DESKTOP}{query}")
        expect(page.locator("[data-panel=values], [data-panel=value-group]").first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert overflow(page) == 0
        assert axe(page) == []


def test_a_failure_is_told_and_tried_again(open_page: OpenPage, analytics: Analytics, troubles: list[str]) -> None:
    analytics.given["values"] = 503
    page = open_page(f"?view=values&product={DESKTOP}")
    expect(page.get_by_role("alert")).to_contain_text("Unavailable")
    analytics.given["values"] = answer(group=None)
    page.get_by_role("button", name="Try again").click()
    expect(panel(page, "values")).to_contain_text("startup-ms")
    troubles[:] = [each for each in troubles if "503" not in each]


# ── the demo


def recounted(demo: LocalService) -> dict[tuple[str, str], Recount]:
    """All values of the last thirty days, from the file that the service exports."""
    text = file_of(demo, "export", format="csv", range="30d")
    return recounts(csv.DictReader(io.StringIO(text, newline="")), DESKTOP)


@pytest.mark.slow
def test_the_p95_of_a_number_by_version(open_demo: OpenPage, demo: LocalService) -> None:
    page, person = open_demo(), Person()
    person.click(page.get_by_role("link", name="Values"))
    person.click(panel(page, "values").get_by_role("link", name="Orbit Desktop"))
    person.click(page.get_by_role("link", name="startup-ms"))
    shown = {row[0]: row[2] for row in cells(page, "value-versions")}
    assert person.acts <= 4
    assert {"4.12.0", "5.0.0", "5.0.1"} <= shown.keys()
    told = asked(demo, "analytics/values", product=DESKTOP, range="30d", group="startup-ms")
    (series,) = told["series"]
    for each in series["versions"]:
        assert float(shown[each["version"]].replace(",", "")) == float(f"{each['p95']:.5g}")
    check_series(series, recounted(demo)["startup-ms", NUMBER], bucket_ends(series, told["to"]))
    # what the vendor would look for: the slow version, and the one that mended it
    means = {each["version"]: each["mean"] for each in series["versions"]}
    assert means["5.0.1"] < means["4.12.0"] < means["5.0.0"]


@pytest.mark.slow
def test_all_groups_of_the_demo_are_what_its_export_says(demo: LocalService) -> None:
    true = recounted(demo)
    listed = asked(demo, "analytics/values", product=DESKTOP, range="30d")
    assert {(each["group"], each["type"]): each["values"] for each in listed["groups"]} == {
        key: len(each.rows) for key, each in true.items()
    }
    assert {type_ for _, type_ in true} == {NUMBER, PAIR, TEXT}
    for group in {group for group, _ in true}:
        told = asked(demo, "analytics/values", product=DESKTOP, range="30d", group=group)
        for series in told["series"]:
            check_series(series, true[group, series["type"]], bucket_ends(series, told["to"]))
    assert all(day["complete"] for day in listed["days"] if day["closed"] and day["records"])
