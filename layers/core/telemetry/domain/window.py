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
    """Windows that end now."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"


_DAYS = {Range.WEEK: 7, Range.MONTH: 30, Range.QUARTER: 90}


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
    """Whether it is shown by the hour: the last 24 hours are, and so is a window that is not made of whole UTC days."""
    if first is None:
        return range_ in {None, Range.DAY}
    return any(moment != midnight(moment.date()) for moment in (window.since, window.until))


def recent(range_: Range, now: datetime) -> Window:
    """24 hours: the current UTC hour and the 23 before it; days: today and those before it."""
    if range_ is Range.DAY:
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return Window(hour - 23 * _HOUR, hour + _HOUR)
    tomorrow = midnight(now.astimezone(UTC).date() + _DAY)
    return Window(tomorrow - timedelta(days=_DAYS[range_]), tomorrow)


def between(first: date, last: date) -> Window:
    """UTC days, the last one included; or date-times with a zone, the last one not. Raises InvalidField."""
    since = first.astimezone(UTC) if isinstance(first, datetime) else midnight(first)
    until = last.astimezone(UTC) if isinstance(last, datetime) else _after(last)
    if not timedelta(0) < until - since <= LONGEST:
        raise InvalidField("from", "Must be before `to`, by at most 366 days")
    return Window(since, until)


def _after(day: date) -> datetime:
    if day == date.max:
        raise InvalidField("to", "No day follows this one")
    return midnight(day + _DAY)
