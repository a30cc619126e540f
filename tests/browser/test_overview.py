"""The overview as people use it: ranges, comparison, alerts and answers to them, bars that lead on, sorting, print."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import answers
from tests.browser.answers import Analytics
from tests.browser.conftest import OpenPage
from tests.browser.paper import breaks, check_paper, print_out
from tests.browser.screen import PHONE, axe, loaded, overflow, panel, until

LONG = "x" * 170
BACKGROUND = "i => getComputedStyle(i).backgroundColor"


def first_alone(*variants: Any) -> list[Any]:  # noqa: ANN401 (of any test)
    """The first of these in every run, the others among the slow tests."""
    others = (each if isinstance(each, tuple) else (each,) for each in variants[1:])
    return [variants[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in others)]


SIZES = [PHONE, {"width": 1024, "height": 800}, {"width": 1440, "height": 900}]


def params(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    return found


# ── ranges


@pytest.mark.slow
def test_it_opens_on_the_range_that_was_chosen_last(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page()
    loaded(page, "overview")
    assert analytics.asked_for("overview")[-1]["range"] == "30d"
    page.get_by_role("radio", name="This month").check()
    loaded(page, "overview")
    page.goto("/admin/telemetry?range=7d")  # an address with a range wins, and is not what was chosen
    loaded(page, "overview")
    assert analytics.asked_for("overview")[-1]["range"] == "7d"
    page.goto("/admin/telemetry")
    loaded(page, "overview")
    assert analytics.asked_for("overview")[-1]["range"] == "this_month"
    assert params(page) == {"range": "this_month"}
    expect(page.get_by_role("radio", name="This month")).to_be_checked()
    assert page.evaluate("localStorage.getItem('range')") == "this_month"


@pytest.mark.slow
def test_what_was_kept_of_a_range_that_there_is_not_is_nothing(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page()
    page.evaluate("localStorage.setItem('range', 'toString'); localStorage.setItem('version-colors', '{')")
    page.reload()
    loaded(page, "overview")
    assert analytics.asked_for("overview")[-1]["range"] == "30d"


@pytest.mark.slow
def test_ranges_have_names(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page()
    for name, range_ in (("Today", "today"), ("Yesterday", "yesterday"), ("Last month", "last_month")):
        page.get_by_role("radio", name=name, exact=True).check()
        loaded(page, "overview")
        assert analytics.asked_for("overview")[-1]["range"] == range_
        assert params(page)["range"] == range_
        expect(page.locator("[data-panel=stats]")).to_contain_text(f"flagged, {name.lower()}")
        expect(page).to_have_title(f"Overview · production · {name.lower()} · Telemetry Analytics")


@pytest.mark.slow
def test_the_title_says_which_product_is_shown(open_page: OpenPage) -> None:
    page = open_page()
    loaded(page, "overview")
    for tab, shown in (
        ("Licences", "Licences · production · all products"),
        ("Values", "Values · production · 30 days · no product"),
        ("Companies", "Companies · production · no product"),
        ("Customers", "Customers · production"),
    ):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.locator(".printed")).to_have_text(shown)
        expect(page).to_have_title(" · ".join([*shown.split(" · ")[:3], "Telemetry Analytics"]))


def test_the_toolbar_follows_the_address(open_page: OpenPage, analytics: Analytics) -> None:
    """Custom, Apply, Back: what is shown is what is chosen."""
    page = open_page("?range=24h")
    loaded(page, "overview")
    page.get_by_role("radio", name="Custom").check()
    page.get_by_label("First day").fill("2026-11-01")
    page.get_by_label("Last day").fill("2026-11-07")
    page.get_by_role("button", name="Apply").click()
    loaded(page, "overview")
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    page.go_back()
    loaded(page, "overview")
    expect(page.get_by_role("radio", name="24h")).to_be_checked()
    expect(page.get_by_label("First day")).to_have_count(0)
    assert analytics.asked_for("overview")[-1]["range"] == "24h"
    page.go_forward()
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    expect(page.get_by_label("Last day")).to_have_value("2026-11-07")
    page.get_by_role("radio", name="7d").check()
    page.get_by_role("radio", name="Custom").check()
    page.go_back()  # days that were not applied are given up
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    expect(page.get_by_label("First day")).to_have_value("2026-11-01")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "told"),
    first_alone(
        ("from=2026-11-31&to=2026-12-01", "from is “2026-11-31”; it can be a UTC day"),
        ("from=yesterday&to=2026-11-21", "from is “yesterday”"),
        ("from=2026-11-21", "to is missing; it can be a UTC day"),
        ("to=2026-11-21", "from is missing"),
        ("from=2026-11-21&to=2026-11-20", "from is “2026-11-21”; it must not be after the end"),
        ("range=bogus", "range is “bogus”; it can be 24h, 7d, 30d, 90d, today"),
    ),
)
def test_a_window_that_there_is_not_is_told(open_page: OpenPage, analytics: Analytics, address: str, told: str) -> None:
    page = open_page(f"?{address}")
    expect(page.get_by_role("alert")).to_contain_text(told)
    assert analytics.asked_for("overview") == []
    for choice in page.locator(".ranges input").all():
        expect(choice).not_to_be_checked()
    page.get_by_role("button", name="Remove it").click()
    loaded(page, "overview")
    assert params(page) == {}


@pytest.mark.slow
def test_a_view_that_the_role_does_not_open_is_told(open_page: OpenPage) -> None:
    page = open_page("?view=records", key="viewer_key")
    expect(page.get_by_role("note")).to_have_text(
        "Raw data is not open to a key with the role viewer. This is Overview."
    )
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("note")).to_have_count(0)


# ── windows and comparison


def test_each_part_says_its_own_window(open_page: OpenPage) -> None:
    """24 hours at 13:37: users and lists of licences are of whole days."""
    page = open_page("?range=24h")
    loaded(page, "overview")
    expect(panel(page, "trend")).to_contain_text("20 Nov 14:00 – 21 Nov 14:00 (UTC)")
    expect(panel(page, "stats")).to_contain_text(re.compile(r"over 2 UTC days: 20\s–\s21 Nov"))
    for name in ("licenses", "devices", "mismatches"):
        expect(panel(page, name).locator(".note").first).to_contain_text(re.compile(r"20\s–\s21 Nov, whole UTC days"))


def test_it_is_compared_with_the_window_before_where_there_is_one(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page("?range=24h")
    loaded(page, "overview")
    expect(page.locator("[data-before]")).to_have_count(0)
    expect(panel(page, "trend").locator(".legend")).to_have_text("FlaggedClean")
    told = answers.overview() | {"before": answers.before()}
    none = [each | {"before": None, "change": None} for each in told["alerts"]]
    analytics.given["overview"] = told | {"alerts": [told["alerts"][0], *none[1:]]}
    page.get_by_role("button", name="Refresh now").click()
    stats = panel(page, "stats")
    expect(stats.locator("[data-before=recent_activity]")).to_contain_text("25.0% (before: 1,920)")
    expect(stats.locator("[data-before=unique_users]")).to_contain_text("14.0% (before: 300)")
    expect(stats.locator("[data-before=unique_devices]")).to_have_text("same as before")
    titles = [each.get_attribute("title") for each in stats.locator("[data-before]").all()]
    assert [re.sub(r"\s+", " ", str(title)) for title in titles] == [
        "Compared with 19 Nov 14:00 – 20 Nov 14:00 (UTC)",
        *["Compared with 18 – 19 Nov, whole UTC days"] * 2,
    ]
    expect(page.locator("[data-alert] .change")).to_have_count(1)
    trend = panel(page, "trend")
    expect(trend).to_contain_text("compared with 19 Nov 14:00 – 20 Nov 14:00")
    expect(trend.locator(".legend")).to_have_text("All records beforeFlaggedClean")
    trend.get_by_role("radio", name="Table").check()
    expect(trend.locator("thead th").last).to_have_text("All records before")
    expect(trend.locator("tbody tr").first.locator("td").last).to_have_text("80")
    users = panel(page, "active-users")
    expect(users.locator("tbody tr").first.locator("td").last).to_have_text("250")


# ── alerts


class Alerts:
    """Stands in for alerts, and for what is said of them; `said` keeps it."""

    def __init__(self, page: Page, *spikes: dict[str, Any]) -> None:
        self.spikes, self.said = list(spikes), list[tuple[str, Any]]()
        page.route("**/analytics/alerts?*", lambda route: route.fulfill(json={"items": self.spikes}))
        page.route("**/api/v1/admin/spikes/**", self._said)

    def _said(self, route: Route) -> None:
        request = route.request
        path = request.url.partition("/api/v1/admin/spikes/")[2]
        self.said.append((path, json.loads(request.post_data or "null")))
        by = {"key_id": "k1", "key_name": "boss", "at": answers.at()}
        action, first = path.partition("?")[0].rpartition("/")[2], self.spikes[0]
        first["acknowledged"] = first["acknowledged"] or by
        first["muted"] = by | {"until": "2026-11-28T13:37:00Z"} if action == "mute" else None
        route.fulfill(json={})


def test_a_spike_is_told_as_a_person_would(open_page: OpenPage) -> None:
    page = open_page()
    spike = page.locator("[data-spike]")
    expect(spike.locator("h2")).to_have_text(
        "Orbit Desktop ••••0C33, Aurora Works: 929 flagged records of 130 devices in three days; its limit is 3"
    )
    expect(spike).to_contain_text("243 flagged records in an hour, but at most 78 were expected.")
    spike.get_by_text("1 more licence").click()
    row = spike.locator("tbody tr")
    expect(row).to_contain_text("••••77AB")
    expect(row.get_by_role("button", name="Revoke licence 77AB")).to_be_visible()
    assert addressed(row, "••••77AB") == {"view": "licenses", "license": "license-77AB"}
    assert addressed(spike, "Open licence") == {"view": "licenses", "license": "license-0C33"}
    assert addressed(spike, "Open customer") == {"view": "customers", "customer": "aurora"}
    spike.get_by_role("link", name="See the records").click()
    shown = {"product": "orbit-desktop", "flagged": "true", "from": "2026-11-19", "to": "2026-11-21"}
    assert shown.items() <= params(page).items()


def addressed(where: Locator, name: str) -> dict[str, str]:
    """Where a link leads to."""
    href = where.get_by_role("link", name=name, exact=True).get_attribute("href")
    return dict(httpx.URL(str(href)).params)


def test_who_is_named_leads_to_their_page_and_their_numbers_to_the_records(open_page: OpenPage) -> None:
    page = open_page()
    loaded(page, "overview")
    of_license = {"view": "records", "license_id": answers.LICENSE_ID}
    top = panel(page, "licenses").locator("tbody tr").first
    assert addressed(top, "••••LL08") == {"view": "licenses", "license": answers.LICENSE_ID}
    assert addressed(top, "Globex") == {"view": "customers", "customer": "globex"}
    assert addressed(top, "240") == of_license | {"flagged": "true"}
    assert addressed(top, "300") == of_license
    expect(panel(page, "licenses").locator("tbody tr").last.get_by_role("link")).to_have_count(0)  # was never issued
    devices = panel(page, "devices")
    assert addressed(devices, "••••LL08") == {"view": "licenses", "license": answers.LICENSE_ID}
    assert addressed(devices, "Globex") == {"view": "customers", "customer": "globex"}
    assert addressed(devices, "63") == of_license
    elsewhere = {"view": "customers", "customer": "globex", "environment": "staging"}
    assert addressed(panel(page, "mismatches"), "Globex") == elsewhere


@pytest.mark.parametrize(
    ("so_far", "heading"),
    first_alone(
        ({"days": 1, "licenses": []}, "Orbit Desktop: 990 flagged records today"),
        ({"days": 14, "licenses": []}, "Orbit Desktop: 990 flagged records in 14 days"),
        (
            {"licenses": [answers.spike_license(devices_at_least=True, devices=1_204, limit=None, customer=None)]},
            "Orbit Desktop ••••0C33: 929 flagged records of at least 1,204 devices in three days",
        ),
        (None, "Orbit Desktop: 243 flagged records in an hour, but at most 78 were expected."),
    ),
)
@pytest.mark.slow
def test_spikes_of_other_kinds(open_page: OpenPage, so_far: dict[str, Any] | None, heading: str) -> None:
    page = open_page()
    spike = answers.spike()
    Alerts(page, spike | {"so_far": so_far and spike["so_far"] | so_far})
    page.reload()
    expect(page.locator("[data-spike] h2")).to_have_text(heading)


def test_the_licence_is_revoked_at_the_alert(open_page: OpenPage) -> None:
    page, asked = open_page(), list[str]()

    def revoked(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(json={"state": "revoked"})

    page.route("**/api/v1/admin/licenses/**", revoked)
    page.locator("[data-spike]").get_by_role("button", name="Revoke licence 0C33").click()
    dialog = page.get_by_role("dialog", name="Revoke this licence?")
    expect(dialog).to_contain_text("Aurora Works")
    dialog.get_by_role("button", name="Revoke licence").click()
    expect(dialog.get_by_role("status")).to_contain_text("is now revoked")
    assert [each.partition("/api/v1/admin/")[2] for each in asked] == ["licenses/license-0C33/revoke"]


def test_a_spike_is_acknowledged_and_muted(open_page: OpenPage) -> None:
    page = open_page()
    other = answers.spike(id="orbit-cli#2026-11-20T09", product="orbit-cli")
    alerts = Alerts(page, answers.spike(), other)
    page.reload()
    spikes = page.locator("[data-spike]")
    expect(spikes).to_have_count(2)
    spikes.first.get_by_role("button", name="Acknowledge").click()
    expect(spikes.first.locator("[data-said]")).to_have_text("Acknowledged by boss at 2026-11-21 13:37")
    expect(spikes.first.get_by_role("button", name="Acknowledge")).to_have_count(0)
    spikes.first.get_by_role("button", name="Mute").click()
    dialog = page.get_by_role("dialog", name="Mute this spike?")
    assert axe(page) == []
    dialog.get_by_role("radio", name="7 days").check()
    dialog.get_by_role("button", name="Mute spike").click()
    expect(spikes).to_have_count(1)
    page.get_by_role("button", name="Show 1 muted").click()
    expect(spikes.last.locator("[data-said]")).to_have_text("Muted by boss at 2026-11-21 13:37 until 2026-11-28 13:37")
    spikes.last.get_by_role("button", name="Unmute").click()
    expect(page.get_by_role("button", name="Hide 1 muted")).to_have_count(0)
    path = "orbit-desktop%232026-11-19T09/{}?environment=production".format
    assert alerts.said == [(path("acknowledge"), None), (path("mute"), {"time": "7d"}), (path("unmute"), None)]


@pytest.mark.slow
def test_what_cannot_be_said_is_told(open_page: OpenPage, troubles: list[str]) -> None:
    page = open_page()
    page.route(
        "**/api/v1/admin/spikes/**",
        lambda route: route.fulfill(status=409, json={"title": "Not possible", "detail": "The spike has ended."}),
    )
    spike = page.locator("[data-spike]")
    spike.get_by_role("button", name="Acknowledge").click()
    expect(spike.get_by_role("alert")).to_contain_text("The spike has ended.")
    troubles.clear()  # what the browser says of the 409


# ── charts


def test_a_bar_leads_to_its_records(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page("?range=24h&product=orbit-cli")
    loaded(page, "overview")
    panel(page, "trend").locator(".u-over").click(position={"x": 3, "y": 100})
    loaded(page, "records")
    hour = {"from": "2026-11-20T14:00:00Z", "to": "2026-11-20T15:00:00.000Z", "product": "orbit-cli"}
    assert params(page) == hour | {"view": "records"}
    assert hour.items() <= analytics.asked_for("records")[-1].items()
    page.go_back()
    loaded(page, "overview")
    expect(page.get_by_role("radio", name="24h")).to_be_checked()


@pytest.mark.slow
def test_a_bar_is_chosen_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("?range=24h")
    loaded(page, "overview")
    chart = panel(page, "trend").get_by_role("slider")
    chart.focus()
    page.keyboard.press("Home")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("Fri, 20 Nov 2026, 14:00–15:00 UTC, Clean: 90"))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("aria-valuenow", "3")
    page.keyboard.press("ArrowLeft")
    expect(panel(page, "trend").locator(".tooltip")).to_contain_text("16:00–17:00 UTC")
    page.keyboard.press("Enter")
    loaded(page, "records")
    assert params(page)["from"] == "2026-11-20T16:00:00Z"


@pytest.mark.slow
def test_rows_of_a_chart_lead_to_their_records(open_page: OpenPage) -> None:
    page = open_page()
    panel(page, "active-users").get_by_role("link", name="2026-11-20").click()
    loaded(page, "records")
    assert params(page) == {"view": "records", "from": "2026-11-20", "to": "2026-11-20"}


@pytest.mark.slow
def test_a_viewer_has_no_records_to_be_led_to(open_page: OpenPage) -> None:
    page = open_page(key="viewer_key")
    expect(panel(page, "trend").get_by_role("img")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(0)
    expect(panel(page, "active-users").get_by_role("link")).to_have_count(0)


def colours(page: Page) -> dict[str, str]:
    """Of each version in the list, that of its swatch."""
    rows = panel(page, "versions").locator("tbody tr").all()
    return {
        str(row.get_attribute("data-version")): row.locator(".swatch").evaluate(
            "i => getComputedStyle(i).backgroundColor"
        )
        for row in rows
    }


@pytest.mark.slow
def test_a_version_keeps_its_colour(open_page: OpenPage, analytics: Analytics) -> None:
    """Whatever else is shown, in whatever order, also tomorrow; and those that are shown have different ones."""
    page = open_page()
    seen: dict[str, str] = {}
    names = [f"{major}.{minor}" for major in (4, 5) for minor in range(5)]
    for shown in (names[:6], names[4:], names[::-2], names[2:8][::-1]):
        versions = [{"version": name, "records": 9 - n, "percent": 10.0} for n, name in enumerate(shown)]
        analytics.given["overview"] = answers.overview() | {"versions": versions}
        page.reload()
        loaded(page, "overview")
        found = colours(page)
        assert len(set(found.values())) == len(shown)
        assert {name: seen.get(name, colour) for name, colour in found.items()} == found
        seen |= found
    kept = page.evaluate("localStorage.getItem('version-colors')")
    assert not any(name in kept for name in names)


# ── tables


@pytest.mark.slow
def test_tables_are_sorted_by_their_headings(open_page: OpenPage, analytics: Analytics) -> None:
    items = [
        answers.top_license(f"id-{number}", f"AAA{number}", name) | {"flagged": flagged, "state": "active"}
        for number, (name, flagged) in enumerate((("Globex", 5), (None, 70), ("acme 10", 9), ("Acme 9", 70)))
    ]
    analytics.given["licenses"] = answers.licenses({"items": items, "exact": True, "note": None})
    page = open_page("?range=7d")
    loaded(page, "overview")
    table = panel(page, "licenses")

    def order() -> str:
        return "".join(str(row.get_attribute("data-license"))[-1] for row in table.locator("tbody tr").all())

    assert order() == "0123"
    flagged = table.get_by_role("button", name="Flagged")
    for sort, expected in (("descending", "1320"), ("ascending", "0213"), (None, "0123")):
        flagged.click()
        heading = table.locator("th", has=page.get_by_role("button", name="Flagged"))
        if sort:
            expect(heading).to_have_attribute("aria-sort", sort)
        else:
            expect(table.locator("[aria-sort]")).to_have_count(0)
        until(page, lambda expected=expected: order() == expected)  # type: ignore[misc]
    flagged.focus()
    page.keyboard.press("Enter")
    assert params(page) == {"range": "7d", "sort_licenses": "-Flagged"}
    table.get_by_role("button", name="Licence, customer").click()  # nobody goes last
    until(page, lambda: order() == "3201")
    page.reload()
    loaded(page, "overview")
    assert order() == "3201"
    page.go_back()
    until(page, lambda: order() == "1320")


@pytest.mark.slow
def test_a_phone_has_headings_to_sort_by(open_page: OpenPage) -> None:
    page = open_page(viewport=PHONE)
    loaded(page, "overview")
    devices = panel(page, "licenses").get_by_role("button", name="Devices")
    expect(devices).to_be_visible()
    devices.click()
    expect(panel(page, "licenses").locator("[aria-sort=descending]")).to_have_count(1)
    assert overflow(page) == 0


# ── for everybody


def long_names() -> dict[str, Any]:
    """Names of 170 characters without a blank, in all places."""
    license_ = answers.top_license(customer=LONG) | {"product": LONG}
    versions = [{"version": f"{LONG}{n}", "records": 9 - n, "percent": 10.0} for n in range(3)]
    activities = [
        {"activity_type": LONG, "label": LONG, "level": None, "uses": 3}
        | {"first_seen": answers.at(), "last_seen": answers.at()}
    ]
    licenses = answers.licenses({"items": [license_], "exact": True, "note": None})
    licenses["devices"]["items"][0]["name"] = LONG
    licenses["mismatches"]["items"][0]["customer"]["name"] = LONG
    spike_licenses = [answers.spike_license(customer=LONG, fingerprint=each) for each in ("a", "b")]
    spike = answers.spike(product=LONG, so_far=answers.spike()["so_far"] | {"licenses": spike_licenses})
    return {
        "overview": answers.overview() | {"versions": versions, "activities": activities, "before": answers.before()},
        "licenses": licenses,
        "alerts": {"items": [spike]},
        "products": {"items": [{"id": LONG, "name": LONG}]},
    }


@pytest.mark.parametrize("size", first_alone(*SIZES), ids=lambda size: str(size["width"]))
def test_long_names_push_nothing_out_of_view(open_page: OpenPage, analytics: Analytics, size: dict[str, int]) -> None:
    analytics.given = long_names()
    page = open_page(viewport=size)
    loaded(page, "overview")
    page.get_by_text("1 more licence").click()
    assert overflow(page) == 0
    for button in page.locator("main :is(button:not([aria-label$=table] *), a.button)").all():
        box = button.bounding_box()
        if box and box["width"]:
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size["width"], button.inner_text()
    frames = page.locator(".table-frame:not([aria-label$=table])").all()
    assert [
        each.get_attribute("aria-label") for each in frames if each.evaluate("f => f.scrollWidth > f.clientWidth")
    ] == []
    customer = panel(page, "licenses").get_by_title(LONG).first
    expect(customer).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", first_alone("dark", "light"))
def test_it_prints(open_page: OpenPage, analytics: Analytics, scheme: str) -> None:
    """Light colours, legends too; nothing that is pressed; series as wide as their panel, whatever the screen was."""
    analytics.given["overview"] = answers.overview() | {"before": answers.before()}
    page = open_page("?range=24h", color_scheme=scheme, viewport={"width": 1900, "height": 900})
    loaded(page, "overview")
    print_out(page, scheme)
    expect(page.locator(".printed")).to_have_text("Overview · production · 24 hours · all products")
    swatches = panel(page, "trend").locator(".legend i:not(.before)")
    assert swatches.evaluate_all("all => all.map((i) => getComputedStyle(i).backgroundColor)") == [
        "rgb(224, 102, 43)",
        "rgb(75, 127, 219)",
    ]
    exact = "getComputedStyle(i).printColorAdjust || getComputedStyle(i).webkitPrintColorAdjust"
    assert swatches.evaluate_all(f"all => all.map((i) => {exact})") == ["exact"] * 2
    until(page, lambda: {"rgb(224, 102, 43)", "rgb(75, 127, 219)"} <= painted(page, "trend"))
    check_paper(page)
    assert set(breaks(page)) == {"avoid"}
    page.emulate_media(media="screen", color_scheme=scheme)  # type: ignore[arg-type]
    expect(page.locator(".toolbar")).to_be_visible()


@pytest.mark.slow
def test_a_chart_is_the_same_after_printing(open_page: OpenPage) -> None:
    page = open_page("?range=24h")
    loaded(page, "overview")
    picture = "document.querySelector('[data-panel=trend] canvas').toDataURL()"
    until(page, lambda: painted(page, "trend") != set())
    before = page.evaluate(picture)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        until(page, lambda scheme=scheme: (page.evaluate(picture) == before) == (scheme == "light"))  # type: ignore[misc]
    page.evaluate("for (const name of ['beforeprint', 'afterprint']) dispatchEvent(new Event(name))")
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert page.evaluate(picture) == before


@pytest.mark.slow
def test_a_long_list_is_printed_whole(open_page: OpenPage) -> None:
    page = open_page("?range=24h")
    loaded(page, "overview")
    panel(page, "trend").get_by_role("radio", name="Table").check()
    page.emulate_media(media="print")
    frame = panel(page, "trend").locator(".table-frame")
    assert frame.evaluate("f => [f.scrollHeight > f.clientHeight, getComputedStyle(f).maxHeight]") == [False, "none"]
    assert len(page.pdf(prefer_css_page_size=True)) > 10_000


def painted(page: Page, name: str) -> set[str]:
    """Colours that a chart has at least 200 pixels of."""
    found = page.evaluate(
        """(name) => {
            const canvas = document.querySelector(`[data-panel=${name}] canvas`);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const pixels = new Map();
            for (let at = 0; at < data.length; at += 4) {
                const colour = `rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`;
                pixels.set(colour, (pixels.get(colour) ?? 0) + 1);
            }
            return [...pixels].filter(([, count]) => count >= 200).map(([colour]) => colour);
        }""",
        name,
    )
    return set(found)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [*SIZES, {"width": 1920, "height": 1080}], ids=lambda size: str(size["width"]))
def test_axe_finds_nothing_on_it(open_page: OpenPage, analytics: Analytics, scheme: str, size: dict[str, int]) -> None:
    muted = {"key_id": "k1", "key_name": "boss", "at": answers.at(), "until": None}
    spikes = [answers.spike(), answers.spike(id="m", acknowledged=muted, muted=muted)]
    analytics.given = {"overview": answers.overview() | {"before": answers.before()}, "alerts": {"items": spikes}}
    page = open_page(color_scheme=scheme, viewport=size)
    loaded(page, "overview")
    page.get_by_role("button", name="Show 1 muted").click()
    page.get_by_text("1 more licence").first.click()
    assert axe(page) == []
    assert overflow(page) == 0
