"""A vendor with a random past: RANDOM_VENDOR_SEED is the seed of another one, and is shown with each failure."""

import os
import sys
from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import OpenPage, opener, require_chromium
from tests.browser.reading import file_of, reported
from tests.local_service import LocalService
from tests.recount_records import Records, received

SEED = os.environ.get("RANDOM_VENDOR_SEED", "1")


@pytest.fixture(autouse=True)
def seed() -> None:
    sys.stdout.write(f"RANDOM_VENDOR_SEED={SEED}\n")  # pytest shows it with what fails


@pytest.fixture(scope="package")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """It takes a minute to make: not made where there is no browser."""
    require_chromium()
    state, program = tmp_path_factory.mktemp("random") / "state", ("tests.worlds.random_vendor", SEED)
    with LocalService(state, demo=True, program=program) as running:
        yield running


@pytest.fixture(scope="package")
def kept(vendor: LocalService) -> Records:
    """All that was ever received in production; nothing is sent while tests look at it."""
    return received(file_of(vendor, "export", format="ndjson", range="90d").splitlines())


@pytest.fixture
def open_vendor(chromium: Browser, vendor: LocalService, troubles: list[str]) -> Iterator[OpenPage]:
    """As `open_demo`, of this vendor."""
    yield from opener(chromium, vendor, troubles, None)


def closed_through(vendor: LocalService) -> date:
    """The last closed day."""
    return date.fromisoformat(reported(vendor, "applications")["closed_through"])


def days_from(first: date, last: date) -> dict[str, str]:
    """A window as parameters."""
    return {"from": first.isoformat(), "to": last.isoformat()}
