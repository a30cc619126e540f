"""A world in miniature for the counters: records arrive, stream shards lag, days close. And an oracle made of sets."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from telemetry.domain.active_users import LONGEST_WINDOW, Audience, Ledger
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Sighting
from telemetry.services.close_day import ClosingStore, close_days
from telemetry.services.counting import count
from telemetry.services.reports import LedgerStore, active_users

T = TypeVar("T")

PRODUCTS = ("editor", "compiler")
SCOPES = (*PRODUCTS, UNKNOWN_PRODUCT, CATALOGUE)
FIRST_DAY = date(2026, 1, 30)
STREAMS = 3
TELLING_WINDOWS = (1, 2, 3, 7, 8, 9, 30, 31, 364, 365)
USERS = (b"u1", b"u2", b"u3", b"u4", None)
DEVICES = (b"d1", b"d2", None)


class Store(ClosingStore, LedgerStore, Protocol):
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

    def __init__(self, store: Store) -> None:
        self.store = store
        self.today = FIRST_DAY
        self.records: list[Sighting] = []
        self.counted: set[Sighting] = set()
        self.streams: list[list[Sighting]] = [[] for _ in range(STREAMS)]
        self.positions = [0] * STREAMS
        self.closed: dict[date, dict[tuple[str, Audience, int], int]] = {}

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
            late = [at for at, each in enumerate(stream) if each.day < self.today - timedelta(days=2)]
            if self.store_is_new() and late and self.positions[number] <= late[-1]:
                self.deliver(Deliver(number, late[-1] + 1 - self.positions[number], 0, 0))

    def store_is_new(self) -> bool:
        return persistently(self.store.closing).closed is None

    def receive(self, step: Receive) -> None:
        actor = step.user or step.device
        sighting = Sighting(step.product, self.today, actor, step.device, step.billable)
        self.records.append(sighting)
        self.streams[step.stream].append(sighting)

    def deliver(self, step: Deliver) -> None:
        position = self.positions[step.stream]
        batch = self.streams[step.stream][max(0, position - step.again) : position + step.size]
        persistently(lambda: self.count(batch))
        self.counted |= set(batch)
        end = min(len(self.streams[step.stream]), position + step.size)
        self.positions[step.stream] = max(0, end - step.lost)

    def count(self, batch: Sequence[Sighting]) -> None:
        for refusal in count(batch, self.store, wait=lambda _: None):
            # only closed days are ever forgotten, and their records were counted by the recount
            assert persistently(self.store.closing).is_closed(refusal.presence.day)

    def close(self) -> None:
        now = datetime.combine(self.today, time(0, 30), UTC)
        closed = persistently(lambda: close_days(now, self.store, self, PRODUCTS, wait=lambda _: None))
        if closed:
            self.check_balances(closed[-1])
        eventful = {each.day for each in self.counted}
        for day in closed:
            if {day, day - timedelta(days=1), day - timedelta(days=LONGEST_WINDOW)} & eventful or day == closed[-1]:
                self.closed[day] = self.check(day, TELLING_WINDOWS)

    def check_balances(self, day: date) -> None:
        """Every scope with traffic has one, so that a report is one Query."""
        for scope in {
            scope for each in self.counted if each.actor and each.day <= day for scope in (each.product, "*")
        }:
            balance = persistently(lambda scope=scope: self.store.ledger(scope, day.toordinal() + 1)).balance  # type: ignore[misc]
            assert balance
            assert balance.day == day.toordinal()

    def sightings(self, product: str, day: date) -> Iterator[Sighting]:
        """The recount."""
        for each in self.records:
            if each.product == product and each.day == day:
                self.counted.add(each)
                yield each

    def check(self, day: date, windows: Iterable[int]) -> dict[tuple[str, Audience, int], int]:
        """Compares reports as of a day with the oracle, and returns them."""
        reports: dict[tuple[str, Audience, int], int] = {}
        oracle = Oracle(each for each in self.counted if each.day <= day)
        for scope in SCOPES:
            ledger = persistently(lambda scope=scope: self.store.ledger(scope, day.toordinal()))  # type: ignore[misc]
            for audience in Audience:
                expected = oracle.active(scope, audience, day)
                found = {n: active_users(scope, n, day, audience, Kept(ledger)) for n in windows}
                assert found == {n: expected[n - 1] for n in windows}, (scope, audience, day)
                reports |= {(scope, audience, n): users for n, users in found.items()}
        return reports

    def check_everything(self) -> None:
        """Every window as of today; and no closed day has changed since it was closed."""
        self.check(self.today, range(1, LONGEST_WINDOW + 1))
        for day, reports in self.closed.items():
            assert self.check(day, TELLING_WINDOWS) == reports


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


@dataclass(frozen=True)
class Kept:
    """A ledger read once, for reports of many windows."""

    kept: Ledger

    def ledger(self, scope: str, today: int) -> Ledger:
        del scope, today
        return self.kept


def persistently(attempt: Callable[[], T]) -> T:
    """As Lambda does with a batch, and the schedule with a day: again until it works."""
    while True:
        try:
            return attempt()
        except StoreUnavailable:
            continue
