"""The page in a browser, against a local service; the analytics API is stood in for where more than a fresh state is
needed."""

import json
import os
import re
import shlex
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import answers
from tests.browser.answers import Analytics
from tests.browser.conftest import OpenPage
from tests.browser.screen import PHONE, VIEWS, axe, loaded, overflow, panel, until
from tests.local_service import LocalService

# ── signing in and out


def test_signing_in_and_out(open_page: OpenPage, service: LocalService) -> None:
    page = open_page("?range=7d", key=None)
    key = page.get_by_label("Staff key")
    expect(key).to_be_focused()
    key.fill("tk_staff_nobody-issued-this")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This key is unknown")
    expect(key).to_be_focused()

    key.fill(service.keys["admin_key"])
    page.keyboard.press("Enter")
    loaded(page, "overview")
    until(page, lambda: page.url.endswith("?range=7d"))
    (cookie,) = page.context.cookies()
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("path")) == (True, "Strict", "/")
    assert service.keys["admin_key"] not in str(
        page.evaluate("[document.cookie, {...localStorage, ...sessionStorage}]")
    )

    page.reload()
    loaded(page, "overview")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Staff key")).to_be_visible()
    assert page.context.cookies() == []
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.reload()
    expect(page.get_by_label("Staff key")).to_be_visible()


def test_waiting_is_told(open_page: OpenPage, troubles: list[str]) -> None:
    page = open_page(key=None)
    page.route(
        "**/admin/session",
        lambda route: (
            route.fulfill(status=429, json={}, headers={"Retry-After": "30"})
            if route.request.method == "POST"
            else route.fallback()
        ),
    )
    page.get_by_label("Staff key").fill("x")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Try again in 30 seconds")
    troubles.clear()  # what the browser says of the 429


@pytest.mark.slow
def test_a_session_that_ends_leads_back_to_the_same_view(
    open_page: OpenPage, service: LocalService, analytics: Analytics
) -> None:
    page = open_page("?view=logs&environment=staging")
    loaded(page, "logs")
    analytics.given["system-logs"] = 401
    page.get_by_role("button", name="Refresh now").click()
    page.get_by_label("Staff key").fill(service.keys["admin_key"])
    del analytics.given["system-logs"]
    page.keyboard.press("Enter")
    loaded(page, "logs")
    until(page, lambda: page.url.endswith("?view=logs&environment=staging"))


# ── what is allowed


def test_nothing_inline_runs(open_page: OpenPage) -> None:
    """That the policy holds; that the page itself keeps to it, every test sees on the console."""
    page = open_page()
    response = httpx.get(page.url)
    assert "unsafe" not in response.headers["content-security-policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", response.text) == []
    assert set(re.findall(r'(?:src|href)="([^"]*)"', response.text)) == set(
        re.findall(r'="(/admin/assets/[\w-]+-[0-9A-Za-z]{8}\.(?:js|css|svg))"', response.text)
    )


def test_a_viewer_asks_for_totals_only(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page("?view=records&record=record-1", key="viewer_key")
    expect(panel(page, "trend")).to_be_visible()
    expect(panel(page, "versions")).to_be_visible()
    expect(panel(page, "active-users")).to_be_visible()
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator(".skeleton")).to_have_count(0)
    assert {path for path, _ in analytics.asked} == {"overview", "products"}
    for name in ("alerts", "licenses", "devices", "mismatches", "spikes", "activations"):
        expect(panel(page, name)).to_have_count(0)
    links = page.get_by_role("link").all_inner_texts()
    assert links == ["Skip to content", "Overview", "Companies", "Developers", "Billing", "Values", "API"]


@pytest.mark.slow
def test_what_has_not_changed_is_not_sent_again(open_page: OpenPage) -> None:
    page = open_page(stand_in=False, clock=True)
    expect(panel(page, "no-records")).to_contain_text("0 records in production")
    answered: list[tuple[str, int]] = []
    page.on("response", lambda each: answered.append((each.url.partition("?")[0].rpartition("/")[2], each.status)))
    for _ in range(2):  # between the first two an hour may end
        with page.expect_response("**/analytics/overview?*"), page.expect_response("**/analytics/alerts?*"):
            page.clock.run_for(31_000)
    assert {("overview", 304), ("alerts", 304)} <= set(answered)
    expect(panel(page, "no-records")).to_contain_text("0 records in production")


@pytest.mark.slow
def test_uses_are_told_apart_from_records(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["overview"] = answers.overview() | {"product": "orbit-cli"}
    page = open_page("?product=orbit-cli")
    uses = panel(page, "uses")
    expect(uses).to_contain_text("12,000 uses in the range. One record may stand for many uses.")
    rows = uses.locator("tbody tr")
    expect(rows.nth(0).locator("th, td")).to_have_text(
        ["Ran a build", "primary", "primary", "7,200", "60.0%", "2026-11-20 14:00", "2026-11-21 13:00"]
    )
    assert rows.locator("td:nth-child(4)").all_inner_texts() == ["7,200", "2,400", "2,400"]
    expect(rows.nth(1)).to_contain_text("not configured")
    expect(rows.nth(2)).to_contain_text("other types")
    analytics.given["overview"] = answers.overview() | {"activities": []}
    page.get_by_role("button", name="Refresh now").click()
    expect(uses).to_have_count(0)


@pytest.mark.slow
def test_activity_types_that_are_not_configured(open_page: OpenPage, analytics: Analytics) -> None:
    """Of one product, and of 90 days whatever the range is."""
    page = open_page("?range=7d")
    loaded(page, "overview")
    unknown = panel(page, "unknown-types")
    expect(unknown).to_have_count(0)
    assert analytics.asked_for("activity-types") == []
    analytics.given["overview"] = answers.overview() | {"product": "orbit-cli", "activities": []}
    page.get_by_role("combobox", name="Product").select_option("orbit-cli")
    rows = unknown.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator("th, td")).to_have_text(
        ["LOGIN_ACTIVITY_of_some_longer_name", "not configured", "2,400", "2026-09-02", "2026-11-20"]
    )
    expect(rows.nth(1).locator("th, td")).to_have_text(["other types", "", "40", "2026-09-02", "2026-11-20"])
    assert analytics.asked_for("activity-types") == [{"environment": "production", "product": "orbit-cli"}]
    address = str(unknown.get_by_role("link", name="Configure").get_attribute("href"))
    assert {"view": "products", "open": "orbit-cli"}.items() <= dict(httpx.URL(address).params).items()


# ── looking around


def test_what_is_looked_at_is_in_the_address(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page()
    loaded(page, "overview")
    page.get_by_role("radio", name="Staging").check()
    page.get_by_role("radio", name="7d").check()
    page.get_by_role("combobox", name="Product").select_option("orbit-cli")
    loaded(page, "overview")
    until(page, lambda: page.url.endswith("?environment=staging&range=7d&product=orbit-cli"))
    scope = {"environment": "staging", "range": "7d", "product": "orbit-cli"}
    assert analytics.asked_for("overview")[-1] == scope
    assert analytics.asked_for("licenses")[-1] == scope | {"limit": "20", "threshold": "20"}

    page.reload()
    loaded(page, "overview")
    expect(page.get_by_role("radio", name="Staging")).to_be_checked()
    expect(page.get_by_role("combobox", name="Product")).to_have_value("orbit-cli")
    page.go_back()
    page.go_back()
    loaded(page, "overview")
    expect(page.get_by_role("radio", name="30d")).to_be_checked()
    expect(page.get_by_role("radio", name="Staging")).to_be_checked()

    page.get_by_role("radio", name="Custom").check()
    page.get_by_label("First day").fill("2026-11-01")
    page.get_by_label("Last day").fill("2026-11-07")
    page.get_by_role("button", name="Apply").click()
    loaded(page, "overview")
    asked = analytics.asked_for("overview")[-1]
    assert asked == {"environment": "staging", "from": "2026-11-01", "to": "2026-11-07"}


def test_the_cards_say_what_the_api_says(open_page: OpenPage) -> None:
    page = open_page()
    loaded(page, "overview")
    stats = answers.overview()["stats"]
    del stats["unique_users_days"]
    shown = {name: page.locator(f"[data-stat={name}]").first.inner_text() for name in stats}
    assert {name: float(re.sub("[,%]", "", text)) for name, text in shown.items()} == stats
    for alert in answers.overview()["alerts"]:
        card = page.locator(f"[data-alert={alert['flag']}]")
        expect(card.locator("[data-stat=records]")).to_have_text(f"{alert['records']:,}")
        change = alert["change"]
        expect(card.locator(".change")).to_contain_text(
            f"{abs(change):,} {'more' if change > 0 else 'fewer'}" if change else "same as"
        )


@pytest.mark.slow
def test_spikes_that_are_over_come_after_the_open_ones(open_page: OpenPage) -> None:
    evidence = {"flagged": 20, "most_expected": 19}
    (first, second, third) = (
        {"id": day, "product": "orbit-cli", "opened_at": f"{day}T05:00:00Z", "last_seen": f"{day}T07:00:00Z"}
        | {"closed_at": "2026-11-20T00:00:00Z", "cause": "flagged_in_an_hour", "evidence": evidence}
        | {"so_far": None, "acknowledged": None, "muted": None}
        for day in ("2026-11-18", "2026-11-12", "2026-11-06")
    )
    going_on = first | {"id": "now", "closed_at": None}
    page = open_page()
    page.route(
        "**/analytics/alerts?*",
        lambda route: route.fulfill(
            json={"items": [going_on, *([first, second, third] if "state=current" in route.request.url else [])]}
        ),
    )
    page.reload()
    shown = page.locator("[data-spike]")
    expect(shown).to_have_count(3)
    expect(shown.first).to_contain_text("Since 2026-11-18 05:00")
    expect(shown.last).to_contain_text("Orbit CLI: 20 flagged records in an hour")
    expect(shown.last).to_contain_text("ended")
    page.get_by_role("button", name="Show 1 earlier spike").click()
    assert [spike.get_attribute("data-spike") for spike in shown.all()] == [
        "now", "2026-11-18", "2026-11-12", "2026-11-06",
    ]  # fmt: skip
    shown.last.get_by_role("link", name="See the records").click()
    until(page, lambda: "from=2026-11-06&to=2026-11-06" in page.url)


@pytest.mark.slow
def test_a_spike_of_an_api_key_leads_to_its_records(open_page: OpenPage) -> None:
    key = {"id": "k3f2a9c0d1", "name": "desktop SDK", "last4": "Zi6x"}
    spike = {
        "id": "~key#k3f2a9c0d1#2026-11-18T05", "product": None, "opened_at": "2026-11-18T05:00:00Z",
        "last_seen": "2026-11-18T07:00:00Z", "closed_at": "2026-11-20T00:00:00Z", "cause": "events_of_a_key",
        "evidence": {"events": 12_345, "most_expected": 999, "api_key": key},
        "so_far": {"first_day": "2026-11-18", "last_day": "2026-11-18", "days": 1, "records": 23_456, "licenses": []},
        "acknowledged": None, "muted": None,
    }  # fmt: skip
    page = open_page("?product=orbit-cli")
    page.route("**/analytics/alerts?*", lambda route: route.fulfill(json={"items": [spike]}))
    page.reload()
    shown = page.locator("[data-spike]").first
    expect(shown).to_contain_text("API key desktop SDK ••••Zi6x: 23,456 events in one day ended")
    expect(shown).to_contain_text("12,345 events in an hour, but at most 999 were expected.")
    shown.get_by_role("link", name="See the records").click()
    until(page, lambda: "api_key_id=k3f2a9c0d1" in page.url)
    assert "flagged" not in page.url
    assert "product=" not in page.url
    expect(page.get_by_label("API key", exact=True)).to_have_value("k3f2a9c0d1")


@pytest.mark.slow
def test_days_are_offered_of_any_window(open_page: OpenPage) -> None:
    page = open_page("?from=2026-11-01T00:00:00.000Z&to=2026-11-08T00:00:00.000Z")
    expect(page.get_by_label("First day")).to_have_value("2026-11-01")
    expect(page.get_by_label("Last day")).to_have_value("2026-11-07")


@pytest.mark.slow
def test_charts_have_tables_that_say_the_same(open_page: OpenPage) -> None:
    page = open_page()
    trend = panel(page, "trend")
    trend.locator(".u-over").hover(position={"x": 200, "y": 100})
    expect(trend.locator(".tooltip")).to_contain_text("UTC")
    expect(trend.locator(".tooltip")).to_contain_text("Clean90")
    trend.get_by_role("radio", name="Table").check()
    rows = [row.split("\t") for row in trend.locator("tbody tr").all_inner_texts()]
    expected = [[bucket["start"][:16].replace("T", " "), "90", "10"] for bucket in answers.overview()["trend"]]
    expected[-1][0] += " so far"
    assert rows == expected[::-1]


def test_it_updates_itself_while_it_is_looked_at(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(clock=True)
    loaded(page, "overview")

    def asked_after(seconds: int, expected: int) -> bool:
        page.clock.run_for(seconds * 1000)
        until(page, lambda: len(analytics.asked_for("overview")) >= expected)
        # a request that starts now is answered after all that the page has started
        page.evaluate("fetch('/api/v1/analytics/products').then((answer) => answer.text())")
        return len(analytics.asked_for("overview")) == expected

    assert asked_after(0, 1)
    assert asked_after(31, 2)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    assert asked_after(120, 2)
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    assert asked_after(1, 3)
    page.get_by_role("button", name="Pause updates").click()
    assert asked_after(120, 3)
    page.get_by_role("button", name="Pause updates").click()
    assert asked_after(2, 4)

    analytics.given["overview"] = answers.overview(1000)
    assert asked_after(31, 5)
    expect(page.locator("[data-stat=recent_activity]")).to_have_text("24,000")


# ── with nothing stood in for


def total_records(service: LocalService, environment: str) -> int:
    query = {"environment": environment, "range": "24h"}
    headers = {"authorization": f"Bearer {service.keys['admin_key']}"}
    answer = httpx.get(f"{service.url}/api/v1/analytics/overview", params=query, headers=headers)
    return int(answer.json()["stats"]["total_records"])


def test_what_was_sent_is_counted_shown_and_exported(open_page: OpenPage, service: LocalService) -> None:
    product, key = service.keys["products"][0], service.key("ingest_key", "development")
    events = [
        {
            "event_id": int(answers.BIG_NUMBER) + n,
            "data_type": "text",
            "data_group": "g",
            "text_data": "=1+1",
            "product_id": product,
        }
        | {"product_version": "5.1.0", "user_identifier": f"user-{n}@example.org", "hwid": f"device-{n}"}
        for n in range(3)
    ]
    for event in [*events, {"license_key": "nobody-issued-this", "product_id": product, "hwid": "device-3"}]:
        assert service.post("/api/v1/telemetry", event, key).status_code == 200
    scope = "?environment=development"
    page = open_page(scope, stand_in=False)
    until(page, lambda: total_records(service, "development") == 4)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator("[data-stat=total_records]")).to_have_text("4")
    for address in (scope, f"{scope}&range=90d&product={product}", f"{scope}&from=2026-01-01&to=2026-01-31"):
        page.goto(f"/admin/telemetry{address}")
        expect(panel(page, "mismatches")).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
    page.goto(f"/admin/telemetry{scope}")
    page.locator("[data-alert=INVALID_LICENSE]").click()
    rows = panel(page, "records").locator("tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(rows).to_have_count(4)
    for name, value in (("User", "USER-1@example.org"), ("Device", "device-1"), ("Version", "5.1.0")):
        page.get_by_label(name).fill(value)
    page.get_by_role("button", name="Apply").click()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button").first.click()
    drawer = page.get_by_role("dialog", name="Record")
    expect(drawer.locator("[data-part=payload]")).to_contain_text(str(events[1]["event_id"]))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export records")
    for format_ in ("CSV", "NDJSON"):
        dialog.get_by_role("radio", name=format_, exact=True).check()
        with page.expect_download():
            dialog.get_by_role("button", name=re.compile("^Export")).click()
        expect(dialog).to_contain_text("1 row,")
        expect(dialog).to_contain_text("complete and checked")
    page.goto(f"/admin/telemetry{scope}&view=logs&range=7d")
    loaded(page, "logs")
    expect(page.get_by_role("alert")).to_have_count(0)


# ── when there is nothing, or no answer


def test_a_fresh_state_says_what_to_check(open_page: OpenPage) -> None:
    page = open_page(stand_in=False)
    advice = panel(page, "no-records")
    expect(advice).to_contain_text("0 records in production")
    expect(advice).to_contain_text("The environment.")
    expect(advice).to_contain_text("tk_prod_")
    advice.get_by_role("button", name="staging").click()
    expect(advice).to_contain_text("0 records in staging")
    advice.get_by_role("link", name="Open the system logs").click()
    expect(panel(page, "failed-calls")).to_contain_text("No call failed in this range")
    page.get_by_role("link", name="Raw data").click()
    expect(panel(page, "records")).to_contain_text("0 records")
    expect(panel(page, "records").get_by_role("link", name="system logs")).to_be_visible()
    until(page, lambda: page.url.endswith("?environment=staging&view=records"))


@pytest.mark.parametrize("asked", ["", "?product=orbit-cli", "?product=no-such-product"])
@pytest.mark.slow
def test_the_record_to_send_oneself_is_one_that_counts(
    open_page: OpenPage, analytics: Analytics, service: LocalService, asked: str
) -> None:
    analytics.given = answers.empty()
    page = open_page(asked)
    command = panel(page, "no-records").locator("pre").inner_text()
    done = subprocess.run(
        ["sh", "-c", command], env={**os.environ, "KEY": service.key("ingest_key", "staging")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["response"]["code"] == 830, (command, done.stdout, done.stderr)
    (product,) = re.findall(r'"product_id":"([^"]*)"', command)
    assert product == ("orbit-cli" if "orbit-cli" in asked else "orbit-desktop")


@pytest.mark.slow
def test_any_product_is_one_word_of_the_command_to_send(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given = answers.empty() | {"products": {"items": [{"id": "Bob's $APP", "name": "Bob's"}]}}
    page = open_page()
    command = panel(page, "no-records").locator("pre").inner_text()
    words = shlex.split(command)
    assert json.loads(words[-1])["product_id"] == "Bob's $APP"


@pytest.mark.parametrize("key", ["admin_key", "viewer_key"])
@pytest.mark.slow
def test_a_product_that_does_not_exist_is_called_so(open_page: OpenPage, analytics: Analytics, key: str) -> None:
    analytics.given = answers.empty()
    page = open_page("?product=orbit-desktp", key=key)
    advice = panel(page, "no-records")
    expect(advice).to_contain_text("There is no product “orbit-desktp”")
    expect(advice).to_contain_text("There are: orbit-desktop, orbit-cli")
    expect(advice).not_to_contain_text("Nothing has arrived yet")
    advice.get_by_role("button", name="Show all products").click()
    expect(advice).to_contain_text("0 records in production")
    expect(advice).to_contain_text("Nothing has arrived yet")
    if key == "admin_key":
        page.goto("/admin/telemetry?view=records&product=orbit-desktp")
        expect(panel(page, "records")).to_contain_text("There is no product “orbit-desktp”.")
        page.goto("/admin/telemetry?view=records&product=orbit-cli")
        expect(panel(page, "records")).to_contain_text("0 records")
        expect(panel(page, "records")).not_to_contain_text("There is no product")


def test_a_click_on_a_row_opens_its_record_and_one_on_a_value_filters(open_page: OpenPage) -> None:
    page = open_page("?view=records")
    loaded(page, "records")
    row = panel(page, "records").locator("tr[data-record=record-2]")
    row.locator("td[data-label=Group]").click()
    expect(page.get_by_role("dialog", name="Record")).to_be_visible()
    until(page, lambda: page.url.endswith("&record=record-2"))
    page.keyboard.press("Escape")
    row.locator("td[data-label=Version] button").click()
    until(page, lambda: page.url.endswith("?view=records&version=5.1.0"))


@pytest.mark.slow
def test_the_menu_leads_to_the_reference(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("navigation", name="Views").get_by_role("link", name="API").click()
    expect(page.get_by_role("searchbox")).to_be_visible()
    until(page, lambda: page.url.endswith("/docs"))


def test_problems_are_shown_and_tried_again(open_page: OpenPage, analytics: Analytics, troubles: list[str]) -> None:
    analytics.given["overview"] = analytics.given["licenses"] = 503
    page = open_page(clock=True)
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("Unavailable")
    expect(problem).to_contain_text("JKJaXmPLvHcESHA=")
    analytics.given.clear()
    problem.get_by_role("button", name="Try again").click()
    loaded(page, "overview")

    analytics.given["overview"] = 503
    page.clock.run_for(31_000)
    expect(page.locator(".stale")).to_contain_text("Unavailable")
    expect(page.locator("[data-stat=recent_activity]")).to_have_text("2,400")
    troubles.clear()  # what the browser says of each 503


# ── raw data


def test_records_are_filtered_and_paged(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.found["jane@example.org"] = [answers.hit("user", "jane@example.org", "jane@example.org")]
    page = open_page()
    loaded(page, "overview")
    page.locator("[data-alert=BYPASSED_ACTIVATION]").click()
    loaded(page, "records")
    asked = {"environment": "production", "range": "30d", "limit": "50"}
    assert analytics.asked_for("records") == [asked | {"flag": "BYPASSED_ACTIVATION"}]
    expect(page.get_by_role("combobox", name="Flag", exact=True)).to_have_value("BYPASSED_ACTIVATION")
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("User", exact=True).fill("jane@example.org")
    page.get_by_role("button", name="Apply").click()
    loaded(page, "records")
    assert analytics.asked_for("records")[-1] == asked | {"user": "jane@example.org"}
    rows = panel(page, "records").locator("tbody tr")
    for shown in (100, 120):
        page.get_by_role("button", name="Load older records").click()
        expect(rows).to_have_count(shown)
    assert analytics.asked_for("records")[-1] == asked | {"user": "jane@example.org", "cursor": "100"}
    expect(panel(page, "records")).to_contain_text("120 records shown (all)")
    page.get_by_role("button", name="Newest only").click()
    expect(rows).to_have_count(50)
    rows.first.get_by_title("5.1.0 – show only this").click()
    expect(page.get_by_label("Version", exact=True)).to_have_value("5.1.0")
    until(page, lambda: "version=5.1.0" in page.url)


@pytest.mark.slow
def test_a_search_goes_on_over_pages_without_a_match(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["records"] = {"items": [], "next": "100"}
    page = open_page("?view=records", clock=True)
    until(page, lambda: len(analytics.asked_for("records")) > 1)
    del analytics.given["records"]
    expect(panel(page, "records").locator("tbody tr")).to_have_count(20)


def test_a_record_is_inspected(open_page: OpenPage) -> None:
    page = open_page("?view=records", permissions=["clipboard-read", "clipboard-write"])
    loaded(page, "records")
    second = page.locator("[data-record=record-1]").get_by_role("button", name="2026-11-21 13:36:13")
    second.click()
    drawer = page.get_by_role("dialog", name="Record")
    expect(drawer).to_contain_text("no active activation of the licence matches the device")
    expect(drawer.locator("[data-part=payload]")).to_contain_text(answers.BIG_NUMBER)
    expect(drawer.locator("[data-part=raw]")).to_contain_text(f'"event_id": {answers.BIG_NUMBER}')
    drawer.get_by_role("button", name="Copy payload").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'"event_id": {answers.BIG_NUMBER},' in copied
    for part, view in (("license", "view=licenses&license="), ("customer", "view=customers&customer=")):
        expect(drawer.locator(f"[data-part={part}]").get_by_role("link")).to_have_attribute("href", re.compile(view))
    drawer.get_by_role("button", name="Older record").click()
    expect(drawer).to_contain_text(answers.record(2)["hwid"])
    expect(page).to_have_url(re.compile("record=record-2$"))
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page).not_to_have_url(re.compile("record="))
    expect(second).to_be_focused()


def test_an_export_is_one_checked_file(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page("?view=records&flagged=true")
    loaded(page, "records")
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export records")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog).to_contain_text("250 rows, ")
    expect(dialog).to_contain_text("complete and checked")
    whole = b"".join(body for body, _ in analytics.pages)
    path = download.value.path()
    assert sha256(Path(path).read_bytes()).digest() == sha256(whole).digest()
    first, *others = analytics.asked_for("export")
    assert first == {"environment": "production", "range": "30d", "flagged": "true", "format": "csv"}
    assert [query["cursor"] for query in others] == ["1", "2"]


@pytest.mark.parametrize(
    "wrong", ["a byte", *(pytest.param(each, marks=pytest.mark.slow) for each in ("a row", "the end"))]
)
def test_no_file_is_given_of_an_export_that_is_not_whole(open_page: OpenPage, analytics: Analytics, wrong: str) -> None:
    (first, link), second, (last, vouched) = answers.export_pages()
    match wrong:
        case "a row":
            first = first.replace(b'record-7,"a ""b"", c"\r\n', b"")
        case "a byte":
            first = first.replace(b"record-7", b"record-8")
        case "the end":
            vouched = {}
    analytics.pages = [(first, link), second, (last, vouched)]
    page = open_page("?view=records")
    loaded(page, "records")
    page.on("download", lambda _: pytest.fail("it was given"))
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export records")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Incomplete export")


# ── licences


def test_a_licence_is_suspended_and_revoked_after_asking(
    open_page: OpenPage, analytics: Analytics, service: LocalService
) -> None:
    def registered(path: str) -> Any:  # noqa: ANN401
        headers = {"authorization": f"Bearer {service.keys['admin_key']}"}
        return httpx.get(f"{service.url}/api/v1/admin/licenses{path}", headers=headers).json()

    license_ = registered("?environment=production&state=active")["items"][0]

    def top() -> dict[str, Any]:
        state = registered(f"/{license_['id']}")["state"]
        item = answers.top_license(license_["id"], license_["last_four"]) | {"state": state}
        return {"items": [item], "exact": True, "note": None}

    analytics.given["licenses"] = answers.licenses(top())
    page = open_page()
    loaded(page, "overview")
    row = page.locator(f"[data-license='{license_['id']}']")

    row.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog", name="Revoke this licence?")
    expect(dialog).to_contain_text(f"••••{license_['last_four']}")
    expect(dialog).to_contain_text("Globex")
    dialog.get_by_role("button", name="Cancel").click()
    assert top()["items"][0]["state"] == "active"

    for action, state in (("Suspend", "suspended"), ("Resume", "active"), ("Revoke", "revoked")):
        row.get_by_role("button", name=action).click()
        dialog = page.get_by_role("dialog", name=f"{action} this licence?")
        dialog.get_by_role("button", name=f"{action} licence").click()
        expect(dialog.get_by_role("status")).to_contain_text(f"is now {state}")
        expect(page.locator("#announcer")).to_contain_text(f"is now {state}")
        analytics.given["licenses"] = answers.licenses(top())
        dialog.get_by_role("button", name="Close").last.click()
        expect(row.locator(f".state-{state}")).to_be_visible()
    assert top()["items"][0]["state"] == "revoked"
    expect(row.get_by_role("button")).to_have_count(0)


# ── for everybody


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])  # the other two are on the demo
def test_axe_finds_nothing(open_page: OpenPage, analytics: Analytics, scheme: str, width: int) -> None:
    size = {"width": width, "height": 900}
    page = open_page(key=None, color_scheme=scheme, viewport=size)
    expect(page.get_by_label("Staff key")).to_be_visible()
    assert axe(page) == []
    page = open_page(color_scheme=scheme, viewport=size)
    for view, address in VIEWS.items():
        page.goto(f"/admin/telemetry{address}")
        loaded(page, view)
        assert axe(page) == [], view
    page.goto("/admin/telemetry?view=records&record=record-2")
    expect(page.get_by_role("dialog").locator("[data-part=raw]")).to_be_visible()
    assert axe(page) == []
    page.goto("/admin/telemetry")
    loaded(page, "overview")
    panel(page, "trend").get_by_role("radio", name="Table").check()
    page.get_by_role("button", name="Revoke licence LL08").first.click()
    assert axe(page) == []
    analytics.given = answers.empty()
    page.goto("/admin/telemetry")
    expect(panel(page, "no-records")).to_be_visible()
    assert axe(page) == []


@pytest.mark.slow
def test_a_phone_never_scrolls_sideways(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page(viewport=PHONE, is_mobile=True, has_touch=True)

    for view, address in VIEWS.items():
        page.goto(f"/admin/telemetry{address}")
        loaded(page, view)
        assert overflow(page) == 0, view
    page.goto("/admin/telemetry?view=records&record=record-2&from=2026-11-01&to=2026-11-07")
    expect(page.get_by_role("dialog").locator("[data-part=raw]")).to_be_visible()
    assert overflow(page) == 0
    assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0
    analytics.given = answers.empty()
    page.goto("/admin/telemetry")
    expect(panel(page, "no-records")).to_be_visible()
    assert overflow(page) == 0


def test_the_keyboard_reaches_everything_first(open_page: OpenPage) -> None:
    page = open_page()
    loaded(page, "overview")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("link", name="System logs").focus()
    page.keyboard.press("Enter")
    loaded(page, "logs")
    expect(page.locator("main")).to_be_focused()
    assert [page.get_by_role(role).count() for role in ("banner", "main", "contentinfo")] == [1, 1, 1]


@pytest.mark.slow
def test_each_cause_that_the_documentation_names_is_told(open_page: OpenPage, analytics: Analytics) -> None:
    """Once under the calls, however many there are."""
    table = Path("docs/analytics.md").read_text().partition("| what happened |\n|---|---|\n")[2].partition("\n\n")[0]
    causes = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    logs = answers.system_logs()
    call = logs["failed_calls"][0]
    calls = [call | {"cause": cause, "last4": last4} for cause in causes for last4 in ("aaaa", "bbbb")]
    analytics.given["system-logs"] = logs | {"failed_calls": calls}
    page = open_page("?view=logs")
    loaded(page, "logs")
    advice = panel(page, "failed-calls").locator(".advice")
    expect(advice.locator("dt")).to_have_text([cause.replace("_", " ") for cause in causes])
    assert all(len(told) > 20 for told in advice.locator("dd").all_inner_texts())


@pytest.mark.slow
def test_actions_are_shown_whole_and_exports_say_of_what(open_page: OpenPage, analytics: Analytics) -> None:
    logs = answers.system_logs()
    (entry,) = logs["staff_actions"]
    actions = ("license.revoke", "license.resume", "api_key.regenerate")
    entries = [entry | {"id": action, "action": action, "key_name": "a name of some length"} for action in actions]
    exports = [entry | {"id": what, "entity": what, "before": {}} for what in ("records", "companies")]
    analytics.given["system-logs"] = logs | {"staff_actions": entries, "exports": exports}
    page = open_page("?view=logs", viewport={"width": 1024, "height": 800})
    loaded(page, "logs")
    shown = panel(page, "staff-actions").locator("tbody tr td:nth-of-type(2)")
    expect(shown).to_have_text(actions)
    assert shown.evaluate_all(
        "cells => cells.every((cell) => cell.scrollWidth <= cell.clientWidth && !cell.children[0])"
    )
    expect(panel(page, "exports").locator("tbody tr td:nth-of-type(2)")).to_have_text(["records", "companies"])


@pytest.mark.slow
def test_times_are_utc_and_local_on_hover(open_page: OpenPage) -> None:
    page = open_page("?view=logs", timezone_id="Asia/Kolkata", locale="en-GB")
    loaded(page, "logs")
    time = panel(page, "staff-actions").locator("time").first
    expect(time).to_have_text("2026-11-21 12:37:00")
    assert "18:07:00" in str(time.get_attribute("title"))
