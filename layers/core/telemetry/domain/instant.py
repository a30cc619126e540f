"""Points in time: which ones staff may give, and their conversion from and to Unix time and texts in keys."""

from datetime import UTC, date, datetime

FIRST_YEAR = 1970


def in_utc(moment: datetime) -> datetime:
    """The same time in UTC. Raises ValueError before 1970, and where another zone has it behind the last year there is.

    Beyond, it could be stored but not be read again.
    """
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("No such time in UTC") from None
    if moment.year < FIRST_YEAR:
        raise ValueError("A time before 1970")
    return moment


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, datetime.min.time(), UTC)


def hours_of(day: date) -> tuple[datetime, datetime]:
    """The first and the last hour of a UTC day, each by its beginning."""
    return midnight(day), midnight(day).replace(hour=23)


def hour_text(moment: datetime) -> str:
    """`2026-11-21T08`: the UTC hour of a time, as it is in keys."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


def from_hour_text(text: str) -> datetime:
    """The beginning of the hour that `hour_text` names."""
    return datetime.fromisoformat(f"{text}:00+00:00")


def to_seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return int(moment.timestamp())


def from_seconds(seconds: float) -> datetime:
    """The inverse of `to_seconds`, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def to_milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down: for a time as a clock gives it, with microseconds."""
    return int(moment.timestamp() * 1000)


def to_nearest_millisecond(moment: datetime) -> int:
    """Milliseconds since 1970, rounded to the nearest: gives back the number that `from_milliseconds` was given.

    Rounding down would not: as a float, a time is often some nanoseconds less.
    """
    return round(moment.timestamp() * 1000)


def from_milliseconds(milliseconds: float) -> datetime:
    """The time in UTC, so many milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def minute_of(moment: datetime) -> datetime:
    """The beginning of its minute, in UTC."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
