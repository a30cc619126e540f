"""Times that staff give."""

from datetime import UTC, datetime

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
