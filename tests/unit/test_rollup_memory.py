"""What rollup remembers of users saves reads, and never changes a number."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from cachetools import LRUCache

from telemetry.domain.active_users import Actor, ActorKey, Audience, Tally, TallyKey
from telemetry.domain.closing import Closing
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.sighting import CATALOGUE, Sighting
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.services.counting import count
from telemetry.services.reports import active_users
from telemetry.services.rollup import Batch, Rollup
from tests.memory_aggregates import MemoryAggregates
from tests.observations import observe
from tests.worlds.active_users import Oracle, stream_record

DAY = date(2026, 11, 21)
NEXT = DAY + timedelta(days=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
JANE = Sighting("editor", DAY, b"jane", b"pc", billable=True)


class Aggregates(MemoryAggregates):
    """Notes how actors are read; `lag` copies are so many changes behind, for who does not ask for consistent ones."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[set[bytes], bool]] = []
        self.lag = 0
        self.is_up = True
        self._before: list[dict[ActorKey, Actor]] = [{}]

    def actors(self, keys: Collection[ActorKey], *, consistent: bool = True) -> dict[ActorKey, Actor]:
        self.reads.append(({key.fingerprint for key in keys}, consistent))
        if consistent or not self.lag:
            return super().actors(keys)
        then = self._before[-min(self.lag, len(self._before))]
        return {key: then[key] for key in keys if key in then}

    def commit(self, moved: Mapping[ActorKey, Actor], tallies: Mapping[TallyKey, Tally], salt: int) -> None:
        if not self.is_up:
            raise StoreUnavailable
        before = dict(self._actors)
        super().commit(moved, tallies, salt)
        self._before.append(before)

    def users(self, scope: str, audience: Audience = Audience.USERS, day: date = NEXT) -> int:
        return active_users(scope, 30, day, audience, self)


class Process:
    """One process of rollup, which is handed batch after batch of a shard of its own."""

    def __init__(self, store: MemoryAggregates, name: str = "shard-0", size: int = 100) -> None:
        self.counted: LRUCache[Sighting, bool] = LRUCache(size)
        self.failures: list[str] = []
        self._store = store
        self._name = name
        self._delivered = 0

    def count(self, *sightings: Sighting) -> None:
        seen = [observe(each, number) for number, each in enumerate(sightings)]
        first = self._delivered + 1
        records = [stream_record(first + place, place) for place in range(len(seen))]
        rollup = Rollup(
            lambda image: (seen[int(image["place"]["N"])], None),
            self._store, self._store, self, {}, lambda _: None, self.counted,
        )  # fmt: skip
        rollup.count(Batch(Environment.PRODUCTION, self._name, records), NOW)
        self._delivered += len(seen)

    def send(self, records: Sequence[UncountedRecord]) -> None:
        self.failures += [record.cause for record in records]


@pytest.fixture
def store() -> Aggregates:
    return Aggregates()


def test_the_same_users_again_need_no_actor(store: Aggregates) -> None:
    process = Process(store)
    process.count(JANE, JANE)
    assert store.reads == [({b"jane", b"pc"}, False)]
    process.count(JANE)
    process.count(JANE, JANE)
    assert len(store.reads) == 1
    assert store.users("editor") == store.users(CATALOGUE) == store.users("editor", Audience.DEVICES) == 1


@pytest.mark.parametrize(
    "other",
    [
        Sighting("compiler", DAY, b"jane", b"pc", billable=True),
        Sighting("editor", NEXT, b"jane", b"pc", billable=True),
        Sighting("editor", DAY, b"jane", b"laptop", billable=True),
        Sighting("editor", DAY, b"jane", None, billable=True),
        Sighting("editor", DAY, b"john", b"pc", billable=True),
        Sighting("editor", DAY, b"jane", b"pc", billable=False),
    ],
)
def test_what_differs_in_anything_is_counted(other: Sighting) -> None:
    """In either order; billable after not billable too."""
    for first, second in ((JANE, other), (other, JANE)):
        aggregates = Aggregates()
        process, oracle = Process(aggregates), Oracle([first, second])
        process.count(first)
        process.count(second)
        process.count(first, second)
        assert len(aggregates.reads) == 2
        for scope in ("editor", "compiler", CATALOGUE):
            for audience in Audience:
                assert aggregates.users(scope, audience) == oracle.active(scope, audience, NEXT)[29]


def test_what_was_longest_not_seen_is_forgotten_and_counts_once_all_the_same(store: Aggregates) -> None:
    process = Process(store, size=2)
    users = [Sighting("editor", DAY, name, None, billable=True) for name in (b"a", b"b", b"c")]
    process.count(users[0], users[1])
    process.count(users[0])
    process.count(users[2])  # b goes
    store.reads.clear()
    process.count(users[0], users[2])
    assert store.reads == []
    process.count(users[1])
    assert store.reads == [({b"b"}, False)]
    assert len(process.counted) == 2
    assert store.users("editor") == 3


def test_what_could_not_be_written_is_not_remembered(store: Aggregates) -> None:
    process = Process(store)
    store.is_up = False
    with pytest.raises(StoreUnavailable):
        process.count(JANE)
    assert len(process.counted) == 0
    store.is_up = True
    process.count(JANE)
    assert store.users("editor") == 1


def test_what_is_refused_is_not_remembered(store: Aggregates) -> None:
    """A day that is closed while a process runs is closed for it, whatever it remembers."""
    process = Process(store)
    process.count(JANE)
    store._closing = Closing(DAY.toordinal(), DAY.toordinal())
    john = Sighting("editor", DAY, b"john", None, billable=True)
    for times in (1, 2):
        process.count(JANE, john)
        assert process.failures == [f"DayClosed: {DAY} is closed"] * times
    assert list(process.counted) == [JANE]


def test_a_stale_actor_costs_another_read_and_no_number(store: Aggregates) -> None:
    one, other = Process(store), Process(store, "shard-1")
    one.count(JANE)
    store.lag = 1  # the other's copy does not know of her yet
    other.count(Sighting("compiler", DAY, b"jane", b"pc", billable=True))
    assert [consistent for _, consistent in store.reads] == [False, False, True]
    assert (store.users("editor"), store.users("compiler"), store.users(CATALOGUE)) == (1, 1, 1)


def test_who_was_counted_before_the_day_was_closed_is_no_failure_to_a_stale_copy(store: Aggregates) -> None:
    """The recount has counted her; then the stream delivers her record late, and the copy does not know her yet."""
    count([JANE], store)
    store._closing = Closing(DAY.toordinal(), DAY.toordinal())
    store.lag = 1
    process = Process(store)
    process.count(JANE)
    assert process.failures == []
    assert [consistent for _, consistent in store.reads] == [True, False, True]


def test_a_recount_reads_every_actor_consistently(store: Aggregates) -> None:
    for _ in range(2):
        count([JANE], store)
    assert store.reads == [({b"jane", b"pc"}, True)] * 2


@pytest.mark.parametrize("seed", range(20))
def test_stale_processes_with_small_memories_count_as_sets_do(seed: int) -> None:
    random, store = Random(seed), Aggregates()
    processes = [Process(store, f"shard-{number}", size=5) for number in range(3)]
    shown: list[Sighting] = []
    for _ in range(60):
        store.lag = random.choice((0, 1, 3, 9))
        product, day = random.choice(("editor", "compiler")), DAY + timedelta(days=random.randrange(3))
        actor, device = random.choice((b"a", b"b", b"c", None)), random.choice((b"x", b"y", None))
        shown.append(Sighting(product, day, actor or device, device, billable=random.random() < 0.6))
        random.choice(processes).count(*shown[-random.randint(1, 6) :])
    last, oracle = DAY + timedelta(days=2), Oracle(shown)
    for scope in ("editor", "compiler", CATALOGUE):
        for audience in Audience:
            for days in (1, 2, 3):
                found = active_users(scope, days, last, audience, store)
                assert found == oracle.active(scope, audience, last)[days - 1]
