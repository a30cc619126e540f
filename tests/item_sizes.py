"""How large DynamoDB takes an item to be (Developer Guide, *DynamoDB item sizes and formats*)."""

from collections.abc import Mapping
from typing import Any

LARGEST_ITEM = 409_600
"""Bytes, names and values together."""


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Of an item in DynamoDB's notation, binary values as bytes."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value)
        case "N":
            return _number_bytes(value)
        case "SS" | "BS" | "NS":
            return sum(_value_bytes({kind[0]: each}) for each in value)
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(each) for name, each in value.items())
        case "BOOL" | "NULL":
            return 1
    raise ValueError(kind)


def _number_bytes(text: str) -> int:
    """A byte for two digits, one beside, and one for the sign of a negative number."""
    digits = text.lstrip("-").replace(".", "")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")
