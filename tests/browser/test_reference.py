"""The reference of the API in a browser: open to all, searchable, by keyboard, at any width and in any theme."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watched
from tests.browser.screen import PHONE, axe, overflow, until
from tests.described import api, operations
from tests.local_service import LocalService

DESK = {"width": 1440, "height": 900}

OpenReference = Callable[..., Page]


@pytest.fixture
def open_reference(chromium: Browser, service: LocalService, troubles: list[str]) -> Iterator[OpenReference]:
    """Opens the reference, without a key. Afterwards nothing may have failed."""
    contexts = []

    def open_(anchor: str = "", width: int = 1440, **context: str) -> Page:
        viewport = PHONE if width == PHONE["width"] else DESK
        opened = chromium.new_context(base_url=service.url, viewport=viewport, **context)  # type: ignore[arg-type]
        contexts.append(opened)
        page = watched(opened.new_page(), service.url, troubles)
        page.goto(f"/docs{anchor}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("API")
        return page

    yield open_
    for opened in contexts:
        opened.close()
    assert troubles == []


def test_every_operation_is_there_once_with_its_examples(open_reference: OpenReference) -> None:
    page = open_reference()
    ids = [each.described["operationId"] for each in operations() if "x-alias-of" not in each.described]
    shown = page.locator("article.operation").evaluate_all("all => all.map(each => each.id)")
    assert sorted(shown) == sorted(ids)
    texts = page.locator("body *").evaluate_all("all => all.map(each => each.textContent)")
    assert api()["paths"].keys() - set(texts) == set()
    for name in ("send_telemetry", "verify_license", "read_telemetry", "send_product_usage", "ask_report"):
        assert page.locator(f"#{name} .example").count() >= 1, name


def test_what_is_searched_is_shown(open_reference: OpenReference) -> None:
    page = open_reference()
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("revoke licenses")
    expect(page.locator("article.operation")).to_have_count(1)
    expect(page.locator("article.operation")).to_contain_text("/api/v1/admin/licenses/{license_id}/revoke")
    expect(page.locator("#announcer")).to_have_text("1 operation")
    search.fill("get-telemetry-data")
    expect(page.locator("article.operation")).to_have_attribute("id", "read_telemetry")
    search.fill("nothing has these words")
    expect(page.get_by_text("No operation has these words.")).to_be_visible()


@pytest.mark.slow
def test_codes_flags_and_causes_are_searched_too(open_reference: OpenReference) -> None:
    page = open_reference()
    for wanted, found in (
        ("831", "#send_telemetry"),
        ("831", "#schema-EventAnswer"),
        ("300", "#activate_license"),
        ("REVOKED_LICENSE", "#schema-Flag"),
        ("bad_key", "#schema-FailedCallCause"),
        ("too many attempts", "#problem-too-many-attempts"),
    ):
        page.get_by_role("searchbox").fill(wanted)
        expect(page.locator(found)).to_be_visible()
        expect(page.locator("#get_overview")).to_have_count(0)


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_the_search_stays_in_sight_and_covers_no_heading(open_reference: OpenReference, width: int) -> None:
    page = open_reference("#problem-invalid-fields", width=width)
    expect(page.get_by_role("searchbox")).to_be_in_viewport()
    header = page.locator("header.top").bounding_box()
    heading = page.locator("#problem-invalid-fields").bounding_box()
    assert header
    assert heading
    assert heading["y"] >= header["y"] + header["height"]


@pytest.mark.slow
def test_a_link_leads_to_its_section_and_so_does_the_keyboard(open_reference: OpenReference) -> None:
    page = open_reference("#problem-invalid-fields")
    section = page.locator("#problem-invalid-fields")
    expect(section).to_be_in_viewport()
    expect(section).to_be_focused()
    page.get_by_role("navigation").get_by_role("link", name="GET /api/v1/analytics/overview").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#get_overview")).to_be_in_viewport()
    until(page, lambda: page.url.endswith("#get_overview"))
    page.locator("#get_overview").get_by_role("link", name="Overview", exact=True).first.click()
    expect(page.locator("#schema-Overview")).to_be_in_viewport()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("dark", 390),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in (("light", 390), ("light", 1440), ("dark", 1440))),
    ],
)
def test_axe_finds_nothing(open_reference: OpenReference, scheme: str, width: int) -> None:
    page = open_reference(width=width, color_scheme=scheme)
    assert overflow(page) == 0
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert overflow(page) == 0
    assert axe(page) == []
