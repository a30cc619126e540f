"""Rollup and close_day under faults: whatever fails, comes again or runs twice, the numbers are the same."""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from botocore.client import BaseClient

from local.engine import Engine, create_tables, dynamodb
from local.template import read_template
from telemetry.domain.environment import Environment
from telemetry.domain.shards import ShardPlan
from telemetry.services.close_day import DayCloser
from telemetry.settings import TableNames
from telemetry.storage.active_user_items import DayItem, HistoryAttribute
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.index_marks import mark_item
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import dynamodb_client
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, Mailbox, never, start_ingest

pytestmark = [pytest.mark.slow, pytest.mark.days]

SOAK = bool(os.environ.get("SOAK"))
FIRST = date(2026, 10, 31)
DAYS = (FIRST, FIRST + timedelta(days=1))
_original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]
_numbers = count(1)


class Crashed(BaseException):
    """The process is gone: nothing in it can catch this."""


@dataclass
class Fault:
    """Ends the process at one of its calls, before DynamoDB did what it was asked, or after."""

    at_call: int | None
    after: bool = False
    calls: list[str] = field(default_factory=list)

    @contextmanager
    def planted(self) -> Iterator[None]:
        def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
            self.calls.append(operation)
            struck = len(self.calls) == self.at_call
            if struck and not self.after:
                raise Crashed
            answer = _original(client, operation, arguments)
            if struck:
                raise Crashed
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", call)
            yield


@pytest.fixture
def recorded(deployment: Deployment, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Two days of records as their stream has them, in order."""
    del mailbox
    monkeypatch.setenv("RECORD_SHARDS", "1")
    chance, keys = random.Random(5), (deployment.keys[Environment.PRODUCTION], deployment.key())
    for day in DAYS:
        post = start_ingest(deployment)
        for number, hour in enumerate((1, 9, 23)):
            post.clock.set(datetime.combine(day, time(hour), UTC))
            bodies = [
                {
                    "data_type": "text",
                    "data_group": "g",
                    "text_data": "x",
                    "product_id": chance.choice(("acme-cli", "acme-desktop", "other")),
                    "user_identifier": f"user {chance.randrange(5)}",
                    "hwid": f"device {chance.randrange(4)}",
                    "license_key": chance.choice(("unknown", "LEAKED-KEY")),
                    "product_version": chance.choice(("1.0", "1.1")),
                }
                for _ in range(5)
            ]
            headers = {"x-api-key": keys[number % 2]}
            assert post("/api/v1/telemetry", json.dumps(bodies), headers).status == 200
    return stored_items(deployment)


def outcome(recorded: list[dict[str, Any]], engine: Engine, fault: Fault, cuts: random.Random) -> dict[str, Any]:
    """Runs both days in tables of its own, with a fault, and gives all that counts in the end."""
    tables = TableNames(f"chaos-{next(_numbers)}")
    create_tables(dynamodb(engine.endpoint), read_template(tables.prefix).tables)
    table = tables.records(Environment.PRODUCTION)
    put(recorded, table)
    records = [stream_record(table, item, number) for number, item in enumerate(recorded, 1)]
    of_first = sum(FIRST.isoformat() in record["dynamodb"]["NewImage"]["g"]["S"] for record in records)
    with pytest.MonkeyPatch.context() as patch, fault.planted():
        patch.setenv("TABLE_PREFIX", tables.prefix)
        patch.setattr(LedgerStore, "most_scopes", 1)
        for start, end, day in ((0, of_first, DAYS[0]), (of_first, len(records), DAYS[1])):
            deliver(records[start:end], table, cuts)
            midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
            for minutes in (30, 45, 60):
                persistently("close_day", {"environment": "production"}, midnight + timedelta(minutes=minutes))
    return final(tables.aggregates(Environment.PRODUCTION))


def put(recorded: list[dict[str, Any]], table: str) -> None:
    """The records, and the marks of their index partitions, without which nobody looks for them."""
    marks = {item["g"]["S"]: mark_item(item["g"]["S"]) for item in recorded}
    for item in (*marks.values(), *recorded):
        dynamodb_client().put_item(TableName=table, Item=item)


def deliver(records: list[dict[str, Any]], table: str, cuts: random.Random) -> None:
    """Batch after batch; what failed comes again, cut shorter or longer."""
    done = 0
    while done < len(records):
        size = cuts.choice((3, 5, 8, len(records)))
        batch = stream_event(records[done : done + size], table)
        if run("rollup", batch, datetime(2026, 11, 1, tzinfo=UTC)):
            done += size
            if cuts.random() < 0.3:  # the answer was lost
                done -= min(size, done, 4)
                size = 0
                run("rollup", stream_event(records[done : done + 4], table), datetime(2026, 11, 1, tzinfo=UTC))


def persistently(name: str, event: dict[str, Any], now: datetime) -> None:
    while not run(name, event, now):
        pass


def run(name: str, event: dict[str, Any], now: datetime) -> bool:
    """Invokes a freshly started function; false when it crashed."""
    function = load_function(name, FakeClock(now))
    try:
        function.handler(event, Context())
    except Crashed:
        return False
    return True


def final(table: str) -> dict[str, Any]:
    """Hours, values, reports, and users: however often hours of values were written, tallies are spread, and histories
    came about.
    """
    pages = dynamodb_client().get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    kept: dict[str, Any] = {}
    tallies: Counter[tuple[str, str, object]] = Counter()
    for item in (item for page in pages for item in page["Items"]):
        key, sort = item["pk"]["S"], item["sk"]["S"]
        if key.startswith("actor#"):
            kept.setdefault(key, {}).update(HistoryAttribute().deserialize(item["h"]["S"]))
            kept["lies apart"] = sort.startswith("days#") or kept.get("lies apart", False)
        elif key.startswith("uniques#") and "b" not in item:
            for counter, by in DayItem.from_raw_data(item).tally.items():
                tallies[key, sort[:10], counter] += by
        elif key.startswith("value_hours#"):
            kept[f"{key} {sort}"] = {name: value for name, value in item.items() if name != "n"}
        elif not key.startswith("candidate#"):
            kept[f"{key} {sort}"] = item
    return kept | {"tallies": {key: by for key, by in tallies.items() if by}}


def test_a_fault_at_any_call_changes_nothing(recorded: list[dict[str, Any]], engine: Engine) -> None:
    quiet = Fault(at_call=None)
    expected = outcome(recorded, engine, quiet, random.Random(1))
    assert f"days#acme-cli {DAYS[1]}" in expected
    assert f"value_days#acme-cli {DAYS[1]}" in expected
    assert expected["lies apart"]
    assert len(expected["tallies"]) > 5
    by_key = Counter(name for key, item in expected.items() if key.startswith("hours#* ") for name in item)
    assert sorted(count for name, count in by_key.items() if name.startswith("k")) == [2, 4]  # hours of each API key
    strikes = [(number, after) for number in range(1, len(quiet.calls) + 1) for after in (False, True)]
    for number, after in strikes if SOAK else random.Random(8).sample(strikes, 14):
        fault = Fault(number, after)
        found = outcome(recorded, engine, fault, random.Random(1))
        assert found == expected, (number, after, quiet.calls[number - 1])
        assert len(fault.calls) >= number


def test_two_copies_of_close_day_at_once(recorded: list[dict[str, Any]], engine: Engine) -> None:
    expected = outcome(recorded, engine, Fault(at_call=None), random.Random(1))
    for _ in range(20 if SOAK else 3):
        tables = TableNames(f"chaos-{next(_numbers)}")
        create_tables(dynamodb(engine.endpoint), read_template(tables.prefix).tables)
        table = tables.records(Environment.PRODUCTION)
        put(recorded, table)
        records = [stream_record(table, item, number) for number, item in enumerate(recorded, 1)]
        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
            patch.setenv("TABLE_PREFIX", tables.prefix)
            patch.setattr(LedgerStore, "most_scopes", 1)
            deliver(records, table, random.Random(2))
            for minutes in (30, 45):
                # both days at once: the first by its deadline
                now = datetime.combine(DAYS[1] + timedelta(days=1), time(2), UTC) + timedelta(minutes=minutes)
                # not the handler: its metrics are one set for all threads of a process
                closer = DayCloser.of(
                    tables.aggregates(Environment.PRODUCTION),
                    DayRecordStore(RecordStore(table, ShardPlan(1))),
                    ["acme-cli", "acme-desktop"],
                    never,
                )
                copies = [pool.submit(closer.close, now) for _ in range(4)]
                assert [day for copy in copies for day in copy.result()]
                assert closer.contradicted == []
        found = final(tables.aggregates(Environment.PRODUCTION))
        assert _without_moments(found) == _without_moments(expected)


def _without_moments(found: dict[str, Any]) -> dict[str, Any]:
    """When a report was written is not part of what it says."""
    return {
        key: {name: value for name, value in item.items() if name not in {"w", "t"}}
        if key.startswith("days#")
        else item
        for key, item in found.items()
    }
