"""What storing an event costs: write units including the index, calls, bytes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.api_key import Access, ApiKey, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.judge import Product
from telemetry.domain.keyring import Keyring
from telemetry.domain.shards import ShardPlan
from telemetry.services.ingest import Ingest, Status
from telemetry.settings import TableNames
from telemetry.storage.backoff import Backoff
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.capacity import Meter
from tests.lambdas import example_event

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KEY = ApiKey("k3f9a1c07e", KeyKind.SDK, "bench", "tk_prod_", "last", frozenset({Environment.PRODUCTION}))
PRODUCTS = {name: Product(name, name) for name in ("acme-cli", "acme-desktop")}


def sdk_body(**changes: object) -> bytes:
    body: dict[str, Any] = json.loads(example_event("ingest-telemetry")["body"])
    return json.dumps(body | changes).encode()


def _product(id_: str, _max_age: float) -> Product | None:
    return PRODUCTS.get(id_)


def keep(tables: TableNames, events: list[Event]) -> Meter:
    meter = Meter()
    store = RecordStore(tables.records(Environment.PRODUCTION), ShardPlan(8), client=lambda: meter)  # type: ignore[arg-type, return-value]
    ingest = Ingest(lambda _: store, _product, _no_licenses, Keyring(bytes(32)), retention_days=90)
    outcomes = ingest.keep(events, Access(KEY, Environment.PRODUCTION), "203.0.113.207", NOW, Backoff(5))
    assert {outcome.status for outcome in outcomes} == {Status.STORED}
    return meter


def item_bytes(tables: TableNames) -> int:
    """The size of the one item in the table, as DynamoDB counts: names and values."""
    (item,) = dynamodb_client().scan(TableName=tables.records(Environment.PRODUCTION))["Items"]
    return sum(len(name) + _value_bytes(value) for name, typed in item.items() for value in typed.values())


def _value_bytes(value: object) -> int:
    """Numbers come as text, and are smaller than it in the table: this errs on the large side."""
    return len(value if isinstance(value, bytes) else str(value).encode())


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("Reo, full user agent", [reo.parse(example_event("ingest-usage")["body"].encode())]),
        ("SDK, metadata", list(getkeymanager.parse(sdk_body(), "").events)),
        (
            "SDK, metadata, event id",
            list(getkeymanager.parse(sdk_body(event_id="f" * 36, event_at=1795249799), "").events),
        ),
        ("SDK, flagged", list(getkeymanager.parse(sdk_body(flags=["debugger"], event_at=1), "").events)),
    ],
)
def test_one_event_costs_two_write_units(tables: TableNames, name: str, events: list[Event]) -> None:
    meter = keep(tables, events)
    size = item_bytes(tables)
    print(f"\n{name:28} body {len(events[0].raw):5} B   item {size:5} B   write units {meter.units:.1f}")
    assert meter.units == 2.0
    assert size <= 1024


def test_a_batch_of_100_is_four_calls(tables: TableNames) -> None:
    bodies = b",".join(sdk_body(event_id=f"event-{number}", event_at=1795249799) for number in range(100))
    meter = keep(tables, list(getkeymanager.parse(b"[" + bodies + b"]", "").events))
    print(f"\nbatch of 100, one install    insert calls {len(meter.calls)}   units per event {meter.units / 100:.2f}")
    assert [name for name, _ in meter.calls] == ["batch_execute_statement"] * 4
    assert meter.units == 200.0
