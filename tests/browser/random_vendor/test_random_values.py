"""What a random vendor's products say: as it is shown, answered, and counted from an export."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import OpenPage
from tests.browser.random_vendor.conftest import closed_through, days_from
from tests.browser.reading import asked, bucket_ends, cells, query_of
from tests.browser.screen import opened, panel
from tests.local_service import LocalService
from tests.recount_records import Records
from tests.recount_values import NUMBER, OTHER, PAIR, TEXT, Recount, check_bounded, check_series
from tests.worlds.random_vendor import DAYS, LATE, PLAIN, STRICT, USED

pytestmark = pytest.mark.slow

Json = Any

NAMES = {NUMBER: "numbers", PAIR: "pairs", TEXT: "texts"}
SHOWN = ("startup-ms", "mixed", "mood", "<b>bold</b>")
"""Groups that are opened on the page; of the others only the answers are compared."""


@pytest.mark.parametrize(("product", "range_"), [(PLAIN, "30d"), (STRICT, "30d"), (USED, "30d"), (STRICT, "7d")])
def test_values(open_vendor: OpenPage, vendor: LocalService, kept: Records, product: str, range_: str) -> None:
    page = open_vendor(f"?{query_of({'view': 'values', 'product': product, 'range': range_})}")
    opened(page, "values")
    listed = asked(vendor, "analytics/values", product=product, range=range_)
    true = kept.of(product).within(listed["from"], listed["to"]).values()
    told = {(each["group"], each["type"]): each["values"] for each in listed["groups"]}
    check_groups(told, true)
    assert [row[1:4] for row in cells(page, "values")] == [
        [NAMES[each["type"]], f"{each['values']:,}", f"{each['versions']:,}"] for each in listed["groups"]
    ]
    for group in {group for group, _ in told} - {OTHER}:
        answer = asked(vendor, "analytics/values", product=product, range=range_, group=group)
        for series in answer["series"]:
            recount = true[group, series["type"]]
            if told[group, series["type"]] == len(recount.rows):
                check_series(series, recount, bucket_ends(series, answer["to"]))
        if group in SHOWN:
            page.goto(
                f"/admin/telemetry?{query_of({'view': 'values', 'product': product, 'range': range_, 'group': group})}"
            )
            opened(page, "value-group")
            check_shown(page, answer["series"])


def check_groups(told: dict[tuple[str, str], int], true: dict[tuple[str, str], Recount]) -> None:
    """The rest is told by type."""
    for type_ in NAMES:
        counts = {group: values for (group, of), values in told.items() if of == type_}
        check_bounded(counts, Counter({group: len(each.rows) for (group, of), each in true.items() if of == type_}))


def check_shown(page: Page, all_series: Json) -> None:
    """The panels of each type, one after the other."""
    for place, series in enumerate(all_series):
        versions = panel(page, "value-versions").nth(place)
        shown = {
            str(row.get_attribute("data-version")): row.locator("th, td").all_inner_texts()[1:]
            for row in versions.locator("[data-version]").all()
        }
        assert {name: row[0] for name, row in shown.items()} == {
            each["version"]: f"{each['values']:,}" for each in series["versions"]
        }
        if series["type"] == NUMBER:
            check_numbers(panel(page, "number-stats"), series["total"])
            for each in series["versions"]:
                told = shown[each["version"]]
                for text, name in zip([told[1], told[2], *told[4:]], ("p95", "p50", "mean", "min", "max"), strict=True):
                    assert is_shown(text, each[name]), (each, name)
        elif series["type"] == TEXT:
            texts = panel(page, "texts").locator("[data-text]").all()
            counts = {each["text"]: f"{each['values']:,}" for each in series["texts"]}
            assert {each.get_attribute("data-text"): stat(each, "values") for each in texts} == counts
        else:
            pairs = panel(page, "pair-stats")
            assert stat(pairs, "values") == f"{series['total']['values']:,}"
            latest = stat(pairs, "latest").split(" and ")
            assert all(is_shown(text, series["latest"][axis]) for text, axis in zip(latest, "xy", strict=True))
            for axis in "xy":
                told = stat(pairs, axis).split(" to ")
                assert is_shown(told[0], series["total"][axis]["min"])
                assert is_shown(told[-1], series["total"][axis]["max"])


def check_numbers(card: Locator, told: Json) -> None:
    assert stat(card, "values") == f"{told['values']:,}"
    for name in ("min", "mean", "p50", "p95", "max"):
        assert is_shown(stat(card, name), told[name]), (name, told)


def stat(of: Locator, name: str) -> str:
    return of.locator(f"[data-stat={name}]").inner_text()


def is_shown(text: str, value: float) -> bool:
    """Whether a text is the number to five digits, or to four where it has an exponent."""
    number, true = Decimal(text.replace(",", "")), Decimal(repr(value))
    last_digit = Decimal(1).scaleb(true.adjusted() - (3 if "E" in text else 4))
    return abs(number - true) <= last_digit / 2 if true else number == 0


def test_days_that_were_closed_too_early_say_what_is_missing(
    open_vendor: OpenPage, vendor: LocalService, kept: Records
) -> None:
    last = closed_through(vendor)
    first = last - timedelta(days=DAYS - 1)
    window = days_from(first, last)
    for product in (PLAIN, STRICT, USED):
        told = asked(vendor, "analytics/values", product=product, **window)
        for each in told["days"]:
            day = date.fromisoformat(each["day"])
            received = len(kept.of(product).on(day, day))
            assert each["records"] + each["missing"] == received
            assert each["complete"] is (received == each["records"])
            assert each["complete"] or (day - first).days in LATE
        assert any(not each["complete"] for each in told["days"])
        page = open_vendor(f"?{query_of({'view': 'values', 'product': product} | window)}")
        opened(page, "values")
        text = panel(page, "values").inner_text()
        for each in told["days"]:
            assert (f"{each['day']} ({each['missing']:,} not looked at" in text) is (not each["complete"])
