"""Raw data of a random vendor, filtered: on the page, in files, and by hand."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.random_vendor.conftest import closed_through, days_from
from tests.browser.reading import file_of, query_of
from tests.browser.screen import panel
from tests.local_service import LocalService
from tests.recount_records import Received, Records
from tests.worlds.random_vendor import STRICT

pytestmark = pytest.mark.slow

FILTERS: dict[str, tuple[str, Callable[[Received], bool]]] = {
    "flag": ("CLOCK_SKEW", lambda one: "CLOCK_SKEW" in one.flags),
    "flagged": ("false", lambda one: not one.flags),
    "version": ("<b>4</b>", lambda one: one.version == "<b>4</b>"),
    "product": (STRICT, lambda one: bool(one.row["product"] == STRICT)),
    "hwid": ("DEVICE 1", lambda one: one.device == "device 1"),
    "user": ("User1@Mail.example", lambda one: one.event.user_id == "user1@mail.example"),
}
"""By name: what is asked for, and which records have it."""


def test_raw_data_is_what_an_export_has(open_vendor: OpenPage, vendor: LocalService, kept: Records) -> None:
    first, page = closed_through(vendor) - timedelta(days=4), open_vendor("?view=logs")
    days = days_from(first, first + timedelta(days=4))
    part = kept.on(first, first + timedelta(days=4))
    for name, (value, wanted) in FILTERS.items():
        true = part.where(wanted)
        page.goto(f"/admin/telemetry?{query_of({'view': 'records', name: value} | days)}")
        check_listed(page, true)
        rows = csv.DictReader(io.StringIO(file_of(vendor, "export", format="csv", **days, **{name: value}), newline=""))
        assert [row["id"].removeprefix("'") for row in rows] == [one.row["id"] for one in true]


def check_listed(page: Page, true: Records) -> None:
    expect(page.locator(".skeleton")).to_have_count(0)
    if not true.all:
        expect(panel(page, "records")).to_contain_text("0 records")
        return
    more, rows = page.get_by_role("button", name="Load older records"), panel(page, "records").locator("[data-record]")
    shown = min(50, len(true))
    expect(rows).to_have_count(shown)
    while shown < len(true):
        more.click()
        shown = min(shown + 50, len(true))
        expect(rows).to_have_count(shown)
    expect(panel(page, "records").locator("[data-stat=shown]")).to_contain_text(f"{shown:,} record")
    expect(panel(page, "records").locator("[data-stat=shown]")).to_contain_text("(all)")
    ids = rows.evaluate_all("rows => rows.map((row) => row.dataset.record)")
    assert ids == [one.row["id"] for one in true]
