"""What a million events a day cost at list prices (tests/prices.py): the gateway, Lambda, DynamoDB and logs, all in.

Units and requests are counted. Lambda's seconds are this machine's CPU at the share of a core that the function's
memory gives it, and an assumed time for each call of DynamoDB that is waited for.
"""

import json
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest

from local.template import read_template
from telemetry.storage.batches import grouped
from tests.benchmarks.capacity import READS, metered
from tests.benchmarks.figures import Figures
from tests.clock import FakeClock
from tests.lambdas import Context, http_event, load_function
from tests.prices import PRICES
from tests.stream_events import stored_items, stream_event, stream_record
from tests.unit.test_costs import log_line
from tests.worlds.analytics import PRODUCTION
from tests.worlds.deployment import Deployment, Mailbox

DAY = date(2026, 11, 3)
EVENTS, OF_A_USER = 3_000, 20
SECONDS_BETWEEN = 0.0864
"""At a million events a day."""

STREAM_BATCH = 300
"""What half a minute brings then."""

SECONDS_A_CALL = 0.005
MEMORY_OF_A_CORE = 1_769
GOALS = {1: 2.9, 100: 1.45}


@dataclass
class Bill:
    """Dollars by what they are for."""

    dollars: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def function(self, name: str, runs: int) -> Iterator[None]:
        """Whatever is run meanwhile is paid for as so many runs of this function."""
        memory = next(each.memory for each in read_template("stack").functions if each.name == name)
        began = clock.process_time()
        with metered() as calls:
            yield
        seconds = (clock.process_time() - began) * max(1, MEMORY_OF_A_CORE / memory) + SECONDS_A_CALL * len(calls)
        self._add("Lambda", seconds * memory / 1024 * PRICES["Lambda on arm64, a GB-second"])
        if name == "ingest":
            self._add("Lambda", runs * PRICES["Lambda, a request"])
            self._add("gateway", runs * PRICES["HTTP API, a request"])
            self._add("logs", runs * len(log_line()) / 1e9 * PRICES["log, ingested, a GB"])
        for operation, units in calls:
            unit = "DynamoDB on demand, a read unit" if operation in READS else "DynamoDB on demand, a write unit"
            self._add(f"DynamoDB, {name}", units * PRICES[unit])

    def _add(self, what: str, dollars: float) -> None:
        self.dollars[what] = self.dollars.get(what, 0) + dollars * 1e6 / EVENTS


@pytest.mark.parametrize("at_once", GOALS)
def test_a_million_events(deployment: Deployment, mailbox: Mailbox, figures: Figures, at_once: int) -> None:
    del mailbox
    users = [number // max(OF_A_USER, at_once) for number in range(EVENTS)]
    if at_once == 1:
        Random(1).shuffle(users)
    now, bill = FakeClock(datetime.combine(DAY, time(), UTC)), Bill()
    ingest = load_function("ingest", now).handler.__wrapped__  # without the comparison with the description
    headers = {"x-api-key": deployment.keys[PRODUCTION], "content-type": "application/json"}
    sent = grouped(map(event, users), at_once)
    bodies = [json.dumps(some[0] if at_once == 1 else some) for some in sent]
    with bill.function("ingest", len(bodies)):
        for body in bodies:
            assert ingest(http_event("/api/v1/telemetry", body, headers), Context())["statusCode"] == 200
            now.advance(SECONDS_BETWEEN * at_once)
    table = deployment.tables.records(PRODUCTION)
    records = [stream_record(table, item, number) for number, item in enumerate(stored_items(deployment), 1)]
    rollup = load_function("rollup", now)
    with bill.function("rollup", 1):
        for some in grouped(records, STREAM_BATCH):
            rollup.handler(stream_event(some, table), Context())
    midnight = datetime.combine(DAY + timedelta(days=1), time(), UTC)
    with bill.function("close_day", 2):
        for minutes in (30, 45):
            close_day = load_function("close_day", FakeClock(midnight + timedelta(minutes=minutes)))
            closed = close_day.handler({"environment": "production"}, Context())["closed"]
    assert closed == [DAY.isoformat()]
    parts = ", ".join(f"{what} {dollars:.2f}" for what, dollars in bill.dollars.items())
    name = f"a million events, {'each by itself' if at_once == 1 else f'{at_once} of one install at once'}, list prices"
    figures.note(name, sum(bill.dollars.values()), "$", GOALS[at_once], parts)


def event(user: int) -> dict[str, str]:
    return {
        "data_type": "text",
        "text_data": "started",
        "data_group": "secondary1",
        "product_id": "acme-cli",
        "product_version": f"2.{user % 4}.0",
        "user_identifier": f"user{user}@example.org",
        "hwid": f"device-{user}",
        "license_key": "LEAKED-KEY-1" if user % 50 == 0 else "unknown",
    }
