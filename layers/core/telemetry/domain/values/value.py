"""One value, as an event tells it."""

from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, assert_never

LONGEST_TEXT = 64
"""Bytes of UTF-8 of a text that is counted as it is."""

_KEPT = 44
_HASH_DIGITS = 16


class Pair(NamedTuple):
    """A value of two numbers."""

    x: float
    y: float


Value = float | Pair | str
"""Numbers are doubles: finite, and no zero has a sign."""


class ValueType(StrEnum):
    """What values are, in GetKeyManager's words; the value is the `data_type` of their events."""

    NUMBER = "numeric-single-value"
    PAIR = "numeric-xy-axis"
    TEXT = "text"


class Moment(NamedTuple):
    """When a record was received, in epoch milliseconds; `tie` puts those of the same millisecond in order."""

    received_ms: int
    tie: str


def type_of(value: Value) -> ValueType:
    """What a value is."""
    match value:
        case float():
            return ValueType.NUMBER
        case Pair():
            return ValueType.PAIR
        case str():
            return ValueType.TEXT
        case _:
            assert_never(value)


def counted_text(text: str) -> str:
    """A text as it is counted: as it is up to LONGEST_TEXT bytes, of a longer one its beginning, and its hash.

    So two long texts that begin alike are two: `GET /api/v1/…~6b86b273ff34fce1`.
    """
    encoded = text.encode()
    if len(encoded) <= LONGEST_TEXT:
        return text
    return f"{encoded[:_KEPT].decode(errors='ignore')}…~{sha256(encoded).hexdigest()[:_HASH_DIGITS]}"
