"""What an alert tells is what a recount of the records tells, and staff's word on it lasts as long as it should."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.domain.flags import Flag, is_billable
from telemetry.domain.hourly_counts import MOST_DEVICES
from telemetry.domain.sighting import Observation, Sighting
from telemetry.domain.spike_handling import Handling, MuteFor
from telemetry.domain.spikes import LICENSE_FLOOR, MOST_LICENSES, QUIET, Cause, Episode, Spike
from telemetry.domain.staff import Author
from telemetry.services.spike_evidence import MOST_DAYS, Evidence, EvidenceReader, FlaggedLicense
from tests.observations import observe
from tests.unit.test_spikes import DAY, World

pytestmark = pytest.mark.days

PIRACY, UNKNOWN_KEY, QUALITY = Flag.BYPASSED_ACTIVATION, Flag.INVALID_LICENSE, Flag.MALFORMED
NOW = datetime(2026, 11, 6, 9, 30, tzinfo=UTC)


def at(day: int, hour: int) -> datetime:
    return datetime.combine(DAY + timedelta(days=day), time(hour), UTC)


def record(
    day: int, license_: str | None, device: int | None, flag: Flag | None, product: str = "editor"
) -> Observation:
    flags = frozenset({flag} if flag else ())
    shown = None if device is None else device.to_bytes(8) * 2
    sighting = Sighting(product, DAY + timedelta(days=day), shown, shown, is_billable(flags))
    return observe(sighting, device or 0, time(8), flags, license_=license_)


records = st.builds(
    record,
    st.integers(0, 3),
    st.sampled_from((None, "L1", "L2", "L3")),
    st.one_of(st.none(), st.integers(1, 9)),
    st.sampled_from((None, PIRACY, PIRACY, UNKNOWN_KEY, QUALITY)),
    st.sampled_from(("editor", "editor", "compiler")),
)


def suspects(seen: Sequence[Observation], first: date, last: date) -> list[Observation]:
    return [
        each
        for each in seen
        if each.sighting.product == "editor" and first <= each.sighting.day <= last and not is_billable(each.flags)
    ]


@given(
    st.lists(st.lists(records, max_size=12), max_size=8),
    st.integers(0, 3),
    st.sampled_from((timedelta(hours=3), QUIET)),
)
@settings(deadline=None)
def test_evidence_equals_a_recount(batches: list[list[Observation]], began: int, later: timedelta) -> None:
    """While it lasts, and when it has ended."""
    world = World()
    for batch in batches:
        world.receive(*batch)
        world.watch().look(batch)  # again is the same as once
    opened = Spike("editor", at(began, 8), Cause.HOUR, 20, 19)
    episode = Episode(opened, at(3, 8), others=frozenset({"L1", "L2"}))
    found = EvidenceReader(world.counters).of(episode, at(3, 8) + later)
    assert (found.first, found.last) == (DAY + timedelta(days=began), DAY + timedelta(days=3))
    here = suspects([each for batch in batches for each in batch], found.first, found.last)
    assert found.records == len(here)
    expected = []
    for name in ("L1", "L2"):
        of = [each for each in here if each.license == name and UNKNOWN_KEY not in each.flags]
        devices = {each.sighting.device for each in of} - {None}
        if of:
            expected.append(FlaggedLicense(name, len(of), len(devices), is_least=False))
    assert found.licenses == sorted(expected, key=lambda each: (-each.records, each.license))


def test_an_episode_learns_of_licences_while_it_lasts() -> None:
    """A product's hour opens it; the licence behind it becomes a spike later, and a second one on the next day."""
    world = World()
    world.receive(*[record(0, "L1", n, PIRACY) for n in range(1, 31)])
    (episode,) = world.episodes.kept.values()
    assert (episode.opened.cause, episode.licenses) == (Cause.HOUR, frozenset())
    world.receive(*[record(0, "L1", n, PIRACY) for n in range(1, 21)])
    world.receive(*[record(1, "L2", 77, PIRACY)] * LICENSE_FLOOR)
    (episode,) = world.episodes.kept.values()
    assert (episode.licenses, episode.last_seen) == (frozenset({"L1", "L2"}), at(1, 8))
    found = [FlaggedLicense("L1", 50, 30, is_least=False), FlaggedLicense("L2", 50, 1, is_least=False)]
    assert EvidenceReader(world.counters).of(episode, at(1, 9)) == Evidence(DAY, DAY + timedelta(days=1), 100, found)
    assert len(world.mailbox.alerts) == 1


def test_it_knows_ten_licences_and_no_more() -> None:
    episode = Episode(Spike("editor", at(0, 8), Cause.LICENSE, 50, 49, "L0"), at(0, 8))
    for number in range(MOST_LICENSES + 3):
        spike = Spike("editor", at(0, 9), Cause.LICENSE, 50, 49, f"L{number}")
        episode = episode.with_spike(spike)
        assert not episode.learns_from(spike)
    assert episode.licenses == {f"L{number}" for number in range(MOST_LICENSES)}
    assert episode.learns_from(Spike("editor", at(0, 10), Cause.HOUR, 50, 49))


def test_of_very_many_devices_it_says_at_least() -> None:
    world = World()
    for start in range(0, 3 * MOST_DEVICES, 400):
        world.receive(*[record(0, "L1", n, PIRACY) for n in range(start, start + 400)])
    episode = world.episodes.kept[f"editor#{at(0, 8):%Y-%m-%dT%H}"]
    (told,) = EvidenceReader(world.counters).of(episode, at(0, 9)).licenses
    assert (told.license, told.records, told.is_least) == ("L1", 3_200, True)
    assert MOST_DEVICES <= told.devices < MOST_DEVICES + 400


def test_a_device_is_noted_once_a_process() -> None:
    world, noted = World(), []
    note = world.counters.note_devices
    world.counters.note_devices = lambda of, devices: noted.append(sorted(devices)) or note(of, devices)  # type: ignore[method-assign,func-returns-value]
    watch = world.watch()
    for devices in ((1, 2), (2, 1), (2, 3)):
        watch.look([record(0, "L1", n, PIRACY) for n in devices])
    watch.look([record(0, "L1", n, None) for n in (4, 5)] + [record(0, "L1", 6, UNKNOWN_KEY)])
    assert [len(each) for each in noted] == [2, 1]
    many = [record(0, f"L{n}", 1, PIRACY) for n in range(2, 9)]
    watch.look(many)
    assert len(noted) == 2 + len(many)


def test_of_a_long_episode_the_last_days_are_told() -> None:
    episode = Episode(Spike("editor", at(-90, 8), Cause.HOUR, 20, 19), at(0, 8))
    found = EvidenceReader(World().counters).of(episode, at(0, 9))
    assert (found.last, (found.last - found.first).days + 1) == (DAY, MOST_DAYS)


def test_events_of_a_key_are_counted_over_all_products() -> None:
    world = World()
    world.receive(*world.sent(0, 9, 700), *world.sent(0, 9, 400, product="compiler"), *world.sent(0, 9, 5, "k2"))
    world.receive(*world.sent(1, 9, 20))
    (episode,) = world.episodes.kept.values()
    assert EvidenceReader(world.counters).of(episode, at(1, 10)) == Evidence(DAY, DAY + timedelta(days=1), 1_120, [])


def test_what_has_ended_is_counted_once() -> None:
    world, asked = World(), []
    world.receive(*[record(0, "L1", n, PIRACY) for n in range(30)])
    (episode,) = world.episodes.kept.values()
    hours = world.counters.hours
    world.counters.hours = lambda *args: asked.append(args) or hours(*args)  # type: ignore[method-assign,func-returns-value]
    reader = EvidenceReader(world.counters)
    for _ in range(2):
        reader.of(episode, at(0, 9))
    assert len(asked) == 2
    for _ in range(3):
        assert reader.of(episode, at(2, 9)).records == 30
    assert len(asked) == 3


# ── what staff say


def author(name: str, hours: int = 0) -> Author:
    return Author(f"id of {name}", name, NOW + timedelta(hours=hours), "192.0.2.1", "", "r1")


def test_who_acknowledges_first_stays() -> None:
    said = Handling("e").acknowledge(author("Ann"))
    assert said.acknowledged is not None
    assert (said.acknowledged.key_name, said.acknowledged.at, said.is_muted(NOW)) == ("Ann", NOW, False)
    assert said.acknowledge(author("Ben", 1)) == said


@pytest.mark.parametrize(("time_", "hours"), [(MuteFor.DAY, 24), (MuteFor.WEEK, 168), (MuteFor.EPISODE, None)])
def test_muting_lasts_as_long_as_it_was_said(time_: MuteFor, hours: int | None) -> None:
    said = Handling("e").mute(author("Ann"), time_)
    assert said.is_muted(NOW)
    assert said.is_muted(NOW + timedelta(hours=hours or 10**5) - timedelta(milliseconds=1))
    assert said.is_muted(NOW + timedelta(hours=hours or 10**5)) == (hours is None)
    assert said.acknowledged == said.muted
    assert not said.unmute().is_muted(NOW)
    assert said.unmute().acknowledged == said.acknowledged
    again = said.mute(author("Ben", 30), MuteFor.DAY)
    assert again.muted is not None
    assert (again.muted.key_name, again.muted_until) == ("Ben", NOW + timedelta(hours=54))
