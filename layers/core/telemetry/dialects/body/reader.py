"""From the bytes of a body to its events: how many there are, and where each begins and ends.

A body is one JSON value, an array of events, an envelope `{"events": [...]}`, or one event on each line. Keys are
masked first. Each event is parsed once and by itself: an error in one does not touch the others. A body that cannot be
split is kept whole, as one event that cannot be read.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from telemetry.dialects.body.forms import fields, format_of
from telemetry.dialects.body.json_text import NotJson, loads, text_of, value_at
from telemetry.dialects.body.masking import API_KEY, masked
from telemetry.dialects.body.structure import BLANKS, MOST_TOKENS_OF_EVENT, Scan, Span, has_more, might_have
from telemetry.domain.event import Format

LARGEST_BATCH = 500
"""Events."""

LARGEST_EVENT = 8 * 1024 * 1024
"""Bytes of an event that is parsed: text takes up to four times as much in memory, and is there three times."""

_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
_LINE = re.compile(rb"[^\s][^\r\n]*+")
_EVENTS = "events"
# the name may be written with escapes: then a closer look decides
_MIGHT_BE_ENVELOPE = re.compile(rb'"events"|\\u00')
_BLANK = re.compile(r"[ \t\r\n]*+")
_MARK = b"\xef\xbb\xbf"
# how API Gateway hands over gzip of a media type that it takes for text: the second byte is not UTF-8
_GZIP_AS_TEXT = b"\x1f\xef\xbf\xbd"

E = TypeVar("E")


class Element(NamedTuple):
    """The bytes of one event, with keys masked, and their JSON value; or `wrong` says why they have none.

    The value of a form is the object of its fields.
    """

    raw: bytes
    value: Any
    wrong: str | None = None
    format: Format = Format.JSON


class _KeepWhole(Exception):
    """The body is one event that cannot be read; the message says why."""


class _NotBatch(Exception):
    """The body is neither an array nor an envelope."""


def read(body: bytes, media_type: str, understand: Callable[[Element], E]) -> tuple[tuple[E, ...], bool]:
    """What `understand` makes of each event, and whether the body is a batch, which may hold a single event.

    `media_type` is the Content-Type header's value. Only one event's value is in memory at a time.
    """
    format_ = format_of(body, media_type)
    body = masked(body, format_)
    if format_ is not Format.JSON or body.startswith(_GZIP_AS_TEXT):
        return (understand(_element(body, format_)),), False
    try:
        if media_type.partition(";")[0].strip().lower() in _LINES and body.strip():
            return _batch(map(_element, _lines(body)), understand), True
        events = _taken_apart(body, understand)
        if events is not None:
            return events, True
        whole = _element(body)
        if whole.wrong and (elements := _by_lines(body)):
            return _batch(elements, understand), True
    except _KeepWhole as exc:
        whole = Element(body, None, str(exc))
    return (understand(whole),), False


def read_one(body: bytes, media_type: str = "") -> Element:
    """A body that is one event or request."""
    return read_stored(body, format_of(body, media_type))


def read_stored(body: bytes, format_: Format) -> Element:
    """A record's body: one event, of a known format."""
    return _element(masked(body, format_), format_)


def _batch(elements: Iterable[Element], understand: Callable[[Element], E]) -> tuple[E, ...]:
    events = tuple(map(understand, islice(elements, LARGEST_BATCH + 1)))
    if len(events) > LARGEST_BATCH:
        raise _KeepWhole(f"More than {LARGEST_BATCH} events")
    return events


def _element(raw: bytes, format_: Format = Format.JSON) -> Element:
    if wrong := _not_worth_reading(raw):
        return Element(raw, None, wrong, format_)
    try:
        return Element(raw, loads(raw) if format_ is Format.JSON else fields(raw, format_), None, format_)
    except NotJson as exc:
        return Element(raw, None, str(exc), format_)


def _not_worth_reading(raw: bytes) -> str | None:
    if raw.startswith(_GZIP_AS_TEXT):
        return "It was gzip and came through as text, which cannot be undone: send gzip as application/octet-stream"
    if len(raw) > LARGEST_EVENT:
        return f"More than {LARGEST_EVENT:,} bytes"
    return f"More than {MOST_TOKENS_OF_EVENT:,} tokens" if has_more(raw, MOST_TOKENS_OF_EVENT) else None


def _taken_apart(body: bytes, understand: Callable[[Element], E]) -> tuple[E, ...] | None:
    """The events of an array or envelope; None if the body is neither."""
    is_small = len(body) <= LARGEST_EVENT // 8 and not might_have(body, MOST_TOKENS_OF_EVENT)
    for way in (_parsed, _scanned) if is_small else (_scanned,):
        try:
            return _batch(way(body), understand)
        except _NotBatch:
            return None
        except NotJson:
            continue
    return None


# ── parsing: quick, for bodies without an error


def _parsed(body: bytes) -> Iterator[Element]:
    text = text_of(body)
    start = _skip(text, 0)
    if text.startswith("[", start):
        end = yield from _elements_at(text, start)
    elif text.startswith("{", start) and _MIGHT_BE_ENVELOPE.search(body):
        end = yield from _envelope_at(text, start)
    else:
        raise _NotBatch
    if _skip(text, end) != len(text):
        raise NotJson(f"Extra data: char {end}")


def _elements_at(text: str, start: int) -> Generator[Element, None, int]:
    position = _skip(text, start + 1)
    if text.startswith("]", position):
        return position + 1
    while True:
        value, end = value_at(text, position)
        yield Element(text[position:end].encode(), value)
        position = _skip(text, end)
        if text.startswith("]", position):
            return position + 1
        position = _skip(text, _past(",", text, position))


def _envelope_at(text: str, start: int) -> Generator[Element, None, int]:
    names: list[str] = []
    has_events = False
    position = start
    while text.startswith("," if names or has_events else "{", position):
        name, position = value_at(text, _skip(text, position + 1))
        position = _skip(text, _past(":", text, _skip(text, position)))
        if name == _EVENTS and text.startswith("[", position) and not has_events:
            has_events = True
            position = yield from _elements_at(text, position)
        else:
            names.append(str(name))
            _, position = value_at(text, position)
        position = _skip(text, position)
    end = _past("}", text, position)
    _check_envelope(names, has_events=has_events)
    return end


def _skip(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _past(mark: str, text: str, position: int) -> int:
    if not text.startswith(mark, position):
        raise NotJson(f"Expecting {mark!r}: char {position}")
    return position + 1


# ── scanning: for bodies with an error somewhere, or much structure


def _scanned(body: bytes) -> Iterator[Element]:
    start = len(body) - len(body.removeprefix(_MARK).lstrip(BLANKS))
    if body.startswith(b"[", start):
        array = Span(start, len(body.rstrip(BLANKS)))
    elif body.startswith(b"{", start) and _MIGHT_BE_ENVELOPE.search(body):
        array = _array_in_envelope(body, start)
    else:
        raise _NotBatch
    scan = Scan(body)
    for element in scan.elements(array.start):
        yield _element(body[element.start : element.end])
    if scan.end != array.end:
        raise NotJson(f"Extra data: byte {scan.end}")


def _array_in_envelope(body: bytes, start: int) -> Span:
    scan, names, array = Scan(body), list[str](), None
    for name, value in scan.members(start):
        if name == _EVENTS and body.startswith(b"[", value.start) and array is None:
            array = value
        else:
            names.append(name)
    if scan.end != len(body.rstrip(BLANKS)):
        raise NotJson(f"Extra data: byte {scan.end}")
    _check_envelope(names, has_events=array is not None)
    return array or Span(start, start)


def _check_envelope(names: Iterable[str], *, has_events: bool) -> None:
    """Other members than the events would be lost, for only events are stored."""
    if not has_events:
        raise _NotBatch
    if surplus := set(names) - {API_KEY}:
        raise _KeepWhole(f"Unexpected beside events: {', '.join(sorted(surplus))[:80]}")


# ── lines


def _lines(body: bytes) -> Iterator[bytes]:
    """Lines that are not blank."""
    return (found[0].rstrip() for found in _LINE.finditer(body.removeprefix(_MARK)))


def _by_lines(body: bytes) -> Iterable[Element] | None:
    """One event on each line, judged by content only: each line looks like an object, and at least one is one."""
    lines = list(islice(_lines(body), LARGEST_BATCH + 1))
    if len(lines) < 2 or not all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        return None
    if len(lines) > LARGEST_BATCH:
        raise _KeepWhole(f"More than {LARGEST_BATCH} events")
    return map(_element, lines) if any(_element(line).wrong is None for line in lines) else None
