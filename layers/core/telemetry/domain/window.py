"""The windows of time that analytics look at: always time of receipt."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from telemetry.domain.errors import InvalidField
from telemetry.domain.instant import midnight

LONGEST = timedelta(days=366)

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Range(StrEnum):
    """Windows that have a name: what they are depends on the moment. All but the first are whole UTC days."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"


_DAYS = {Range.WEEK: 7, Range.MONTH: 30, Range.QUARTER: 90, Range.TODAY: 1}
_HOURLY = {None, Range.DAY, Range.TODAY, Range.YESTERDAY}


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` (included) to `until` (not included), both in UTC."""

    since: datetime
    until: datetime


def window_of(range_: Range | None, first: date | None, last: date | None, now: datetime) -> Window:
    """The window that is asked for; by default the last 24 hours. Raises InvalidField."""
    if first is None and last is None:
        return recent(range_ or Range.DAY, now)
    if first is None or last is None or range_:
        raise InvalidField("range", "Give either `range`, or both `from` and `to`")
    return between(first, last)


def is_hourly(range_: Range | None, first: date | None, window: Window) -> bool:
    """Whether it is shown by the hour: ranges of one day are, and so is a window that is not made of whole UTC days."""
    if first is None:
        return range_ in _HOURLY
    return any(moment != midnight(moment.date()) for moment in (window.since, window.until))


def recent(range_: Range, now: datetime) -> Window:
    """24 hours: the current UTC hour and the 23 before it; days: today and those before it.

    This month is from its first day to today.
    """
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    today = hour.replace(hour=0)
    match range_:
        case Range.DAY:
            return Window(hour - 23 * _HOUR, hour + _HOUR)
        case Range.YESTERDAY:
            return Window(today - _DAY, today)
        case Range.THIS_MONTH:
            return Window(today.replace(day=1), today + _DAY)
        case Range.LAST_MONTH:
            return Window(_month_before(today), today.replace(day=1))
    return Window(today + _DAY - timedelta(days=_DAYS[range_]), today + _DAY)


def compared(window: Window, range_: Range | None) -> Window:
    """The window before a window, which it is compared with: it is as long, and ends where that one begins.

    Of today, however: the same hours of yesterday. Of this month: the same days of the month before, as far as it has
    them. Of the last month: the whole one before.
    """
    length = window.until - window.since
    match range_:
        case Range.TODAY:
            return Window(window.since - _DAY, window.until - _DAY)
        case Range.THIS_MONTH:
            first = _month_before(window.since)
            return Window(first, min(first + length, window.since))
        case Range.LAST_MONTH:
            return Window(_month_before(window.since), window.since)
    return Window(window.since - length, window.since)


def between(first: date, last: date) -> Window:
    """UTC days, the last one included; or date-times with a zone, the last one not. Raises InvalidField."""
    since = first.astimezone(UTC) if isinstance(first, datetime) else midnight(first)
    until = last.astimezone(UTC) if isinstance(last, datetime) else _after(last)
    if not timedelta(0) < until - since <= LONGEST:
        raise InvalidField("from", "Must be before `to`, by at most 366 days")
    return Window(since, until)


def _month_before(moment: datetime) -> datetime:
    """The beginning of the month before that of a midnight."""
    return (moment.replace(day=1) - _DAY).replace(day=1)


def _after(day: date) -> datetime:
    if day == date.max:
        raise InvalidField("to", "No day follows this one")
    return midnight(day + _DAY)
