"""Counts what a person does: a click, a choice, or a text typed into a field, a key with its modifier, is one each."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page


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

    def chooses(self, value: str, of: Locator) -> None:
        self.acts += 1
        of.select_option(value)

    def press(self, page: Page, key: str) -> None:
        self.acts += 1
        page.keyboard.press(key)
