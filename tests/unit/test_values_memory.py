"""What is read of values is held once, and not once more for each way it is put together."""

import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from telemetry.domain.overview import Timeline
from telemetry.domain.values.numbers import Numbers
from telemetry.domain.values.summary import SeriesKey, Values
from telemetry.domain.values.told import Group, told
from telemetry.domain.values.value import Moment, ValueType
from telemetry.domain.window import Window

START = datetime(2026, 11, 21, tzinfo=UTC)
PARTS = 4


class Part(Numbers):
    """One that can be watched."""

    __slots__ = ("__weakref__",)
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def test_parts_of_hours_are_put_together_as_they_come() -> None:
    """Each hour has other names, as one who wants to harm would send them."""
    alive = weakref.WeakSet[Part]()
    most = 0

    def hours() -> Iterator[tuple[datetime, Values]]:
        nonlocal most
        for number in range(24 * PARTS):
            part = Part()
            part.add(1.0, Moment(number, "a"))
            alive.add(part)
            most = max(most, len(alive))
            at = number // PARTS
            yield START + timedelta(hours=at), Values(1, 0, {SeriesKey(ValueType.NUMBER, f"g{at}", "1"): part})
            del part

    window = Window(START, START + timedelta(days=1))
    found = told(Timeline(window, is_hourly=True), hours(), {}, None)
    assert most <= 2
    assert found.groups()[:2] == [
        Group(ValueType.NUMBER, "g0", PARTS, 3, 1),
        Group(ValueType.NUMBER, "g1", PARTS, 7, 1),
    ]
    assert sum(each.values for each in found.groups()) == 24 * PARTS
