"""What a thousand registered products cost, of which ten have records: closing a day, and a page of records."""

import json
import os
import time as clock
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from botocore.model import OperationModel

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
from telemetry.storage.tables import bind, brief_client, dynamodb_client
from telemetry.web.records import Shape
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import stream_batch
from tests.worlds.deployment import Deployment, Mailbox, start_ingest

PRODUCTION = Environment.PRODUCTION
DAYS = [date(2026, 11, 3), date(2026, 11, 4)]
SIZES = [1_000, 10_000] if "SOAK" in os.environ else [1_000]
BUSY = 10


@contextmanager
def metered() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Requests, and units, by operation."""
    requests, units = Counter[str](), Counter[str]()

    def ask(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
        name = model.name
        requests[name] += 1
        consumed = parsed.get("ConsumedCapacity", [])
        for each in consumed if isinstance(consumed, list) else [consumed]:
            units[name] += each["CapacityUnits"]

    clients = dynamodb_client(), brief_client()
    for client in clients:
        client.meta.events.register("provide-client-params.dynamodb", ask)
        client.meta.events.register("after-call.dynamodb", note)
    try:
        yield requests, units
    finally:
        for client in clients:
            client.meta.events.unregister("provide-client-params.dynamodb", ask)
            client.meta.events.unregister("after-call.dynamodb", note)


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
def test_many_products(deployment: Deployment, mailbox: Mailbox, size: int) -> None:
    del mailbox
    names = register(deployment, size)
    for day in DAYS:
        receive(deployment, names, day)
        midnight, closed, began = datetime.combine(day + timedelta(days=1), time(), UTC), list[str](), clock.monotonic()
        with metered() as (requests, units):
            for minutes in (30, 45):
                function = load_function("close_day", FakeClock(midnight + timedelta(minutes=minutes)))
                closed += function.handler({"environment": "production"}, Context())["closed"]
        assert closed == [day.isoformat()]
        print(
            f"\n{size:>6,} products, {BUSY} with records, {day}: closed with {sum(requests.values()):,} requests, "
            f"{sum(units.values()):,.0f} units, {clock.monotonic() - began:.1f} s: {dict(requests)}"
        )
    now = datetime.combine(DAYS[-1], time(12), UTC)
    with metered() as (requests, units):
        browser = RecordBrowser(deployment.records(), now, DAYS[0] - timedelta(days=90), Effort(20_000, 60, 200))
        stores = Stores.of(deployment.tables.registry, 90, deployment.keyring)
        search = RecordSearch(PRODUCTION, browser, names, stores, contents_of)
        window = Window(now - timedelta(days=7), now)
        rows, _ = search.page(RecordFilter(window), 50, None, Shape(PRODUCTION, deployment.keyring, now).row)
    assert len(rows) == 50
    print(
        f"\n{size:>6,} products, a page of 50 records of all: {sum(requests.values())} requests, "
        f"{sum(units.values()):.1f} read units: {dict(requests)}"
    )
