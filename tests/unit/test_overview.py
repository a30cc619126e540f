"""What an overview says is what a recount of the records says, whichever of its days are closed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.domain.active_users import RunningBalance
from telemetry.domain.closing import BETWEEN_COUNTS
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.environment import Environment
from telemetry.domain.errors import InvalidField, StoreUnavailable
from telemetry.domain.event import Dialect, Event
from telemetry.domain.flags import Flag, is_billable
from telemetry.domain.hourly_counts import MOST_NAMES, OTHER, UNNAMED
from telemetry.domain.licensing import Calls, DeviceAction
from telemetry.domain.overview import (
    ALERTS,
    MOST_VERSIONS,
    Before,
    Bucket,
    Counted,
    Overview,
    Timeline,
    overview,
    timeline,
)
from telemetry.domain.record import listed
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Observation, Sighting
from telemetry.domain.window import Range, Window, between, is_hourly, recent
from telemetry.services.close_day import DayCloser
from telemetry.services.day_summaries import Summariser
from telemetry.services.overview import Overviews
from telemetry.services.recount import Recounter
from telemetry.services.rollup import Batch, Rollup
from telemetry.storage.closed_day_memory import ClosedDayMemory
from telemetry.storage.licensing_counters import RememberedCalls
from tests.memory_aggregates import MemoryAggregates
from tests.observations import SHARDS, observe
from tests.worlds.active_users import stream_record

pytestmark = pytest.mark.days

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
THIS_HOUR = datetime(2026, 11, 21, 8, tzinfo=UTC)
SEVEN_DAYS = "By the hour, a window has at most seven days; for a longer one give UTC days"
PRODUCTS = ("editor", "compiler")
SCOPES = (*PRODUCTS, UNKNOWN_PRODUCT, CATALOGUE)


@dataclass
class MemorySummaries:
    """Same interface as `SummaryStore`."""

    kept: dict[tuple[str, date], DaySummary] = field(default_factory=dict)

    def put(self, summaries: Sequence[DaySummary]) -> None:
        self.kept |= {(each.scope, each.day): each for each in summaries}

    def read(self, scope: str, first: date, last: date) -> list[DaySummary]:
        assert first <= last  # DynamoDB refuses the question
        return [self.kept[key] for key in sorted(self.kept) if key[0] == scope and first <= key[1] <= last]


@dataclass
class MemoryCalls:
    """Same interface as `LicensingCounters`."""

    counted: Counter[tuple[str, datetime, DeviceAction, int]] = field(default_factory=Counter)

    def calls(self, first: datetime, last: datetime) -> Mapping[str, Calls]:
        assert first <= last
        found: dict[str, Calls] = {}
        for _, product, calls in self.by_hour(first, last):
            found.setdefault(product, Counter()).update(calls)
        return found

    def by_hour(self, first: datetime, last: datetime) -> Iterable[tuple[datetime, str, Calls]]:
        for (product, hour, action, code), count in self.counted.items():
            if first <= hour <= last:
                yield hour, product, Counter({(action, code): count})


@dataclass
class World:
    """Records, in order of receipt."""

    records: list[Observation] = field(default_factory=list)
    aggregates: MemoryAggregates = field(default_factory=MemoryAggregates)
    summaries: MemorySummaries = field(default_factory=MemorySummaries)
    licensing: MemoryCalls = field(default_factory=MemoryCalls)
    broken: str | None = None
    """A product whose yesterday cannot be counted: the other products have a report of it, and it is not closed."""

    def pass_days(self, open_days: int) -> None:
        """Ten days and today: rollup counts what comes, and closing is so many days behind."""
        for days_ago in range(10, -1, -1):
            midnight = datetime.combine(TODAY - timedelta(days=days_ago), time(), UTC)
            self.roll_up(midnight)
            if days_ago >= open_days:
                self.close(midnight + timedelta(minutes=30))
        self.roll_up(NOW)

    def roll_up(self, until: datetime) -> None:
        rollup = Rollup(
            read=lambda image: _with_activity(self.records[int(image["place"]["N"])]),
            actors=self.aggregates,
            hourly=self.aggregates,
            uncounted=self,
            noted={},
            wait=lambda _: None,
        )
        places = (place for place, record in enumerate(self.records) if record.received_at < until)
        rollup.count(Batch(Environment.PRODUCTION, "shard", [stream_record(at + 1, at) for at in places]), NOW)

    def send(self, failures: Sequence[object]) -> None:
        raise AssertionError(failures)

    def observations(
        self, product: str, day: date, shards: object = None, hours: range = range(24)
    ) -> Iterable[Observation]:
        del shards, hours
        if (product, day) == (self.broken, TODAY - timedelta(days=1)):
            raise StoreUnavailable
        chosen = (each for each in self.records if (each.sighting.product, each.sighting.day) == (product, day))
        return iter(sorted(chosen, key=lambda each: (each.partition, each.received_at)))

    def products(self, day: date) -> frozenset[str]:
        having = {each.sighting.product for each in self.records if each.sighting.day == day}
        return frozenset(having | ({self.broken} if self.broken else set()))

    def has_any(self, product: str, day: date) -> bool:
        return any(True for _ in self.observations(product, day))

    def shard_count(self, day: date) -> int:
        del day
        return SHARDS

    def close(self, now: datetime) -> None:
        store: Any = self.aggregates
        summariser = Summariser(self.licensing, store, self.summaries)
        closer = DayCloser(
            store, store, store, store, store, self, Recounter(self, store, store, _no_part), PRODUCTS,  # type: ignore[arg-type]
            summarise=summariser, uses_of=summariser.uses,
        )  # fmt: skip
        for moment in (now, now + BETWEEN_COUNTS):
            with suppress(StoreUnavailable):
                closer.close(moment)

    def __post_init__(self) -> None:
        """What a process remembers, from one overview to the next."""
        self._totals = ClosedDayMemory(self.aggregates.totals)
        self._summaries = ClosedDayMemory(self.summaries.read)
        self._calls = RememberedCalls(self.licensing, lambda: NOW)

    def overview(self, scope: str, cut: Timeline) -> Overview:
        store = self.aggregates
        totals, summaries, calls = self._totals.between, self._summaries.between, self._calls.of
        return Overviews(totals, store.latest, summaries, store, store, calls).read(scope, cut, NOW)


def _with_activity(seen: Observation) -> tuple[Observation, Event | None]:
    return seen, Event(b"", Dialect.REO, group=activity_of(seen.uses)) if seen.uses else None


def activity_of(uses: int) -> str:
    """What is done so many times at once has a name of its own, and one that the index does not spell out."""
    return f"does {uses}" if uses < 7 else f"does {uses}, and is called so for longer than lists tell"


def _no_part(unit: object) -> None:
    raise AssertionError(unit)


@dataclass(frozen=True)
class Plan:
    """A record to be: how many days ago and at which hour, of which product, by whom, with what wrong."""

    days_ago: int
    hour: int
    product: str
    user: bytes | None
    device: bytes | None
    flags: frozenset[Flag]
    version: str | None
    uses: int = 0

    def record(self, number: int) -> Observation:
        day = TODAY - timedelta(days=self.days_ago)
        actor = self.user or self.device
        sighting = Sighting(self.product, day, actor, self.device, is_billable(self.flags))
        seen = observe(sighting, number, time(self.hour), self.flags, self.version)
        return replace(seen, uses=self.uses, group=listed(activity_of(self.uses)) if self.uses else None)


plans = st.builds(
    Plan,
    st.integers(0, 9),
    st.integers(0, 8),
    st.sampled_from((*PRODUCTS, UNKNOWN_PRODUCT)),
    st.sampled_from((b"u1", b"u2", b"u3", None)),
    st.sampled_from((b"d1", b"d2", None)),
    st.frozensets(st.sampled_from((*ALERTS, Flag.EXPIRED_LICENSE, Flag.MALFORMED)), max_size=2),
    st.sampled_from(("1.0", "1.1", "2.0", None)),
    st.sampled_from((0, 0, 1, 7)),
)
licensing_calls = st.tuples(
    st.sampled_from(PRODUCTS), st.integers(0, 9 * 24), st.sampled_from(DeviceAction), st.sampled_from((200, 204, 300))
)


def world_of(
    records: Iterable[Plan],
    open_days: int,
    asked: Iterable[tuple[str, int, DeviceAction, int]] = (),
    broken: str | None = None,
) -> World:
    made = (plan.record(number) for number, plan in enumerate(records))
    world = World(sorted(made, key=lambda each: each.received_at), broken=broken)
    for product, hours_ago, action, code in asked:
        world.licensing.counted[product, THIS_HOUR - timedelta(hours=hours_ago), action, code] += 1
    world.pass_days(open_days)
    return world


def recounted(world: World, scope: str, window: Window) -> list[Observation]:
    return [
        each
        for each in world.records
        if scope in {each.sighting.product, CATALOGUE} and window.since <= each.received_at < window.until
    ]


def flagged(records: Iterable[Observation]) -> int:
    return sum(bool(each.flags) for each in records)


CUTS = [
    *(
        timeline(recent(each, NOW), NOW, is_hourly=is_hourly(each, None, recent(each, NOW)), range_=each)
        for each in Range
    ),
    timeline(between(TODAY - timedelta(days=2), TODAY), NOW, is_hourly=False),
    timeline(between(TODAY, TODAY), NOW, is_hourly=False),
    timeline(between(TODAY - timedelta(days=4), TODAY - timedelta(days=2)), NOW, is_hourly=False),
    timeline(Window(THIS_HOUR - timedelta(hours=99), THIS_HOUR - timedelta(hours=51)), NOW, is_hourly=True),
]


@given(
    st.lists(plans, max_size=40),
    st.integers(0, 2),
    st.lists(licensing_calls, max_size=9),
    st.sampled_from(SCOPES),
    st.sampled_from((None, *PRODUCTS)),
)
@settings(max_examples=120, deadline=None)
def test_every_number_equals_a_recount(
    records: list[Plan],
    open_days: int,
    asked: list[tuple[str, int, DeviceAction, int]],
    scope: str,
    broken: str | None,
) -> None:
    world = world_of(records, open_days, asked, broken)
    for cut in CUTS:
        told, window = world.overview(scope, cut), cut.window
        here, before = recounted(world, scope, window), recounted(world, scope, cut.before.window)
        everything = recounted(world, scope, Window(window.since - timedelta(days=400), NOW))
        assert (told.lifetime_records, told.lifetime_flagged) == (len(everything), flagged(everything))
        assert (told.records, told.flagged) == (len(here), flagged(here))
        was_there = is_counted_on(world, scope, cut.before.days[0])
        assert [(alert.flag, alert.records, alert.before) for alert in told.alerts] == [
            (flag, of(here, flag), of(before, flag) if was_there else None) for flag in ALERTS
        ]
        assert (told.before is not None) == was_there
        if told.before:
            check_before(world, told.before, scope)
        assert told.versions == Counter(each.version or UNNAMED for each in here)
        assert {each.name: each.uses for each in told.activities} == uses(here)
        check_buckets(world, told, scope)
        check_users(world, told, scope)
        assert told.calls == Counter(
            (action, code)
            for product, hours_ago, action, code in asked
            if scope in {product, CATALOGUE} and window.since <= THIS_HOUR - timedelta(hours=hours_ago) < window.until
        )


def of(records: Iterable[Observation], flag: Flag) -> int:
    return sum(flag in each.flags for each in records)


def is_counted_on(world: World, scope: str, day: date) -> bool:
    """Whether there is a report, or a record, of this day or an earlier one."""
    reported = [each.day for each in world.aggregates.totals(scope, date.min, TODAY)]
    seen = [each.day for each in seen_on(world, scope, date.min, TODAY)]
    return min((*reported, *seen), default=date.max) <= day


def check_before(world: World, before: Before, scope: str) -> None:
    """As `check_buckets` and `check_users`."""
    cut, days = before.timeline, before.timeline.days
    assert [bucket.start for bucket in before.buckets] == cut.starts
    for bucket in before.buckets:
        within = recounted(world, scope, Window(bucket.start, bucket.start + cut.step))
        assert (bucket.records, bucket.flagged) == (len(within), flagged(within))
    assert before.distinct.users == len(actors(world, scope, days[0], days[-1]))
    assert before.distinct.devices == len(devices(world, scope, days[0], days[-1]))
    assert [each.users for each in before.active] == [len(actors(world, scope, day, day)) for day in days]


def test_uses_of_a_day_that_rollup_is_too_late_for_are_those_of_its_records() -> None:
    """Only how a long name goes on is not known then."""
    plans = [Plan(2, 5, product, b"ann", None, frozenset(), None, uses) for product in PRODUCTS for uses in (1, 5, 7)]
    world = World([plan.record(number) for number, plan in enumerate(plans)])
    world.close(NOW)
    for scope, products in ((PRODUCTS[0], 1), (CATALOGUE, len(PRODUCTS))):
        told = world.overview(scope, timeline(between(TODAY - timedelta(days=4), TODAY), NOW, is_hourly=False))
        found = {each.name: each.uses for each in told.activities}
        assert found == {activity_of(1): products, activity_of(5): 5 * products, OTHER: 7 * products}


def uses(records: Iterable[Observation]) -> Counter[str]:
    found = Counter[str]()
    for each in records:
        found[activity_of(each.uses)] += each.uses
    return +found


def check_buckets(world: World, told: Overview, scope: str) -> None:
    cut = told.timeline
    assert [bucket.start for bucket in told.buckets] == cut.starts
    for bucket, versions in zip(told.buckets, told.version_trend, strict=True):
        within = recounted(world, scope, Window(bucket.start, bucket.start + cut.step))
        assert (bucket.records, bucket.flagged) == (len(within), flagged(within))
        assert bucket.uses == uses(within)
        for activity in told.activities:
            assert activity.first <= activity.last
            assert activity.name not in bucket.uses or activity.first <= bucket.start <= activity.last
        assert list(versions) == list(told.versions)
        assert +Counter(versions) == Counter(each.version or UNNAMED for each in within)


def check_users(world: World, told: Overview, scope: str) -> None:
    days = told.timeline.days
    assert told.users == len(actors(world, scope, days[0], days[-1]))
    assert told.devices == len(devices(world, scope, days[0], days[-1]))
    for each in told.active:
        week, month = (each.day - timedelta(days=back) for back in (6, 29))
        assert each.users == len(actors(world, scope, each.day, each.day))
        assert each.devices == len(devices(world, scope, each.day, each.day))
        assert each.users_7 == len(actors(world, scope, week, each.day))
        assert each.users_30 == len(actors(world, scope, month, each.day))


def seen_on(world: World, scope: str, first: date, last: date) -> list[Sighting]:
    found = (each.sighting for each in world.records if scope in {each.sighting.product, CATALOGUE})
    return [each for each in found if first <= each.day <= last]


def actors(world: World, scope: str, first: date, last: date) -> set[bytes]:
    return {each.actor for each in seen_on(world, scope, first, last) if each.actor and each.billable}


def devices(world: World, scope: str, first: date, last: date) -> set[bytes]:
    return {each.device for each in seen_on(world, scope, first, last) if each.device}


# ── what is closed


def plan(days_ago: int, version: str = "1.0", hour: int = 8) -> Plan:
    return Plan(days_ago, hour, "editor", b"jane", None, frozenset(), version)


def test_says_which_numbers_are_final() -> None:
    world = world_of([plan(0), plan(1), plan(2)], open_days=1)
    told = world.overview("editor", timeline(recent(Range.WEEK, NOW), NOW, is_hourly=False))
    assert [bucket.is_closed for bucket in told.buckets] == [True] * 5 + [False, False]
    assert [each.is_closed for each in told.active] == [True] * 5 + [False, False]
    told = world.overview("editor", CUTS[0])
    assert {bucket.is_closed for bucket in told.buckets} == {False}
    told = world.overview("editor", CUTS[-1])
    assert {bucket.is_closed for bucket in told.buckets} == {True}


def test_a_report_may_be_told_before_its_day_is_closed_for_all_products() -> None:
    world = world_of([plan(1), plan(2)], open_days=0, broken="compiler")
    week = timeline(recent(Range.WEEK, NOW), NOW, is_hourly=False)
    closed = {
        scope: [bucket.is_closed for bucket in world.overview(scope, week).buckets][-2:]
        for scope in ("editor", CATALOGUE)
    }
    assert closed == {"editor": [True, False], CATALOGUE: [False, False]}
    assert world.overview("editor", week).versions == {"1.0": 2}


def test_a_closed_day_is_told_by_its_report_and_not_by_the_hour() -> None:
    """Rollup counts what was stored unjudged as clean; closing judges it."""
    world = world_of([plan(1)], open_days=0)
    for hour in world.aggregates._hours.values():
        hour.clear()
    told = world.overview("editor", timeline(recent(Range.WEEK, NOW), NOW, is_hourly=False))
    assert (told.records, told.versions) == (1, {"1.0": 1})


def test_a_closed_day_without_a_summary_has_versions_without_names() -> None:
    world = world_of([plan(1), plan(0)], open_days=0)
    world.summaries.kept.clear()
    told = world.overview("editor", timeline(recent(Range.WEEK, NOW), NOW, is_hourly=False))
    assert told.versions == {"1.0": 1, OTHER: 1}


# ── many versions


def test_versions_sum_to_the_records_however_many_there_are() -> None:
    many = [plan(days_ago, f"1.{number}") for days_ago in (0, 1) for number in range(40)]
    popular = [plan(days_ago, "2.0") for days_ago in (0, 1) for _ in range(9)]
    world = world_of([*popular, *many], open_days=0)
    assert len(world.summaries.kept["editor", TODAY - timedelta(days=1)].versions) == MOST_NAMES + 1
    for cut in (CUTS[0], CUTS[1]):
        told = world.overview("editor", cut)
        assert len(told.versions) == MOST_VERSIONS + 1
        assert next(iter(told.versions)) == "2.0"
        assert list(told.versions)[-1] == OTHER
        assert sum(told.versions.values()) == told.records
        for bucket, versions in zip(told.buckets, told.version_trend, strict=True):
            assert sum(versions.values()) == bucket.records
            assert list(versions) == list(told.versions)


# ── windows


def test_a_window_ends_with_the_hour_or_day_there_is() -> None:
    hours = timeline(Window(THIS_HOUR, THIS_HOUR + timedelta(hours=9)), NOW, is_hourly=True)
    assert hours.window.until == THIS_HOUR + timedelta(hours=1)
    days = timeline(between(TODAY, TODAY + timedelta(days=9)), NOW, is_hourly=False)
    assert days.window.until == datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "is_hourly", "message"),
    [
        (THIS_HOUR + timedelta(hours=1), THIS_HOUR + timedelta(hours=2), True, "Must not be in the future"),
        (NOW - timedelta(hours=3), THIS_HOUR, True, "Must be a full hour, and so must `to`"),
        (THIS_HOUR - timedelta(hours=3), NOW, True, "Must be a full hour, and so must `to`"),
        (THIS_HOUR - timedelta(hours=169), THIS_HOUR, True, SEVEN_DAYS),
        (NOW.replace(hour=0, minute=0) - timedelta(days=365), NOW, False, "A window has at most 365 days"),
    ],
)
def test_refuses_windows_it_cannot_tell(
    since: datetime,
    until: datetime,
    is_hourly: bool,  # noqa: FBT001
    message: str,
) -> None:
    with pytest.raises(InvalidField, match=message):
        timeline(Window(since, until), NOW, is_hourly=is_hourly)


def test_24_hours_touch_two_days_but_the_last_hour_of_a_day_one() -> None:
    assert CUTS[0].days == [TODAY - timedelta(days=1), TODAY]
    late = NOW.replace(hour=23)
    assert timeline(recent(Range.DAY, late), late, is_hourly=True).days == [TODAY]


def test_nothing_is_known_of_a_new_deployment() -> None:
    told = overview(CUTS[0], Counted({}, None, {}, {}, None), RunningBalance(None, {}), Counter())
    assert (told.lifetime_records, told.records, told.users, told.versions) == (0, 0, 0, {})
    assert told.activities == []
    assert told.buckets == [Bucket(start, 0, 0, {}, {}, {}, is_closed=False) for start in CUTS[0].starts]
