"""What licences did over several days."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.flags import Flag
from telemetry.domain.license_activity import LicenseActivity, most_devices, most_devices_of_owners, over_days, seen_on
from telemetry.domain.sighting import Observation, Sighting
from tests.observations import observe

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3)


def used(license_: str, **changes: object) -> LicenseActivity:
    at = datetime(2026, 11, 3, 12, tzinfo=UTC)
    usual = LicenseActivity(license_, "editor", 3, 2, {"R": 2}, 2, 1, ("DE",), at, at)
    return replace(usual, **changes)  # type: ignore[arg-type]


def test_adds_up_what_can_be_added_up() -> None:
    later = datetime(2026, 11, 4, 9, tzinfo=UTC)
    first = used("a")
    second = used(
        "a", records=5, flagged=5, flags={"R": 4, "X": 1}, devices=7, ips=4, countries=("AT", "DE"), first_seen=later,
        last_seen=later,
    )  # fmt: skip
    assert over_days([[first], [second]]) == [
        LicenseActivity("a", "editor", 8, 7, {"R": 6, "X": 1}, 7, 4, ("AT", "DE"), first.first_seen, later)
    ]
    assert over_days([[second], [first]]) == over_days([[first], [second]])


def test_products_stay_apart_and_the_most_flagged_come_first() -> None:
    found = over_days([[used("a", flagged=1), used("b")], [used("a", flagged=2), used("a", product="compiler")]])
    assert [(each.license, each.product, each.flagged) for each in found] == [
        ("a", "editor", 3),
        ("a", "compiler", 2),
        ("b", "editor", 2),
    ]


def test_devices_are_the_most_of_a_day() -> None:
    days = [
        [used("a", devices=3), used("a", product="compiler", devices=4), used("b", devices=2)],
        [used("a", devices=2), used("b", devices=9), used("c", devices=1)],
    ]
    assert most_devices(days) == {"b": 9, "a": 4, "c": 1}
    assert most_devices_of_owners(days, {"a": "globex", "b": "globex", "x": "initech"}) == {"globex": 11}
    assert most_devices_of_owners(days, {"a": "globex", "b": "initech"}) == {"initech": 9, "globex": 4}


moments = st.tuples(st.integers(0, 2), st.integers(0, 23))
records = st.lists(
    st.tuples(moments, st.sampled_from("ab"), st.sampled_from(("editor", "compiler")), st.sampled_from((b"1", b"2"))),
    max_size=30,
)


@given(records)
def test_what_records_show_is_what_a_set_holds(
    drawn: list[tuple[tuple[int, int], str, str, bytes]],
) -> None:
    seen = [record(days, hour, license_, product, device) for (days, hour), license_, product, device in drawn]
    devices: dict[tuple[date, str, str], set[bytes | None]] = defaultdict(set)
    for each in seen:
        assert each.license
        devices[each.sighting.day, each.license, each.sighting.product].add(each.sighting.device)
    found = {(day, each.license, each.product): each for day, licenses in seen_on(seen).items() for each in licenses}
    assert {key: each.devices for key, each in found.items()} == {key: len(each) for key, each in devices.items()}
    assert sum(each.flagged for each in found.values()) == len(seen)


def record(days: int, hour: int, license_: str, product: str, device: bytes) -> Observation:
    sighting = Sighting(product, DAY + timedelta(days=days), device, device, billable=False)
    return observe(sighting, at=time(hour), flags=frozenset({Flag.REVOKED_LICENSE}), license_=license_)


def test_records_without_a_licence_show_none() -> None:
    assert seen_on([observe(Sighting("editor", DAY, b"1", b"1", billable=False))]) == {}
