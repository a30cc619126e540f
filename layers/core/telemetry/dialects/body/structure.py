"""The structure of JSON text, found without building any of it: what a client sent may cost memory a hundredfold.

A token is a string, a bracket or a comma. Nothing here checks that the text is JSON throughout: brackets have to match,
and that is all.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from telemetry.dialects.body.json_text import NotJson, loads

MOST_TOKENS = 500_000
"""Of a body that is taken apart: a thousand for each event of a full batch. Looking at one takes half a microsecond."""

MOST_TOKENS_OF_EVENT = 100_000
"""Of an event that is understood: built, each may take a hundred bytes."""

BLANKS = b" \t\r\n"

# A string that does not end reaches up to the body's end, or looking for its end again and again would take for ever.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)([ \t\r\n]*+:)?|[\[\]{},]', re.DOTALL)
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_QUOTE, _COMMA, _ARRAY, _ARRAY_END, _OBJECT, _OBJECT_END = b'",[]{}'


class TooMuchStructure(NotJson):
    """There are more tokens than are worth looking at."""


class Span(NamedTuple):
    """Where something lies in a body."""

    start: int
    end: int


def might_have(body: bytes, tokens: int) -> bool:
    """Whether there may be more tokens than this; quick, and too high where strings hold quotes, brackets or commas."""
    return body.count(b'"') // 2 + sum(body.count(mark) for mark in (b"[", b"]", b"{", b"}", b",")) > tokens


def has_more(body: bytes, tokens: int) -> bool:
    """Whether there are more tokens than this."""
    return might_have(body, tokens) and any(number == tokens for number, _ in enumerate(_TOKEN.finditer(body)))


class Scan:
    """Reads a body token by token. Everything raises TooMuchStructure after `most` tokens.

    `end` is where the array or object ended whose elements or members were read.
    """

    def __init__(self, body: bytes, most: int = MOST_TOKENS) -> None:
        self.end = 0
        self._body = body
        self._left = most

    def elements(self, start: int) -> Iterator[Span]:
        """Of the array that opens at `start`. Raises NotJson where one is missing or brackets do not match."""
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
        """Names and values of the object that opens at `start`. Raises NotJson where it is not made of these."""
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
        """All of them, whatever they make."""
        position = 0
        while found := self._next(position):
            yield found
            position = found.end()

    def _after_value(self, position: int) -> re.Match[bytes]:
        """The comma or closing bracket that comes after the value which begins here."""
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
    """What a name says, however it is spelled; a broken one says nothing."""
    try:
        return str(loads(token[0][: -len(token[1])]))
    except NotJson:
        return ""
