"""What storing an event costs: write units including the index, calls, bytes."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.api_key import Access, ApiKey, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.keyring import Keyring
from telemetry.domain.license import License, LicenseState, license_id
from telemetry.domain.product import Product
from telemetry.domain.shards import ShardPlan
from telemetry.retry import Deadline
from telemetry.services.ingest import Ingest, Status
from telemetry.settings import TableNames
from telemetry.storage.activations import ActivationStore
from telemetry.storage.index_marks import KnownMarks
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import Catalogue, ProductStore
from telemetry.storage.records import RecordStore
from telemetry.storage.retention import RememberedRetention, RetentionStore
from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.capacity import Meter, counted_calls
from tests.lambdas import example_event

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KEY = ApiKey("k3f9a1c07e", KeyKind.SDK, "bench", "tk_prod_", "last", frozenset({Environment.PRODUCTION}))
KEYRING = Keyring(bytes(32))
PRODUCTION = Environment.PRODUCTION


def sdk_body(**changes: object) -> bytes:
    body: dict[str, Any] = json.loads(example_event("ingest-telemetry")["body"])
    return json.dumps(body | changes).encode()


def cold_ingest(tables: TableNames, meter: Meter | None = None) -> Ingest:
    """As the function makes it at a cold start; the example's licence is active on the example's device."""
    products, licenses = ProductStore(tables.registry), LicenseStore(tables.registry, KEYRING)
    if not products.all():
        for name in ("acme-cli", "acme-desktop"):
            products.put(Product(name, name))
        event = getkeymanager.parse_one(sdk_body())
        assert event.license_key
        id_ = license_id(PRODUCTION, event.license_key, KEYRING)
        license_ = License(id_, PRODUCTION, b"", "LL08", "acme-desktop", "c1", LicenseState.ACTIVE, None, 0, 0, NOW)
        licenses.add(license_, event.license_key)
        ActivationStore(tables.registry, KEYRING).activate(license_, event.device_ids[0], NOW, Deadline(60))
    client: Any = (lambda: meter) if meter else dynamodb_client
    store = RecordStore(tables.records(PRODUCTION), ShardPlan(8), client=client, known_marks=AllMarked())
    return Ingest(
        lambda _: store,
        Catalogue(products).find_all,
        LicenseLookup(licenses, KEYRING).views,
        KEYRING,
        RememberedRetention(RetentionStore(tables.registry, 90)).days,
    )


def keep(tables: TableNames, events: list[Event], flagged: bool = False) -> Meter:  # noqa: FBT001, FBT002
    meter = Meter()
    ingest = cold_ingest(tables, meter)
    outcomes = ingest.keep(events, Access(KEY, PRODUCTION), "203.0.113.207", NOW, Deadline(60))
    assert {(outcome.status, bool(outcome.flags)) for outcome in outcomes} == {(Status.STORED, flagged)}
    return meter


class AllMarked(KnownMarks):
    """Of a process that has put something into every partition of the index already: a mark costs one unit, once."""

    def missing(self, partitions: Iterable[str]) -> list[str]:
        del partitions
        return []


def item_bytes(tables: TableNames, **index: str) -> int:
    """The size of the one item in the table, or in an index, as DynamoDB counts: names and values."""
    client: Any = dynamodb_client()
    (item,) = client.scan(TableName=tables.records(PRODUCTION), **index)["Items"]
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
        ("SDK, pirated", list(getkeymanager.parse(sdk_body(license_key="CRACKED-1234-5678-ABCD"), "").events)),
        (
            "SDK, much evidence",
            list(
                getkeymanager.parse(
                    sdk_body(flags=["debugger"], event_at=1, hwid="x", activation_identifier="y"), ""
                ).events
            ),
        ),
    ],
)
def test_one_event_costs_two_write_units(tables: TableNames, name: str, events: list[Event]) -> None:
    meter = keep(tables, events, flagged=name in {"SDK, pirated", "SDK, much evidence"})
    size, listed = item_bytes(tables), item_bytes(tables, IndexName="by_received")
    sizes = f"body {len(events[0].raw):5} B   item {size:5} B   in the index {listed:4} B"
    print(f"\n{name:28} {sizes}   write units {meter.units:.1f}")
    assert meter.units == 2.0
    assert listed < size <= 1024
    assert listed <= 350


def test_a_batch_of_100_is_four_calls(tables: TableNames) -> None:
    bodies = b",".join(sdk_body(event_id=f"event-{number}", event_at=1795249799) for number in range(100))
    meter = keep(tables, list(getkeymanager.parse(b"[" + bodies + b"]", "").events))
    print(f"\nbatch of 100, one install    insert calls {len(meter.calls)}   units per event {meter.units / 100:.2f}")
    assert [name for name, _ in meter.calls] == ["batch_execute_statement"] * 4
    assert meter.units == 200.0


def test_the_registry_is_asked_thrice_when_cold_and_never_when_warm(tables: TableNames) -> None:
    ingest = cold_ingest(tables)
    figures = []
    for body in (sdk_body(), sdk_body(), sdk_body(license_key="CRACKED-1234")):
        with counted_calls() as calls:
            ingest.keep([getkeymanager.parse_one(body)], Access(KEY, PRODUCTION), "203.0.113.207", NOW, Deadline(60))
        figures.append([call for call in calls if call.endswith("registry")])
    cold, warm, new = (len(calls) for calls in figures)
    print(f"\nregistry requests            cold {cold}   warm, clean {warm}   new key {new}")
    batch = "BatchGetItem registry"
    assert figures == [[batch, batch, "GetItem registry"], [], [batch]]
