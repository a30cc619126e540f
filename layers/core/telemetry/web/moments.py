"""Days and times in query strings."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema


def _moment(text: str) -> date:
    """A UTC day, or a time with a zone."""
    if len(text) == len("2026-11-21"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError("A time has a zone, and whole seconds")
    return moment.astimezone(UTC)


Moment = Annotated[
    Any,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "description": "A UTC day, or a time with a zone"}),
]
