"""Counts what a person does: a click, a choice, or a text typed into a field, a key with its modifier, is one each."""

import csv
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

MOST_TABS = 100


@dataclass
class Person:
    """Somebody at the page."""

    acts: int = 0

    def click(self, what: Locator) -> None:
        self.acts += 1
        what.click()

    def types(self, text: str, into: Locator) -> None:
        self.acts += 1
        into.fill(text)

    def chooses(self, option: str, of: Locator) -> None:
        """By its value or its label."""
        self.acts += 1
        of.select_option(option)

    def press(self, page: Page, key: str) -> None:
        self.acts += 1
        page.keyboard.press(key)

    def tabs_to(self, page: Page, control: Locator) -> None:
        """With Tab alone, as whoever has no mouse; fails if that does not lead there."""
        expect(control).to_be_visible()
        for _ in range(MOST_TABS):
            self.press(page, "Tab")
            if control.evaluate("control => control === document.activeElement"):
                return
        raise AssertionError(f"{MOST_TABS} times Tab do not lead to {control}")

    def takes(self, page: Page, file: Locator) -> list[dict[str, str]]:
        """The rows of the CSV file that a click gives."""
        with page.expect_download() as download:
            self.click(file)
        return rows_of(download.value)


def rows_of(download: Download) -> list[dict[str, str]]:
    """Of a CSV file."""
    with Path(download.path()).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
