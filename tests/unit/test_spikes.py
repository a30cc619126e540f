"""What is a spike, and how many alerts an outbreak is."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.active_users import Outdated
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import Fold
from telemetry.domain.sighting import Observation, Sighting
from telemetry.domain.spikes import (
    FACTOR,
    FLOOR,
    KEY_FACTOR,
    KEY_FLOOR,
    LICENSE_FLOOR,
    QUIET,
    Cause,
    Episode,
    Spike,
    most_expected,
    most_expected_of_key,
)
from telemetry.services.spikes import SpikeWatch
from tests.memory_aggregates import MemoryAggregates
from tests.observations import observe
from tests.worlds.deployment import Mailbox

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3)


class MemoryEpisodes:
    """Same interface as `EpisodeStore`."""

    def __init__(self) -> None:
        self.kept: dict[str, Episode] = {}
        self._latest: dict[str, str] = {}

    def latest(self, subject: str) -> Episode | None:
        return self.kept[self._latest[subject]] if subject in self._latest else None

    def open(self, episode: Episode, before: Episode | None) -> None:
        subject = episode.opened.subject
        if self._latest.get(subject) != (before.id if before else None):
            raise Outdated
        self.kept[episode.id], self._latest[subject] = episode, episode.id

    def extend(self, episode: Episode, spike: Spike) -> None:
        self.kept[episode.id] = self.kept[episode.id].with_spike(spike)

    def get(self, id_: str) -> Episode | None:
        return self.kept.get(id_)

    def announced(self, episode: Episode) -> None:
        self.kept[episode.id] = replace(self.kept[episode.id], is_announced=True)


@dataclass
class World:
    counters: MemoryAggregates = field(default_factory=MemoryAggregates)
    episodes: MemoryEpisodes = field(default_factory=MemoryEpisodes)
    mailbox: Mailbox = field(default_factory=Mailbox)
    number: int = 0

    def flagged(
        self, day: int, hour: int, count: int, license_: str | None = None, product: str = "editor"
    ) -> list[Observation]:
        sighting = Sighting(product, DAY + timedelta(days=day), b"pirate", None, billable=False)
        flags = frozenset({Flag.BYPASSED_ACTIVATION})
        return [observe(sighting, n, time(hour), flags, license_=license_) for n in range(count)]

    def sent(self, day: int, hour: int, count: int, key: str = "k1", product: str = "editor") -> list[Observation]:
        """Clean records that came with an API key."""
        sighting = Sighting(product, DAY + timedelta(days=day), b"jane", None, billable=True)
        return [replace(observe(sighting, at=time(hour)), api_key_id=key)] * count

    def receive(self, *records: Observation) -> None:
        """A batch: counted, then looked at."""
        fold = Fold()
        for seen in records:
            fold.add(seen, None)
        before, self.number = str(self.number) if self.number else None, self.number + 1
        self.counters.add("shard", before, str(self.number), fold, datetime(2026, 11, 3, tzinfo=UTC))
        self.watch().look(records)

    def watch(self) -> SpikeWatch:
        return SpikeWatch(Environment.PRODUCTION, self.counters, self.episodes, self.mailbox, lambda _: None)


def test_an_ordinary_fortnight_is_no_spike_and_an_outbreak_is_one_episode() -> None:
    world, random = World(), Random(1)
    for day in range(-14, 0):
        for hour in range(24):
            busy = 9 <= hour <= 17
            world.receive(*world.flagged(day, hour, random.randint(0, 12 if busy else 2)))
    assert world.mailbox.alerts == []
    for day in range(3):
        for hour in (8, 10, 12, 15, 20):
            for _ in range(3):
                world.receive(*world.flagged(day, hour, 25))
    (episode,) = world.episodes.kept.values()
    assert (episode.opened.cause, episode.opened.hour, episode.opened.count) == (
        Cause.HOUR,
        datetime(2026, 11, 3, 8, tzinfo=UTC),
        50,  # 25 are not yet more than three times what is usual
    )
    assert episode.last_seen == datetime(2026, 11, 5, 20, tzinfo=UTC)
    ((subject, message),) = world.mailbox.alerts
    assert subject == "Flagged records: editor"
    assert message == {
        "environment": "production",
        "product": "editor",
        "cause": "flagged_in_an_hour",
        "hour": "2026-11-03T08:00:00+00:00",
        "flagged": 50,
        "most_expected": 33,
        "episode": "editor#2026-11-03T08",
    }
    assert episode.closed_at(episode.last_seen + QUIET - timedelta(minutes=1)) is None
    assert episode.closed_at(episode.last_seen + QUIET) == episode.last_seen + QUIET


def test_a_licence_above_its_threshold_opens_one_too() -> None:
    world = World()
    for hour in range(9):
        world.receive(*world.flagged(0, hour, 6, "leaked"), *world.flagged(0, hour, 3, f"other {hour}"))
    ((_, message),) = world.mailbox.alerts
    assert (message["cause"], message["flagged"], message["most_expected"]) == (
        "flagged_with_a_license",
        54,
        LICENSE_FLOOR - 1,
    )
    (episode,) = world.episodes.kept.values()
    assert (episode.opened.license, episode.opened.hour.hour) == ("leaked", 8)


def test_quality_flags_ring_nothing_and_are_no_history() -> None:
    world = World()
    sighting = Sighting("editor", DAY, b"a user", None, billable=True)
    quality = frozenset({Flag.PLACEHOLDER_ID, Flag.MALFORMED})
    for day in range(-1, 0):
        for hour in range(24):
            at = replace(sighting, day=DAY + timedelta(days=day))
            world.receive(*[observe(at, n, time(hour), quality, license_="L1") for n in range(100)])
    assert world.mailbox.alerts == []
    world.receive(*[observe(sighting, n, time(9), quality) for n in range(100)], *world.flagged(0, 9, 19))
    assert world.mailbox.alerts == []
    world.receive(*world.flagged(0, 9, 1))
    ((_, message),) = world.mailbox.alerts
    assert (message["flagged"], message["most_expected"]) == (20, FLOOR - 1)
    (episode,) = world.episodes.kept.values()
    assert episode.opened.flags == {"B": 20}


def test_a_record_with_two_piracy_flags_is_one_record() -> None:
    world = World()
    both = frozenset({Flag.REVOKED_LICENSE, Flag.BYPASSED_ACTIVATION})
    for count in (19, 1):
        assert world.mailbox.alerts == []
        world.receive(*[replace(seen, flags=both) for seen in world.flagged(0, 9, count)])
    ((_, message),) = world.mailbox.alerts
    assert message["flagged"] == 20


def test_products_have_episodes_of_their_own_and_quiet_ends_them() -> None:
    world = World()
    world.receive(*world.flagged(0, 9, 30), *world.flagged(0, 9, 30, product="compiler"))
    world.receive(*world.flagged(1, 9, 30))
    world.receive(*world.flagged(3, 9, 30))
    assert sorted(world.episodes.kept) == ["compiler#2026-11-03T09", "editor#2026-11-03T09", "editor#2026-11-06T09"]
    assert len(world.mailbox.alerts) == 3


def test_a_shard_that_lags_finds_the_episode_open() -> None:
    world = World()
    world.receive(*world.flagged(0, 12, 30))
    world.receive(*world.flagged(0, 9, 30))
    assert len(world.mailbox.alerts) == len(world.episodes.kept) == 1


def test_an_alert_that_could_not_be_published_is_published_later() -> None:
    world = World()
    world.mailbox.is_full = True
    with pytest.raises(StoreUnavailable):
        world.receive(*world.flagged(0, 9, 30))
    world.mailbox.is_full = False
    world.watch().look(world.flagged(0, 9, 1))  # the batch again: it was counted before
    world.watch().look(world.flagged(0, 9, 1))
    assert len(world.mailbox.alerts) == 1


@given(st.lists(st.integers(0, 100), max_size=336), st.integers(0, 10**6))
def test_a_few_unusual_hours_change_nothing(history: list[int], outlier: int) -> None:
    usual = most_expected(history)
    assert usual >= FLOOR - 1
    assert usual <= max(FLOOR - 1, FACTOR * max(history, default=0))
    quiet = [0] * 336
    assert most_expected([*quiet[17:], *[outlier] * 16]) == FLOOR - 1


# ── API keys


def test_ten_times_what_is_usual_with_a_key_is_one_alert() -> None:
    world, random = World(), Random(2)
    for day in range(-14, 0):
        for hour in range(8, 18):
            world.receive(*world.sent(day, hour, random.randint(100, 200)), *world.sent(day, hour, 5, "k2"))
    world.receive(*world.sent(0, 8, 1_900))  # an update was released
    assert world.mailbox.alerts == []
    for hour in (9, 10, 11):
        for _ in range(5):
            world.receive(*world.sent(0, hour, 300), *world.sent(0, hour, 300, product="compiler"))
    ((subject, message),) = world.mailbox.alerts
    assert subject == "Events with API key k1"
    assert message["most_expected"] in range(1_900, 2_001)  # ten times the 95th percentile
    assert {name: value for name, value in message.items() if name != "most_expected"} == {
        "environment": "production",
        "api_key_id": "k1",
        "cause": "events_of_a_key",
        "hour": "2026-11-03T09:00:00+00:00",
        "events": 2_400,
        "episode": "~key#k1#2026-11-03T09",
    }
    (episode,) = world.episodes.kept.values()
    assert (episode.opened.product, episode.last_seen.hour) == (None, 11)


def test_a_new_key_rings_once_and_then_for_ten_times_its_most() -> None:
    world = World()
    for day, count in enumerate((1_500, 2_000, 3_000, 3_000)):
        world.receive(*world.sent(day, 9, count), *world.sent(day, 9, count // 2, "k2"))
    assert [message["events"] for _, message in world.mailbox.alerts] == [1_500]
    world.receive(*world.sent(4, 9, 30_001))
    assert [message["events"] for _, message in world.mailbox.alerts] == [1_500, 30_001]


def test_a_key_that_sends_once_a_night_has_a_usual() -> None:
    world = World()
    for day in range(-14, 3):
        world.receive(*world.sent(day, 3, 1_000))
    assert len(world.mailbox.alerts) == 1  # its first night
    world.receive(*world.sent(3, 3, 10_000))
    assert len(world.mailbox.alerts) == 1
    world.receive(*world.sent(3, 3, 1))
    assert [message["most_expected"] for _, message in world.mailbox.alerts] == [KEY_FLOOR - 1, 10_000]


def test_keys_and_products_have_episodes_of_their_own() -> None:
    world = World()
    pirates = [replace(each, api_key_id="k9") for each in world.flagged(0, 9, KEY_FLOOR)]
    world.receive(*pirates, *world.sent(0, 9, KEY_FLOOR, "k1"), *world.sent(0, 9, KEY_FLOOR - 1, "k2"))
    assert sorted(world.episodes.kept) == ["editor#2026-11-03T09", "~key#k1#2026-11-03T09", "~key#k9#2026-11-03T09"]


def test_an_alert_of_a_key_that_could_not_be_published_is_published_later() -> None:
    world = World()
    world.mailbox.is_full = True
    with pytest.raises(StoreUnavailable):
        world.receive(*world.sent(0, 9, KEY_FLOOR))
    world.mailbox.is_full = False
    for _ in range(2):
        world.watch().look(world.sent(0, 9, 1))
    assert len(world.mailbox.alerts) == 1


@given(st.lists(st.integers(1, 10**6), max_size=336))
def test_what_is_usual_with_a_key(history: list[int]) -> None:
    most = most_expected_of_key(history)
    assert KEY_FLOOR - 1 <= most <= max(KEY_FLOOR - 1, KEY_FACTOR * max(history, default=0))
    higher = sum(KEY_FACTOR * count > most for count in history)
    assert higher <= len(history) / 20
    if len(history) <= 20:
        assert most == max(KEY_FLOOR - 1, KEY_FACTOR * max(history, default=0))


def test_a_key_is_no_product() -> None:
    spike = Spike(None, datetime(2026, 11, 3, 8, tzinfo=UTC), Cause.API_KEY, 2_000, 999, api_key_id="k1")
    assert (spike.subject, replace(spike, product="~key#k1").subject) == ("~key#k1", "~key%23k1")


def test_histories_are_read_only_for_keys_that_reached_the_floor() -> None:
    world, asked = World(), []
    hours = world.counters.hours
    world.counters.hours = lambda *args: asked.append(args) or hours(*args)  # type: ignore[method-assign,func-returns-value]
    watch = world.watch()
    number = 0
    for count in (KEY_FLOOR - 1, 1, 1, 1):
        records = world.sent(0, 9, count)
        fold = Fold()
        for seen in records:
            fold.add(seen, None)
        before, number = str(number) if number else None, number + 1
        world.counters.add("shard", before, str(number), fold, datetime(2026, 11, 3, tzinfo=UTC))
        watch.look(records)
    assert len(asked) == 1
