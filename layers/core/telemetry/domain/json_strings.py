"""Strings of JSON answers that have a form. To Python they are `str`; the API's description names the form."""

from collections.abc import Callable
from typing import Annotated, Any


class Form:
    """Keywords of JSON Schema that describe a string. pydantic asks for them when it makes a schema."""

    def __init__(self, **keywords: object) -> None:
        self._keywords = keywords

    def __get_pydantic_json_schema__(
        self, schema: object, handler: Callable[[object], dict[str, Any]]
    ) -> dict[str, Any]:
        return handler(schema) | self._keywords


Instant = Annotated[str, Form(format="date-time")]
"""A time in UTC: `2026-11-21T08:30:00Z`, with milliseconds where they are known."""

Day = Annotated[str, Form(format="date")]
"""A UTC day: `2026-11-21`."""

MonthName = Annotated[str, Form(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")]
"""A calendar month: `2026-11`."""

Digest = Annotated[str, Form(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""
