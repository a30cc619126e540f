"""A local service, and a browser in which nothing may go wrong unnoticed."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.browser.answers import Analytics
from tests.local_service import LocalService

OpenPage = Callable[..., Page]

CHROMIUM = shutil.which("chromium")

expect.set_options(timeout=20_000)  # of a machine that is busy with other tests

MOST_WAITS = 40
"""For answers at a test's end: two seconds."""

_SIGNED_OUT = "the server responded with a status of 401"
"""What Chromium says of asking for a session where there is none yet; everything else it says is a failure."""


def require_chromium() -> None:
    """Skips what needs a browser where there is none; fails it in CI."""
    if CHROMIUM is None:
        reason = "no chromium: the page is NOT TESTED (apt-get install chromium)"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """It ends with its module: while Playwright is at work, its event loop is in the way of other tests' own."""
    require_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """One with keys and licences, and no records but those that tests send to staging and development."""
    with LocalService(tmp_path_factory.mktemp("browser") / "state") as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """One with the demo vendor's history, which takes a minute or two to make: not made where there is no browser."""
    require_chromium()
    with LocalService(tmp_path_factory.mktemp("browser") / "demo", demo=True) as running:
        yield running


@pytest.fixture
def analytics() -> Analytics:
    return Analytics()


@pytest.fixture
def troubles() -> list[str]:
    """What the browser complains of: scripts and styles that the policy keeps out, failed requests, exceptions."""
    return []


@pytest.fixture
def open_page(
    chromium: Browser, service: LocalService, analytics: Analytics, troubles: list[str]
) -> Iterator[OpenPage]:
    """Opens the page, signed in with one of the demo's keys, or with `key` itself, unless that is None. Afterwards
    nothing may have failed.

    `stand_in`: the analytics API is stood in for. With `clock`, time passes only when the test says so.
    """
    yield from opener(chromium, service, troubles, analytics)


@pytest.fixture
def open_demo(chromium: Browser, demo: LocalService, troubles: list[str]) -> Iterator[OpenPage]:
    """As `open_page`, on the demo and with nothing stood in for."""
    yield from opener(chromium, demo, troubles, None)


def opener(
    chromium: Browser, service: LocalService, troubles: list[str], analytics: Analytics | None
) -> Iterator[OpenPage]:
    """For a fixture: opens pages of a service. In the end nothing may have gone wrong in any of them."""
    pages = list[tuple[Page, Traffic]]()

    def open_(
        address: str = "",
        key: str | None = "admin_key",
        *,
        stand_in: bool = True,
        clock: bool = False,
        **context: Any,  # noqa: ANN401
    ) -> Page:
        opened = chromium.new_context(base_url=service.url, **context)
        page = watched(opened.new_page(), service.url, troubles)
        pages.append((page, Traffic(page)))
        if analytics and stand_in:
            analytics.stand_in(page)
        if key:
            headers = {"sec-fetch-site": "same-origin"}
            secret = service.keys.get(key, key)
            answer = opened.request.post("/admin/session", data={"key": secret}, headers=headers)
            assert answer.status == 204, answer.text()
        if clock:
            page.clock.install()
        page.goto(f"/admin/telemetry{address}")
        return page

    yield open_
    for page, traffic in pages:
        traffic.settle()
        page.context.close()
    assert [trouble for trouble in troubles if _SIGNED_OUT not in trouble] == []


def watched(page: Page, origin: str, troubles: list[str]) -> Page:
    """A page of which whatever goes wrong, and every request to another origin, is a trouble."""
    page.on("console", lambda message: troubles.extend([message.text] * (message.type in {"error", "warning"})))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: _check_origin(request.url, origin, troubles))
    return page


class Traffic:
    """What a page has asked for and not been answered yet."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._unanswered = set[Request]()
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def settle(self) -> None:
        """Waits until all is answered, so that what goes wrong with it does so every time."""
        for _ in range(MOST_WAITS):  # an answer that the test keeps back never comes
            if not self._unanswered or self._page.is_closed():
                return
            self._page.wait_for_timeout(50)

    def _asked(self, request: Request) -> None:
        self._unanswered.add(request)

    def _answered(self, request: Request) -> None:
        self._unanswered.discard(request)


def _check_origin(url: str, own: str, troubles: list[str]) -> None:
    if not url.startswith((f"{own}/", "data:", "blob:")):
        troubles.append(f"a request to {url}")
