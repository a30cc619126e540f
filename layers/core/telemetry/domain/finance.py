"""What finance can ask of closed days."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from telemetry.domain.active_users import Audience
from telemetry.domain.errors import InvalidField, NotFound, TelemetryError
from telemetry.domain.months import Months
from telemetry.domain.sighting import LONGEST_SCOPE, could_be_scope

LONGEST_PERIOD = 366
"""Days that one report may cover."""


class DayNotClosed(TelemetryError):
    """The first day asked for that has no report yet; asking again after `wait` is right."""

    def __init__(self, day: date, wait: timedelta, last: date | None, *, is_future: bool = False) -> None:
        """`last` is the last closed day."""
        super().__init__(f"Day {day} is not closed yet.")
        self.wait = wait
        self.last = last
        self.is_future = is_future

    def explained(self) -> str:
        """With what can be asked for instead."""
        told = str(self).replace(".", ": it is in the future.") if self.is_future else str(self)
        return f"{told} The last closed day is {self.last}." if self.last else f"{told} No day is closed yet."


class UnknownApplication(NotFound):
    """Nobody registered it, and it never had traffic."""


@dataclass(frozen=True, slots=True)
class Period:
    """UTC days, both included. Raises InvalidField when there are none or more than LONGEST_PERIOD."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidField("to", "must not be before 'from'")
        if (self.last - self.first).days >= LONGEST_PERIOD:
            raise InvalidField("to", f"must make no more than {LONGEST_PERIOD} days with 'from'")

    def days(self) -> list[date]:
        return [date.fromordinal(day) for day in range(self.first.toordinal(), self.last.toordinal() + 1)]


def day_of(field: str, text: str) -> date:
    """`2026-11-21`, in years from 1970 to 9998, so that the days around it exist too. Raises InvalidField."""
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if day.isoformat() == text and 1970 <= day.year <= 9998:
            return day
    raise InvalidField(field, "must be a day, as 2026-11-21")


def application_of(text: str) -> str:
    """The application that a report may be asked for. Raises InvalidField."""
    if not text or not could_be_scope(text):
        raise InvalidField("application", f"must have 1 to {LONGEST_SCOPE} bytes of UTF-8")
    return text


# ── questions. `application` is a product id, UNKNOWN_PRODUCT or CATALOGUE


@dataclass(frozen=True, slots=True)
class ActiveUsersAsOf:
    """How many were active on at least one of the `days` (1–365) UTC days up to and including `as_of`?"""

    application: str
    days: int
    as_of: date
    audience: Audience = Audience.USERS


@dataclass(frozen=True, slots=True)
class DailyActiveUsers:
    """How many were active on each day, and in the windows that end with it?"""

    application: str
    period: Period


@dataclass(frozen=True, slots=True)
class PiracyCounts:
    """How many records of each day carry which piracy and licence flags?"""

    application: str
    period: Period


@dataclass(frozen=True, slots=True)
class MonthlyUsers:
    """How many were active in each month, and how many of them came, stayed and went?"""

    application: str
    months: Months
    audience: Audience = Audience.USERS


@dataclass(frozen=True, slots=True)
class WholeDay:
    """What does the report of a day say?"""

    application: str
    day: date


ReportQuestion = ActiveUsersAsOf | DailyActiveUsers | MonthlyUsers | PiracyCounts | WholeDay
