"""Months, and how users came and went in them: what sets of users would say, for any days on which they were active."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.domain.active_users import COUNTERS, NEW, Audience, Balance, LedgerBroken, Tally, next_balance
from telemetry.domain.months import Month, Months, Turnover, turnover

FIRST = date(2027, 1, 20)
"""Days begin in the middle of a month, and 2028 is a leap year."""
DAYS = 800

Users = dict[int, set[date]]
"""Who was active on which days."""

users = st.dictionaries(
    st.integers(0, 30),
    st.sets(st.integers(0, DAYS - 1), max_size=6).map(lambda days: {FIRST + timedelta(days=day) for day in days}),
    max_size=12,
)
far_away = st.sampled_from([27, 30, 31, 333, 334, 335, 336, 337, 364, 365, 366, 367])
"""Days between uses at which what is remembered ends, or a month."""


@st.composite
def spread(draw: st.DrawFn) -> Users:
    """Users who come back after such times."""
    found: Users = {}
    for user in range(draw(st.integers(1, 6))):
        day = FIRST + timedelta(days=draw(st.integers(0, 400)))
        found[user] = {day}
        for gap in draw(st.lists(far_away, max_size=3)):
            found[user].add(min(max(found[user]) + timedelta(days=gap), FIRST + timedelta(days=DAYS - 1)))
    return found


def balances(active: Users) -> dict[date, Balance]:
    """The balance of each day, made as closing makes it: from the day before, and the day's tally."""
    tallies: Mapping[date, Tally] = {FIRST + timedelta(days=day): Counter() for day in range(DAYS)}
    for days in active.values():
        before = None
        for day in sorted(days):
            away = (day - before).days if before else COUNTERS
            tallies[day][Audience.USERS, away if away < COUNTERS else NEW] += 1
            before = day
    found: dict[date, Balance] = {}
    balance = None
    for day, tally in tallies.items():
        balance = found[day] = next_balance(balance, day.toordinal(), tally)
    return found


def plainly(active: Users, month: Month, through: date) -> Turnover:
    """The same from sets of users."""

    def within(first: date, last: date) -> set[int]:
        return {user for user, days in active.items() if any(first <= day <= last for day in days)}

    now, last_month = within(month.first, through), within(month.plus(-1).first, month.plus(-1).last)
    earlier = within(month.plus(-11).first, month.plus(-2).last)
    return Turnover(
        users=len(now),
        new=len(now - last_month - earlier),
        returning=len(now & last_month),
        back=len(now & earlier - last_month),
        lost=len(last_month - now),
    )


@settings(max_examples=40, deadline=None)
@given(st.one_of(users, spread()))
def test_users_come_and_go_as_sets_say(active: Users) -> None:
    closed = balances(active)
    last = FIRST + timedelta(days=DAYS - 1)
    for month in Months(Month.of(FIRST), Month.of(last)).all():
        through = min(month.last, last)
        before, after = closed.get(month.first - timedelta(days=1)), closed[through]
        found = turnover(month, before, after, Audience.USERS)
        assert found == plainly(active, month, through), month
        assert found.users == found.new + found.returning + found.back


@settings(max_examples=20, deadline=None)
@given(spread(), st.integers(0, DAYS - 1))
def test_so_is_a_month_that_is_not_over(active: Users, day: int) -> None:
    through = FIRST + timedelta(days=day)
    closed, month = balances(active), Month.of(through)
    before = closed.get(month.first - timedelta(days=1))
    assert turnover(month, before, closed[through], Audience.USERS) == plainly(active, month, through)


def test_nobody_was_active() -> None:
    assert turnover(Month.of(FIRST), None, None, Audience.USERS) == Turnover(0, 0, 0, 0, 0)


def test_balances_that_contradict_each_other_are_no_numbers() -> None:
    closed = balances({1: {FIRST}})
    month = Month.of(FIRST).plus(1)
    with pytest.raises(LedgerBroken, match=r"^2027-02: "):
        turnover(month, None, closed[month.last], Audience.USERS)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 30), 0, "2026-11"),
        (date(2026, 11, 30), 1, "2026-12"),
        (date(2026, 11, 30), 2, "2027-01"),
        (date(2026, 1, 1), -1, "2025-12"),
        (date(2026, 1, 1), -13, "2024-12"),
        (date(2026, 12, 31), 12, "2027-12"),
    ],
)
def test_months_follow_each_other(day: date, months: int, expected: str) -> None:
    assert str(Month.of(day).plus(months)) == expected


def test_the_last_day_of_a_month() -> None:
    assert [Month.of(date(2028, month, 9)).last.day for month in range(1, 13)] == [
        31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
    ]  # fmt: skip


def test_twelve_months_are_never_longer_than_a_balance_counts() -> None:
    for number in range(60):
        month = Month(date(2024, 1, 1)).plus(number)
        assert (month.last - month.plus(-11).first).days < COUNTERS


def test_the_days_that_tell_months() -> None:
    months = Months(Month(date(2026, 9, 1)), Month(date(2026, 11, 1)))
    assert months.told_by(date(2026, 11, 20)) == [
        date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 20),
    ]  # fmt: skip
    assert months.told_by(date(2026, 12, 24))[-1] == date(2026, 11, 30)
