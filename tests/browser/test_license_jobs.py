"""What staff come for, on the demo, counted in clicks and texts from the overview. No id is known by heart."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from local.demo_history import DESKTOP
from local.demo_usage import CLI
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
    all_devices = int(
        re.findall(r"([\d,]+) devices", page.locator("[data-sent=month]").inner_text())[0].replace(",", "")
    )
    devices = panel(page, "sent-by-devices")
    expect(devices).to_contain_text(f"The 50 of {all_devices} that sent last")
    expect(devices.locator("tbody tr")).to_have_count(50)
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
    expect(row).to_have_count(1)
    expect(row).to_contain_text("bad key")
    advice = panel(page, "failed-calls").get_by_text("Compare its last four characters with those of the key")
    expect(advice).to_be_visible()
    assert person.acts <= 4


def test_the_developers_of_a_company(open_demo: OpenPage, demo: LocalService) -> None:
    page, person = open_demo(), Person()
    person.click(page.get_by_role("link", name="Companies", exact=True))
    person.click(panel(page, "companies").get_by_role("link", name="Orbit CLI"))
    first = panel(page, "companies").locator("tbody tr[data-profile]").first
    person.click(first.get_by_role("button"))
    assert person.acts <= 3
    company = str(first.get_attribute("data-profile"))
    headers = {"authorization": f"Bearer {demo.keys['admin_key']}"}
    of_product = {"environment": "production", "product": CLI, "limit": "25"}
    path = f"companies/{quote(company, safe='')}"
    told = httpx.get(f"{demo.url}/api/v1/analytics/{path}", params=of_product, headers=headers, timeout=30).json()
    names = [each["developer"]["name"] for each in told["items"]]
    listed = page.get_by_role("dialog", name="Company").get_by_role("group", name="Developers of this company")
    expect(listed.locator("tbody tr")).to_have_count(len(names))
    assert [row.get_by_role("link").first.inner_text() for row in listed.locator("tbody tr").all()] == names
    assert names


def test_what_the_licence_of_a_key_sent_yesterday(open_demo: OpenPage, demo: LocalService) -> None:
    """Somebody sends the whole key: it is typed into the search, and never stands in the address."""
    headers = {"authorization": f"Bearer {demo.keys['admin_key']}"}
    of_active = {"environment": "production", "state": "active", "limit": "200"}
    listed = httpx.get(f"{demo.url}/api/v1/admin/licenses", params=of_active, headers=headers, timeout=60).json()[
        "items"
    ]
    latest = max((each for each in listed if each["last_seen"]), key=lambda each: str(each["last_seen"]))
    path = f"licenses/{latest['id']}"
    key = httpx.get(f"{demo.url}/api/v1/admin/{path}", headers=headers, timeout=30).json()["license_key"]
    of_month = {"environment": "production", "range": "30d"}
    told = httpx.get(f"{demo.url}/api/v1/analytics/{path}/use", params=of_month, headers=headers, timeout=60).json()
    page, person = open_demo(), Person()
    expect(page.locator(".skeleton")).to_have_count(0)
    person.press(page, "Control+k")
    person.types(key, page.get_by_role("dialog").get_by_role("combobox"))
    expect(page.get_by_role("option").first).to_contain_text(latest["last_four"])
    person.press(page, "Enter")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    sent = next((each["records"] for each in told["days"] if each["day"] == yesterday), 0)
    expect(page.locator("[data-sent=yesterday]")).to_contain_text(f"{sent:,} records" if sent else "No records")
    assert person.acts <= 4
    assert key not in page.url
