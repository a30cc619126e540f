from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.errors import InvalidField
from telemetry.domain.window import Range, Window, between, compared, recent

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
        (Range.TODAY, "2026-03-01T00:00", "2026-03-02T00:00"),
        (Range.YESTERDAY, "2026-02-28T00:00", "2026-03-01T00:00"),
        (Range.THIS_MONTH, "2026-03-01T00:00", "2026-03-02T00:00"),
        (Range.LAST_MONTH, "2026-02-01T00:00", "2026-03-01T00:00"),
    ],
)
def test_ranges_end_with_the_current_hour_or_day(range_: Range, since: str, until: str) -> None:
    assert recent(range_, NOW) == Window(at(since), at(until))


@pytest.mark.parametrize(
    ("range_", "now", "since", "until"),
    [
        (Range.DAY, "2026-03-01T22:33", "2026-02-27T23:00", "2026-02-28T23:00"),
        (Range.WEEK, "2026-03-01T22:33", "2026-02-16T00:00", "2026-02-23T00:00"),
        (Range.TODAY, "2026-03-01T22:33", "2026-02-28T00:00", "2026-03-01T00:00"),
        (Range.YESTERDAY, "2026-03-01T22:33", "2026-02-27T00:00", "2026-02-28T00:00"),
        (Range.THIS_MONTH, "2026-03-26T22:33", "2026-02-01T00:00", "2026-02-27T00:00"),
        (Range.THIS_MONTH, "2026-03-31T22:33", "2026-02-01T00:00", "2026-03-01T00:00"),
        (Range.THIS_MONTH, "2026-01-01T00:00", "2025-12-01T00:00", "2025-12-02T00:00"),
        (Range.LAST_MONTH, "2026-03-31T22:33", "2026-01-01T00:00", "2026-02-01T00:00"),
        (Range.LAST_MONTH, "2026-01-31T22:33", "2025-11-01T00:00", "2025-12-01T00:00"),
    ],
)
def test_what_a_range_is_compared_with(range_: Range, now: str, since: str, until: str) -> None:
    assert compared(recent(range_, at(now)), range_) == Window(at(since), at(until))


def test_the_hours_of_today_are_compared_with_the_same_hours_of_yesterday() -> None:
    so_far = Window(at("2026-03-01T00:00"), at("2026-03-01T09:00"))
    assert compared(so_far, Range.TODAY) == Window(at("2026-02-28T00:00"), at("2026-02-28T09:00"))


@given(st.sampled_from(Range), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_ranges_at_any_moment(range_: Range, now: datetime) -> None:
    window = recent(range_, now)
    before = compared(window, range_)
    assert (window.since <= now < window.until) == (range_ not in {Range.YESTERDAY, Range.LAST_MONTH})
    assert before.since < before.until <= window.since
    if range_ is not Range.THIS_MONTH:
        assert before.until == window.since
    if range_ in {Range.THIS_MONTH, Range.LAST_MONTH}:
        assert (window.since.day, before.since.day) == (1, 1)
        assert before.since.month == (window.since.month - 2) % 12 + 1
    else:
        assert before.until - before.since == window.until - window.since


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
