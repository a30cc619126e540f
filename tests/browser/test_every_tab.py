"""What holds for every tab of the page, new ones too: at any width, in any theme, and while it loads or fails."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from local.demo_history import DESKTOP
from local.demo_usage import CLI
from tests.browser.conftest import OpenPage
from tests.browser.screen import PHONE, TABS, axe, overflow, until

pytestmark = pytest.mark.slow

API = "**/api/v1/**"
PROBLEM = {"title": "Unavailable", "detail": "Please try again.", "request_id": "JKJaXmPLvHcESHA="}
SCREENS = [(PHONE["width"], "dark"), (1024, "light"), (1440, "dark"), (1920, "light")]
OF_ONE_PRODUCT = {"companies": CLI, "developers": CLI, "values": DESKTOP}
"""Tabs that show nothing before a product is chosen, and one that they have something of."""


def address(tab: str) -> str:
    return f"?view={tab}" + (f"&product={OF_ONE_PRODUCT[tab]}" if tab in OF_ONE_PRODUCT else "")


def shown(page: Page) -> None:
    """Waits until everything of a tab is there; nothing of it failed."""
    expect(page.locator("main [data-panel]").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_page_has_these_tabs(open_demo: OpenPage) -> None:
    links = open_demo().get_by_role("navigation", name="Views").locator("a")
    expect(links).to_have_count(len(TABS) + 1)  # and the reference of the API
    assert TABS[0] == "overview"
    assert len(set(TABS)) == len(TABS) > 1


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("tab", TABS)
def test_it_fits_and_axe_finds_nothing(open_demo: OpenPage, tab: str, width: int, scheme: str) -> None:
    page = open_demo(address(tab), color_scheme=scheme, viewport={"width": width, "height": 900})
    shown(page)
    assert overflow(page) == 0
    assert axe(page) == []


@pytest.mark.parametrize("tab", OF_ONE_PRODUCT)
def test_the_choice_of_a_product_says_why_it_failed(open_demo: OpenPage, troubles: list[str], tab: str) -> None:
    page = open_demo(f"?view={tab}")
    shown(page)
    page.route(API, lambda route: route.abort())
    page.reload()
    problem = page.locator("main").get_by_role("alert")
    expect(problem).to_contain_text("No connection")
    expect(page.locator(".skeleton")).to_have_count(0)
    page.unroute(API)
    problem.get_by_role("button", name="Try again").click()
    expect(page.locator("main").get_by_role("link", name="Orbit Desktop")).to_be_visible()
    page.get_by_role("button", name="Refresh now").click()  # as the page does by itself every 30 seconds
    expect(page.get_by_role("combobox", name="Product").locator("option", has_text="Orbit Desktop")).to_have_count(1)
    troubles[:] = [trouble for trouble in troubles if "net::ERR_FAILED" not in trouble]


@pytest.mark.parametrize("tab", TABS)
def test_it_says_that_it_is_loading(open_demo: OpenPage, tab: str) -> None:
    page, held = open_demo(address(tab)), list[Route]()
    shown(page)
    page.route(API, lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks what it calls)
    page.reload()
    expect(page.locator("main").get_by_role("status").filter(has_text="Loading…").first).to_be_visible()
    until(page, lambda: bool(held))
    assert axe(page) == []
    for route in held:
        route.continue_()
    page.unroute(API)
    shown(page)


@pytest.mark.parametrize(
    ("fail", "title"),
    [
        pytest.param(lambda route: route.abort(), "No connection", id="offline"),
        pytest.param(
            lambda route: route.fulfill(status=503, json=PROBLEM, content_type="application/problem+json"),
            "Unavailable",
            id="unavailable",
        ),
    ],
)
@pytest.mark.parametrize("tab", TABS)
def test_it_says_why_it_failed_and_tries_again(
    open_demo: OpenPage, troubles: list[str], tab: str, fail: Callable[[Route], None], title: str
) -> None:
    page = open_demo(address(tab))
    shown(page)
    page.route(API, fail)
    page.reload()
    problems = page.locator("main").get_by_role("alert")
    expect(problems.first).to_contain_text(title)
    expect(page.locator(".skeleton")).to_have_count(0)
    assert axe(page) == []
    assert overflow(page) == 0
    page.unroute(API)
    while left := problems.count():
        problems.first.get_by_role("button", name="Try again").click()
        until(page, lambda left=left: problems.count() < left)  # type: ignore[misc]
    shown(page)
    said = re.compile(r"Failed to load resource: (net::ERR_FAILED|the server responded with a status of 503)")
    troubles[:] = [trouble for trouble in troubles if not said.match(trouble)]
