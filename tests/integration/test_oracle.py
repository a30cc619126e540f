"""Random histories through the functions' handlers, held against SQLite's COUNT(DISTINCT)."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zlib import crc32

import pytest

from telemetry.domain.active_users import LONGEST_WINDOW, Audience, count_active
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT
from telemetry.storage.active_users import MOST_SCOPES, LedgerStore
from telemetry.storage.day_reports import DayReportStore
from tests.lambdas import Context, load_function
from tests.stream_events import close_day, stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, Mailbox, start_ingest

pytestmark = [pytest.mark.slow, pytest.mark.days]

SOAK = bool(os.environ.get("SOAK"))
FIRST_DAYS = (date(2026, 11, 27), date(2026, 12, 28), date(2028, 2, 26), date(2027, 2, 25), date(2026, 10, 29))
SCOPES = ("acme-cli", "acme-desktop", UNKNOWN_PRODUCT, CATALOGUE)
SHARDS = 3

COUNT_DISTINCT = """
WITH RECURSIVE windows(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM windows WHERE n < 365)
SELECT n, COUNT(DISTINCT who) FROM windows LEFT JOIN seen
ON audience = :audience AND (:scope = '*' OR product = :scope) AND day > :as_of - n AND day <= :as_of
GROUP BY n ORDER BY n
"""


@dataclass
class History:
    """Days pass, records come, streams lag, the schedule fires; and SQLite is told who was seen."""

    deployment: Deployment
    random: Random
    today: date
    oracle: sqlite3.Connection
    delivered: dict[str, int] = field(default_factory=dict)

    def run(self, days: int, longest_gap: int) -> None:
        self.oracle.execute("CREATE TABLE seen (product, audience, who, day)")
        end = self.today + timedelta(days=days)
        while self.today < end:
            for hour in self.random.sample(range(24), self.random.choice((1, 1, 2))):
                self.send(datetime.combine(self.today, time(hour), UTC))
            for shard in range(SHARDS):
                if self.random.random() < 0.6:
                    self.deliver(shard, self.random.choice((2, 100)))
            if self.random.random() < 0.7:
                self.close(self.today + timedelta(days=1))
            self.today += timedelta(days=self.random.choice((1, 1, 1, 2, self.random.randint(1, longest_gap))))

    def send(self, now: datetime) -> None:
        post = start_ingest(self.deployment, now)
        bodies = []
        for _ in range(self.random.randint(1, 6)):
            user, device = self.random.choice(("ann", "Bob@X.org", "bob@x.org", "cy", None)), self.random.choice("de ")
            sent, pirated = self.random.choice(("acme-cli", "acme-desktop", "nobodys")), self.random.random() < 0.2
            bodies.append(
                {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": sent, "hwid": device}
                | ({"user_identifier": user} if user else {})
                | ({"license_key": "LEAKED-KEY"} if pirated else {})
            )
            product = sent if sent.startswith("acme") else UNKNOWN_PRODUCT
            hwid = device.strip()
            who = f"user {user.lower()}" if user else f"device {hwid}" if hwid else None
            seen = [(Audience.ALL_USERS, who), (Audience.DEVICES, f"device {hwid}" if hwid else None)]
            seen += [] if pirated else [(Audience.USERS, who)]
            rows = [(product, audience.value, name, now.date().toordinal()) for audience, name in seen if name]
            self.oracle.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", rows)
        assert post("/api/v1/telemetry", json.dumps(bodies)).status == 200

    def deliver(self, shard: int, size: int) -> None:
        """A batch of a stream's shard, of which some records have been delivered before."""
        table, name = self.deployment.tables.records(Environment.PRODUCTION), f"shard-{shard}"
        items = [item for item in stored_items(self.deployment) if crc32(item["p"]["S"].encode()) % SHARDS == shard]
        records = [stream_record(table, item, number) for number, item in enumerate(items, 1)]
        done = self.delivered.get(name, 0)
        start = max(0, done - self.random.randint(0, 4))
        load_function("rollup").handler(stream_event(records[start : done + size], table, name), Context())
        self.delivered[name] = min(len(records), done + size)

    def close(self, day: date) -> None:
        for minutes in (30, 45):
            close_day(Environment.PRODUCTION, datetime.combine(day, time(), UTC) + timedelta(minutes=minutes))

    def distinct(self, scope: str, audience: Audience, as_of: date) -> list[int]:
        question = {"scope": scope, "audience": audience.value, "as_of": as_of.toordinal()}
        return [users for _, users in self.oracle.execute(COUNT_DISTINCT, question)]


def check(history: History) -> Iterator[tuple[Any, ...]]:
    """Every window, as of the last day and of closed days."""
    table = history.deployment.tables.aggregates(Environment.PRODUCTION)
    store, reports = LedgerStore(table), DayReportStore(table)
    state = store.closing()
    assert state.opened is not None
    assert state.closed is not None
    closed = [date.fromordinal(day) for day in range(state.opened, state.closed + 1)]
    windows = range(1, LONGEST_WINDOW + 1)
    for scope in SCOPES:
        ledger = store.ledger(scope, history.today.toordinal())
        for audience in Audience:
            found = [count_active(ledger, audience, days, history.today.toordinal()) for days in windows]
            yield found, history.distinct(scope, audience, history.today), scope, audience, history.today
        for day in {closed[-1], *history.random.sample(closed, min(4, len(closed)))}:
            kept = reports.users(scope, day)
            if kept is None:
                assert day.toordinal() < state.closed
                continue
            totals, balance = kept
            for audience in Audience:
                expected = history.distinct(scope, audience, day)
                yield [sum(balance.counters[audience][:days]) for days in windows], expected, scope, audience, day
                assert totals.users(30, audience) == expected[29]


@pytest.mark.parametrize("seed", range(60 if SOAK else 5))
def test_every_window_is_what_sqlite_counts(
    deployment: Deployment, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setenv("RECORD_SHARDS", "2")
    monkeypatch.setattr(LedgerStore, "most_scopes", (1, MOST_SCOPES)[seed % 2])
    with closing(sqlite3.connect(":memory:")) as oracle:
        history = History(deployment, Random(seed), FIRST_DAYS[seed % len(FIRST_DAYS)], oracle)
        history.run(days=12, longest_gap=380 if SOAK and seed % 10 == 0 else 9)
        for shard in range(SHARDS):
            history.deliver(shard, 1_000)
        history.close(history.today + timedelta(days=3))
        for found, expected, *where in check(history):
            assert found == expected, where
    assert all(failure.cause.startswith("DayClosed") for failure in mailbox.failures)
