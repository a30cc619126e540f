"""What a random vendor's licences did, as it is shown, answered, and counted from an export."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import OpenPage
from tests.browser.random_vendor.conftest import closed_through, days_from
from tests.browser.reading import asked, cells, overviewed, query_of
from tests.browser.screen import opened, panel
from tests.local_service import LocalService
from tests.recount_records import Received, Records
from tests.worlds.random_vendor import DAYS, PLAIN, STRICT, USED

pytestmark = pytest.mark.slow

Json = Any


def badges(cell: Locator) -> dict[str, int]:
    """Flags with the numbers beside them."""
    return {
        str(each.get_attribute("title")): int(each.locator("b").inner_text().replace(",", ""))
        for each in cell.locator(".badge").all()
    }


def by_license(kept: Records) -> dict[str, Records]:
    """The records of each issued licence of the environment."""
    found = defaultdict[str, list[Received]](list)
    for each in kept:
        if each.license_id:
            found[each.license_id].append(each)
    return {id_: Records(records) for id_, records in found.items()}


def test_licences_that_stand_out(open_vendor: OpenPage, vendor: LocalService, kept: Records) -> None:
    """On closed days, each of which has few licences: exact."""
    last = closed_through(vendor)
    days = days_from(last - timedelta(days=DAYS - 1), last)
    part = kept.on(last - timedelta(days=DAYS - 1), last)
    page = open_vendor("?view=logs")
    overviewed(page, f"?{query_of(days)}")
    told = asked(vendor, "analytics/licenses", **days, limit="20", threshold="20")
    assert told["top"]["exact"]
    check_top_licenses(page, told["top"]["items"], part)
    check_devices(page, told["devices"]["items"], part, vendor)
    foreign = part.where(lambda each: "ENVIRONMENT_MISMATCH" in each.flags)
    by_key = Counter(str(each.event.license_key)[-4:] for each in foreign)
    assert {each["last4"]: each["records"] for each in told["mismatches"]["items"]} == by_key
    if by_key:
        shown = {row[0].removeprefix("••••"): row[2] for row in cells(page, "mismatches")}
        assert shown == {last4: f"{count:,}" for last4, count in by_key.items()}


def check_top_licenses(page: Page, told: Json, part: Records) -> None:
    """A licence that is used with two products is listed once for each."""
    records = {(id_, product): of.of(product) for id_, of in by_license(part).items() for product in of.products()}
    for each in told:
        if each["license_id"] is None:
            continue
        true = records[each["license_id"], each["product"]]
        assert (each["records"], each["flagged"]) == (len(true), len(true.flagged))
        assert each["flags"] == true.flags()
        assert each["devices"] == true.most_of_a_day(lambda one: one.device)
        assert each["ips"] == true.most_of_a_day(lambda one: one.row["ip"])
        times = [one.at for one in true]
        assert (each["first_seen"], each["last_seen"]) == (min(times), max(times))
    counts = sorted((len(each.flagged) for each in records.values()), reverse=True)
    named = [each["flagged"] for each in told if each["license_id"]]
    assert named == counts[: len(named)]
    rows = panel(page, "licenses").locator("[data-license]").all()
    assert [row.get_attribute("data-license") for row in rows] == [
        each["license_id"] or each["fingerprint"] for each in told
    ]
    for row, each in zip(rows, told, strict=True):
        cell = {name: row.locator(f"td[data-label={name}]") for name in ("Flagged", "Flags", "Devices", "IPs")}
        assert "".join(cell["Flagged"].inner_text().split()) == f"{each['flagged']:,}of{each['records']:,}"
        assert badges(cell["Flags"]) == each["flags"]
        assert cell["Devices"].inner_text() == f"{each['devices']:,}"
        assert cell["IPs"].inner_text() == f"{each['ips']:,}"


def check_devices(page: Page, told: Json, part: Records, vendor: LocalService) -> None:
    limits = {each["id"]: each["activation_limit"] for each in asked(vendor, "admin/licenses", limit="200")["items"]}
    seen = {
        id_: max(records.of(product).most_of_a_day(lambda one: one.device) for product in records.products())
        for id_, records in by_license(part).items()
    }
    true = {id_: count for id_, count in seen.items() if count >= 20 or count > limits[id_]}
    assert {each["license_id"]: each["devices"] for each in told if each["license_id"]} == true
    for each in told:
        if each["license_id"]:
            assert (each["limit"], each["over"]) == (limits[each["license_id"]], each["devices"] > each["limit"])
    shown = [(row[1], row[2]) for row in cells(page, "devices")]
    assert shown == [(f"{each['devices']:,}", "–" if each["limit"] is None else f"{each['limit']:,}") for each in told]


def test_what_licences_sent(open_vendor: OpenPage, vendor: LocalService, kept: Records) -> None:
    today = datetime.now(UTC).date()
    first, page = today - timedelta(days=29), open_vendor("?view=logs")
    records = by_license(kept.on(first, today))
    for id_ in sorted(records, key=lambda each: -len(records[each]))[:6]:
        told = asked(vendor, f"analytics/licenses/{id_}/use", range="30d")
        true = records[id_].where(lambda one: is_found(one, first))
        assert told["exact"]
        check_sent(told["sent"], true)
        for day in told["days"]:
            on = date.fromisoformat(day["day"])
            check_sent(day, true.on(on, on))
        assert {date.fromisoformat(day["day"]) for day in told["days"]} == true.days()
        page.goto(f"/admin/telemetry?view=licenses&license={id_}")
        opened(page, "sent")
        month = page.locator("[data-sent=month]")
        text = month.inner_text()
        assert f"{len(true):,} records, {len(true.flagged):,} flagged" in text
        assert f"{told['sent']['devices']:,} devices, {told['sent']['ips']:,} IPs" in text
        assert badges(month) == true.flags()
        shown = [(row[0], row[1], row[2], row[4], row[5]) for row in cells(page, "sent")]
        assert shown == [
            (day["day"], *(f"{day[name]:,}" for name in ("records", "flagged", "devices", "ips")))
            for day in told["days"]
        ]


def is_found(one: Received, first: date) -> bool:
    """By its licence: not under a product that nobody registered, nor of an event long before the window."""
    at = one.row["event_at"]
    is_named = one.event.product_id in {None, PLAIN, STRICT, USED}
    return is_named and (at is None or date.fromisoformat(at[:10]) >= first - timedelta(days=7))


def check_sent(told: Json, true: Records) -> None:
    assert (told["records"], told["flagged"], told["flags"]) == (len(true), len(true.flagged), true.flags())
    assert told["devices"] == true.distinct(lambda one: one.device)
    assert told["ips"] == true.distinct(lambda one: one.row["ip"])


def test_customers_over_their_limit(open_vendor: OpenPage, vendor: LocalService, kept: Records) -> None:
    page = open_vendor("?view=customers&seats=over")
    page.locator("[data-value=over]").click()
    opened(page, "over-limit")
    told = asked(vendor, "analytics/devices/excess", range="30d", threshold="1000000000")["items"]
    over = [each for each in told if each["kind"] == "license" and each["over"]]
    texts = cells(page, "over-limit")
    assert [tuple(row[2:]) for row in texts] == [
        tuple(f"{count:,}" for count in (each["devices"], each["limit"], each["devices"] - each["limit"]))
        for each in over
    ]
    last = closed_through(vendor)
    closed = by_license(kept.on(last - timedelta(days=28), last))
    for each in over:
        true = closed[each["license_id"]]
        devices = [true.of(product).most_of_a_day(lambda one: one.device) for product in true.products()]
        assert each["devices"] >= max(devices, default=0)
