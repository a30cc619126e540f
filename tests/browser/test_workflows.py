"""What people come to the page for, on the demo, with nothing stood in for."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, Response, Route, expect

from local.demo_history import DAYS, DESKTOP
from local.demo_networks import write_network_file
from local.demo_usage import CLI, Use, usage
from telemetry.domain.environment import Environment
from telemetry.domain.overrides import Overrides
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.network_files import NetworkFile
from tests.browser.clicks import Person
from tests.browser.conftest import OpenPage
from tests.browser.reading import (
    alerts,
    asked,
    exported,
    file_of,
    number,
    overviewed,
    query_of,
    reported,
    stats,
    window,
)
from tests.browser.screen import PHONE, VIEWS, axe, loaded, overflow, panel, until
from tests.local_service import LocalService
from tests.recount_profiles import Attributor, Exported, recount

pytestmark = pytest.mark.slow

Json = Any


# ── jobs, in clicks from the overview


def test_a_leaked_key_is_revoked_at_its_alert(open_demo: OpenPage, demo: LocalService) -> None:
    """From the alert to the licence revoked. That is not carried out: what comes below needs the licence as it is."""
    page, person = open_demo(), Person()
    loaded(page, "overview")
    (episode,) = asked(demo, "analytics/alerts", range="30d", state="all")["items"]
    told, (leaked, *_) = episode["so_far"], episode["so_far"]["licenses"]
    sentence = (
        f"Orbit Desktop ••••{leaked['last4']}, {leaked['customer']['name']}: {leaked['flagged']:,} flagged records of "
        f"{leaked['devices']} devices in three days; its limit is {leaked['limit']}"
    )
    spike = page.locator("[data-spike]")
    expect(spike.locator("h2")).to_contain_text(sentence)
    revoked: list[str] = []

    def revoke_nothing(route: Route) -> None:
        revoked.append(route.request.url)
        route.fulfill(json={"state": "revoked"})

    page.route("**/api/v1/admin/licenses/*/revoke", revoke_nothing)
    person.click(spike.get_by_role("button", name=f"Revoke licence {leaked['last4']}"))
    person.click(page.get_by_role("dialog").get_by_role("button", name="Revoke licence"))
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("is now revoked")
    assert person.acts <= 5
    assert [url.split("/")[-2] for url in revoked] == [leaked["license_id"]]

    rows = exported(
        page,
        f"?view=records&license_id={leaked['license_id']}&flagged=true&from={told['first_day']}&to={told['last_day']}",
    )
    assert (len(rows), len({row["hwid"] for row in rows})) == (leaked["flagged"], leaked["devices"])


def test_a_new_versions_share_today(open_demo: OpenPage) -> None:
    page, person = open_demo(), Person()
    loaded(page, "overview")
    with page.expect_response(re.compile("/overview.*range=today")) as response:
        person.click(page.get_by_role("radio", name="Today"))
    loaded(page, "overview")
    shown = response.value.json()
    total = sum(each["records"] for each in shown["versions"])
    for each in shown["versions"]:
        share = page.locator(f"[data-version='{each['version']}']").locator("[data-stat=percent]")
        expect(share).to_have_text(f"{100 * each['records'] / total:.1f}%")
    assert person.acts <= 3
    assert len(shown["versions"]) > 1
    today = Counter(row["version"] or "~unknown" for row in exported(page, f"?view=records&{query_of(window(shown))}"))
    assert {each["version"]: each["records"] for each in shown["versions"]} == today
    page.go_back()
    loaded(page, "overview")
    for version, count in today.items():
        row = page.locator(f"[data-version='{version}']")
        expect(row.locator("[data-stat=percent]")).to_have_text(f"{100 * count / today.total():.1f}%")


def test_a_spike_is_acknowledged_and_muted_for_all(open_demo: OpenPage, demo: LocalService) -> None:
    page = open_demo("?range=30d")
    loaded(page, "overview")
    page.locator("[data-spike]").get_by_role("button", name="Acknowledge").click()
    expect(page.locator("[data-said]")).to_contain_text("Acknowledged by demo")
    (episode,) = asked(demo, "analytics/alerts", range="30d", state="all")["items"]
    assert episode["acknowledged"]["key_name"].startswith("demo")
    (entry, *_) = asked(demo, "admin/audit")["items"]
    assert (entry["action"], entry["entity"]) == ("spike.acknowledge", episode["id"])


# ── investigate an outbreak


def test_an_outbreak_is_investigated(open_demo: OpenPage, demo: LocalService) -> None:
    page = open_demo("?range=30d", key=None)
    page.get_by_label("Staff key").fill(demo.keys["admin_key"])
    page.get_by_role("button", name="Sign in").click()
    loaded(page, "overview")
    look_at_the_spike(page, demo)
    leaked = find_the_leaked_key(page, demo)
    revoke(page, demo, leaked)

    # whoever goes on with it is seen at once
    page.goto("/admin/telemetry?range=30d")
    loaded(page, "overview")
    expect(page.locator(f"[data-license='{leaked['id']}'] .state-revoked")).to_be_visible()
    before, revoked = stats(page, "total_records", "flagged_records"), alerts(page)["REVOKED_LICENSE"]
    event = {
        "data_type": "text",
        "data_group": "g",
        "text_data": "started",
        "hwid": "a-pirate's",
        "product_id": DESKTOP,
    }
    event["license_key"] = leaked["license_key"]
    answer = demo.post("/api/v1/telemetry", event, demo.key("ingest_key"))
    assert answer.status_code == 200, answer.text
    page.goto(f"/admin/telemetry?view=records&license_id={leaked['id']}&flag=REVOKED_LICENSE")
    loaded(page, "records")
    (row,) = panel(page, "records").locator("tbody tr").all()
    expect(row).to_contain_text("Revoked licence")
    row.get_by_title("Inspect this record").click()
    drawer = page.get_by_role("dialog", name="Record")
    expect(drawer).to_contain_text("a-pirate's")
    expect(drawer.locator(".message")).to_contain_text("revoked")
    (record,) = asked(demo, "analytics/records", license_id=leaked["id"], flag="REVOKED_LICENSE")["items"]
    assert {"REVOKED_LICENSE", "BYPASSED_ACTIVATION"} <= set(record["flags"])

    # and counted, as soon as the stream has brought it
    page.goto("/admin/telemetry?range=30d")
    loaded(page, "overview")
    total = int(before["total_records"]) + 1
    until(page, lambda: asked(demo, "analytics/overview", range="30d")["stats"]["total_records"] == total)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator("[data-stat=total_records]")).to_have_text(f"{total:,}")
    assert stats(page, *before) == {name: count + 1 for name, count in before.items()}
    assert alerts(page)["REVOKED_LICENSE"] == revoked + 1


def look_at_the_spike(page: Page, demo: LocalService) -> None:
    """From the overview to its records, narrowed to the flag."""
    (episode,) = asked(demo, "analytics/alerts", range="30d", state="all")["items"]
    spike = page.locator("[data-spike]")
    expect(spike).to_contain_text("in three days; its limit is 3 ended")
    expect(spike).to_contain_text(f"{episode['evidence']['flagged']} flagged records in an hour")
    expect(page.locator("[data-alert=BYPASSED_ACTIVATION]")).to_have_class(re.compile("raised"))
    assert alerts(page)["BYPASSED_ACTIVATION"] > 500

    spike.get_by_role("link", name="See the records").click()
    loaded(page, "records")
    days = {"from": episode["opened_at"][:10], "to": episode["last_seen"][:10]}
    until(page, lambda: days.items() <= dict(httpx.URL(page.url).params).items())
    expect(page.get_by_role("combobox", name="Flagged", exact=True)).to_have_value("true")
    with page.expect_response(re.compile("flag=BYPASSED_ACTIVATION")):
        page.get_by_role("combobox", name="Flag", exact=True).select_option("BYPASSED_ACTIVATION")
    loaded(page, "records")


def find_the_leaked_key(page: Page, demo: LocalService) -> Json:
    """Opens a record of the licence that most of them have; gives what is registered of it, and its customer's name."""
    rows = panel(page, "records").locator("tbody tr")
    expect(rows).to_have_count(50)
    ((last4, times),) = Counter(re.findall(r"••••(\w+)", "\n".join(rows.all_inner_texts()))).most_common(1)
    assert times > 40
    rows.filter(has_text=last4).first.get_by_title("Inspect this record").click()
    drawer = page.get_by_role("dialog", name="Record")
    expect(drawer).to_contain_text("no active activation")
    payload = drawer.locator("[data-part=payload]").inner_text()
    (license_key,) = re.findall(r'license_key"?: "([^"]+)"', payload)
    assert license_key.endswith(last4)
    record = asked(demo, f"analytics/records/{httpx.URL(page.url).params['record']}")
    registered = asked(demo, f"admin/licenses/{record['license']['id']}")
    assert (registered["license_key"], registered["state"]) == (license_key, "active")
    return registered | {"customer": record["customer"]["name"]}


def revoke(page: Page, demo: LocalService, leaked: Json) -> None:
    """From the record that is open."""
    drawer = page.get_by_role("dialog", name="Record")
    drawer.get_by_role("button", name=f"Revoke licence {leaked['last_four']}").click()
    dialog = page.get_by_role("dialog", name="Revoke this licence?")
    expect(dialog).to_contain_text(f"••••{leaked['last_four']}")
    expect(dialog).to_contain_text(leaked["customer"])
    dialog.get_by_role("button", name="Revoke licence").click()
    expect(dialog.get_by_role("status")).to_contain_text(f"of {leaked['customer']} is now revoked")
    dialog.get_by_role("button", name="Close").last.click()
    expect(drawer.locator("[data-part=license]")).to_contain_text("revoked")
    assert asked(demo, f"admin/licenses/{leaked['id']}")["state"] == "revoked"


# ── watch a roll-out


def test_a_roll_out_is_watched(open_demo: OpenPage, demo: LocalService) -> None:
    page = open_demo()
    overview = overviewed(page, f"?range=24h&product={DESKTOP}")
    since, until = (datetime.fromisoformat(overview[name]) for name in ("from", "to"))
    assert until - since == timedelta(hours=24)
    days = {since.date().isoformat(), (until - timedelta(seconds=1)).date().isoformat()}
    received = [record for day in days for record in demo.records("--product", DESKTOP, "--day", day)]
    versions = Counter(
        json.loads(record["body"]).get("product_version", "~unknown")
        for record in received
        if since <= datetime.fromisoformat(record["received_at"]) < until
    )
    assert len(versions) > 1
    shown = {
        str(row.get_attribute("data-version")): (
            row.locator("[data-stat=records]").inner_text(),
            row.locator("[data-stat=percent]").inner_text(),
        )
        for row in page.locator("[data-version]").all()
    }
    total = versions.total()
    assert shown == {name: (f"{count:,}", f"{100 * count / total:.1f}%") for name, count in versions.items()}
    assert number(page, "[data-stat=recent_activity]") == total

    rollout = panel(page, "version-trend")
    rollout.get_by_role("radio", name="Table").check()
    expect(rollout.locator("tbody tr")).to_have_count(24)


# ── the cards


def test_cards_equal_api_and_monthly_users(open_demo: OpenPage, demo: LocalService) -> None:
    page = open_demo()
    for product in ("", DESKTOP):
        of = {"product": product} if product else {}
        shown = overviewed(page, f"?{query_of({'range': '30d'} | of)}")
        api = asked(demo, "analytics/overview", **window(shown), **of)
        del api["stats"]["unique_users_days"]
        if product:  # nobody sends usage of it, and there is no panel
            assert api["stats"].pop("uses") == 0
        assert stats(page, *api["stats"]) == api["stats"]
        assert alerts(page) == {alert["flag"]: alert["records"] for alert in api["alerts"]}
        assert number(page, "[data-stat=unique_users]") == demo.monthly_users(product or "*")


def test_cards_equal_an_export(open_demo: OpenPage) -> None:
    page = open_demo()
    shown = overviewed(page, "?range=7d")
    cards = stats(page, "recent_activity", "range_flagged", "range_clean", "unique_devices")
    raised = alerts(page)
    versions = {each["version"]: each["records"] for each in shown["versions"]}

    rows = exported(page, f"?view=records&{query_of(window(shown))}")
    flags = Counter(flag for row in rows for flag in row["flags"].split())
    flagged = sum(bool(row["flags"]) for row in rows)
    assert cards == {
        "recent_activity": len(rows),
        "range_flagged": flagged,
        "range_clean": len(rows) - flagged,
        "unique_devices": len({row["hwid"] for row in rows if row["hwid"]}),
    }
    assert raised == {flag: flags[flag] for flag in raised}
    assert versions == Counter(row["version"] or "~unknown" for row in rows)


def test_cards_equal_what_finance_was_told(open_demo: OpenPage, demo: LocalService) -> None:
    page = open_demo()
    last = date.fromisoformat(reported(demo, "applications")["closed_through"])
    days = {"from": (last - timedelta(days=DAYS - 1)).isoformat(), "to": last.isoformat()}
    overviewed(page, f"?{query_of(days | {'product': DESKTOP})}")
    report = reported(demo, "active-users", application=DESKTOP, days=str(DAYS), as_of=last.isoformat())
    rows = reported(demo, "daily", application=DESKTOP, **days)["rows"]
    piracy = reported(demo, "piracy", application=DESKTOP, **days)["totals"]
    assert number(page, "[data-stat=unique_users]") == report["users"]
    assert number(page, "[data-stat=recent_activity]") == sum(row["records"] for row in rows)
    assert number(page, "[data-stat=range_flagged]") == piracy["flagged"]
    assert alerts(page) == {flag: piracy[flag] for flag in alerts(page)}


# ── for everybody


def test_a_viewer_gets_totals_and_nothing_of_anybody(open_demo: OpenPage, demo: LocalService) -> None:
    answers: list[Response] = []
    told = ""
    page = open_demo(key=None)
    page.get_by_label("Staff key").fill(demo.keys["viewer_key"])
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 (playwright cannot wrap append)
    page.get_by_role("button", name="Sign in").click()
    expect(panel(page, "stats")).to_be_visible()
    answers.clear()
    for address in (
        "?range=30d",
        "?range=24h",
        f"?range=90d&product={DESKTOP}",
        "?view=records",
        "?environment=staging",
    ):
        page.goto(f"/admin/telemetry{address}")
        for name in ("stats", "trend", "active-users", "versions", "version-trend"):
            expect(panel(page, name)).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert [answer.url for answer in answers if answer.status >= 400] == []
        told += "".join(answer.text() for answer in answers if "/api/" in answer.url)
        answers.clear()
    assert number(page, "[data-stat=total_records]") > 100
    assert told.count('"total_records":') == 5
    assert [secret for secret in secrets(demo) if secret in told] == []


def secrets(service: LocalService) -> Iterator[str]:
    """Who and what is in the records of a day, and what fields of such things are called."""
    (outbreak,) = asked(service, "analytics/alerts", range="30d", state="all")["items"]
    for record in service.records("--day", outbreak["last_seen"][:10]):
        yield f'"{record["source_ip"]}"'
        body = json.loads(record["body"])
        payload = body.get("payload", body)
        for name in ("license_key", "hwid", "user_identifier", "user_id", "event_id"):
            if (value := payload.get(name)) and value != "unknown":
                yield str(value)
    yield from ("license_id", "fingerprint", "last4", "hwid", '"ip"', "payload")


@pytest.mark.parametrize(("scheme", "width"), [("light", PHONE["width"]), ("dark", 1440)])
def test_the_full_page_is_for_everybody(open_demo: OpenPage, scheme: str, width: int) -> None:
    page = open_demo(color_scheme=scheme, viewport={"width": width, "height": 900})
    for view, query in VIEWS.items():
        address = f"/admin/telemetry{query}{'&' if query else '?'}range=30d"
        if view == "logs":
            with page.expect_response(re.compile("/system-logs")) as logs:
                page.goto(address)
            closed = len(logs.value.json()["closings"])
            assert closed in {DAYS - 2, DAYS - 1}  # yesterday closes some time after midnight
            expect(panel(page, "closings").locator("tbody tr")).to_have_count(closed)
        else:
            page.goto(address)
            loaded(page, view)
        assert axe(page) == [], view
        assert overflow(page) == 0, view
    page.goto("/admin/telemetry?view=records&flagged=true&range=30d")
    loaded(page, "records")
    page.get_by_title("Inspect this record").first.click()
    expect(page.get_by_role("dialog").locator("[data-part=raw]")).to_be_visible()
    assert axe(page) == []
    assert overflow(page) == 0


def test_the_companies_of_the_cli_are_those_that_used_it(
    open_demo: OpenPage, demo: LocalService, tmp_path: Path
) -> None:
    """Every company with all its developers and uses, as another count of what the demo sent has them."""
    closed = date.fromisoformat(asked(demo, "analytics/companies", product=CLI)["closed_day"])
    write_network_file(tmp_path / "networks.mmdb")
    networks = NetworkFile(tmp_path / "networks.mmdb", "0" * 64).facts
    sent = (_exported(use, closed + timedelta(days=1)) for use in usage(Environment.PRODUCTION))
    attributor = Attributor(Overrides(), domain_lists(), networks)
    (told,) = recount(sent, date.min, closed, attributor).values()
    rows = [json.loads(line) for line in file_of(demo, "companies/export", product=CLI, format="ndjson").splitlines()]
    assert {row["id"] for row in rows} == told.companies.keys() - {None}
    for row in rows:
        company = asked(demo, f"analytics/companies/{quote(row['id'], safe='')}", product=CLI, limit="100")
        counted, uses = told.companies[row["id"]], Counter[str]()
        assert {each["developer"]["name"] for each in company["items"]} == counted.developers
        for each in (*company["items"], *filter(None, [company["anonymous"]])):
            uses.update({said["activity_type"]: said["uses"] for said in each["uses"]["activities"]})
        assert uses == counted.uses
        assert (company["first_day"], company["last_day"]) == tuple(f"{f(counted.days)}" for f in (min, max))
    page = open_demo(f"?view=companies&product={CLI}")
    expect(page.locator("tbody tr")).to_have_count(25)
    assert axe(page) == []
    quiet = asked(demo, "analytics/companies", product=CLI, order="quiet")["items"]
    page.get_by_role("radio", name="Quiet").check()
    expect(page.locator("tbody tr")).to_have_count(len(quiet))
    assert overflow(page) == 0


def _exported(use: Use, today: date) -> Exported:
    return {
        "environment": "production",
        "product": CLI,
        "received_at": use.moment(today).isoformat(),
        "dialect": "r",
        "body": json.dumps({"payload": use.payload(today)}),
        "source_ip": use.caller,
    }
