"""What rollup and close_day cost per event, and how much closing reads, from ReturnConsumedCapacity."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from botocore.client import BaseClient

from telemetry.domain.environment import Environment
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, Mailbox, start_ingest

DAY = date(2026, 11, 3)
EVENTS_PER_ACTOR = 20
EVENTS = 4_000

_original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]


@contextmanager
def metered() -> Iterator[Counter[str]]:
    """Units consumed by operation, and index entries read, as `entries`."""
    found: Counter[str] = Counter()

    def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        answer = _original(client, operation, arguments | {"ReturnConsumedCapacity": "TOTAL"})
        consumed = answer.get("ConsumedCapacity", [])
        entries = consumed if isinstance(consumed, list) else [consumed]
        found[operation] += sum(entry["CapacityUnits"] for entry in entries)
        if arguments.get("IndexName") == "by_received":
            found["entries"] += answer["ScannedCount"]
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield found


def record(deployment: Deployment, random: Random) -> None:
    """Users who each send EVENTS_PER_ACTOR events over the day, from a device of their own; one in fifty is flagged."""
    users = [user for user in range(EVENTS // EVENTS_PER_ACTOR) for _ in range(EVENTS_PER_ACTOR)]
    random.shuffle(users)
    post = start_ingest(deployment)
    for start in range(0, EVENTS, 500):
        moment = datetime.combine(DAY, time(), UTC) + timedelta(seconds=86_400 * start // EVENTS)
        post.clock.set(moment)
        bodies = [
            {
                "data_type": "text",
                "text_data": "started",
                "data_group": "secondary1",
                "product_id": "acme-cli",
                "product_version": f"2.{user % 4}.0",
                "user_identifier": f"user{user}@example.org",
                "hwid": f"device-{user}",
                "license_key": "LEAKED-KEY-1" if user % 50 == 0 else "unknown",
            }
            for user in users[start : start + 500]
        ]
        assert post("/api/v1/telemetry", json.dumps(bodies)).status == 200


@pytest.mark.parametrize("batch", [100, 1_000])
def test_counting_and_closing(deployment: Deployment, mailbox: Mailbox, batch: int) -> None:
    del mailbox
    record(deployment, Random(1))
    table = deployment.tables.records(Environment.PRODUCTION)
    records = [stream_record(table, item, number) for number, item in enumerate(stored_items(deployment), 1)]
    rollup = load_function("rollup", FakeClock(datetime.combine(DAY, time(12), UTC)))
    with metered() as counting:
        for start in range(0, EVENTS, batch):
            rollup.handler(stream_event(records[start : start + batch], table), Context())
    closed, midnight = [], datetime.combine(DAY + timedelta(days=1), time(), UTC)
    with metered() as closing:
        for minutes in (30, 45):
            function = load_function("close_day", FakeClock(midnight + timedelta(minutes=minutes)))
            closed += function.handler({"environment": "production"}, Context())["closed"]
    assert closed == [DAY.isoformat()]
    writes = [_writes(each) / EVENTS for each in (counting, closing)]
    print(
        f"\nbatches of {batch:>5}: rollup {writes[0]:.3f} + close_day {writes[1]:.3f} = {sum(writes):.3f} write units "
        f"per event; read units {_reads(counting) / EVENTS:.3f} + {_reads(closing) / EVENTS:.3f}; "
        f"closing read {closing['entries'] / EVENTS:.2f} index entries per record"
    )
    assert sum(writes) <= 0.3
    assert closing["entries"] <= 2 * EVENTS


def _writes(found: Counter[str]) -> float:
    return sum(found[operation] for operation in ("TransactWriteItems", "PutItem", "UpdateItem", "BatchWriteItem"))


def _reads(found: Counter[str]) -> float:
    return sum(found[operation] for operation in ("Query", "BatchGetItem", "GetItem"))
