"""What staff come for, on the demo, counted in clicks and texts from the overview. No id is known by heart."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from local.demo_history import DESKTOP
from tests.browser.clicks import Person
from tests.browser.conftest import OpenPage
from tests.browser.screen import panel
from tests.local_service import LocalService

pytestmark = pytest.mark.slow


def state_of(demo: LocalService, id_: str) -> str:
    headers = {"authorization": f"Bearer {demo.keys['admin_key']}"}
    return str(httpx.get(f"{demo.url}/api/v1/admin/licenses/{id_}", headers=headers, timeout=30).json()["state"])


def test_who_is_over_the_limit_and_what_they_sent(open_demo: OpenPage, demo: LocalService) -> None:
    page, person = open_demo(), Person()
    person.click(page.get_by_role("link", name="Customers", exact=True))
    person.click(page.locator("[data-value=over]"))
    row = panel(page, "over-limit").locator("tbody tr")
    expect(row).to_have_count(1)
    customer = row.get_by_role("link").first.inner_text()
    assert (person.acts, customer) == (2, "Aurora Works")
    assert int(row.locator("td").nth(1).inner_text()) > int(row.locator("td").nth(2).inner_text()) == 3

    # and on to the licence, to what it sent, and to its end
    person.click(row.get_by_role("link", name=re.compile("••••")))
    expect(page.locator("[data-sent=month]")).to_contain_text("Bypassed activation")
    expect(panel(page, "license").locator("[data-part=seats]")).to_have_text("1 of 3")
    id_ = httpx.URL(page.url).params["license"]
    person.click(panel(page, "license").get_by_role("button", name=re.compile("^Suspend")))
    person.click(page.get_by_role("dialog").get_by_role("button", name="Suspend licence"))
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("is now suspended")
    assert (person.acts, state_of(demo, id_)) == (5, "suspended")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    panel(page, "license").get_by_role("button", name=re.compile("^Resume")).click()
    page.get_by_role("dialog").get_by_role("button", name="Resume licence").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("is now active")


def test_a_licence_for_somebody_new(open_demo: OpenPage, demo: LocalService) -> None:
    page, person = open_demo(), Person()
    person.click(page.get_by_role("link", name="Licences", exact=True))
    person.click(page.get_by_role("button", name="Issue licences"))
    dialog = page.get_by_role("dialog")
    person.types("Newcomer & Sons", dialog.get_by_label("Customer's name"))
    person.chooses(DESKTOP, dialog.get_by_label("Product"))
    person.types("5", dialog.get_by_label("Devices"))
    person.click(dialog.get_by_role("button", name="Issue", exact=True))
    key = dialog.locator(".issued code").inner_text()
    assert person.acts <= 8
    # it is good at once
    body = {"license_key": key, "identifier": "a-new-device"}
    answer = demo.post("/api/v1/activate", body, demo.key("ingest_key"))
    told = answer.json()
    assert (told["code"], told["license"]["activation_limit"]) == (300, 5)


def test_why_the_data_of_an_sdk_is_missing(open_demo: OpenPage, demo: LocalService) -> None:
    answer = demo.post("/api/v1/telemetry", {"data_type": "text"}, "tk_prod_nobody-issued-this-Zq7K")
    assert answer.status_code == 401
    page, person = open_demo(), Person()
    person.click(page.get_by_role("link", name="System logs"))
    row = panel(page, "failed-calls").locator("tbody tr").filter(has_text="Zq7K")
    expect(row.first).to_be_visible()
    person.click(row.first)
    assert person.acts <= 4
