"""What looking at records and exporting them costs: items and units read, memory, seconds."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count as numbers
from pathlib import Path
from random import Random

import pytest

from local.engine import Engine, create_tables, dynamodb
from local.template import read_template
from telemetry.dialects import getkeymanager
from telemetry.dialects.stored import contents_of
from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import License, LicenseState, license_id
from telemetry.domain.record import Record, record_key, server_event_id
from telemetry.domain.record_search import RecordFilter
from telemetry.domain.shards import ShardPlan
from telemetry.domain.window import Window
from telemetry.retry import Deadline
from telemetry.services.administration.stores import Stores
from telemetry.services.record_export import MOST_BYTES, ExportProgress, answer_bytes, export_page
from telemetry.services.record_search import RecordSearch
from telemetry.settings import TableNames
from telemetry.storage.effort import Effort
from telemetry.storage.inserts import Insertion
from telemetry.storage.record_browser import RecordBrowser
from telemetry.storage.records import RecordStore
from telemetry.web.exports import line_of
from telemetry.web.records import Format, Shape
from tests.benchmarks.capacity import reading_records
from tests.benchmarks.figures import Figures
from tests.benchmarks.test_ingest_costs import sdk_body
from tests.worlds.licenses import KEY

SIZES = (1_000, 1_000_000 if "SOAK" in os.environ else 100_000)
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
OF_LICENSE = 10  # one record in ten is of the licence that is looked at
WINDOW = Window(NOW - timedelta(days=7), NOW)
PRODUCTION = Environment.PRODUCTION
KEYRING = Keyring(bytes(32))
_numbers = numbers(1)
SHAPE = Shape(PRODUCTION, KEYRING, NOW)


@pytest.fixture
def archive(engine: Engine) -> TableNames:
    """Tables without streams: the engine in memory keeps all that one ever had, and gets slow."""
    prefix = f"bench-stack-{next(_numbers)}"
    tables = read_template(prefix).tables
    create_tables(
        dynamodb(engine.endpoint),
        [replace(table, create={**table.create, "StreamSpecification": {"StreamEnabled": False}}) for table in tables],
    )
    return TableNames(prefix)


def fill(store: RecordStore, count: int) -> None:
    """Events as SDKs send them, of two days, one by one."""
    random = Random(count)
    for start in range(0, count, 1_000):
        records = []
        for number in range(start, start + 1_000):
            license_key = KEY if number % OF_LICENSE == 0 else f"KEY-{random.randrange(500):08d}"
            raw = sdk_body(license_key=license_key, user_identifier=f"user-{random.randrange(9_999)}@x.example")
            event = getkeymanager.parse_one(raw)
            when = NOW - timedelta(milliseconds=(count - number) * 172_800_000 // count)
            flags = frozenset({Flag.INVALID_LICENSE} if number % 20 == 1 else ())
            records.append(
                Record(
                    key=record_key(event, server_event_id(when, random.randbytes(10)), when, KEYRING),
                    raw=raw,
                    digest=sha256(raw).digest(),
                    dialect=event.dialect,
                    product="acme-desktop",
                    received_at=when,
                    expires_at=NOW + timedelta(days=90),
                    user=KEYRING.fingerprint_if(Identity.USER, event.user_id),
                    device=KEYRING.fingerprint_if(Identity.DEVICE, event.device_id),
                    product_version=event.product_version,
                    flags=flags,
                    evidence="2;I=unknown" if flags else "",
                    api_key_id="k3f9a1c07e",
                    source_ip="203.0.113.207",
                    country="DE",
                )
            )
        assert set(store.insert(records, Deadline(30))) == {Insertion.INSERTED}


@pytest.mark.parametrize("size", SIZES)
def test_pages_and_export(archive: TableNames, figures: Figures, size: int) -> None:
    store, stores = RecordStore(archive.records(PRODUCTION), ShardPlan(2)), Stores.of(archive.registry, 90, KEYRING)
    id_, fingerprint = license_id(PRODUCTION, KEY, KEYRING), KEYRING.fingerprint(Identity.LICENSE, KEY)
    license_ = License(id_, PRODUCTION, fingerprint, KEY[-4:], None, None, LicenseState.ACTIVE, None, 0, 0, NOW)
    stores.licenses.add(license_, KEY)
    fill(store, size)

    def search() -> RecordSearch:
        browser = RecordBrowser(store, NOW, (NOW - timedelta(days=90)).date(), Effort(20_000, 600))
        return RecordSearch(PRODUCTION, browser, ("acme-cli", "acme-desktop"), stores, contents_of)

    for name, wanted in (
        ("by licence", RecordFilter(WINDOW, license_id=id_)),
        ("by receipt", RecordFilter(WINDOW)),
        ("flagged, of a product", RecordFilter(WINDOW, product="acme-desktop", is_flagged=True)),
        ("by user", RecordFilter(WINDOW, user="user-7@x.example")),
    ):
        with reading_records() as read:
            items, _ = search().page(wanted, 50, None, SHAPE.row)
        print(
            f"\n{size:>9,} records, {name:22} {len(items):3} rows: {len(read.operations):3} requests, "
            f"{read.items:6} items, {read.units:7.1f} read units",
            end="",
        )
        if name == "by user":
            figures.note(f"records by user among {size:,}, {len(items)} rows", len(read.operations), "requests", 30)
        if name == "by licence":
            assert len(items) == 50
            assert read.items / len(items) <= 1.1
    export(search, size)


def export(search: Callable[[], RecordSearch], size: int) -> None:
    """All of it, a page at a time: the process does not grow."""
    progress, line, pages, memory = (
        ExportProgress(),
        line_of(Format.NDJSON, SHAPE, lambda _: None),
        list[int](),
        list[float](),
    )
    began = time.perf_counter()
    with reading_records() as read:
        while progress.after or not pages:
            page = export_page(search(), RecordFilter(WINDOW), progress, line, b"")
            progress = page.progress
            pages.append(answer_bytes(page.lines))
            memory.append(resident())
    seconds = time.perf_counter() - began
    print(
        f"\n{size:>9,} rows exported in {len(pages)} pages of {max(pages) / 1e6:.1f} MB at most: "
        f"{read.units / size:.2f} read units, {1e6 * seconds / size:.0f} µs a row; "
        f"process {memory[0]:.0f} MB after the first page, {max(memory):.0f} MB at most"
    )
    assert progress.rows == size
    assert max(pages) <= MOST_BYTES
    assert max(memory) - memory[0] < 50


def resident() -> float:
    """What this process has in memory, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
