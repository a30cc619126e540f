"""Days and times in query strings."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

FIRST_YEAR = 1970


def _moment(text: str) -> date:
    """A UTC day, or a time with a zone."""
    if len(text) == len("2026-11-21"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError("A time has a zone, and whole seconds")
    return _in_utc(moment)


def _in_utc(moment: datetime) -> datetime:
    """Neither before 1970 nor, in another zone, behind the last year there is."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("No such time in UTC") from None
    if moment.year < FIRST_YEAR:
        raise ValueError("A time before 1970")
    return moment


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with a zone, in UTC from here on."""

Moment = Annotated[
    Any,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "description": "A UTC day, or a time with a zone"}),
]
