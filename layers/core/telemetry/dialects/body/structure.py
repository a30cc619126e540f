"""The structure of JSON text, found without building values: they may take a hundred times the memory of the text.

A token is a string, a bracket or a comma. This does not check that the text is valid JSON, only that brackets match.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from telemetry.dialects.body.json_text import NotJson, loads

MOST_TOKENS = 500_000
"""Tokens of a body that is split into events: a thousand for each event of a full batch. Each takes 0.5 µs."""

MOST_TOKENS_OF_EVENT = 100_000
"""Tokens of an event that is parsed: the value of each may take a hundred bytes."""

BLANKS = b" \t\r\n"

# A string without an end reaches to the body's end: else its end would be looked for again and again.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)([ \t\r\n]*+:)?|[\[\]{},]', re.DOTALL)
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_QUOTE, _COMMA, _ARRAY, _ARRAY_END, _OBJECT, _OBJECT_END = b'",[]{}'


class TooMuchStructure(NotJson):
    """There are more tokens than we look at."""


class Span(NamedTuple):
    """A part of a body, by positions."""

    start: int
    end: int


def might_have(body: bytes, tokens: int) -> bool:
    """Whether there may be more tokens than this. Quick; also counts quotes, brackets and commas inside strings."""
    return body.count(b'"') // 2 + sum(body.count(mark) for mark in (b"[", b"]", b"{", b"}", b",")) > tokens


def has_more(body: bytes, tokens: int) -> bool:
    """Whether there are more tokens than this."""
    return might_have(body, tokens) and any(number == tokens for number, _ in enumerate(_TOKEN.finditer(body)))


class Scan:
    """Reads a body token by token. Every method raises TooMuchStructure after `most` tokens.

    `end` is the position after the array or object that was read last.
    """

    def __init__(self, body: bytes, most: int = MOST_TOKENS) -> None:
        self.end = 0
        self._body = body
        self._left = most

    def elements(self, start: int) -> Iterator[Span]:
        """Elements of the array that begins at `start`. Raises NotJson if one is missing or brackets do not match."""
        position = start + 1
        while True:
            after = self._after_value(position)
            element = self._stripped(position, after.start())
            ends = self._body[after.start()] == _ARRAY_END
            if element.start < element.end:
                yield element
            elif not (ends and position == start + 1):
                raise NotJson(f"An element is missing: byte {after.start()}")
            position = after.end()
            if ends:
                self.end = position
                return
            if self._body[after.start()] != _COMMA:
                raise NotJson(f"A bracket does not match: byte {after.start()}")

    def members(self, start: int) -> Iterator[tuple[str, Span]]:
        """Names and values of the object that begins at `start`. Raises NotJson if it has anything else."""
        position = start + 1
        while True:
            name = self._token(position)
            mark = self._body[name.start()]
            if mark == _OBJECT_END:
                self.end = name.end()
                return
            if mark != _QUOTE or name[1] is None:
                raise NotJson(f"A name is missing: byte {name.start()}")
            after = self._after_value(name.end())
            yield name_of(name), self._stripped(name.end(), after.start())
            if self._body[after.start()] == _ARRAY_END:
                raise NotJson(f"A bracket does not match: byte {after.start()}")
            position = after.end() if self._body[after.start()] == _COMMA else after.start()

    def tokens(self) -> Iterator[re.Match[bytes]]:
        """All tokens, whether they make JSON or not."""
        position = 0
        while found := self._next(position):
            yield found
            position = found.end()

    def _after_value(self, position: int) -> re.Match[bytes]:
        """The comma or closing bracket after the value that begins at this position."""
        opened = bytearray()
        while True:
            found = self._token(position)
            mark = self._body[found.start()]
            if mark in _CLOSING:
                opened.append(_CLOSING[mark])
            elif mark == _COMMA:
                if not opened:
                    return found
            elif mark != _QUOTE:
                if not opened:
                    return found
                if opened.pop() != mark:
                    raise NotJson(f"A bracket does not match: byte {found.start()}")
            position = found.end()

    def _token(self, position: int) -> re.Match[bytes]:
        found = self._next(position)
        if found is None:
            raise NotJson("A bracket is not closed")
        return found

    def _next(self, position: int) -> re.Match[bytes] | None:
        self._left -= 1
        if self._left < 0:
            raise TooMuchStructure
        return _TOKEN.search(self._body, position)

    def _stripped(self, start: int, end: int) -> Span:
        inner = self._body[start:end].rstrip(BLANKS)
        return Span(start + len(inner) - len(inner.lstrip(BLANKS)), start + len(inner))


def is_name(token: re.Match[bytes]) -> bool:
    """Whether a token is a string with a colon after it."""
    return token[1] is not None


def name_of(token: re.Match[bytes]) -> str:
    """A name without its escapes; empty if it cannot be read."""
    try:
        return str(loads(token[0][: -len(token[1])]))
    except NotJson:
        return ""
