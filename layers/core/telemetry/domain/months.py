"""Calendar months (UTC), and how the users of one month came and went: from the balances of two closed days, exactly.

The balance of a day says how many were last active on it, on the day before, and so on. Whoever was last active on some
day before a month, and no longer is at its end, was active in it. So the balance of the day before the month and that
of its last day tell how many of the earlier users came again, and how many did not. Earlier means: in the eleven months
before, which with the month itself have 365 or 366 days, as many as a balance counts.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, Self

from telemetry.domain.active_users import Audience, Balance, LedgerBroken
from telemetry.domain.errors import InvalidField

MOST_MONTHS = 36
"""Months that one report may cover."""

REMEMBERED_MONTHS = 11
"""Months before one in which its users may have been active, or else are new in it."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, by its first day."""

    first: date

    @classmethod
    def of(cls, day: date) -> Self:
        """The month of a day."""
        return cls(day.replace(day=1))

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first.replace(day=monthrange(self.first.year, self.first.month)[1])

    def plus(self, months: int) -> "Month":
        """So many months later, or before."""
        years, month = divmod(self.first.month - 1 + months, 12)
        return Month(date(self.first.year + years, month + 1, 1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Months:
    """Calendar months, both included. Raises InvalidField when there are none or more than MOST_MONTHS."""

    first: Month
    last: Month

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidField("to", "must not be before 'from'")
        if self.first.plus(MOST_MONTHS) <= self.last:
            raise InvalidField("to", f"must make no more than {MOST_MONTHS} months with 'from'")

    def all(self) -> list[Month]:
        found = [self.first]
        while found[-1] < self.last:
            found.append(found[-1].plus(1))
        return found

    def told_by(self, closed: date) -> list[date]:
        """The days whose reports tell these months: the one before them, and the last closed one of each."""
        return [self.first.first - _ONE_DAY, *(min(month.last, closed) for month in self.all())]


class Turnover(NamedTuple):
    """The users of a month, `new` + `returning` + `back` = `users`.

    `new` were not active in the eleven months before it, `returning` were in the month before it, `back` were not in
    that one but in one of the ten before it. `lost` were active in the month before, and not in this one.
    """

    users: int
    new: int
    returning: int
    back: int
    lost: int


def turnover(month: Month, before: Balance | None, after: Balance | None, audience: Audience) -> Turnover:
    """How users came and went in a month, or in the part of it that ends with the day of `after`.

    `before` is the balance of the day before the month; either is None where nobody had been active by then. Raises
    LedgerBroken when the two contradict each other.
    """
    if after is None:
        return Turnover(0, 0, 0, 0, 0)
    last_month, first_month = month.plus(-1), month.plus(-REMEMBERED_MONTHS)
    users = _last_active(after, audience, month.first, date.fromordinal(after.day))
    lost = _last_active(after, audience, last_month.first, last_month.last)
    returning = _last_active(before, audience, last_month.first, last_month.last) - lost
    earlier = first_month.first, last_month.first - _ONE_DAY
    back = _last_active(before, audience, *earlier) - _last_active(after, audience, *earlier)
    found = Turnover(users, users - returning - back, returning, back, lost)
    if min(found) < 0:
        raise LedgerBroken(f"{month}: the balances of its end and of the day before it contradict each other")
    return found


def _last_active(balance: Balance | None, audience: Audience, first: date, last: date) -> int:
    """How many were, as of the balance, last active on one of these days. None is before those that it counts."""
    if balance is None:
        return 0
    counters: Sequence[int] = balance.counters[audience]
    return sum(counters[balance.day - last.toordinal() : balance.day - first.toordinal() + 1])
