"""What finance is shown of a random vendor: it is what the reports say, and what an export's recount gives."""

from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.clicks import Person
from tests.browser.conftest import OpenPage
from tests.browser.random_vendor.conftest import closed_through
from tests.browser.reading import numbered_rows, query_of, reported
from tests.browser.screen import opened, panel
from tests.local_service import LocalService
from tests.recount_records import Records
from tests.worlds.random_vendor import PLAIN, STRICT, USED

pytestmark = pytest.mark.slow

Json = Any

OF_MONTH = ("users", "new", "returning", "back", "lost", "records")
OF_DAY = ("users", "users_30", "all_users", "devices", "records", "flagged")


@pytest.mark.parametrize("scope", [None, PLAIN, STRICT, USED, "~unknown"])
def test_every_month_and_day(open_vendor: OpenPage, vendor: LocalService, kept: Records, scope: str | None) -> None:
    closed, application = closed_through(vendor), scope or "*"
    records = kept.of(scope).on(date.min, closed)
    page = open_vendor("?view=logs", key="viewer_key")
    for month in sorted({f"{day:%Y-%m}" for day in kept.days() if day <= closed}):
        query = {"view": "billing", "month": month} | ({"product": scope} if scope else {})
        page.goto(f"/admin/telemetry?{query_of(query)}")
        opened(page, "days")
        check_month(page, vendor, application, month, records)
        check_days(page, vendor, application, records)
    first = f"{closed.replace(day=1) - timedelta(days=330):%Y-%m}"
    months = reported(vendor, "months", application=application, **{"from": first, "to": f"{closed:%Y-%m}"})["rows"]
    expected = [(row["month"], {name: row[name] for name in OF_MONTH if row[name] is not None}) for row in months]
    assert list(numbered_rows(page, "year", "month"))[: len(expected)] == expected[::-1][:12]
    for row in months:
        assert {name: row[name] for name in OF_MONTH} == of_month(records, row["month"], is_final=row["final"])
        assert row["flagged"] == len(in_month(records, row["month"]).flagged)


def check_month(page: Page, vendor: LocalService, application: str, month: str, records: Records) -> None:
    statement = panel(page, "month")
    true = len(in_month(records, month).active("users"))
    expect(statement.locator("[data-stat=users]")).to_have_text(f"{true:,}")
    (row,) = Person().takes(page, statement.get_by_role("button", name="CSV"))
    assert (row["application"], row["users"]) == (application, str(true))
    if statement.locator(".badge.final").count():
        found = reported(vendor, "active-users", application=application, month=month)
        assert (found["users"], found["digest"]) == (true, row["digest"])


def check_days(page: Page, vendor: LocalService, application: str, records: Records) -> None:
    table = Person().takes(page, panel(page, "days").get_by_role("button", name="CSV"))
    window = {"from": table[0]["day"], "to": table[-1]["day"]}
    told = reported(vendor, "daily", application=application, **window)["rows"]
    expected = [(row["day"], {name: row[name] for name in OF_DAY}) for row in told]
    assert list(numbered_rows(page, "days", "day")) == expected
    assert [(row["day"], {name: int(row[name]) for name in OF_DAY}) for row in table] == expected
    for row in told:
        day = date.fromisoformat(row["day"])
        on = records.on(day, day)
        assert {name: row[name] for name in ("records", "flagged")} == {"records": len(on), "flagged": len(on.flagged)}
        for days, name in ((1, "users"), (7, "users_7"), (30, "users_30"), (90, "users_90"), (365, "users_365")):
            assert row[name] == records.active_over(day, days), (day, name)
        assert row["all_users"] == records.active_over(day, 1, "all_users")
        assert row["devices"] == records.active_over(day, 1, "devices")


def in_month(records: Records, month: str) -> Records:
    return records.where(lambda one: one.at.startswith(month))


def of_month(records: Records, month: str, *, is_final: bool) -> dict[str, int | None]:
    """Users are new who were not there in any month before: that is less than eleven months ago."""
    first = date.fromisoformat(f"{month}-01")
    last_month = f"{first - timedelta(days=1):%Y-%m}"
    now, last = (in_month(records, each).active("users") for each in (month, last_month))
    ever = records.on(date.min, first - timedelta(days=1)).active("users")
    return {
        "users": len(now),
        "new": len(now - ever),
        "returning": len(now & last),
        "back": len(now & ever - last),
        "lost": len(last - now) if is_final else None,
        "records": len(in_month(records, month)),
    }
