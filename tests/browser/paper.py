"""What tests look at on paper."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screen import overflow

ACROSS = {"width": 1032, "height": 720}
"""An A4 sheet without its margins, in CSS pixels."""

PRESSED = (".toolbar", ".top nav", ".license-actions", ".spike-actions", ".actions", ".steps", ".button", ".filters")
"""What only makes sense where it can be pressed."""


def print_out(page: Page, scheme: str) -> None:
    """Shows the page as it is printed."""
    page.emulate_media(media="print", color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(ACROSS)  # type: ignore[arg-type]


def check_paper(page: Page) -> None:
    """In light colours, with nothing that is pressed and nothing cut; charts are as wide as their panels."""
    for name in PRESSED:
        for each in page.locator(name).all():
            expect(each).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert overflow(page) == 0
    for canvas in page.locator(".plot canvas").all():
        sizes = canvas.evaluate(
            "c => [c.getBoundingClientRect(), c.closest('.plot').getBoundingClientRect()].map((r) => [r.left, r.right])"
        )
        assert sizes[0] == pytest.approx(sizes[1], abs=1)
    for frame in page.locator(".table-frame").all():
        assert frame.evaluate("f => [f.scrollHeight > f.clientHeight, f.scrollWidth > f.clientWidth]") == [False, False]


def breaks(page: Page) -> list[str]:
    """Whether each panel may go on over the next sheet."""
    found: list[str] = page.locator(".panel, .card").evaluate_all(
        "all => all.map((p) => getComputedStyle(p).breakInside)"
    )
    return found
