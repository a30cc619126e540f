"""What a thousand registered products cost, of which ten have records: closing a day, and a page of records."""

import json
import os
import time as clock
from datetime import UTC, date, datetime, time, timedelta

import pytest

from telemetry.dialects.stored import contents_of
from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.domain.record_search import RecordFilter
from telemetry.domain.window import Window
from telemetry.services.administration.stores import Stores
from telemetry.services.record_search import RecordSearch
from telemetry.storage.effort import Effort
from telemetry.storage.products import ProductItem, ProductStore
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.tables import bind
from telemetry.web.records import Shape
from tests.benchmarks.capacity import metered
from tests.benchmarks.figures import Figures
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import stream_batch
from tests.worlds.deployment import Deployment, Mailbox, start_ingest

PRODUCTION = Environment.PRODUCTION
DAYS = [date(2026, 11, 3), date(2026, 11, 4)]
SIZES = [1_000, 10_000] if "SOAK" in os.environ else [1_000]
BUSY = 10
FLOOR = "floor: half a unit for each of 30 partitions, of 50 bodies, and for the marks"


def register(deployment: Deployment, count: int) -> list[str]:
    names = [f"product-{number:05d}" for number in range(count)]
    store = ProductStore(deployment.tables.registry)
    with bind(ProductItem, store.table).batch_write() as batch:
        for name in names:
            batch.save(store._item(Product(name, name)))
    return names


def receive(deployment: Deployment, names: list[str], day: date) -> None:
    """Ten records each of ten products, and one flagged one."""
    post = start_ingest(deployment, datetime.combine(day, time(9), UTC))
    bodies = [
        {
            "data_type": "text",
            "text_data": "started",
            "data_group": "g",
            "product_id": names[number % BUSY * (len(names) // BUSY)],
            "user_identifier": f"user{number}@example.org",
            "hwid": f"device-{number}",
            "license_key": "LEAKED-KEY-1" if number < BUSY else "unknown",
        }
        for number in range(11 * BUSY)
    ]
    assert post("/api/v1/telemetry", json.dumps(bodies)).status == 200
    load_function("rollup").handler(stream_batch(deployment), Context())


@pytest.mark.parametrize("size", SIZES)
def test_many_products(deployment: Deployment, mailbox: Mailbox, figures: Figures, size: int) -> None:
    del mailbox
    names, of = register(deployment, size), f"{size:,} products, {BUSY} with records"
    for day in DAYS:
        receive(deployment, names, day)
        midnight, closed, began = datetime.combine(day + timedelta(days=1), time(), UTC), list[str](), clock.monotonic()
        with metered() as closing:
            for minutes in (30, 45):
                function = load_function("close_day", FakeClock(midnight + timedelta(minutes=minutes)))
                closed += function.handler({"environment": "production"}, Context())["closed"]
        seconds = clock.monotonic() - began
        assert closed == [day.isoformat()]
    least = size <= 1_000
    figures.note(f"closing a day, both counts: {of}", len(closing), "requests", 800 if least else None)
    figures.note(f"closing a day, both counts: {of}", seconds, "s", 30 if least else None)
    now = datetime.combine(DAYS[-1], time(12), UTC)
    browser = RecordBrowser(deployment.records(), now, DAYS[0] - timedelta(days=90), Effort(20_000, 60, 200))
    stores = Stores.of(deployment.tables.registry, 90, deployment.keyring)
    search = RecordSearch(PRODUCTION, browser, names, stores, contents_of)
    wanted, shape = RecordFilter(Window(now - timedelta(days=7), now)), Shape(PRODUCTION, deployment.keyring, now)
    with metered() as reading:
        rows, _ = search.page(wanted, 50, None, shape.row)
    assert len(rows) == 50
    figures.note(f"a page of 50 records of all: {of}", len(reading), "requests", 60)
    figures.note(f"a page of 50 records of all: {of}", sum(units for _, units in reading), "read units", 40, FLOOR)
