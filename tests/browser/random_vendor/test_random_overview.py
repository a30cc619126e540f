"""The overview of a random vendor: its numbers are the API's, those of an export's recount, and the reports'."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.random_vendor.conftest import closed_through, days_from
from tests.browser.reading import alerts, number, overviewed, query_of, reported, stats, table
from tests.browser.screen import panel
from tests.local_service import LocalService
from tests.recount_records import Records
from tests.recount_values import check_bounded
from tests.worlds.random_vendor import DAYS, LATE, PLAIN, STRICT, USED

pytestmark = pytest.mark.slow

Json = Any

SCOPES = (None, PLAIN, STRICT, USED, "~unknown")


@pytest.mark.parametrize(
    ("range_", "scope"),
    [*(("30d", scope) for scope in SCOPES), ("7d", None), ("7d", USED), ("24h", None), ("24h", PLAIN)],
)
def test_the_overview(
    open_vendor: OpenPage, vendor: LocalService, kept: Records, range_: str, scope: str | None
) -> None:
    of = {"product": scope} if scope else {}
    page = open_vendor("?view=logs")
    shown = overviewed(page, f"?{query_of({'range': range_} | of)}")
    check_overview(page, shown, kept.of(scope))
    assert shown["stats"]["unique_users_days"] in {1, 2, 7, 30}
    if range_ == "30d":
        assert number(page, "[data-stat=unique_users]") == vendor.monthly_users(scope or "*")


@pytest.mark.parametrize("scope", SCOPES)
def test_the_overview_of_closed_days(
    open_vendor: OpenPage, vendor: LocalService, kept: Records, scope: str | None
) -> None:
    """Those that were closed before they were counted live are among them."""
    of, last = {"product": scope} if scope else {}, closed_through(vendor)
    first = last - timedelta(days=DAYS - 1)
    page = open_vendor("?view=logs")
    for begin, end in ((first, last), (first + timedelta(days=LATE.start), first + timedelta(days=20))):
        days = days_from(begin, end)
        shown = overviewed(page, f"?{query_of(days | of)}")
        check_overview(page, shown, kept.of(scope))
        application, count = scope or "*", str((end - begin).days + 1)
        users = reported(vendor, "active-users", application=application, days=count, as_of=end.isoformat())
        rows = reported(vendor, "daily", application=application, **days)["rows"]
        flags = reported(vendor, "piracy", application=application, **days)["totals"]
        assert number(page, "[data-stat=unique_users]") == users["users"]
        assert number(page, "[data-stat=recent_activity]") == sum(row["records"] for row in rows)
        assert number(page, "[data-stat=range_flagged]") == flags["flagged"]
        assert alerts(page) == {flag: flags[flag] for flag in alerts(page)}
        told = [(row["day"], row["users"], row["devices"], row["users_7"], row["users_30"]) for row in rows]
        assert [(row["day"], *(row[name] for name in ACTIVE)) for row in shown["active_users"]] == told


ACTIVE = ("users", "devices", "users_7", "users_30")


def check_overview(page: Page, shown: Json, kept: Records) -> None:
    """What is shown against the answer that the page got, and that against all records of its scope."""
    part, told = kept.within(shown["from"], shown["to"]), shown["stats"]
    days = told["unique_users_days"]
    last = date.fromisoformat(shown["users_window"]["to"][:10]) - timedelta(days=1)
    assert told == {
        "total_records": len(kept),
        "flagged_records": len(kept.flagged),
        "flagged_percent": pytest.approx(percent(len(kept.flagged), len(kept)), abs=0.0501),
        "clean_records": len(kept) - len(kept.flagged),
        "clean_percent": pytest.approx(percent(len(kept) - len(kept.flagged), len(kept)), abs=0.0501),
        "recent_activity": len(part),
        "range_flagged": len(part.flagged),
        "range_clean": len(part) - len(part.flagged),
        "unique_users": kept.active_over(last, days),
        "unique_devices": kept.active_over(last, days, "devices"),
        "unique_users_days": days,
        "uses": part.uses().total(),
    }
    cards = {name: value for name, value in told.items() if name not in {"unique_users_days", "uses"}}
    assert stats(page, *cards) == cards
    flags = part.flags()
    assert alerts(page) == {each["flag"]: each["records"] for each in shown["alerts"]}
    assert alerts(page) == {flag: flags[flag] for flag in alerts(page)}
    check_before(page, shown, kept)
    check_trend(page, shown, part)
    check_active_users(page, shown, kept)
    check_versions(page, shown, part)
    check_uses(page, shown, part)
    check_answers(page, shown)


def percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0


def check_before(page: Page, shown: Json, kept: Records) -> None:
    before = shown["before"]
    if before is None:
        expect(page.locator("[data-before]")).to_have_count(0)
        return
    part, last = kept.within(before["from"], before["to"]), date.fromisoformat(before["users_window"]["to"][:10])
    days = (last - date.fromisoformat(before["users_window"]["from"][:10])).days
    last -= timedelta(days=1)
    true = {
        "recent_activity": len(part),
        "unique_users": kept.active_over(last, days),
        "unique_devices": kept.active_over(last, days, "devices"),
    }
    assert {name: before[name] for name in true} == true
    for name, was in true.items():
        is_same = was == shown["stats"][name]
        text = "same as before" if is_same else f"(before: {was:,})"
        expect(page.locator(f"[data-before={name}]")).to_contain_text(text)
    flags = part.flags()
    for each in shown["alerts"]:
        assert (each["before"], each["change"]) == (flags[each["flag"]], each["records"] - flags[each["flag"]])


def starts_of(shown: Json) -> list[tuple[str, str]]:
    """The beginning and the end of each bucket."""
    starts = [each["start"] for each in shown["trend"]]
    return list(zip(starts, [*starts[1:], shown["to"]], strict=True))


def check_trend(page: Page, shown: Json, part: Records) -> None:
    true = [part.within(start, end) for start, end in starts_of(shown)]
    told = [(each["clean"] + each["flagged"], each["flagged"]) for each in shown["trend"]]
    assert told == [(len(each), len(each.flagged)) for each in true]
    rows = table(page, "trend")
    assert [(row["Clean"], row["Flagged"]) for row in rows] == [
        (f"{each['clean']:,}", f"{each['flagged']:,}") for each in reversed(shown["trend"])
    ]
    if shown["before"]:
        before = [each["clean"] + each["flagged"] for each in shown["before"]["trend"]]
        assert [row["All records before"] for row in rows] == [f"{each:,}" for each in reversed(before)]


def check_active_users(page: Page, shown: Json, kept: Records) -> None:
    true = []
    for each in shown["active_users"]:
        day = date.fromisoformat(each["day"][:10])
        windows = [kept.active_over(day, days) for days in (1, 7, 30)]
        true.append((windows[0], kept.active_over(day, 1, "devices"), *windows[1:]))
    assert [tuple(each[name] for name in ACTIVE) for each in shown["active_users"]] == true
    heads = ("Users per day", "Devices per day", "Users in 7 days", "Users in 30 days")
    rows = table(page, "active-users")
    assert [tuple(row[head] for head in heads) for row in rows] == [
        tuple(f"{count:,}" for count in counts) for counts in reversed(true)
    ]


LISTED = 12
"""Of the versions."""


def check_versions(page: Page, shown: Json, part: Records) -> None:
    told = {each["version"]: each["records"] for each in shown["versions"]}
    check_bounded(told, part.versions())
    rows = {
        str(row.get_attribute("data-version")): [row.locator(f"[data-stat={name}]").inner_text() for name in SHARES]
        for row in panel(page, "versions").locator("[data-version]").all()
    }
    assert rows == {
        each["version"]: [f"{each['records']:,}", f"{each['percent']:.1f}%"] for each in shown["versions"][:LISTED]
    }
    for each in shown["versions"]:
        assert each["percent"] == pytest.approx(percent(each["records"], len(part)), abs=0.0501)
    if len(told) > LISTED:
        expect(panel(page, "versions")).to_contain_text(f"and {len(told) - LISTED} more")
    for bucket, (start, end) in zip(shown["version_trend"], starts_of(shown), strict=True):
        check_bounded(bucket["versions"], part.within(start, end).versions())


SHARES = ("records", "percent")


def check_uses(page: Page, shown: Json, part: Records) -> None:
    told = {each["activity_type"]: each["uses"] for each in shown["activities"]}
    true = part.uses()
    check_bounded(told, true)
    rows = {
        str(row.get_attribute("data-activity")): row.locator("td").nth(2).inner_text()
        for row in panel(page, "uses").locator("[data-activity]").all()
    }
    assert rows == {name: f"{uses:,}" for name, uses in told.items()}
    if told:
        assert stats(page, "uses") == {"uses": true.total()}
    for each in shown["activities"]:
        times = [kept.at for kept in part if kept.uses and (kept.event.group or "~unknown") == each["activity_type"]]
        if "~other" not in told:
            size = 10 if shown["bucket"] == "day" else 13
            assert (each["first_seen"][:size], each["last_seen"][:size]) == (min(times)[:size], max(times)[:size])


def check_answers(page: Page, shown: Json) -> None:
    told = shown["activations"]
    calls = Counter({(each["action"], str(each["code"])): each["calls"] for each in told["codes"]})
    assert told["granted"] + told["blocked"] == calls.total()
    if calls:
        assert stats(page, "granted", "blocked") == {name: told[name] for name in ("granted", "blocked")}
        rows = panel(page, "activations").locator("tbody tr").all()
        cells = [row.locator("th, td").all_inner_texts() for row in rows]
        assert {(action, answer.split()[0]): int(count.replace(",", "")) for action, answer, count in cells} == calls
