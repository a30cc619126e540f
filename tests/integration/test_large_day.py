"""A day that is counted in parts, each by an invocation of its own: the split of a large day, at small size."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.sighting import CATALOGUE
from telemetry.services.close_day import DayCloser
from telemetry.storage.day_reports import DayReportStore
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import stream_batch
from tests.worlds.deployment import SHARDS, Deployment, Mailbox, never, start_ingest

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3)
PRODUCTION = Environment.PRODUCTION


class Invocations:
    """Takes events, as Lambda does, and invokes the function when it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def ask_for(self, event: dict[str, Any]) -> None:
        self.taken.append(json.loads(json.dumps(event)))

    def run(self, now: datetime) -> int:
        taken, self.taken = self.taken, []
        for event in taken:
            function = load_function("close_day", FakeClock(now))
            assert function.handler(event, Context())["counted"] == event["unit"]
        return len(taken)


@pytest.mark.slow
def test_parts_make_the_report_of_the_whole(deployment: Deployment, mailbox: Mailbox) -> None:
    for hour in (0, 7, 13, 23):
        post = start_ingest(deployment, datetime.combine(DAY, time(hour, 59), UTC))
        bodies = [
            {
                "data_type": "text",
                "data_group": "g",
                "text_data": "x",
                "product_id": "acme-cli",
                "product_version": f"1.{number % 3}",
                "user_identifier": f"user {(number * hour) % 23}",
                "hwid": f"device {number % 11}",
                "license_key": f"KEY-NOBODY-ISSUED-{number % 5}" if number % 4 else "unknown",
            }
            for number in range(30)
        ]
        assert post("/api/v1/telemetry", json.dumps(bodies)).status == 200
    load_function("rollup").handler(stream_batch(deployment), Context())

    products, table = list(deployment.products.all()), deployment.tables.aggregates(PRODUCTION)
    invocations = Invocations()
    ask_for = partial(load_function("close_day").ask_for, PRODUCTION, invocations)
    closer = DayCloser.of(table, deployment.day_records(), products, ask_for)
    closer = replace(closer, recounter=replace(closer.recounter, records_at_once=4))
    now = datetime.combine(DAY + timedelta(days=1), time(0, 30), UTC)
    counted = []
    for hours in range(4):
        closed = closer.close(now + timedelta(hours=hours))
        counted.append(invocations.run(now))
    # 120 records, four at a time, are 30 parts: fifteen of each shard. A first and a second count
    assert counted == [SHARDS * 15, 0, SHARDS * 15, 0]
    assert [each.day for each in closed] == [DAY]

    reports = DayReportStore(table)
    in_parts = [reports.report(scope, DAY) for scope in ("acme-cli", CATALOGUE)]
    verifier = load_function("close_day", FakeClock(now + timedelta(days=1)))
    verdicts = verifier.handler({"environment": "production", "day": DAY.isoformat()}, Context())
    assert {verdict["outcome"] for verdict in verdicts["verdicts"]} == {"holds"}
    assert [report and report.totals.records for report in in_parts] == [120, 120]
    assert mailbox.failures == []
    whole = DayCloser.of(table, deployment.day_records(), products, never)
    assert whole.close(now) == []
