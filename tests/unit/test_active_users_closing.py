"""When days close, and where they begin."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from telemetry.domain.active_users import Actor, Audience, Closing, LedgerBroken, Place
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Sighting
from telemetry.services.close_day import RecountIncomplete, close_days
from telemetry.services.counting import count
from telemetry.services.reports import active_users
from tests.memory_aggregates import MemoryAggregates

DAY = date(2026, 11, 3)


def seen(days_later: int, user: bytes = b"jane", product: str = "editor") -> Sighting:
    return Sighting(product, DAY + timedelta(days=days_later), user, None, billable=True)


def after_midnight(days_later: int, minutes: int = 30) -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(days=days_later, minutes=minutes)


@dataclass
class World:
    records: list[Sighting] = field(default_factory=list)
    aggregates: MemoryAggregates = field(default_factory=MemoryAggregates)

    def sightings(self, product: str, day: date) -> Iterator[Sighting]:
        return (each for each in self.records if (each.product, each.day) == (product, day))

    def close(self, now: datetime, *products: str) -> list[int]:
        closed = close_days(now, self.aggregates, self, products or ("editor",))
        return [(day - DAY).days for day in closed]

    def users(self, days: int, days_later: int, scope: str = "editor") -> int:
        return active_users(scope, days, DAY + timedelta(days=days_later), Audience.USERS, self.aggregates)


def test_a_day_closes_half_an_hour_after_its_end() -> None:
    world = World([seen(0)])
    assert world.close(after_midnight(1, minutes=29)) == []
    assert world.close(after_midnight(1)) == [0]
    assert world.close(after_midnight(1)) == []
    assert world.close(after_midnight(2, minutes=29)) == []
    assert world.close(after_midnight(4)) == [1, 2, 3]


def test_without_traffic_there_is_nothing_to_close() -> None:
    world = World()
    assert world.close(after_midnight(1)) == []
    assert world.aggregates.closing() == Closing()


def test_days_begin_with_the_first_record_though_a_later_one_was_delivered_first() -> None:
    late, early = seen(0), seen(1, b"john")
    world = World([late, early])
    count([early], world.aggregates)
    assert world.close(after_midnight(2)) == [0, 1]
    assert (world.users(1, 0), world.users(1, 1), world.users(2, 1)) == (1, 1, 2)


def test_days_begin_with_the_first_record_though_none_was_ever_delivered() -> None:
    world = World([seen(days) for days in (0, 2, 3, 5, 6)] + [seen(1, product=UNKNOWN_PRODUCT)])
    assert world.close(after_midnight(7)) == [0, 1, 2, 3, 4, 5, 6]
    assert (world.users(1, 1, UNKNOWN_PRODUCT), world.users(7, 6, CATALOGUE)) == (1, 1)


def test_a_product_no_longer_registered_is_recounted() -> None:
    world = World([seen(0, product="old")])
    world.close(after_midnight(1), "old")
    world.records.append(seen(1, b"john", "old"))
    world.close(after_midnight(2))
    assert world.users(2, 1, "old") == 2


def test_a_day_is_not_closed_without_everyone_its_records_show() -> None:
    world = World([seen(1)])
    forgotten = {Place(scope, each): (DAY.toordinal() + 9,) for scope in ("editor", CATALOGUE) for each in Audience}
    world.aggregates.commit({b"jane": Actor(1, forgotten)}, {}, salt=0)
    with pytest.raises(RecountIncomplete):
        world.close(after_midnight(2))
    assert world.aggregates.closing().closed is None


def test_a_record_that_appears_after_its_day_closed_is_refused() -> None:
    world = World([seen(0)])
    world.close(after_midnight(1))
    (one, *_) = refused = count([seen(0, b"john")], world.aggregates)
    assert str(one.cause) == "2026-11-03 is closed"
    assert {each.presence.place.scope for each in refused} == {"editor", CATALOGUE}
    assert world.users(1, 0) == 1


def test_a_balance_that_would_restate_is_an_error() -> None:
    """A day was recounted, its balance written, the run ended; and then the day got another record."""
    world = World([seen(0)])
    close = world.aggregates.close
    world.aggregates.close = lambda day: None  # type: ignore[method-assign]  # noqa: ARG005
    world.close(after_midnight(1))
    world.aggregates.close = close  # type: ignore[method-assign]
    world.records.append(seen(0, b"john"))
    with pytest.raises(LedgerBroken):
        world.close(after_midnight(1))
