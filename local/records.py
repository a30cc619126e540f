"""`python -m local records`: what is stored, one JSON line per event, so that anyone can see what was kept."""

import argparse
import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from local.engine import use
from local.state import attached
from local.template import read_template
from telemetry.domain.environment import Environment
from telemetry.domain.record import Record
from telemetry.domain.shards import ShardPlan
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.settings import TableNames
from telemetry.storage.records import RecordStore
from telemetry.storage.registry import RegistryStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `records`."""
    parser.add_argument("--product", help="a product's id; without it all registered ones and the unknown")
    parser.add_argument("--day", type=date.fromisoformat, help="UTC day of receipt; without it all that are retained")
    parser.add_argument("--environment", type=Environment, default=Environment.PRODUCTION, choices=list(Environment))


def run(arguments: argparse.Namespace) -> int:
    """Prints the events and, last, their number."""
    template = read_template()
    variables = template.function("ingest").environment
    names = TableNames(template.stack)
    with attached(Path(arguments.state)) as endpoint:
        use(endpoint)
        store = RecordStore(names.records(arguments.environment), ShardPlan.parse(variables["RECORD_SHARDS"]))
        products = (
            [arguments.product] if arguments.product else [*RegistryStore(names.registry).products(), UNKNOWN_PRODUCT]
        )
        days = [arguments.day] if arguments.day else _retained(int(variables["RETENTION_DAYS"]), datetime.now(UTC))
        count = 0
        for record in _records(store, products, days):
            print(json.dumps(_shown(record), ensure_ascii=False))
            count += 1
    print(f"{count} events")
    return 0


def _retained(retention_days: int, now: datetime) -> list[date]:
    return [now.date() - timedelta(days=age) for age in range(retention_days, -1, -1)]


def _records(store: RecordStore, products: list[str], days: list[date]) -> Iterator[Record]:
    for product in products:
        for day in days:
            for key in store.keys(product, day):
                if record := store.get(key):
                    yield record


def _shown(record: Record) -> dict[str, Any]:
    try:
        body: Any = record.raw.decode()
    except UnicodeDecodeError:
        body = {"base64": b64encode(record.raw).decode()}
    return {
        "received_at": record.received_at.isoformat(timespec="milliseconds"),
        "product": record.product,
        "dialect": record.dialect,
        "flags": sorted(record.flags),
        "evidence": record.evidence,
        "api_key": record.api_key_id,
        "source_ip": record.source_ip,
        "key": list(record.key),
        "body": body,
    }
