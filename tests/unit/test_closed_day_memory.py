"""Closed days, and hours that are over, are read once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from telemetry.domain.licensing import Calls, DeviceAction
from telemetry.domain.sighting import CATALOGUE
from telemetry.storage.closed_day_memory import ClosedDayMemory
from telemetry.storage.licensing_counters import RememberedCalls

FIRST = date(2026, 11, 1)
NOON = datetime(2026, 11, 21, 12, 20, tzinfo=UTC)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@dataclass(frozen=True)
class Known:
    """Something that is known of a day."""

    day: date
    scope: str


class Days:
    """Days that have a report, by scope; notes what is asked."""

    def __init__(self, **closed: set[int]) -> None:
        self.closed = closed
        self.asked: list[tuple[int, int]] = []

    def read(self, scope: str, first: date, last: date) -> Iterator[Known]:
        assert first <= last
        self.asked.append(((first - FIRST).days, (last - FIRST).days))
        return iter(self.there(scope, first, last))

    def there(self, scope: str, first: date, last: date) -> list[Known]:
        return [Known(day(each), scope) for each in sorted(self.closed.get(scope, ())) if first <= day(each) <= last]


def test_only_days_after_those_remembered_are_read() -> None:
    days = Days(a=set(range(20)))
    memory = ClosedDayMemory(days.read)
    assert memory.between("a", day(10), day(21)) == days.there("a", day(10), day(21))
    days.closed["a"].add(20)
    for _ in range(2):
        assert memory.between("a", day(10), day(21)) == days.there("a", day(10), day(21))
    assert memory.between("a", day(12), day(18)) == days.there("a", day(12), day(18))
    assert memory.between("a", day(5), day(22)) == days.there("a", day(5), day(22))
    assert memory.between("b", day(19), day(21)) == []
    assert days.asked == [(10, 21), (20, 21), (21, 21), (5, 22), (19, 21)]


def test_days_before_the_first_report_are_read_once() -> None:
    days = Days(a={7, 8, 9})
    memory = ClosedDayMemory(days.read)
    for _ in range(2):
        assert [each.day for each in memory.between("a", day(0), day(10))] == [day(7), day(8), day(9)]
    assert days.asked == [(0, 10), (10, 10)]


def test_a_day_that_has_not_reached_every_copy_is_not_taken_for_missing() -> None:
    days = Days(a={5, 6, 8})
    memory = ClosedDayMemory(days.read)
    memory.between("a", day(5), day(9))
    days.closed["a"].add(7)
    assert [each.day for each in memory.between("a", day(5), day(9))] == [day(5), day(6), day(7), day(8)]


@pytest.mark.parametrize("seed", range(20))
def test_it_says_what_is_there_however_little_it_remembers(seed: int) -> None:
    random = Random(seed)
    days = Days(a=set(range(random.randrange(5), 9)), b=set())
    memory = ClosedDayMemory(days.read, most=random.choice((1, 5, 100)))
    for number in range(9, 60):
        days.closed["a"].add(number)
        if number > 30:
            days.closed["b"].add(number)
        for scope in "ab":
            first = random.randrange(number + 3)
            last = first + random.randrange(40)
            assert memory.between(scope, day(first), day(last)) == days.there(scope, day(first), day(last))


class Counted:
    """What licensing has counted; notes what is asked."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[datetime, str]] = Counter()
        self.asked: list[tuple[datetime, datetime]] = []

    def by_hour(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, str, Calls]]:
        self.asked.append((first, last))
        for (hour, product), number in sorted(self.calls.items()):
            if first <= hour <= last:
                yield hour, product, Counter({(DeviceAction.VERIFY, 200): number})


def test_hours_that_are_over_are_read_once() -> None:
    now, counted = [NOON], Counted()
    calls = RememberedCalls(counted, lambda: now[0])
    hours = [NOON.replace(minute=0) - timedelta(hours=ago) for ago in (3, 2, 1, 0)]
    counted.calls.update({(hours[0], "editor"): 1, (hours[1], "compiler"): 2, (hours[3], "editor"): 4})
    verified = (DeviceAction.VERIFY, 200)
    assert calls.of("editor", hours[0], hours[3]) == {verified: 5}
    assert calls.of(CATALOGUE, hours[0], hours[3]) == {verified: 7}
    counted.calls[hours[3], "editor"] += 8
    assert calls.of(CATALOGUE, hours[0], hours[3]) == {verified: 15}
    assert counted.asked == [(hours[0], hours[3])] * 2 + [(hours[3], hours[3])]
    assert calls.of(CATALOGUE, hours[0], hours[2]) == {verified: 3}
    assert len(counted.asked) == 3

    now[0] = NOON + timedelta(minutes=50)  # of the hour that has just ended, some may be on their way
    calls.of(CATALOGUE, hours[0], hours[3])
    counted.calls[hours[3], "editor"] += 1
    assert calls.of(CATALOGUE, hours[0], hours[3]) == {verified: 16}
    now[0] = NOON + timedelta(minutes=56)
    calls.of(CATALOGUE, hours[0], hours[3])
    asked = len(counted.asked)
    assert calls.of(CATALOGUE, hours[0], hours[3]) == {verified: 16}
    assert len(counted.asked) == asked
