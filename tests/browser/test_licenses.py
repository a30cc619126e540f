"""Licences, customers and products on the page, through the real admin API."""

import csv
import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser.answers import Analytics, licenses
from tests.browser.clicks import Person
from tests.browser.conftest import OpenPage
from tests.browser.paper import check_paper, print_out
from tests.browser.screen import PHONE, axe, opened, overflow, panel, until
from tests.browser.staff import PRODUCTION, a_license, asked
from tests.local_service import LocalService

CUSTOMER = "aurora-works"
"""One of the demo's."""
LONG = "Extraordinarily Long & <b>Bold</b> Holding Company of the United Works " * 3
NAME = LONG[:170]
VIEWS = ("?view=licenses", "?view=customers", "?view=customers&show=over", "?view=products")


# ── what people come for


def test_a_licence_is_issued_to_a_new_customer(open_page: OpenPage, service: LocalService) -> None:
    page, person = open_page(stand_in=False), Person()
    person.click(page.get_by_role("link", name="Licences", exact=True))
    person.click(page.get_by_role("button", name="Issue licences"))
    dialog = page.get_by_role("dialog", name="Issue licences")
    person.types(NAME, dialog.get_by_label("Customer's name"))
    person.chooses("orbit-desktop", dialog.get_by_label("Product"))
    person.types("3", dialog.get_by_label("Devices"))
    person.click(dialog.get_by_role("button", name="Issue", exact=True))
    done = page.get_by_role("dialog", name="Issued")
    expect(done.get_by_role("status")).to_contain_text("1 licence issued in production to")
    key = done.locator(".issued code").inner_text()
    assert person.acts <= 8
    done.get_by_role("link", name="Open").click()
    opened(page, "license")
    id_ = httpx.URL(page.url).params["license"]
    made = asked(service, f"licenses/{id_}")
    customer = asked(service, f"customers/{made['customer_id']}")
    assert (made["license_key"], made["product_id"], made["activation_limit"]) == (key, "orbit-desktop", 3)
    assert customer["name"] == NAME.strip()
    assert key not in page.url
    assert [
        each["action"] for each in asked(service, "history", kind="license", entity=id_, **PRODUCTION)["items"]
    ] == ["license.create"]


def test_customers_over_their_limit(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.given["devices/excess"] = licenses()["devices"]
    page, person = open_page(), Person()
    person.click(page.get_by_role("link", name="Customers", exact=True))
    person.click(page.locator("[data-value=over]"))
    assert person.acts <= 2
    row = panel(page, "over-limit").locator("tbody tr")
    expect(row).to_contain_text("Globex")
    expect(row).to_contain_text("63")
    assert analytics.asked_for("devices/excess")[0]["range"] == "30d"
    address = row.get_by_role("link", name="••••LL08").get_attribute("href")
    assert httpx.URL(str(address)).params["license"] == licenses()["devices"]["items"][0]["license_id"]


def test_a_licence_is_revoked_from_its_page(open_page: OpenPage, service: LocalService) -> None:
    made, person = a_license(service), Person()
    page = open_page(f"?view=licenses&license={made['id']}", stand_in=False)
    opened(page, "license")
    person.click(page.get_by_role("button", name=f"Revoke licence {made['last_four']}"))
    person.click(page.get_by_role("dialog").get_by_role("button", name="Revoke licence"))
    assert person.acts == 2
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("is now revoked")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(panel(page, "license").locator("[data-state=revoked]")).to_be_visible()
    expect(panel(page, "history").locator("tbody tr").first).to_contain_text("revoke")


@pytest.mark.slow
def test_a_licence_is_revoked_by_keyboard_alone(open_page: OpenPage, service: LocalService) -> None:
    made, person = a_license(service), Person()
    page = open_page(f"?view=licenses&license={made['id']}", stand_in=False)
    opened(page, "license")
    person.tabs_to(page, page.get_by_role("button", name=f"Revoke licence {made['last_four']}"))
    person.press(page, "Enter")
    dialog = page.get_by_role("dialog")
    person.tabs_to(page, dialog.get_by_role("button", name="Revoke licence"))
    person.press(page, "Enter")
    expect(dialog.get_by_role("status")).to_contain_text("is now revoked")
    assert asked(service, f"licenses/{made['id']}")["state"] == "revoked"
    person.tabs_to(page, dialog.locator(".buttons").get_by_role("button", name="Close"))
    person.press(page, "Enter")
    expect(dialog).to_have_count(0)
    expect(panel(page, "license").locator("[data-state=revoked]")).to_be_visible()


@pytest.mark.slow
def test_a_licence_is_printed(open_page: OpenPage, service: LocalService) -> None:
    made = a_license(service)
    page = open_page(f"?view=licenses&license={made['id']}", stand_in=False, color_scheme="dark")
    opened(page, "license")
    print_out(page, "dark")
    expect(panel(page, "license")).to_contain_text(made["id"])
    check_paper(page)


# ── licences


@pytest.mark.slow
def test_licences_are_filtered_sorted_and_exported(open_page: OpenPage, service: LocalService) -> None:
    page = open_page("?view=licenses", stand_in=False)
    opened(page, "license-list")
    rows = panel(page, "license-list").locator("tbody tr")

    def shows(wanted: list[Any]) -> None:
        expect(rows).to_have_count(len(wanted))
        until(
            page, lambda: [row.get_attribute("data-license") for row in rows.all()] == [each["id"] for each in wanted]
        )

    for choice, query in (("Any state", {"state": "active"}), ("Any number of devices", {"seats": "full"})):
        (value,) = query.values()
        page.get_by_label(choice).select_option(value)
        shows(asked(service, "licenses", limit="50", **PRODUCTION, **query)["items"])
        assert query.items() <= dict(httpx.URL(page.url).params).items()
        page.get_by_role("button", name="Clear").click()
    mine = a_license(service, customer_id=CUSTOMER)  # of any product
    customer = page.get_by_label("Customer", exact=True)
    for typed in ("Aurora Works", CUSTOMER):
        customer.fill(typed)
        customer.press("Enter")
        shows(asked(service, "licenses", limit="50", customer_id=CUSTOMER, **PRODUCTION)["items"])
        expect(page.locator(f"[data-license='{mine['id']}']")).to_contain_text("not told")
        expect(customer).to_have_value(CUSTOMER)
        page.get_by_role("button", name="Clear").click()
        expect(customer).to_have_value("")
    for sort in ("customer", "-customer"):
        page.get_by_role("columnheader", name="Customer").get_by_role("button").click()
        shows(asked(service, "licenses", limit="50", sort=sort, **PRODUCTION)["items"])
    page.go_back()
    expect(page.get_by_role("columnheader", name="Customer")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export licences")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog).to_contain_text("complete and checked")
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert len(ids) > 100
    assert ids[:50] == [each["id"] for each in asked(service, "licenses", sort="customer", **PRODUCTION)["items"]]


@pytest.mark.slow
def test_many_are_issued_and_none_is_lost_half_way(
    open_page: OpenPage, service: LocalService, troubles: list[str]
) -> None:
    """The third answer gets lost, the fourth request is refused: the same button goes on from there."""
    page = open_page("?view=licenses", stand_in=False)
    sent: list[str] = []

    def unreliable(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        sent.append(json.loads(route.request.post_data or "{}")["license_key"])
        if len(sent) == 3:
            route.fetch()
            return route.abort()
        if len(sent) == 5:
            return route.fulfill(status=503, json={"title": "Unavailable", "detail": "Please try again."})
        return route.continue_()

    page.route("**/api/v1/admin/licenses?*", unreliable)
    page.get_by_role("button", name="Issue licences").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Customer's name").fill("Halfway Ltd")
    dialog.get_by_label("How many").fill("5")
    dialog.get_by_role("button", name="Issue 5").click()
    expect(dialog.get_by_role("alert")).to_contain_text("No connection")
    expect(dialog.get_by_role("status")).to_contain_text("2 licences issued in production to Halfway Ltd, 3 to go")
    dialog.get_by_role("button", name="Issue the other 3").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Unavailable")
    dialog.get_by_role("button", name="Issue the other 2").click()
    expect(dialog.get_by_role("status")).to_contain_text("5 licences issued in production to Halfway Ltd")
    shown = dialog.locator(".issued code").all_inner_texts()
    customers = [each for each in asked(service, "customers", limit="200")["items"] if each["name"] == "Halfway Ltd"]
    assert len(customers) == 1
    made = asked(service, "licenses", customer_id=customers[0]["id"], **PRODUCTION)["items"]
    keys = {asked(service, f"licenses/{each['id']}")["license_key"] for each in made}
    assert (len(made), keys, len(set(shown))) == (5, set(shown), 5)
    with page.expect_download() as download:
        dialog.get_by_role("button", name="CSV").click()
    assert Path(download.value.path()).read_text().splitlines()[1].startswith(shown[0])
    dialog.get_by_role("button", name="Close").click()
    troubles[:] = [each for each in troubles if not re.search("409|503|ERR_FAILED", each)]


def test_what_is_wrong_is_said_beside_its_field(
    open_page: OpenPage, service: LocalService, troubles: list[str]
) -> None:
    page = open_page("?view=licenses", stand_in=False)
    page.get_by_role("button", name="Issue licences").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[data-value=known]").click()
    dialog.get_by_label("Customer", exact=True).fill("nobody-called-so")
    dialog.get_by_label("Devices").fill("7")
    dialog.get_by_role("button", name="Issue", exact=True).click()
    field = dialog.get_by_label("Customer", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(dialog.locator(".field", has=page.get_by_label("Customer", exact=True))).to_contain_text(
        "There is no such customer"
    )
    expect(dialog.get_by_label("Devices")).to_have_value("7")
    field.fill(CUSTOMER)
    dialog.get_by_text("A key of your own").click()
    taken = asked(service, f"licenses/{a_license(service)['id']}")["license_key"]
    dialog.get_by_label("Licence key").fill(taken)
    dialog.get_by_role("button", name="Issue", exact=True).click()
    expect(dialog.locator(".problem")).to_contain_text("Exists already")
    dialog.get_by_label("Licence key").fill("")
    dialog.get_by_role("button", name="Issue", exact=True).dblclick()
    expect(dialog.get_by_role("status")).to_contain_text("1 licence issued")
    troubles[:] = [each for each in troubles if "422" not in each and "409" not in each]


@pytest.mark.slow
def test_a_change_that_comes_too_late_is_told_and_loses_nothing(
    open_page: OpenPage, service: LocalService, troubles: list[str]
) -> None:
    made = a_license(service, customer_id=CUSTOMER, activation_limit=3, expires_at="2999-01-01T00:00:00Z")
    page = open_page(f"?view=licenses&license={made['id']}", stand_in=False)
    opened(page, "license")
    page.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Last day")).to_have_value("2998-12-31")  # it ends with that day
    dialog.get_by_label("Devices").fill("9")
    asked(service, f"licenses/{made['id']}", "PATCH", {"expires_at": "2999-12-31T00:00:00Z"})
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody changed it meanwhile")
    expect(dialog.get_by_label("Devices")).to_have_value("9")
    expect(panel(page, "license").locator("[data-part=expiry]")).to_contain_text("2999-12-31")
    dialog.get_by_role("button", name="Save").click()
    expect(panel(page, "license").locator("[data-part=seats]")).to_have_text("0 of 9")
    changed = asked(service, f"licenses/{made['id']}")
    assert (changed["activation_limit"], changed["expires_at"]) == (9, "2999-12-31T00:00:00Z")
    troubles[:] = [each for each in troubles if "412" not in each]


@pytest.mark.slow
def test_a_licence_is_assigned_extended_and_shown(open_page: OpenPage, service: LocalService) -> None:
    made = a_license(service)
    page = open_page(f"?view=licenses&license={made['id']}", stand_in=False)
    opened(page, "license")
    expect(page.locator("body")).not_to_contain_text(made["license_key"])
    panel(page, "license").get_by_role("button", name="Assign").click()
    page.get_by_role("dialog").get_by_label("Customer").fill("Aurora Works")
    page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    expect(panel(page, "license").locator("[data-state=assigned]")).to_be_visible()
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("dialog").get_by_label("Customer")).to_have_value("Aurora Works")
    page.get_by_role("dialog").get_by_label("Last day").fill("2999-06-30")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(panel(page, "license").locator("[data-part=expiry]")).to_have_text("2999-06-30 23:59")
    page.get_by_role("button", name="Show key").click()
    expect(page.locator("[data-part=key]")).to_have_text(made["license_key"])
    assert made["license_key"] not in page.url
    page.get_by_role("button", name="Hide").click()
    expect(page.locator("body")).not_to_contain_text(made["license_key"])
    history = panel(page, "history").locator("tbody tr")
    expect(history).to_have_count(3)
    assert [row.locator("td").nth(1).inner_text() for row in history.all()] == ["change", "assign", "create"]


@pytest.mark.slow
def test_a_device_is_deactivated(open_page: OpenPage, service: LocalService) -> None:
    made = a_license(service, customer_id=CUSTOMER, activation_limit=2)
    device = "PC/ä?#&=" + "x" * 160
    body = {"license_key": made["license_key"], "identifier": device}
    answer = service.post("/api/v1/activate", body, service.key("ingest_key"))
    assert answer.status_code == 200, answer.text
    of_days = "from=2026-11-01&to=2026-11-02&product=orbit-cli"
    page = open_page(f"?view=licenses&license={made['id']}&{of_days}", stand_in=False)
    opened(page, "activations")
    expect(panel(page, "license").locator("[data-part=seats]")).to_have_text("1 of 2")
    records = panel(page, "activations").get_by_title("Records of this device").get_attribute("href")
    assert dict(httpx.URL(str(records)).params) == {"view": "records", "hwid": device, "range": "30d"}
    panel(page, "activations").get_by_role("button", name="Deactivate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("PC/ä")
    dialog.get_by_role("button", name="Deactivate device").click()
    expect(dialog.get_by_role("status")).to_contain_text("is deactivated")
    dialog.get_by_role("button", name="Close").click()
    expect(panel(page, "license").locator("[data-part=seats]")).to_have_text("0 of 2")
    expect(panel(page, "activations").locator("tbody tr")).to_contain_text("inactive")
    assert asked(service, f"licenses/{made['id']}")["active_activations"] == 0


@pytest.mark.slow
def test_what_a_licence_sent_is_what_the_api_says(open_page: OpenPage, analytics: Analytics) -> None:
    made = {
        "records": 12_345,
        "flagged": 67,
        "flags": {"LATE_EVENT": 67},
        "devices": 8,
        "ips": 9,
        "countries": ["DE", "FR"],
    }
    analytics.given = {}
    page = open_page()
    day = page.evaluate("new Date(Date.now() - 86400000).toISOString().slice(0, 10)")
    times = {"first_seen": f"{day}T08:00:00.000Z", "last_seen": f"{day}T09:00:00.000Z"}
    answer = {
        "from": f"{day}T00:00:00.000Z", "to": f"{day}T00:00:00.000Z", "environment": "production", "license_id": "x",
        "customer_id": None, "exact": False, "counted_from": times["first_seen"], "note": "Only the newest records.",
        "sent": made | times, "days": [made | times | {"day": day}],
        "devices": [
            {key: made[key] for key in ("records", "flagged", "flags", "countries")} | times | {"hwid": hwid}
            for hwid in ("<b>bold</b>", None, None)
        ],
    }  # fmt: skip
    analytics.given["customers/aurora-works/use"] = answer
    page.goto("/admin/telemetry?view=customers&customer=aurora-works")
    opened(page, "sent")
    told = page.locator("[data-sent=yesterday]")
    expect(told).to_contain_text("12,345 records, 67 flagged")
    expect(told).to_contain_text("8 devices, 9 IPs, DE FR")
    expect(page.locator("[data-sent=today]")).to_contain_text("No records")
    devices = panel(page, "sent-by-devices")
    expect(devices).to_contain_text("The 3 of 8 that sent last")
    expect(devices.locator("tbody th")).to_have_text(["<b>bold</b>", "not told", "not told"])
    expect(page.locator("[data-part=inexact]")).to_contain_text("what is older is not in these numbers")
    panel(page, "sent").get_by_role("link", name=day).click()
    assert {"view": "records", "customer_id": CUSTOMER, "from": day, "to": day}.items() <= dict(
        httpx.URL(page.url).params
    ).items()


# ── customers and products


@pytest.mark.slow
def test_a_customer_is_registered_and_changed(open_page: OpenPage, service: LocalService, troubles: list[str]) -> None:
    page = open_page("?view=customers", stand_in=False)
    opened(page, "customer-list")
    page.get_by_role("button", name="New customer").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Mended Ltd")
    dialog.get_by_label("Id").fill(CUSTOMER)
    dialog.get_by_role("button", name="Register").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Exists already")
    expect(dialog.get_by_label("Name")).to_have_value("Mended Ltd")
    dialog.get_by_label("Id").fill("mended")
    dialog.get_by_role("button", name="Register").click()
    opened(page, "customer")
    until(page, lambda: httpx.URL(page.url).params["customer"] == "mended")
    page.get_by_role("button", name="Change").click()
    page.get_by_role("dialog").get_by_label("E-mail").fill("it@mended.example")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(panel(page, "customer").locator("[data-part=email]")).to_have_text("it@mended.example")
    assert asked(service, "customers/mended")["email"] == "it@mended.example"
    expect(panel(page, "history").locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="All customers").click()
    page.get_by_role("searchbox").fill("MENDED.ex")
    expect(panel(page, "customer-list").locator("tbody tr")).to_have_count(1)
    troubles[:] = [each for each in troubles if "409" not in each]


@pytest.mark.slow
def test_a_product_is_registered_and_its_types_configured_with_one_click(
    open_page: OpenPage, service: LocalService, analytics: Analytics, troubles: list[str]
) -> None:
    id_ = "What? a/b"
    used: dict[str, Any] = {
        "configured": False,
        "label": None,
        "level": None,
        "first_day": "2026-11-01",
        "last_day": "2026-11-02",
    }
    items = [used | {"activity_type": name, "uses": 5} for name in ("build", "CALL_HOME", "lint", "~other", "~unknown")]
    analytics.given["activity-types"] = {"environment": "production", "product": id_, "items": items}
    page = open_page("?view=products")
    page.get_by_role("button", name="New product").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Id").fill(id_)
    dialog.get_by_label("Name").fill("What")
    dialog.get_by_label("Requires a licence").check()
    dialog.get_by_label("Versions").fill(" 1.0\n\n1.1\n1.0")
    dialog.get_by_role("button", name="Add a type").click()
    dialog.get_by_label("Key of activity type 1").fill("x" * 65)
    dialog.get_by_role("button", name="Register").click()
    expect(dialog.locator(".field .wrong")).to_contain_text("64")
    dialog.get_by_role("button", name="Remove activity type 1").click()
    dialog.get_by_role("button", name="Register").click()
    opened(page, "arrived-types")
    rows = panel(page, "arrived-types").locator("tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Configure build as primary").click()
    expect(panel(page, "product").locator("[data-type=build]")).to_contain_text("primary")
    expect(rows).to_have_count(1)
    path = "products/What%253F%20a%252Fb"
    asked(service, path, "PATCH", {"name": "Behind the page's back"})
    page.get_by_role("button", name="Configure lint as secondary").click()
    expect(panel(page, "arrived-types").get_by_role("alert")).to_contain_text("Somebody changed the product meanwhile")
    expect(panel(page, "product").locator("[data-part=name]")).to_have_text("Behind the page's back")
    page.get_by_role("button", name="Configure lint as secondary").click()
    expect(rows).to_have_count(0)
    product = asked(service, path)
    assert [(each["key"], each["level"]) for each in product["activity_types"]] == [
        ("build", "primary"),
        ("lint", "secondary"),
    ]
    assert (product["versions"], product["requires_license"]) == (["1.0", "1.1"], True)
    page.get_by_role("button", name="Change").click()
    page.get_by_role("dialog").get_by_label("Keep developers and companies").check()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(panel(page, "product").locator("[data-part=profiles]")).to_have_text("kept")
    assert asked(service, path)["activity_types"] == product["activity_types"]
    troubles[:] = [each for each in troubles if "422" not in each and "412" not in each]


# ── for everybody


def test_a_viewer_sees_none_of_it(open_page: OpenPage) -> None:
    page = open_page("?view=licenses", key="viewer_key")
    expect(page.get_by_role("link", name="Overview")).to_be_visible()
    for name in ("Licences", "Customers", "Products"):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    expect(panel(page, "license-list")).to_have_count(0)


@pytest.mark.slow
def test_what_is_not_there_and_what_fails_is_told(
    open_page: OpenPage, analytics: Analytics, service: LocalService, troubles: list[str]
) -> None:
    page = open_page(f"?view=licenses&license={UUID(int=5)}")
    expect(panel(page, "license")).to_contain_text("There is no such licence in production")
    page.goto("/admin/telemetry?view=licenses&license=ACME-7F3K-92QM-XT4B-LL08")  # a key is taken out of the address
    opened(page, "license-list")
    until(page, lambda: page.url.endswith("?view=licenses"))
    page.goto("/admin/telemetry?view=customers&customer=nobody")
    expect(panel(page, "customer")).to_contain_text("Nobody registered this customer")
    expect(panel(page, "customer-licenses")).to_contain_text("No licence in production")
    page.goto("/admin/telemetry?view=products&open=nothing")
    expect(panel(page, "product")).to_contain_text("There is no such product")
    made = a_license(service)
    analytics.given[f"licenses/{made['id']}/use"] = 503
    page.goto(f"/admin/telemetry?view=licenses&license={made['id']}")
    expect(panel(page, "sent").get_by_role("alert")).to_contain_text("Unavailable")
    expect(panel(page, "license").get_by_role("button", name="Revoke")).to_be_visible()
    page.route("**/api/v1/admin/**", lambda route: route.abort())
    page.goto("/admin/telemetry?view=licenses")
    expect(panel(page, "license-list").get_by_role("alert")).to_contain_text("No connection")
    page.unroute("**/api/v1/admin/**")
    panel(page, "license-list").get_by_role("button", name="Try again").click()
    expect(panel(page, "license-list").locator("tbody tr").first).to_be_visible()
    troubles[:] = [each for each in troubles if not re.search("404|503|ERR_FAILED", each)]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (390, "light"), (1440, "light"), (1440, "dark")])
def test_axe_finds_nothing_and_long_names_stay_in_their_place(
    open_page: OpenPage, analytics: Analytics, service: LocalService, width: int, scheme: str
) -> None:
    customer = asked(service, "customers", "POST", {"name": NAME, "email": "a" * 100 + "@long.example"})
    made = a_license(service, customer_id=customer["id"], activation_limit=1)
    body = {"license_key": made["license_key"], "identifier": "d" * 170}
    service.post("/api/v1/activate", body, service.key("ingest_key"))
    analytics.given["devices/excess"] = licenses()["devices"]
    size = {"width": width, "height": PHONE["height"]}
    page = open_page(color_scheme=scheme, viewport=size, stand_in=False)
    ones = (f"?view=licenses&license={made['id']}", f"?view=customers&customer={customer['id']}")
    for address in (*VIEWS, *ones, "?view=products&open=orbit-desktop"):
        page.goto(f"/admin/telemetry{address}")
        expect(page.locator("main .panel").first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert (axe(page), overflow(page)) == ([], 0), address
    for address, button in (
        ("?view=licenses", "Issue licences"),
        (ones[0], "Change"),
        (ones[0], "Deactivate"),
        (ones[1], "Change"),
        ("?view=products", "New product"),
        ("?view=products&open=orbit-cli", "Change"),
    ):
        page.goto(f"/admin/telemetry{address}")
        page.get_by_role("button", name=button).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert axe(page) == [], (address, button)
        assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0, address
