"""Strict JSON, and the exact bytes of each element of a batch."""

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, NoReturn

_WHITESPACE = re.compile(r"[ \t\n\r]*")


class NotJson(ValueError):
    """The text is no JSON (RFC 8259); the message says where, never what."""


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise NotJson("A number is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def loads(body: bytes) -> Any:  # noqa: ANN401 (JSON is any of six types)
    """The value a body holds. Raises NotJson: also for NaN, invalid UTF-8, and nesting or integers beyond all sense."""
    try:
        return _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as exc:
        raise NotJson(_reason(exc)) from None


def array_slices(body: bytes) -> list[bytes] | None:
    """The exact bytes of each element when the body is a JSON array, else None. Raises NotJson."""
    text = _text(body)
    start = _skip(text, 0)
    if text[start : start + 1] != "[":
        return None
    slices, end = _elements(text, start)
    if _skip(text, end) != len(text):
        raise NotJson(f"Extra data: char {end}")
    return slices


def member_slices(body: bytes, name: str) -> list[bytes] | None:
    """The exact bytes of each element of the array under a name of the top-level object, else None. Raises NotJson."""
    text = _text(body)
    start = _skip(text, 0)
    if text[start : start + 1] != "{":
        return None
    found: list[bytes] | None = None
    for key, position in _members(text, start + 1):
        if key == name:
            found = _elements(text, position)[0] if text[position] == "[" else None
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        raise NotJson(_reason(exc)) from None


def _members(text: str, position: int) -> Iterator[tuple[str, int]]:
    """Names of an object and where their values begin. The text is known to be JSON."""
    while text[position := _skip(text, position)] != "}":
        key, position = _DECODER.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)  # over the colon
        yield key, position
        _, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        position += text[position] == ","


def _elements(text: str, start: int) -> tuple[list[bytes], int]:
    slices: list[bytes] = []
    position = _skip(text, start + 1)
    if text[position : position + 1] == "]":
        return slices, position + 1
    while True:
        try:
            _, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as exc:
            raise NotJson(_reason(exc)) from None
        slices.append(text[position:end].encode())
        position = _skip(text, end)
        separator = text[position : position + 1]
        if separator == "]":
            return slices, position + 1
        if separator != ",":
            raise NotJson(f"Expecting ',' delimiter: char {position}")
        position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    match = _WHITESPACE.match(text, position)
    return match.end() if match else position


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
