"""What tests look at on the page."""

import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from playwright.sync_api import Locator, Page, expect

from tests.lambdas import ROOT

AXE = ROOT / "functions/dashboard/page/node_modules/axe-core/axe.min.js"
PHONE = {"width": 390, "height": 844}
VIEWS = {"overview": "", "records": "?view=records", "logs": "?view=logs"}
LOADED = {"overview": "licenses", "records": "records", "logs": "exports"}


def tabs_of(source: Path) -> list[str]:
    """The tabs that the page knows."""
    (listed,) = re.findall(r"const ALL = \{\n(.*?)\n\} as const", source.read_text(), re.DOTALL)
    return re.findall(r"^  (\w+): \{$", listed, re.MULTILINE)


TABS = tabs_of(ROOT / "functions/dashboard/page/src/frame/tabs.ts")


def loaded(page: Page, view: str) -> None:
    """Waits until everything of a view is there."""
    expect(page.locator(f"[data-panel={LOADED[view]}] tbody tr").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)


def opened(page: Page, name: str) -> None:
    """Waits until a panel and all beside it are loaded."""
    expect(panel(page, name)).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)


def until(page: Page, is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for what `expect` cannot see, such as that the page has asked for something."""
    deadline = monotonic() + seconds
    while not is_so():
        assert monotonic() < deadline, f"not within {seconds} seconds"
        page.wait_for_timeout(100)  # only then does Playwright deliver what happened in the browser


def panel(page: Page, name: str) -> Locator:
    return page.locator(f"[data-panel={name}]")


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands; its script is injected past the policy, by the debugger."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(({violations}) => violations)")
    return [f"{issue['id']}: {node['html']}" for issue in found for node in issue["nodes"]]


def overflow(page: Page) -> int:
    """By how many pixels the page scrolls sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
