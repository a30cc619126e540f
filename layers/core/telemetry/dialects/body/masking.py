"""API keys in bodies are overwritten before a body is parsed, so that what is counted is what is stored.

Two things are overwritten: anything with the exact shape of our keys, anywhere; and the text of `api_key` at the top
level of a body, of an event in it, or of a `payload`, whatever the text is. Each byte becomes an asterisk, so that
lengths stay the same.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto
from itertools import chain, islice
from typing import NamedTuple

from telemetry.dialects.body.forms import fields, format_of, parts
from telemetry.dialects.body.json_text import NotJson, loads
from telemetry.dialects.body.structure import Scan, TooMuchStructure, is_name
from telemetry.domain.api_key import KEY_CHARACTERS, KEY_PREFIXES, SECRET_CHARACTERS
from telemetry.domain.event import Format

API_KEY = "api_key"

MOST_NAMES = 10_000
"""How often `api_key` may come in a body whose structure is looked at: twenty times for each event of a full batch."""


def _spelled(character: str) -> str:
    """A pattern of a character as it is, as JSON may escape it, or as a form may."""
    code = f"{ord(character):02x}"
    return rf"(?:{re.escape(character)}|(?:\\u00|%)(?i:{code}))"


def _any_spelled(characters: str) -> str:
    codes = "|".join(f"{ord(each):02x}" for each in characters)
    return rf"(?:[{re.escape(characters)}]|(?:\\u00|%)(?i:{codes}))"


_SECRET = f"{{{SECRET_CHARACTERS}}}"
_PLAIN_KEY = re.compile(rf"(?:{'|'.join(KEY_PREFIXES)})[{re.escape(KEY_CHARACTERS)}]{_SECRET}".encode())
_COMMON = "tk_"  # not once in each alternative, or each place that begins so would be looked at for each prefix
_REST = "|".join("".join(map(_spelled, prefix.removeprefix(_COMMON))) for prefix in KEY_PREFIXES)
_SPELLED_KEY = re.compile(
    rf"{''.join(map(_spelled, _COMMON))}(?:{_REST}){_any_spelled(KEY_CHARACTERS)}{_SECRET}".encode()
)
_WIDE_PREFIXES = "|".join(r"\0{1,3}".join(prefix) for prefix in KEY_PREFIXES)
_WIDE_KEY = re.compile(rf"(?:{_WIDE_PREFIXES})(?:\0{{1,3}}[{re.escape(KEY_CHARACTERS)}]){_SECRET}".encode())
"""A key in a body in UTF-16 or UTF-32."""
_ASTERISKS = b"\0" + b"*" * 255
_SPELLED_NAME = "".join(map(_spelled, API_KEY))
_API_KEY_NAME = re.compile(f'"{_SPELLED_NAME}"'.encode())
_API_KEY_IN_FORM = re.compile(f"(?:^|&){_SPELLED_NAME}=([^&]*+)".encode())
_API_KEY_ANYWHERE = re.compile(_API_KEY_NAME.pattern + rb'[ \t\r\n]*+:[ \t\r\n]*+"((?:[^"\\]++|\\.?)*+)', re.DOTALL)


class _Place(Enum):
    """What an opening bracket begins."""

    BODY = auto()
    EVENTS = auto()
    EVENT = auto()
    PAYLOAD = auto()
    OTHER = auto()


_OBJECT, _ARRAY = b"{["
_QUOTE, _BACKSLASH = b'"\\'
_CODE = re.compile(
    rb"\\u00([0-7][0-9a-fA-F])"
)  # the only escape that JSON has for a letter of a name that is looked for
_LONGEST_NAME = 2 + len("\\u0000") * len(API_KEY)
_WITH_KEY = {_Place.BODY, _Place.EVENT, _Place.PAYLOAD}
_INSIDE = {
    (None, _OBJECT, ""): _Place.BODY,
    (None, _ARRAY, ""): _Place.EVENTS,
    (_Place.EVENTS, _OBJECT, ""): _Place.EVENT,
    (_Place.BODY, _ARRAY, "events"): _Place.EVENTS,
    (_Place.BODY, _OBJECT, "payload"): _Place.PAYLOAD,
    (_Place.EVENT, _OBJECT, "payload"): _Place.PAYLOAD,
}


class _Text(NamedTuple):
    """The position of the text of an `api_key`, without its quotes."""

    start: int
    end: int
    place: _Place


def masked(body: bytes, format_: Format = Format.JSON) -> bytes:
    """The body with keys overwritten; the same object if there were none."""
    body = _PLAIN_KEY.sub(_asterisks, body)
    if b"\\u00" in body or b"%" in body:
        body = _SPELLED_KEY.sub(_asterisks, body)
    if b"\0" in body:
        body = _WIDE_KEY.sub(lambda found: found[0].translate(_ASTERISKS), body)
    spans = iter(_named(body) if format_ is Format.JSON else _in_form(body, format_))
    if (first := next(spans, None)) is None:
        return body
    hidden = bytearray(body)
    for start, end in chain((first,), spans):
        hidden[start:end] = b"*" * (end - start)
    return bytes(hidden)


def _named(body: bytes) -> Iterator[tuple[int, int]]:
    names = sum(1 for _ in islice(_API_KEY_NAME.finditer(body), MOST_NAMES + 1))
    if not names:
        return iter(())
    return _anywhere(body) if names > MOST_NAMES else _where_expected(body)


def _in_form(body: bytes, format_: Format) -> Iterator[tuple[int, int]]:
    if format_ is Format.FORM:
        yield from (found.span(1) for found in _API_KEY_IN_FORM.finditer(body))
        return
    with suppress(NotJson):
        yield from ((part.start, part.end) for part in parts(body) if part.name == API_KEY and not part.is_file)


def _where_expected(body: bytes) -> Iterator[tuple[int, int]]:
    """Where a key may be.

    A body with too much structure is kept whole, and no field of it is read: in the rest of it, anywhere.
    """
    reached = 0
    try:
        for start, end, _ in _texts(body):
            yield start, end
            reached = end
    except TooMuchStructure:
        yield from _anywhere(body, reached)


def _anywhere(body: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    return (found.span(1) for found in _API_KEY_ANYWHERE.finditer(body, start))


def body_api_key(body: bytes, media_type: str = "") -> str | None:
    """The `api_key` at the top level of a body. If there are several, the last one, as in JSON."""
    format_ = format_of(body, media_type)
    if format_ is not Format.JSON:
        with suppress(NotJson):
            key = fields(body, format_).get(API_KEY)
            return key if isinstance(key, str) else None
        return None
    key = None
    if _API_KEY_NAME.search(body):
        with suppress(TooMuchStructure, NotJson):
            for start, end, place in _texts(body):
                if place is _Place.BODY:
                    key = str(loads(body[start - 1 : end + 1]))
    return key


def _texts(body: bytes) -> Iterator[_Text]:
    """The text of each `api_key` that is a string. Raises TooMuchStructure."""
    places: list[_Place] = []
    name = ""
    for token in Scan(body).tokens():
        mark, place = body[token.start()], places[-1] if places else None
        if mark == _QUOTE and place in _WITH_KEY and is_name(token):
            name = _name(body, token)
            continue
        if mark == _QUOTE and name == API_KEY and not is_name(token):
            yield _Text(token.start() + 1, max(token.start() + 1, token.end() - 1), place or _Place.OTHER)
        elif mark in {_OBJECT, _ARRAY}:
            places.append(_INSIDE.get((place, mark, name), _Place.OTHER))
        elif mark in b"]}" and places:
            places.pop()
        name = ""


def _name(body: bytes, token: re.Match[bytes]) -> str:
    """A name without escapes, if it may be one we look for. Quick, because there may be very many names."""
    spelled = body[token.start() + 1 : min(token.end(), token.start() + _LONGEST_NAME)].partition(b'"')[0]
    return (_CODE.sub(_ascii, spelled) if b"\\" in spelled else spelled).decode("latin-1")


def _ascii(code: re.Match[bytes]) -> bytes:
    return bytes.fromhex(code[1].decode())


def _asterisks(found: re.Match[bytes]) -> bytes:
    """One for each byte of the key.

    After an odd number of backslashes the first letter is part of an escape, and stays.
    """
    text, key, backslashes = found.string, found[0], 0
    while backslashes < found.start() and text[found.start() - backslashes - 1] == _BACKSLASH:
        backslashes += 1
    if backslashes % 2 == 0:
        return b"*" * len(key)
    return key if key.startswith(b"\\") else key[:1] + b"*" * (len(key) - 1)
