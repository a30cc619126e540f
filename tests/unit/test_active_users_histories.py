"""Whatever happens, and in whatever order: users(N) is what a set would say."""

import os
from collections.abc import Collection, Mapping
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.domain.active_users import Actor, Balance, Closing, Ledger, Tally, TallyKey
from telemetry.domain.errors import StoreUnavailable
from telemetry.services.counting import count
from tests.active_users_world import LONG_GAPS, Step, World, histories
from tests.memory_aggregates import MemoryAggregates

SOAK = bool(os.environ.get("SOAK"))
LONG = settings(max_examples=2_000 if SOAK else 60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LONG
@given(histories(120, LONG_GAPS))
def test_users_are_exact_for_every_window(steps: list[Step]) -> None:
    world = World(MemoryAggregates())
    world.run(steps)
    world.settle()
    world.check_everything()


@LONG
@given(histories(100, LONG_GAPS), st.integers(0, 2**32))
def test_faults_and_rivals_change_nothing(steps: list[Step], seed: int) -> None:
    aggregates = MemoryAggregates()
    store = Treacherous(aggregates, Random(seed))
    world = store.world = World(store)
    world.run(steps)
    world.settle()
    world.store = aggregates
    world.check_everything()


class Treacherous:
    """A store that fails before or after doing what it was asked, and whose actors others move while they are read."""

    world: World

    def __init__(self, store: MemoryAggregates, random: Random) -> None:
        self._store = store
        self._random = random

    def actors(self, fingerprints: Collection[bytes]) -> dict[bytes, Actor]:
        self._perhaps_fail()
        actors = self._store.actors(fingerprints)
        if self._random.random() < 0.2:
            self._a_rival_counts()
        return actors

    def commit(self, moved: Mapping[bytes, Actor], tallies: Mapping[TallyKey, Tally], salt: int) -> None:
        self._perhaps_fail()
        self._store.commit(moved, tallies, salt)
        self._perhaps_fail()

    def ledger(self, scope: str, today: int) -> Ledger:
        return self._store.ledger(scope, today)

    def closing(self) -> Closing:
        self._perhaps_fail()
        return self._store.closing()

    def announce(self, scopes: Collection[str], day: int) -> Closing:
        self._perhaps_fail()
        closing = self._store.announce(scopes, day)
        self._perhaps_fail()
        return closing

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        self._perhaps_fail()
        return self._store.day(scope, day)

    def write_balance(self, scope: str, balance: Balance) -> None:
        self._perhaps_fail()
        self._store.write_balance(scope, balance)
        self._perhaps_fail()

    def close(self, day: int) -> None:
        self._perhaps_fail()
        self._store.close(day)
        self._perhaps_fail()

    def _perhaps_fail(self) -> None:
        if self._random.random() < 0.1:
            raise StoreUnavailable

    def _a_rival_counts(self) -> None:
        """Another copy works on other records, some of them the same."""
        records = self.world.records
        batch = records[-self._random.randint(1, 8) :]
        count(batch, self._store, wait=lambda _: None)
        self.world.counted |= set(batch)
