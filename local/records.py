"""`python -m local records`: what is stored, one JSON line per event, so that anyone can see what was kept."""

import argparse
import json
from base64 import b64encode
from datetime import date
from typing import Any

from local import deployments
from local.arguments import check_product, day, one_of
from local.template import read_template
from telemetry.clock import SystemClock
from telemetry.domain.environment import Environment
from telemetry.domain.judge import Verdict
from telemetry.domain.record import Record, RecordKey
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.services.judging import Judge
from telemetry.settings import RecordSettings
from telemetry.storage.index_partition import IndexPartition
from telemetry.storage.record_item import ByReceived
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import dynamodb_client
from telemetry.wiring.close_day import CloseDayWiring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `records`."""
    deployments.add_arguments(parser)
    parser.add_argument("--product", help="a product's id; without it all")
    parser.add_argument("--day", type=day, help="UTC day of receipt; without it all")
    parser.add_argument(
        "--environment", type=one_of(Environment), default=Environment.PRODUCTION, choices=list(Environment)
    )
    parser.add_argument(
        "--judge",
        action="store_true",
        help="show beside each event what today's registry says of it, and what was said",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the events and, last, their number. Of one that cannot be read it says so (`damage`)."""
    with deployments.reached(arguments) as stack:
        wiring = _wiring(stack)
        products = wiring.products.all()
        check_product(arguments.product, {*products, UNKNOWN_PRODUCT})
        store = wiring.records(arguments.environment)
        judge = wiring.judge(arguments.environment, products) if arguments.judge else None
        count = 0
        for key in _keys(store.table, arguments.product, arguments.day):
            if record := store.get(key):
                beside = _judged(record, judge, store) if judge and record.has_body else {}
                print(json.dumps(_shown(record) | beside, ensure_ascii=False))
                count += 1
    print(f"{count} events")
    return 0


def _wiring(stack: str) -> CloseDayWiring:
    settings = {**read_template().function("close_day").environment, "TABLE_PREFIX": stack}
    return CloseDayWiring(RecordSettings.from_env(settings), SystemClock())


def _judged(record: Record, judge: Judge, store: RecordStore) -> dict[str, Any]:
    """`judged_today`: the flags under today's registry. `judged_later`: for what was stored while it could not be read.

    Neither changes the record's own flags.
    """
    (today,) = judge.verdicts([record])
    later = store.judgements([record.key]).get(record.key)
    return {"judged_today": _verdict(today)} | ({"judged_later": _verdict(later)} if later else {})


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"flags": sorted(verdict.flags), "evidence": verdict.evidence}


def _keys(table: str, product: str | None, day: date | None) -> list[RecordKey]:
    """Keys in order of receipt. One scan of the index: with all days wanted it is less work than a query for each."""
    pages = dynamodb_client().get_paginator("scan").paginate(TableName=table, IndexName=ByReceived.Meta.index_name)
    found = []
    for item in (item for page in pages for item in page["Items"]):
        place = IndexPartition.parse(item["g"]["S"])
        if product in {None, place.product} and day in {None, place.day}:
            found.append((int(item["t"]["N"]), RecordKey(item["p"]["S"], item["s"]["S"])))
    return [key for _, key in sorted(found)]


def _shown(record: Record) -> dict[str, Any]:
    shown = {
        "received_at": record.received_at.isoformat(timespec="milliseconds"),
        "product": record.product,
        "dialect": record.dialect,
        "flags": sorted(record.flags),
        "evidence": record.evidence,
        "api_key": record.api_key_id,
        "source_ip": record.source_ip,
        "key": list(record.key),
        "body": _body(record.raw) if record.has_body else None,
    }
    return shown if record.damage is None else shown | {"damage": record.damage}


def _body(raw: bytes) -> str | dict[str, str]:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(raw).decode()}
