"""Whatever happens, and in whatever order: users(N) is what a set would say."""

import os
from collections import deque
from datetime import date, timedelta
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.domain.active_users import Actor, ActorKey, Audience
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.sighting import CATALOGUE, Sighting
from telemetry.services.counting import count
from telemetry.services.reports import active_users
from telemetry.storage.active_users import MOST_SCOPES
from tests.memory_aggregates import MemoryAggregates
from tests.worlds.active_users import FIRST_DAY, LONG_GAPS, Step, Store, World, histories

pytestmark = [pytest.mark.slow, pytest.mark.days]

ROOM = st.sampled_from([1, 2, MOST_SCOPES])
"""Scopes in an actor's first part; of most histories here some are to lie apart."""
SOAK = bool(os.environ.get("SOAK"))
LONG = settings(max_examples=600 if SOAK else 12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LONG
@given(histories(120, LONG_GAPS), ROOM)
def test_users_are_exact_for_every_window(steps: list[Step], most_scopes: int) -> None:
    world = World(MemoryAggregates(most_scopes))
    world.run(steps)
    world.settle()
    world.check_everything()


@LONG
@given(histories(100, LONG_GAPS), st.integers(0, 2**32), ROOM)
def test_faults_and_rivals_change_nothing(steps: list[Step], seed: int, most_scopes: int) -> None:
    aggregates = MemoryAggregates(most_scopes)
    store = Treacherous(aggregates, Random(seed))
    world = store.world = World(cast("Store", store), records_at_once=3)
    world.run(steps)
    world.settle()
    world.store = aggregates
    world.check_everything()


class Treacherous:
    """A store that fails before or after doing what it was asked, and whose actors others move while they are read.

    Who does not ask for consistent ones may get them as they were a few changes ago.
    """

    world: World

    def __init__(self, store: MemoryAggregates, random: Random) -> None:
        self._store = store
        self._random = random
        self._earlier: deque[dict[ActorKey, Actor]] = deque([{}], maxlen=5)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        method = getattr(self._store, name)
        if not callable(method):
            return method

        def attempt(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            self._perhaps_fail()
            result = method(*arguments, **named)
            if name == "actors" and named.get("consistent") is False and self._random.random() < 0.5:
                then = self._random.choice(self._earlier)
                result = {key: then[key] for key in arguments[0] if key in then}
            if name == "actors" and self._random.random() < 0.2:
                self._a_rival_counts()
            self._earlier.append(dict(self._store._actors))
            self._perhaps_fail()
            return result

        return attempt

    def _perhaps_fail(self) -> None:
        if self._random.random() < 0.05:
            raise StoreUnavailable

    def _a_rival_counts(self) -> None:
        """Another copy works on other records, some of them the same."""
        batch = [each.sighting for each in self.world.records[-self._random.randint(1, 8) :]]
        count(batch, self._store, wait=lambda _: None)
        self.world.counted |= set(batch)


def test_what_ttl_has_left_of_an_actor_counts_nobody_twice() -> None:
    """TTL deletes each part in its own time: here the first one, and the others much later."""
    store = MemoryAggregates(most_scopes=1)

    def seen(products: str, day: date) -> list[int]:
        sightings = [Sighting(product, day, b"u", None, billable=True) for product in products]
        for _ in range(2):
            assert count(sightings, store, wait=lambda _: None) == []
        return [active_users(scope, 365, day, Audience.USERS, store) for scope in ("a", "b", "c", CATALOGUE)]

    assert seen("abc", FIRST_DAY) == [1, 1, 1, 1]
    assert {key.scope for key in store._actors} == {None, "b", "c"}
    del store._actors[ActorKey(b"u")]
    assert seen("c", FIRST_DAY + timedelta(days=401)) == [0, 0, 1, 1]
    assert seen("abc", FIRST_DAY + timedelta(days=402)) == [1, 1, 1, 1]
