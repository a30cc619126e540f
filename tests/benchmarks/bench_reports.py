"""What counting and reporting cost, from ReturnConsumedCapacity: users counted through the real fold."""

import time
from datetime import date, timedelta
from random import Random

import pytest

from telemetry.domain.active_users import Audience, next_balance
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import CATALOGUE, Sighting
from telemetry.services.counting import count
from telemetry.services.reports import active_users
from telemetry.settings import TableNames
from tests.benchmarks.capacity import metered
from tests.integration.test_active_users_table import fill
from tests.observations import report_of
from tests.table_aggregates import TableAggregates

YESTERDAY = date(2026, 11, 2)
TODAY = YESTERDAY + timedelta(days=1)
SIZES = (1_000, 100_000)


def close(store: TableAggregates, last: date) -> None:
    """Writes the balances of all days up to `last` that have been counted."""
    opened, scopes = store.closing().opened, store.scopes()
    assert opened is not None
    for day in range(opened, last.toordinal() + 1):
        for scope in scopes:
            before, tally = store.day(scope, day)
            store.keep(report_of(scope, next_balance(before, day, tally)))
        store.close(day)


def visitors(users: int, day: date, share: float) -> list[Sighting]:
    """A share of all users, each with a device."""
    random = Random(day.toordinal())
    chosen = (user for user in range(users) if random.random() < share)
    return [
        Sighting("editor", day, user.to_bytes(16), (user + 2**100).to_bytes(16), billable=user % 50 > 0)
        for user in chosen
    ]


@pytest.mark.parametrize("users", SIZES)
def test_a_report_costs_the_same_however_many_users(tables: TableNames, users: int) -> None:
    store = TableAggregates(tables.aggregates(Environment.PRODUCTION))
    started = time.perf_counter()
    with metered() as writing:
        moves = 0
        for days_ago, share in ((9, 0.4), (4, 0.3), (1, 0.3), (0, 0.2)):
            batch = visitors(users, TODAY - timedelta(days=days_ago), share)
            moves += 2 * len(batch)
            for start in range(0, len(batch), 1_000):
                assert count(batch[start : start + 1_000], store) == []
    folded = time.perf_counter() - started
    close(store, YESTERDAY)
    with metered() as reading:
        found = active_users("editor", 30, TODAY, Audience.USERS, store)
    transactions = [units for operation, units in writing if operation == "TransactWriteItems"]
    print(
        f"\n{users:>7} users: report {len(reading)} request, {sum(units for _, units in reading)} read units, "
        f"answer {found}; {moves} moves in {len(transactions)} transactions, "
        f"{sum(transactions) / moves:.2f} write units and {1000 * folded / moves:.2f} ms each"
    )
    assert [operation for operation, _ in reading] == ["Query"]
    assert sum(units for _, units in reading) <= 3


@pytest.mark.parametrize("users", SIZES)
def test_the_dearest_report(tables: TableNames, users: int) -> None:
    """Users from each of 366 days, in all audiences, in all parts of today's tally."""
    store = TableAggregates(tables.aggregates(Environment.PRODUCTION))
    fill(store, users)
    with metered() as reading:
        active_users(CATALOGUE, 365, TODAY, Audience.USERS, store)
    units = sum(units for _, units in reading)
    print(f"\n{users:>7} users, every counter in use: report {len(reading)} request, {units} read units")
    assert [operation for operation, _ in reading] == ["Query"]
    assert units <= 3
