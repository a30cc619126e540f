from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from telemetry.domain.errors import InvalidField
from telemetry.domain.window import Range, Window, between, recent

pytestmark = pytest.mark.days

NOW = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    ("range_", "since", "until"),
    [
        (Range.DAY, "2026-03-01T00:00", "2026-03-02T00:00"),
        (Range.WEEK, "2026-02-23T00:00", "2026-03-02T00:00"),
        (Range.MONTH, "2026-01-31T00:00", "2026-03-02T00:00"),
        (Range.QUARTER, "2025-12-02T00:00", "2026-03-02T00:00"),
    ],
)
def test_ranges_end_with_the_current_hour_or_day(range_: Range, since: str, until: str) -> None:
    assert recent(range_, NOW) == Window(at(since), at(until))


def test_a_day_has_24_hours_whatever_the_zone_of_the_caller() -> None:
    noon = NOW.replace(hour=11).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert recent(Range.DAY, noon) == Window(at("2026-02-28T12:00"), at("2026-03-01T12:00"))


def test_days_are_inclusive_and_times_are_not() -> None:
    assert between(date(2026, 2, 1), date(2026, 2, 1)) == Window(at("2026-02-01T00:00"), at("2026-02-02T00:00"))
    assert between(at("2026-02-01T05:00"), at("2026-02-01T06:00")) == Window(
        at("2026-02-01T05:00"), at("2026-02-01T06:00")
    )


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 2, 2), date(2026, 2, 1)),
        (date(2025, 1, 1), date(2026, 2, 1)),
        (at("2026-02-01T05:00"), at("2026-02-01T05:00")),
        (date(2026, 2, 1), date.max),
    ],
)
def test_what_is_no_window(first: date, last: date) -> None:
    with pytest.raises(InvalidField):
        between(first, last)
