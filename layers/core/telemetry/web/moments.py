"""Days and times in query strings."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

from telemetry.domain.instant import in_utc


def _moment(text: str) -> date:
    """A UTC day, or a time with a zone."""
    if len(text) == len("2026-11-21"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError("A time has a zone, and whole seconds")
    return in_utc(moment)


Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""A time with a zone, in UTC from here on."""

Moment = Annotated[
    Any,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [{"format": "date"}, {"format": "date-time"}],
            "description": "A UTC day, or a time with a zone",
        }
    ),
]
