"""A world in miniature for the counters: records arrive, stream shards lag, days close. And an oracle made of sets."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol, TypeVar

from cachetools import LRUCache
from hypothesis import strategies as st

from telemetry.domain.active_users import LONGEST_WINDOW, Audience, count_active
from telemetry.domain.closing import BETWEEN_COUNTS
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.hourly_counts import events_by_key
from telemetry.domain.instant import hour_of
from telemetry.domain.recount import Unit
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Observation, Sighting
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.services.close_day import DayCloser
from telemetry.services.ports import Candidates, Corrections, DayReports, HourlyCounters, Ledger
from telemetry.services.recount import Parts, Recounter
from telemetry.services.rollup import Batch, Rollup
from tests.observations import SHARDS, observe

T = TypeVar("T")

PRODUCTS = ("editor", "compiler")
SCOPES = (*PRODUCTS, UNKNOWN_PRODUCT, CATALOGUE)
FIRST_DAY = date(2026, 1, 30)
STREAMS = 3
A_DAY = timedelta(days=1)
MOMENT = datetime(2026, 11, 3, tzinfo=UTC)
TELLING_WINDOWS = (1, 2, 3, 7, 8, 9, 30, 31, 364, 365)
USERS = (b"u1", b"u2", b"u3", b"u4", None)
DEVICES = (b"d1", b"d2", None)


class Store(Ledger, DayReports, Corrections, Candidates, HourlyCounters, Parts, Protocol):
    """Everything the aggregates can do."""


@dataclass(frozen=True)
class Receive:
    """A record arrives now, and goes into one of the stream's shards."""

    user: bytes | None
    device: bytes | None
    product: str
    billable: bool
    stream: int


@dataclass(frozen=True)
class Deliver:
    """A batch of a stream shard; `again` records before it come a second time, and the last `lost` are not noted."""

    stream: int
    size: int
    again: int
    lost: int


@dataclass(frozen=True)
class Midnight:
    """Days pass."""

    days: int


@dataclass(frozen=True)
class Close:
    """The schedule fires."""


Step = Receive | Deliver | Midnight | Close

receives = st.builds(
    Receive,
    st.sampled_from(USERS),
    st.sampled_from(DEVICES),
    st.sampled_from((*PRODUCTS, UNKNOWN_PRODUCT)),
    st.booleans(),
    st.integers(0, STREAMS - 1),
)
delivers = st.builds(Deliver, st.integers(0, STREAMS - 1), st.integers(1, 9), st.integers(0, 30), st.integers(0, 3))
SHORT_GAPS = (*(1,) * 24, *(2, 3) * 6, 8, 29, 30)
LONG_GAPS = (*SHORT_GAPS, 362, 364, 365, 366, 401)


def histories(size: int, gaps: Sequence[int]) -> st.SearchStrategy[list[Step]]:
    """Histories of up to `size` steps, in which that many days may pass at once.

    Some close often; in others closing and some streams lag for weeks, while one user comes back nearly every day.
    """
    midnights = st.builds(Midnight, st.sampled_from(gaps))
    mixed = st.one_of(receives, receives, receives, delivers, delivers, midnights, st.just(Close()))
    daily = st.integers(0, 1).map(lambda stream: Receive(b"u1", b"d1", "editor", billable=True, stream=stream))
    swift = st.just(Deliver(0, 9, 0, 0))
    days = st.tuples(daily, swift, st.just(Midnight(1))) | st.tuples(daily, st.just(Midnight(1)))
    lagging = st.lists(days, min_size=10, max_size=size // 4).map(lambda found: [step for day in found for step in day])
    busy = st.lists(mixed, min_size=size // 4, max_size=size)
    return busy | st.builds(lambda *parts: [step for part in parts for step in part], lagging, st.lists(mixed), busy)


class World:
    """Runs a history against a store."""

    def __init__(self, store: Store, records_at_once: int = 1_000) -> None:
        self.store = store
        self.records_at_once = records_at_once
        self.today = FIRST_DAY
        self.records: list[Observation] = []
        self.counted: set[Sighting] = set()
        self.streams: list[list[Observation]] = [[] for _ in range(STREAMS)]
        self.positions = [0] * STREAMS
        self.closed: dict[date, dict[tuple[str, Audience, int], int]] = {}
        self.processes: list[LRUCache[Sighting, bool]] = [LRUCache(4) for _ in range(2)]
        """What each remembers: that of streams 0 and 2, and that of stream 1."""

    def run(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Receive():
                    self.receive(step)
                case Deliver():
                    self.deliver(step)
                case Midnight(days):
                    self.pass_days(days)
                case Close():
                    self.close()

    def settle(self) -> None:
        """Everything still under way arrives, and is delivered again from the beginning."""
        for stream in range(STREAMS):
            self.positions[stream] = 0
            self.deliver(Deliver(stream, len(self.streams[stream]), 0, 0))

    def pass_days(self, days: int) -> None:
        """Streams keep records for a day or two. Once days are closed the recount sees to it that nobody notices."""
        self.today += timedelta(days=days)
        for number, stream in enumerate(self.streams):
            late = [at for at, each in enumerate(stream) if each.sighting.day < self.today - timedelta(days=2)]
            if self.store_is_new() and late and self.positions[number] <= late[-1]:
                self.deliver(Deliver(number, late[-1] + 1 - self.positions[number], 0, 0))

    def store_is_new(self) -> bool:
        return persistently(self.store.closing).closed is None

    def receive(self, step: Receive) -> None:
        actor = step.user or step.device
        sighting = Sighting(step.product, self.today, actor, step.device, step.billable)
        number = len(self.records)
        seen = observe(sighting, number=number, version=f"1.{number % 3}")
        seen = replace(seen, api_key_id=f"key-{number % 2}")
        self.records.append(seen)
        self.streams[step.stream].append(seen)

    def deliver(self, step: Deliver) -> None:
        position = self.positions[step.stream]
        start = max(0, position - step.again)
        batch = self.streams[step.stream][start : position + step.size]
        persistently(lambda: self.roll_up(f"shard-{step.stream}", start, batch))
        self.counted |= {each.sighting for each in batch}
        end = min(len(self.streams[step.stream]), position + step.size)
        self.positions[step.stream] = max(0, end - step.lost)

    def roll_up(self, shard: str, start: int, batch: Sequence[Observation]) -> None:
        records = [stream_record(start + place + 1, place) for place in range(len(batch))]
        rollup = Rollup(
            read=lambda image: (batch[int(image["place"]["N"])], None),
            actors=self.store,
            hourly=self.store,
            uncounted=self,
            noted={},
            wait=lambda _: None,
            counted=self.processes[int(shard[-1]) % len(self.processes)],
        )
        rollup.count(Batch(Environment.PRODUCTION, shard, records), MOMENT)

    def send(self, failures: Sequence[UncountedRecord]) -> None:
        """What nobody could count: only closed days are ever forgotten, and their records the recount has seen."""
        assert persistently(self.store.closing).closed is not None
        for failure in failures:
            assert failure.cause.startswith("DayClosed: "), failure

    def close(self) -> None:
        """The schedule fires half an hour after midnight, and again."""
        first = datetime.combine(self.today, time(0, 30), UTC)
        closed = [day for now in (first, first + BETWEEN_COUNTS) for day in self.close_at(now)]
        if closed:
            self.check_balances(closed[-1])
        eventful = {each.day for each in self.counted}
        for day in closed:
            if {day, day - timedelta(days=1), day - timedelta(days=LONGEST_WINDOW)} & eventful or day == closed[-1]:
                self.closed[day] = self.check(day, TELLING_WINDOWS)

    def close_at(self, now: datetime) -> list[date]:
        recounter = Recounter(self, self.store, self.store, self.count_part, self.records_at_once, lambda _: None)
        store = self.store
        closer = DayCloser(store, store, store, store, store, self, recounter, PRODUCTS)
        before = persistently(self.store.closing)
        persistently(lambda: closer.close(now))
        after = persistently(self.store.closing)
        assert closer.contradicted == []
        if after.closed is None:
            return []
        first = before.closed + 1 if before.closed is not None else after.opened or after.closed
        return [date.fromordinal(day) for day in range(first, after.closed + 1)]

    def count_part(self, unit: Unit) -> None:
        """Another invocation, at once; its result is seen by the next run."""
        Recounter(self, self.store, self.store, self.count_part, wait=lambda _: None).count_unit(unit, MOMENT)

    def products(self, day: date) -> frozenset[str]:
        return frozenset(each.sighting.product for each in self.records if each.sighting.day == day)

    def has_any(self, product: str, day: date) -> bool:
        return any((each.sighting.product, each.sighting.day) == (product, day) for each in self.records)

    def shard_count(self, day: date) -> int:
        del day
        return SHARDS

    def observations(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = range(24)
    ) -> Iterator[Observation]:
        """The recount."""
        of_day = (each for each in self.records if (each.sighting.product, each.sighting.day) == (product, day))
        for each in sorted(of_day, key=lambda each: each.partition):
            if each.received_at.hour in hours and (shards is None or int(each.partition[2:]) in shards):
                self.counted.add(each.sighting)
                yield each

    def check_balances(self, day: date) -> None:
        """Every scope with traffic has one, so that a report is one Query."""
        for scope in {
            scope for each in self.counted if each.actor and each.day <= day for scope in (each.product, "*")
        }:
            balance = persistently(lambda scope=scope: self.store.ledger(scope, day.toordinal() + 1)).balance  # type: ignore[misc]
            assert balance
            assert balance.day == day.toordinal()

    def check(self, day: date, windows: Iterable[int]) -> dict[tuple[str, Audience, int], int]:
        """Compares reports as of a day with the oracle, and returns them."""
        reports: dict[tuple[str, Audience, int], int] = {}
        oracle = Oracle(each for each in self.counted if each.day <= day)
        for scope in SCOPES:
            ledger = persistently(lambda scope=scope: self.store.ledger(scope, day.toordinal()))  # type: ignore[misc]
            for audience in Audience:
                expected = oracle.active(scope, audience, day)
                found = {n: count_active(ledger, audience, n, day.toordinal()) for n in windows}
                assert found == {n: expected[n - 1] for n in windows}, (scope, audience, day)
                reports |= {(scope, audience, n): users for n, users in found.items()}
        return reports

    def check_everything(self) -> None:
        """Every window as of today; and no closed day has changed since it was closed."""
        self.check(self.today, range(1, LONGEST_WINDOW + 1))
        for day, reports in self.closed.items():
            assert self.check(day, TELLING_WINDOWS) == reports
        self.check_keys()

    def check_keys(self) -> None:
        """Every record is counted once with its API key, in its hour, also that of a closed day."""
        counted = {
            (hour, key): events
            for hour, counts in self.store.hours(CATALOGUE, _midnight(FIRST_DAY), _midnight(self.today) + A_DAY)
            for key, events in events_by_key(counts).items()
        }
        assert counted == Counter((hour_of(each.received_at), each.api_key_id) for each in self.records)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def stream_record(sequence_number: int, place: int) -> dict[str, Any]:
    """A record of a stream, which says where in its batch it is."""
    change = {"SequenceNumber": str(sequence_number), "Keys": {}, "NewImage": {"place": {"N": str(place)}}}
    return {"eventName": "INSERT", "eventID": str(sequence_number), "dynamodb": change}


class Oracle:
    """Who was active when, as sets."""

    def __init__(self, sightings: Iterable[Sighting]) -> None:
        self._active: dict[tuple[str, Audience], dict[int, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        for each in sightings:
            for scope in (each.product, CATALOGUE):
                if each.actor:
                    self._active[scope, Audience.ALL_USERS][each.day.toordinal()].add(each.actor)
                if each.actor and each.billable:
                    self._active[scope, Audience.USERS][each.day.toordinal()].add(each.actor)
                if each.device:
                    self._active[scope, Audience.DEVICES][each.day.toordinal()].add(each.device)

    def active(self, scope: str, audience: Audience, today: date) -> list[int]:
        """Users in 1, 2, …, 365 days."""
        seen: set[bytes] = set()
        users = []
        active, last = self._active[scope, audience], today.toordinal()
        for day in range(last, last - LONGEST_WINDOW, -1):
            if day in active:
                seen |= active[day]
            users.append(len(seen))
        return users


def persistently(attempt: Callable[[], T]) -> T:
    """As Lambda does with a batch, and the schedule with a day: again until it works."""
    while True:
        try:
            return attempt()
        except StoreUnavailable:
            continue
