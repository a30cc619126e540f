"""Forms, as the GetKeyManager vendor documents them: read like a JSON object of the same names.

`name[]` is a list and `name[a]` an object's member, as PHP writes them. When a name comes again, the last value counts.
Every value is text. Files are ignored. Whatever is sent, the work and the memory it takes are bounded.
"""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from telemetry.dialects.body.json_text import NotJson, text_of
from telemetry.domain.event import Format

MOST_FIELDS = 10_000
DEEPEST_NAME = 32

_FORMATS = {"application/x-www-form-urlencoded": Format.FORM, "multipart/form-data": Format.MULTIPART}
_JSON_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+[{\[]")
_NAME = re.compile(r"([^\[]+)((?:\[[^\]]*\])*)")
_STEP = re.compile(r"\[([^\]]*)\]")
_BOUNDARY = re.compile(rb"(?:\r?\n)?(--[^\r\n]{1,200})\r?\n")
_HEAD = re.compile(rb"(?:[^\r\n]{1,1000}\r?\n){1,10}\r?\n")


class Part(NamedTuple):
    """A field of a multipart form: its name, whether it is a file, and where its value lies."""

    name: str
    is_file: bool
    start: int
    end: int


def format_of(body: bytes, media_type: str) -> Format:
    """How to read a body. What begins like JSON is JSON, whatever its media type (curl's default type is a form's)."""
    named = _FORMATS.get(media_type.partition(";")[0].strip().lower(), Format.JSON)
    return Format.JSON if _JSON_BEGINS.match(body) else named


def fields(body: bytes, format_: Format) -> dict[str, Any]:
    """The fields of a form. Raises NotJson when it cannot be read."""
    found: dict[str, Any] = {}
    for name, value in _urlencoded(body) if format_ is Format.FORM else _multipart(body):
        _put(found, name, value)
    return found


def _urlencoded(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        pairs = parse_qsl(text_of(body), keep_blank_values=True, errors="backslashreplace", max_num_fields=MOST_FIELDS)
    except ValueError as exc:
        raise NotJson(f"More than {MOST_FIELDS:,} fields") from exc
    return iter(pairs)


def _multipart(body: bytes) -> Iterator[tuple[str, str]]:
    for part in parts(body):
        if not part.is_file:
            yield part.name, body[part.start : part.end].decode(errors="backslashreplace")


def parts(body: bytes) -> Iterator[Part]:
    """The parts of a multipart form. The boundary is the body's first line: the header that names it is not needed."""
    first = _BOUNDARY.match(body)
    if not first:
        raise NotJson("A form without its boundary")
    boundary, position = first[1].rstrip(), first.end()
    if boundary.endswith(b"--") and not body[position:].strip():
        return  # the end of a form without any part
    for _ in range(MOST_FIELDS):
        end = body.find(b"\n" + boundary, position - 1)
        if end < 0:
            raise NotJson("A part of the form does not end")
        if part := _part(body, position, end - (body[end - 1 : end] == b"\r")):
            yield part
        position = end + 1 + len(boundary)
        if body.startswith(b"--", position):
            return
        position = body.find(b"\n", position) + 1
        if not position:
            raise NotJson("A part of the form does not end")
    raise NotJson(f"More than {MOST_FIELDS:,} fields")


def _part(body: bytes, start: int, end: int) -> Part | None:
    head = _HEAD.match(body, start, end + 2)
    if not head:
        return None
    message = Message()
    for line in head[0].decode(errors="backslashreplace").splitlines():
        name, _, value = line.partition(":")
        message[name] = value.strip()
    try:
        said = message.get_param("name", header="content-disposition")
        is_file = message.get_param("filename", header="content-disposition") is not None
    except (TypeError, ValueError, LookupError) as exc:  # the library's own, where a parameter comes in two ways
        raise NotJson("A part of the form has no readable name") from exc
    return Part(str(said), is_file, head.end(), max(head.end(), end)) if isinstance(said, str) else None


def _put(found: dict[str, Any], name: str, value: str) -> None:
    """`a` is a value, `a[]` one more value in a list, `a[b][c]` a value inside objects."""
    whole = _NAME.fullmatch(name)
    steps = _STEP.findall(whole[2]) if whole and name.count("[") <= DEEPEST_NAME else []
    place, key = found, whole[1] if whole and steps else name
    for step in steps[:-1] if steps and steps[-1] == "" else steps:
        inner = place.get(key)
        if not isinstance(inner, dict):
            inner = place[key] = {}
        place, key = inner, step
    if steps and steps[-1] == "":
        values = place.get(key)
        if not isinstance(values, list):
            values = place[key] = []
        values.append(value)
    else:
        place[key] = value
