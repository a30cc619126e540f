"""The search and the filters of raw data by keyboard, and that no licence key gets where it is kept."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from playwright.sync_api import Error, Locator, Page, Request, Route, expect

from tests.browser.answers import LICENSE_ID, Analytics, hit
from tests.browser.conftest import OpenPage
from tests.browser.screen import PHONE, axe, loaded, opened, overflow, panel, until
from tests.browser.staff import a_license, asked
from tests.local_service import LocalService

KEY = "ACME-7F3K-92QM-XT4B-LL08"
KEY_NAME = "1c1ZzR0bQ0b0b0b0b0b0b0Q"
LICENSE = hit("license", LICENSE_ID, "••••LL08", "Globex, Orbit Desktop, active")
GLOBEX, GLOBAL = hit("customer", "globex", "Globex", "globex"), hit("customer", "c-2", "Global Steel", "c-2")
XSS = '"><img src=x onerror=alert(1)>'


def combobox(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search everything")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Results").get_by_role("option")


def search(page: Page, text: str) -> None:
    expect(page.get_by_role("button", name="Search", exact=True)).to_be_visible()
    page.keyboard.press("Control+k")
    expect(combobox(page)).to_be_focused()
    page.keyboard.insert_text(text)


def kept(page: Page) -> str:
    """All that is kept of where the page was, and whatever it says."""
    where = "location.href, document.title, history.state, {...localStorage, ...sessionStorage}"
    return json.dumps(page.evaluate(f"[{where}]"))


@pytest.fixture
def urls(open_page: OpenPage) -> Iterator[list[str]]:
    """Every address that is asked for, with where it is asked from; none may have a licence key."""
    del open_page
    asked: list[str] = []
    yield asked
    assert asked
    assert KEY not in "\n".join(asked)


def note_urls(page: Page, urls: list[str]) -> None:
    def note(request: Request) -> None:
        urls.append(f"{request.url} {request.headers.get('referer', '')}")

    page.on("request", note)
    page.on("framenavigated", lambda frame: urls.append(frame.url))


def test_a_licence_is_found_by_its_key_in_three_presses(
    open_page: OpenPage, service: LocalService, analytics: Analytics, urls: list[str]
) -> None:
    made = a_license(service)
    analytics.found[KEY] = [LICENSE | {"id": made["id"]}]
    page = open_page("?view=logs&range=7d")
    note_urls(page, urls)
    loaded(page, "logs")
    search(page, KEY)
    page.keyboard.press("Enter")  # before there is an answer
    until(page, lambda: f"={made['id']}" in page.url)
    opened(page, "license")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert analytics.searched == [{"text": KEY}]
    until(page, lambda: "license" in page.url)
    assert KEY not in kept(page)
    # it is among those opened before, by what may be shown of it
    page.keyboard.press("Control+k")
    expect(options(page).last).to_contain_text("••••LL08")
    assert KEY not in page.content()


@pytest.mark.slow
def test_an_api_key_that_does_not_work_leads_to_its_failed_calls(open_page: OpenPage, urls: list[str]) -> None:
    key = "tk_prod_a-key-that-nobody-issued-0123456789Zq7K".replace("-", "")
    page = open_page("?view=overview&from=2026-11-01&to=2026-11-07")
    note_urls(page, urls)
    loaded(page, "overview")
    search(page, key)
    expect(options(page)).to_have_text(["System logsFailed calls of ••••Zq7Klast 7 days"])
    page.keyboard.press("Enter")
    until(page, lambda: "last4=Zq7K" in page.url)
    assert "from=" not in page.url
    assert key not in kept(page) + "".join(urls)
    # a whole key that is put into the filter is cut there
    page.get_by_label("Key, last 4").fill(key)
    page.get_by_role("button", name="Apply").click()
    until(page, lambda: "last4=Zq7K" in page.url)
    assert key not in kept(page) + "".join(urls)


def test_it_is_worked_by_keyboard(open_page: OpenPage, service: LocalService, analytics: Analytics) -> None:
    asked(service, "customers", "POST", {"id": "c-2", "name": "Global Steel"}, environment="staging")
    analytics.found["glob"] = [GLOBEX, GLOBAL | {"environment": "staging"}]
    page = open_page("?view=logs")
    loaded(page, "logs")
    button = page.get_by_role("button", name="Search", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(combobox(page)).to_be_focused()
    expect(options(page).first).to_contain_text("Overview")
    page.keyboard.type("g")
    expect(page.get_by_role("status").filter(has_text="one more character")).to_be_visible()
    assert analytics.searched == []
    page.keyboard.type("lob")
    expect(options(page)).to_have_count(2)
    assert [each["text"] for each in analytics.searched] == ["glob"]
    selected = page.locator("[role=option][aria-selected=true]")
    expect(selected).to_contain_text("Globex")
    expect(combobox(page)).to_have_attribute("aria-activedescendant", str(selected.get_attribute("id")))
    page.keyboard.press("ArrowDown")
    expect(selected).to_contain_text("Global Steel")
    expect(selected).to_contain_text("staging")
    page.keyboard.press("ArrowDown")
    expect(selected).to_contain_text("Globex")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    search(page, "glob")
    expect(options(page)).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, lambda: "c-2" in page.url)
    until(page, lambda: "environment=staging" in page.url)
    opened(page, "customer")


def test_tabs_are_found_by_name(open_page: OpenPage) -> None:
    page = open_page("?view=logs&range=7d")
    loaded(page, "logs")
    search(page, "data")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Enter")
    loaded(page, "records")
    until(page, lambda: "view=records" in page.url)
    until(page, lambda: "range=7d" in page.url)
    expect(page.locator("main")).to_be_focused()


@pytest.mark.slow
def test_answers_that_come_late_are_not_shown(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.found |= {"glo": [GLOBAL], "globe": [GLOBEX]}
    page, held = open_page("?view=logs"), list[Route]()
    loaded(page, "logs")

    def hold(route: Route) -> None:
        is_early = (route.request.post_data_json or {})["text"] == "glo"
        held.append(route) if is_early else route.fallback()

    page.route("**/api/v1/analytics/search?**", hold)
    search(page, "glo")
    until(page, lambda: len(held) == 1)
    page.keyboard.insert_text("be")
    expect(options(page)).to_contain_text(["Globex"])
    with suppress(Error):  # the page has given it up, which is as good
        held[0].fulfill(json={"items": [GLOBAL], "more": []})
    page.wait_for_timeout(300)
    expect(options(page)).to_have_count(1)
    expect(options(page)).to_contain_text(["Globex"])


@pytest.mark.slow
def test_failures_are_told_and_tried_again(open_page: OpenPage, analytics: Analytics, troubles: list[str]) -> None:
    page = open_page("?view=logs")
    loaded(page, "logs")
    analytics.given["search"] = 503
    search(page, "globex")
    expect(page.get_by_role("alert")).to_contain_text("Unavailable")
    del analytics.given["search"]
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status").filter(has_text="Nothing in production")).to_be_visible()
    page.route("**/api/v1/analytics/search?**", lambda route: route.abort())
    combobox(page).fill("globexx")
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    page.unroute("**/api/v1/analytics/search?**")
    page.keyboard.press("Escape")
    analytics.given["search"] = 401
    search(page, "globex")
    expect(page.get_by_label("Staff key")).to_be_visible()
    troubles.clear()  # what the browser says of each


def test_names_are_text_and_a_viewer_is_offered_less(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.found["aa"] = [hit("product", "p-1", XSS, XSS), hit("product", "p-2", "n" * 170, "i" * 170)]
    page = open_page("?range=bogus", key="viewer_key", viewport=PHONE)  # it works where there is no view, too
    expect(page.get_by_role("heading", name="Telemetry Analytics")).to_be_visible()
    usual = overflow(page)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(options(page)).not_to_contain_text(["Raw data", "System logs"])
    combobox(page).fill("aa")
    expect(options(page).first).to_contain_text(XSS)
    assert page.locator("img[src=x]").count() == 0
    assert overflow(page) == usual
    assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_search(open_page: OpenPage, analytics: Analytics, scheme: str) -> None:
    analytics.found |= {"glo": [GLOBEX, GLOBAL], "glob": [GLOBEX, GLOBAL | {"environment": "staging"}]}
    page = open_page("?view=records", color_scheme=scheme, viewport={"width": 1440, "height": 900})
    loaded(page, "records")
    fill(page, "Customer", "glo")
    expect(page.locator("[data-filter=customer_id]")).to_be_visible()
    assert axe(page) == []
    search(page, "")
    expect(options(page).first).to_be_visible()
    assert axe(page) == []
    page.keyboard.insert_text("glob")
    expect(options(page)).to_have_count(2)
    assert axe(page) == []
    page.keyboard.insert_text("zzz")
    expect(page.get_by_role("status").filter(has_text="Nothing in production")).to_be_visible()
    assert axe(page) == []


# ── filters of raw data


def fill(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Enter")


def test_filters_take_what_people_have(open_page: OpenPage, analytics: Analytics, urls: list[str]) -> None:
    analytics.found |= {
        KEY: [LICENSE],
        "LL08": [LICENSE],
        "glob": [GLOBEX, GLOBAL],
        "Globex": [GLOBEX],
        "ci": [hit("api_key", "k3f2a9c0d1", "CI", "tk_prod_…Ab12")],
    }
    page = open_page("?view=records")
    note_urls(page, urls)
    loaded(page, "records")
    for label, text, shown in (
        ("Licence", KEY, f"license_id={LICENSE_ID}"),
        ("Licence", "LL08", f"license_id={LICENSE_ID}"),
        ("Customer", "Globex", "customer_id=globex"),
        ("API key", "ci", "api_key_id=k3f2a9c0d1"),
        ("Version", "5.1.0", "version=5.1.0"),
    ):
        fill(page, label, text)
        until(page, lambda shown=shown: shown in page.url)  # type: ignore[misc]
        loaded(page, "records")
        page.get_by_role("button", name="Clear").click()
        until(page, lambda: "=" not in page.url.partition("view=records")[2])
    fill(page, "Customer", "glob")
    page.locator("[data-filter=customer_id]").get_by_role("button", name="Global Steel").click()
    until(page, lambda: "customer_id=c-2" in page.url)
    expect(page.locator("[data-filter]")).to_have_count(0)
    assert KEY not in page.content()
    page.go_back()
    assert KEY not in kept(page)


def test_the_characters_that_the_table_prints_find_a_device(open_page: OpenPage) -> None:
    page = open_page("?view=records")
    loaded(page, "records")
    device = page.locator("[data-panel=records] tbody tr").first.locator("td code").first
    printed = device.inner_text()
    assert len(printed) == 12
    whole = str(device.locator("xpath=ancestor::button").get_attribute("title")).partition(" – ")[0]
    fill(page, "Device", printed.upper())
    until(page, lambda: f"hwid={whole}" in page.url)


@pytest.mark.slow
def test_what_cannot_be_taken_is_told(open_page: OpenPage, analytics: Analytics) -> None:
    page = open_page("?view=records")
    loaded(page, "records")
    before = page.url
    for label, text, said in (
        ("Licence", KEY, "Give the whole key, its last four characters, or the licence's id"),
        ("Customer", "Nobody Inc", "No customer is called “Nobody Inc”. Give the beginning of a word of its name"),
        ("Device", "nobody's", "No device “nobody's” was counted in production"),
        ("User", "nobody", "Give the whole id, as it is sent"),
        ("IP address", "300.1.2.3", "This is no IP address"),
        ("API key", "nobody's", "No SDK key of production"),
        ("Version", "7KQ2M-X9FHT-AAAAA-BBBBB-CCCCC", "This is no version"),
    ):
        fill(page, label, text)
        expect(page.locator(".which")).to_contain_text(said)
        expect(page.get_by_label(label, exact=True)).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label(label, exact=True)).to_have_value(text)
        assert page.url == before
        page.get_by_label(label, exact=True).fill("")
    assert len(analytics.asked_for("records")) == 1


@pytest.mark.slow
def test_a_key_in_a_wrong_field_is_not_taken_for_something_else(
    open_page: OpenPage, analytics: Analytics, urls: list[str]
) -> None:
    analytics.found[KEY] = [hit("key", KEY_NAME, "Records sent with a key that production never issued", "…")]
    page = open_page("?view=records")
    note_urls(page, urls)
    loaded(page, "records")
    for label in ("User", "Device", "Version", "Customer", "IP address", "API key"):
        fill(page, label, KEY)
        said = page.locator(".which")
        expect(said).to_contain_text("This is a licence key")
        said.get_by_role("button").click()
        until(page, lambda: f"license_id={KEY_NAME}" in page.url)
        loaded(page, "records")
        assert KEY not in kept(page) + page.content()
        page.get_by_role("button", name="Clear").click()
        until(page, lambda: KEY_NAME not in page.url)


def test_a_refused_search_leaves_the_key_where_it_was_typed(
    open_page: OpenPage, analytics: Analytics, urls: list[str], troubles: list[str]
) -> None:
    page = open_page("?view=records")
    note_urls(page, urls)
    loaded(page, "records")
    analytics.given["search"] = 503
    fill(page, "Licence", KEY)
    expect(page.get_by_role("alert")).to_contain_text("Unavailable")
    analytics.given.pop("search")
    analytics.found[KEY] = [LICENSE]
    page.get_by_role("button", name="Try again").click()
    until(page, lambda: f"license_id={LICENSE_ID}" in page.url)
    assert KEY not in kept(page)
    troubles.clear()  # what the browser says of the 503


def test_a_key_that_is_typed_into_the_address_is_taken_out(open_page: OpenPage, analytics: Analytics) -> None:
    analytics.found[KEY] = [LICENSE]
    page = open_page(f"?view=records&license_id={KEY}&range=7d")
    until(page, lambda: f"license_id={LICENSE_ID}" in page.url)
    until(page, lambda: "range=7d" in page.url)
    assert all(KEY not in json.dumps(query) for _, query in analytics.asked)
    page.go_back()
    loaded(page, "records")
    assert KEY not in kept(page)
    # one that nobody knows stays in its field
    page.goto("/admin/telemetry?view=records&license_id=NOBODYS-KEY-0000")
    expect(page.locator(".which")).to_contain_text("Give the whole key")
    expect(page.get_by_label("Licence", exact=True)).to_have_value("NOBODYS-KEY-0000")
    assert "NOBODYS" not in kept(page)
    for wrong in (f"?view=logs&license_id={KEY}", f"?view=logs&license={KEY}"):
        page.goto(f"/admin/telemetry{wrong}")
        loaded(page, "logs")
        assert KEY not in kept(page)


# ── on the demo, with nothing stood in for


@pytest.mark.slow
def test_whatever_people_have_is_found_on_the_demo(open_demo: OpenPage, demo: LocalService) -> None:
    headers = {"authorization": f"Bearer {demo.keys['admin_key']}"}

    def asked(path: str, **query: str) -> Any:  # noqa: ANN401
        answer = httpx.get(f"{demo.url}/api/v1/{path}", params=query, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    production = {"environment": "production"}
    rows = asked("analytics/records", **production, range="7d")["items"]
    row = next(each for each in rows if each["license"] and each["hwid"] and each["user"] and each["customer"])
    license_ = asked(f"admin/licenses/{row['license']['id']}")
    key, page = license_["license_key"], open_demo("?view=logs")
    for text, kind, shown in (
        (key, "Licence", license_["id"]),
        (key.lower(), "Licence", license_["id"]),
        (f"••••{license_['last_four']}", "Licence", license_["id"]),
        (row["user"], "User", row["user"]),
        (row["hwid"], "Device", row["hwid"]),
        (row["ip"], "IP address", row["ip"]),
        (row["id"], "Record", row["id"]),
        (row["customer"]["name"], "Customer", row["customer"]["id"]),
        ("orbit desk", "Product", "orbit-desktop"),
    ):
        search(page, text)
        option = options(page).filter(has_text=kind).first
        expect(option).to_be_visible()
        option.click()
        until(page, lambda shown=shown: shown in unquote(page.url))  # type: ignore[misc]
        expect(page.locator(".skeleton")).to_have_count(0)
        assert key.lower() not in kept(page).lower()
        page.goto("/admin/telemetry?view=logs")
    # a key that nobody issued, with which records were sent, leads to these
    flagged = asked("analytics/records", **production, range="90d", flag="INVALID_LICENSE", limit="200")["items"]
    unissued = next(each for each in flagged if each["license"] is None)
    body = asked(f"analytics/records/{unissued['id']}", **production)["payload"]
    search(page, body["license_key"])
    page.keyboard.press("Enter")
    rows_shown = panel(page, "records").locator("tbody tr")
    expect(rows_shown.first).to_be_visible()
    assert body["license_key"] not in kept(page)
