"""What finance comes to the page for: a month's users, final, and the file for it."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from local.demo_history import DESKTOP
from tests.browser.clicks import Person
from tests.browser.conftest import OpenPage
from tests.browser.paper import check_paper, print_out
from tests.browser.reading import last_final, numbered_rows, reported
from tests.browser.screen import PHONE, axe, overflow, panel, until
from tests.local_service import LocalService

Json = Any


@pytest.mark.slow
def test_last_months_users_of_a_product_and_the_file_for_them(open_demo: OpenPage, demo: LocalService) -> None:
    page, person, month = open_demo("", key="viewer_key"), Person(), last_final(demo)
    person.click(page.get_by_role("link", name="Billing"))
    person.chooses("Orbit Desktop", page.get_by_role("combobox", name="Product"))
    found = reported(demo, "active-users", application=DESKTOP, month=month)
    statement = panel(page, "month")
    expect(statement.locator("[data-stat=users]")).to_have_text(f"{found['users']:,}")
    expect(statement).to_contain_text("final")
    expect(statement.locator("[data-stat=digest]")).to_have_text(found["digest"])
    (row,) = person.takes(page, statement.get_by_role("button", name="CSV"))
    assert person.acts == 3
    assert (row["application"], row["users"], row["digest"]) == (DESKTOP, str(found["users"]), found["digest"])
    assert found["users"] > 0


@pytest.mark.slow
def test_every_number_is_that_of_a_report(open_demo: OpenPage, demo: LocalService) -> None:
    page, month = open_demo(f"?view=billing&product={DESKTOP}", key="viewer_key"), last_final(demo)
    closed = reported(demo, "applications")["closed_through"]
    first = f"{int(closed[:4]) - (closed[5:7] != '12')}-{int(closed[5:7]) % 12 + 1:02}"
    asked = {"application": DESKTOP, "from": first, "to": closed[:7]}
    months = reported(demo, "months", **asked)["rows"]
    told = ("users", "new", "returning", "back", "lost", "records")
    expected = [(row["month"], {name: row[name] for name in told if row[name] is not None}) for row in months]
    expect(panel(page, "year").locator("[data-month]")).to_have_count(12)
    assert list(numbered_rows(page, "year", "month")) == expected[::-1]
    assert all(row["users"] for row in months)  # a year is not empty

    page.get_by_role("button", name="Month before").click()
    before = months[[row["month"] for row in months].index(month) - 1]
    expect(panel(page, "month").locator("[data-stat=users]")).to_have_text(f"{before['users']:,}")
    until(page, lambda: f"month={before['month']}" in page.url)
    days = reported(demo, "daily", application=DESKTOP, **{"from": f"{before['month']}-01", "to": before["through"]})
    expect(panel(page, "days").locator("[data-day]")).to_have_count(len(days["rows"]))
    assert list(numbered_rows(page, "days", "day")) == [
        (day["day"], {name: day[name] for name in ("users", "users_30", "all_users", "devices", "records", "flagged")})
        for day in days["rows"]
    ]
    table = Person().takes(page, panel(page, "days").get_by_role("button", name="CSV"))
    assert [row["digest"] for row in table] == [day["digest"] for day in days["rows"]]
    page.go_back()
    expect(panel(page, "month")).to_contain_text("final")
    expect(page.get_by_label("Month (UTC)")).to_have_value(month)


@pytest.mark.slow
def test_the_latest_month_says_how_far_it_is(open_demo: OpenPage, demo: LocalService) -> None:
    closed = reported(demo, "applications")["closed_through"]
    is_over = last_final(demo) == closed[:7]
    page = open_demo(f"?view=billing&month={closed[:7]}", key="viewer_key")
    expect(panel(page, "month")).to_contain_text("final" if is_over else "so far")
    (row,) = Person().takes(page, panel(page, "month").get_by_role("button", name="CSV"))
    expect(panel(page, "month").locator("[data-stat=users]")).to_have_text(f"{int(row['users']):,}")
    assert row["as_of"] == closed


@pytest.mark.slow
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE["width"], 1440])
def test_it_fits_and_is_accessible(open_demo: OpenPage, width: int, color_scheme: str) -> None:
    page = open_demo("?view=billing", viewport={"width": width, "height": 900}, color_scheme=color_scheme)
    expect(panel(page, "days").locator("[data-day]").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    assert axe(page) == []
    assert overflow(page) == 0


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_prints(open_demo: OpenPage, demo: LocalService, scheme: str) -> None:
    page = open_demo("?view=billing", key="viewer_key", color_scheme=scheme, viewport={"width": 1900, "height": 900})
    expect(panel(page, "days").locator("[data-day]").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    print_out(page, scheme)
    expect(page.locator(".printed")).to_have_text("Billing · production")
    for name in ("month", "year", "days"):
        expect(panel(page, name)).to_be_visible()
    expect(panel(page, "month").locator("[data-stat=digest]")).to_be_visible()
    expect(page.get_by_label("Month (UTC)")).to_have_value(last_final(demo))
    check_paper(page)


def report(path: str) -> re.Pattern[str]:
    return re.compile(rf"/api/v1/reports/{path}\b")


@pytest.mark.slow
def test_before_anything_is_closed(open_page: OpenPage) -> None:
    page = open_page("?view=billing&environment=staging", key="viewer_key")
    expect(panel(page, "billing")).to_contain_text("No day of staging is closed yet.")
    assert axe(page) == []


def test_what_fails_says_so_and_can_be_tried_again(open_page: OpenPage, troubles: list[str]) -> None:
    page = open_page(key="viewer_key")
    problem = {"title": "Unavailable", "detail": "Please try again.", "request_id": "JKJaXmPLvHcESHA="}
    applications = {"environment": "production", "closed_through": "2026-11-20", "items": [
        {"application": "*", "name": "All applications", "registered": True},
    ]}  # fmt: skip
    page.route(report("applications"), lambda route: route.fulfill(json=applications))
    page.route(report(r"(months|daily|active-users)"), lambda route: route.fulfill(status=503, json=problem))
    page.goto("/admin/telemetry?view=billing&month=2026-10")
    for name in ("month", "year", "days"):
        expect(panel(page, name).get_by_role("alert")).to_contain_text("Please try again.")
        expect(panel(page, name).get_by_role("button", name="Try again")).to_be_visible()
    panel(page, "days").get_by_role("button", name="CSV").click()
    expect(page.get_by_role("dialog", name="No file")).to_contain_text("Please try again.")
    troubles.clear()  # what the browser says of each 503


@pytest.mark.parametrize(
    ("month", "said"), [("2026-13", "a month that does not exist: 2026-13"), ("2027-01", "No day of January 2027")]
)
def test_months_of_which_there_is_nothing(open_page: OpenPage, month: str, said: str) -> None:
    page = open_page(key="viewer_key")
    applications = {"environment": "production", "closed_through": "2026-11-20", "items": []}
    page.route(report("applications"), lambda route: route.fulfill(json=applications))
    page.goto(f"/admin/telemetry?view=billing&month={month}")
    expect(panel(page, "billing")).to_contain_text(said)
    expect(panel(page, "billing").get_by_role("link")).to_have_text("October 2026")
