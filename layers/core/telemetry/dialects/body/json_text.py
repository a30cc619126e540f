"""Strict JSON (RFC 8259)."""

import json
from math import isfinite
from typing import Any, NoReturn


class NotJson(ValueError):
    """The text is not JSON. The message says where, and never quotes the text."""


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise NotJson("A number is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def text_of(body: bytes) -> str:
    """A body as text, without a byte order mark at its beginning. Raises NotJson when it is not UTF-8."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise NotJson(_reason(exc)) from None


def loads(body: bytes) -> Any:  # noqa: ANN401 (JSON is any of six types)
    """The value a body holds. Raises NotJson, also for NaN, invalid UTF-8, too deep nesting and too long integers."""
    try:
        return _DECODER.decode(text_of(body))
    except (ValueError, RecursionError) as exc:
        raise NotJson(_reason(exc)) from None


def value_at(text: str, position: int) -> tuple[Any, int]:
    """The value that begins at a position of a text, and the position after it. Raises NotJson."""
    try:
        return _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError) as exc:
        raise NotJson(_reason(exc)) from None


def _reason(exc: Exception) -> str:
    match exc:
        case json.JSONDecodeError():
            return f"{exc.msg}: char {exc.pos}"
        case UnicodeDecodeError():
            return f"Invalid UTF-8: byte {exc.start}"
        case RecursionError():
            return "Nested too deeply"
        case NotJson():
            return str(exc)
        case _:  # an integer of more digits than Python converts
            return "A number is too long"
