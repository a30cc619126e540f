"""What the counters ask of a store, of the real one and of the one in memory alike."""

from collections import Counter
from datetime import date

import pytest

from telemetry.domain.active_users import (
    BEGINNING,
    COUNTERS,
    NEW,
    Actor,
    ActorKey,
    Audience,
    Balance,
    LedgerBroken,
    Outdated,
    Place,
    RunningBalance,
    TallyKey,
)
from telemetry.domain.closing import Closing
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import CATALOGUE, LONGEST_SCOPE, UNKNOWN_PRODUCT
from telemetry.settings import TableNames
from telemetry.storage.active_user_items import SLICES
from telemetry.storage.active_users import LedgerStore
from tests.benchmarks.capacity import counted_calls
from tests.memory_aggregates import MemoryAggregates
from tests.observations import report_of
from tests.table_aggregates import TableAggregates
from tests.worlds.active_users import Store

DAY = date(2026, 11, 3).toordinal()
EDITOR_USERS = Place("editor", Audience.USERS)
EDITOR = TallyKey("editor", DAY)
LONGEST = "x" * LONGEST_SCOPE


@pytest.fixture(params=["memory", "table"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryAggregates()
    tables: TableNames = request.getfixturevalue("tables")
    return TableAggregates(tables.aggregates(Environment.PRODUCTION))


def balance(day: int, **first: int) -> Balance:
    return Balance(day, {each: (first.get(each.value, 0), *(0,) * (COUNTERS - 1)) for each in Audience})


def test_actors_come_back_as_they_were_stored(store: Store) -> None:
    whole = Actor(1, {EDITOR_USERS: (BEGINNING, DAY - 3, DAY), Place(CATALOGUE, Audience.DEVICES): (BEGINNING, DAY)})
    trimmed = Actor(1, {Place(UNKNOWN_PRODUCT, Audience.ALL_USERS): tuple(range(DAY - 14, DAY + 1, 2))})
    odd = Actor(1, {Place('"größe" \U0001f600#', Audience.USERS): (DAY,)})
    stored = {ActorKey(b"\x01"): whole, ActorKey(b"\xff\xfe"): trimmed, ActorKey(b"odd"): odd}
    store.commit(stored, {}, salt=0)
    assert store.actors([*stored, ActorKey(b"nobody")]) == stored


def test_parts_of_an_actor_are_stored_each_by_itself(store: Store) -> None:
    first, apart = ActorKey(b"a"), ActorKey(b"a", "compiler")
    stored = {
        first: Actor(1, {EDITOR_USERS: (BEGINNING, DAY)}, is_full=True),
        apart: Actor(1, {Place("compiler", Audience.USERS): (BEGINNING, DAY)}),
    }
    store.commit(stored, {}, salt=0)
    later = Actor(2, {Place("compiler", Audience.USERS): (BEGINNING, DAY, DAY + 1)})
    store.commit({apart: later}, {}, salt=0)
    with pytest.raises(Outdated):
        store.commit({apart: later}, {}, salt=0)
    assert store.actors([first, apart, ActorKey(b"a", "editor")]) == stored | {apart: later}


def test_an_actor_changes_only_from_the_version_read(store: Store) -> None:
    first = Actor(1, {EDITOR_USERS: (BEGINNING, DAY)})
    a, b = ActorKey(b"a"), ActorKey(b"b")
    store.commit({a: first}, {}, salt=0)
    second = Actor(2, {EDITOR_USERS: (BEGINNING, DAY, DAY + 1)})
    store.commit({a: second}, {}, salt=0)
    for stale in (first, second, Actor(4, second.history)):
        with pytest.raises(Outdated):
            store.commit({a: stale, b: first}, {EDITOR: Counter({(Audience.USERS, NEW): 1})}, salt=0)
    assert store.actors([a, b]) == {a: second}
    assert store.ledger("editor", DAY) == RunningBalance(None, {})


def test_a_tally_adds_up_over_its_parts(store: Store) -> None:
    for salt in range(2 * SLICES):
        tally = Counter(
            {(Audience.USERS, NEW): 2, (Audience.DEVICES, 365): 1, (Audience.ALL_USERS, 7): -1 if salt else 9}
        )
        store.commit({ActorKey(bytes([salt])): Actor(1, {EDITOR_USERS: (DAY,)})}, {EDITOR: tally}, salt)
    expected = Counter({(Audience.USERS, NEW): 16, (Audience.DEVICES, 365): 8, (Audience.ALL_USERS, 7): 2})
    assert store.ledger("editor", DAY) == RunningBalance(None, {DAY: expected})
    assert store.day("editor", DAY) == (None, expected)


def test_a_transaction_holds_a_hundred_items(store: Store) -> None:
    actors = {ActorKey(bytes([each])): Actor(1, {EDITOR_USERS: (DAY,)}) for each in range(97)}
    tally = Counter({(audience, age): 1 for audience in Audience for age in range(45)})
    store.commit(actors, {TallyKey(scope, DAY): tally for scope in ("editor", "compiler", CATALOGUE)}, salt=0)
    assert store.actors(list(actors)) == actors
    assert store.ledger(CATALOGUE, DAY).tallies == {DAY: tally}


def test_a_ledger_goes_back_to_the_last_balance_and_ends_today(store: Store) -> None:
    days = range(DAY - 9, DAY + 3)
    for day in days:
        for salt in range(SLICES):
            moved = {ActorKey(f"{day} {salt}".encode()): Actor(1, {EDITOR_USERS: (day,)})}
            store.commit(moved, {TallyKey("editor", day): Counter({(Audience.USERS, NEW): 1})}, salt)
    assert store.ledger("editor", DAY).balance is None
    assert sorted(store.ledger("editor", DAY).tallies) == list(range(DAY - 9, DAY + 1))
    for closed in range(DAY - 9, DAY - 3):
        store.keep(report_of("editor", balance(closed, users=4 * (closed - DAY + 10))))
    tally = Counter({(Audience.USERS, NEW): 4})
    assert store.ledger("editor", DAY) == RunningBalance(
        balance(DAY - 4, users=24), {DAY - 3: tally, DAY - 2: tally, DAY - 1: tally, DAY: tally}
    )
    assert store.ledger("editor", DAY - 5) == RunningBalance(balance(DAY - 6, users=16), {DAY - 5: tally})
    assert store.ledger("edit", DAY) == RunningBalance(None, {})


def test_the_first_day_moves_back_until_one_is_closed(store: Store) -> None:
    assert store.closing() == Closing()
    assert store.open_from(DAY) == Closing(DAY, None)
    assert store.open_from(DAY + 1) == Closing(DAY, None)
    assert store.open_from(DAY - 1).opened == DAY - 1
    store.close(DAY - 1)
    assert store.open_from(DAY - 5) == store.closing()
    assert store.closing() == Closing(DAY - 1, DAY - 1)


def test_scopes_are_known_for_ever(store: MemoryAggregates | TableAggregates) -> None:
    assert store.scopes() == frozenset()
    store.add_scopes(["editor"])
    store.add_scopes(["editor", CATALOGUE, UNKNOWN_PRODUCT, LONGEST])
    store.add_scopes([])
    assert store.scopes() == {"editor", CATALOGUE, UNKNOWN_PRODUCT, LONGEST}
    assert all(map(store.has_scope, ("editor", LONGEST)))
    assert not any(map(store.has_scope, ("edit", "", "\ud800")))


def test_of_scopes_that_are_known_nothing_is_asked(tables: TableNames) -> None:
    table = tables.aggregates(Environment.PRODUCTION)
    first, other = LedgerStore(table), LedgerStore(table)
    with counted_calls() as calls:
        first.add_scopes(["editor", CATALOGUE])
        first.add_scopes([CATALOGUE])
        other.add_scopes(["editor"])
        other.add_scopes(["editor"])
    asked, put = "BatchGetItem production", "BatchWriteItem production"
    assert calls == [asked, put, asked]


def test_days_close_in_order_and_once(store: Store) -> None:
    with pytest.raises(LedgerBroken):
        store.close(DAY)
    store.open_from(DAY)
    for wrong in (DAY - 1, DAY + 1):
        with pytest.raises(LedgerBroken):
            store.close(wrong)
    store.close(DAY)
    store.close(DAY + 1)
    store.close(DAY)
    with pytest.raises(LedgerBroken):
        store.close(DAY + 3)
    assert store.closing().closed == DAY + 1


def test_a_missing_balance_is_noticed(store: Store) -> None:
    assert store.day("editor", DAY) == (None, Counter())
    store.commit(
        {ActorKey(b"a"): Actor(1, {EDITOR_USERS: (DAY,)})}, {EDITOR: Counter({(Audience.USERS, NEW): 1})}, salt=0
    )
    assert store.day("editor", DAY) == (None, {(Audience.USERS, NEW): 1})
    with pytest.raises(LedgerBroken):
        store.day("editor", DAY + 1)
