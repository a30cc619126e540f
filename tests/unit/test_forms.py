"""Forms say what a JSON object of the same names would."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects import getkeymanager
from telemetry.dialects.body import forms
from telemetry.dialects.body.json_text import NotJson
from telemetry.dialects.body.masking import body_api_key, masked
from telemetry.dialects.body.reader import read_one, read_stored
from telemetry.domain.event import Format

FORM, MULTIPART = "application/x-www-form-urlencoded; charset=utf-8", 'multipart/form-data; boundary="----x"'


def urlencoded(pairs: list[tuple[str, str]]) -> bytes:
    return urlencode(pairs).encode()


def multipart(pairs: list[tuple[str, str]], file: bytes | None = None) -> bytes:
    parts = [f'------x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs]
    body = "".join(parts).encode()
    if file is not None:
        head = 'Content-Disposition: form-data; name="api_key"; filename="f"\r\nContent-Type: image/png'
        body += f"------x\r\n{head}\r\n\r\n".encode() + file + b"\r\n"
    return body + b"------x--\r\n"


WRITERS = [(urlencoded, FORM), (multipart, MULTIPART)]


@pytest.mark.parametrize(("write", "media_type"), WRITERS)
@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("a", "1"), ("b", "")], {"a": "1", "b": ""}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("flags[]", "x"), ("flags[]", "y")], {"flags": ["x", "y"]}),
        ([("m[a]", "1"), ("m[b][c]", "2"), ("m[l][]", "3")], {"m": {"a": "1", "b": {"c": "2"}, "l": ["3"]}}),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("a[", "1"), ("[b]", "2"), ("a]b", "3")], {"a[": "1", "[b]": "2", "a]b": "3"}),
        ([("ä b", "ü&=%+")], {"ä b": "ü&=%+"}),
        ([("a" + "[b]" * 40, "1")], {"a" + "[b]" * 40: "1"}),
    ],
)  # fmt: skip
def test_fields_make_an_object_as_php_makes_it(
    write: Any,  # noqa: ANN401
    media_type: str,
    pairs: list[tuple[str, str]],
    said: dict[str, Any],
) -> None:
    assert read_one(write(pairs), media_type).value == said


@pytest.mark.parametrize("media_type", [FORM, MULTIPART])
@pytest.mark.parametrize("body", ['{"a":1}', " \n[1]", "\ufeff{}"])
def test_what_begins_as_json_is_json_whatever_its_type_says(media_type: str, body: str) -> None:
    assert forms.format_of(body.encode(), media_type) is Format.JSON
    assert read_one(body.encode(), media_type).value == json.loads(body.removeprefix("\ufeff"))


@pytest.mark.parametrize("sent", ["flags[]=vm&flags[]=debugger", "flags[0]=vm&flags[1]=debugger"])
def test_a_list_is_one_in_both_ways_that_php_writes_it(sent: str) -> None:
    (event,) = getkeymanager.parse(sent.encode(), FORM).events
    assert event.client_flags == ("vm", "debugger")
    assert "flags" not in event.errors


@pytest.mark.parametrize("blank", ["flags=&metadata=", "flags=+&metadata="])
def test_blank_fields_of_a_form_are_absent(blank: str) -> None:
    (event,) = getkeymanager.parse(f"data_type=text&text_data=x&data_group=g&{blank}".encode(), FORM).events
    assert not event.errors


def test_files_are_ignored_and_their_bytes_kept() -> None:
    body = multipart([("a", "1")], file=b"\x00\xff\r\n------y")
    assert read_one(body, MULTIPART).value == {"a": "1"}
    assert read_one(body, MULTIPART).raw == body


@pytest.mark.parametrize(
    "body",
    [
        b"--x\r\nContent-Disposition: form-data; name*=a; name*0=b\r\n\r\n1\r\n--x--\r\n",
        b"",
        b"--x",
        b"--x\r\n",
        b"no boundary",
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1",
        b"--x\r\n--x",
    ],
)
def test_a_broken_multipart_form_is_one_malformed_event(body: bytes) -> None:
    (event,) = getkeymanager.parse(body, MULTIPART).events
    assert (event.raw, event.format) == (body, Format.MULTIPART)
    assert event.errors["body"]


@given(st.binary(max_size=300), st.sampled_from([FORM, MULTIPART]))
def test_any_body_is_read_or_malformed_and_read_alike_from_its_record(body: bytes, media_type: str) -> None:
    for event in getkeymanager.parse(body, media_type).events:
        assert getkeymanager.event_of(read_stored(event.raw, event.format)) == event


@pytest.mark.parametrize(("write", "media_type"), WRITERS)
def test_the_key_of_a_form_is_found_and_hidden(write: Any, media_type: str) -> None:  # noqa: ANN401
    body = write([("api_key", "first"), ("x", "y"), ("api_key", "secr&t"), ("m[api_key]", "theirs")])
    assert body_api_key(body, media_type) == "secr&t"
    hidden = masked(body, forms.format_of(body, media_type))
    assert len(hidden) == len(body)
    assert forms.fields(hidden, forms.format_of(body, media_type))["m"] == {"api_key": "theirs"}
    for secret in (b"first", b"secr"):
        assert secret not in hidden


def test_a_name_spelled_with_escapes_is_a_name() -> None:
    body = b"%61pi%5Fkey=secret&t=%74k_prod_" + b"a" * 40
    assert body_api_key(body, FORM) == "secret"
    assert masked(body, Format.FORM) == b"%61pi%5Fkey=******&t=" + b"*" * 50


@pytest.mark.parametrize(("write", "media_type"), WRITERS)
def test_a_form_is_the_event_that_json_is(write: Any, media_type: str) -> None:  # noqa: ANN401
    said: dict[str, Any] = {
        "data_type": "numeric-single-value", "numeric_data_single_value": "50", "data_group": "cpu", "hwid": "h",
        "user_identifier": "Jürgen@x.example", "event_id": "7", "event_at": "1795249799", "product_id": "acme-cli",
    }  # fmt: skip
    pairs = [*said.items(), ("metadata[os]", "linux"), ("flags[]", "debugger")]
    event = getkeymanager.parse(write(pairs), media_type).events[0]
    as_json = getkeymanager.parse_one(json.dumps(said | {"metadata": {"os": "linux"}, "flags": ["debugger"]}).encode())
    names = set(event.__dataclass_fields__) - {"raw", "format"}
    assert {name: getattr(event, name) for name in names} == {name: getattr(as_json, name) for name in names}
    booleans = [*said.items(), ("flags[tampering_detected]", "1"), ("flags[debugger_detected]", "false")]
    assert getkeymanager.parse(write(booleans), media_type).events[0].client_flags == ("tampering_detected",)


def test_more_fields_than_a_form_has_are_not_read() -> None:
    for write, format_ in ((urlencoded, Format.FORM), (multipart, Format.MULTIPART)):
        with pytest.raises(NotJson, match="More than"):
            forms.fields(write([("a", "1")] * (forms.MOST_FIELDS + 1)), format_)


def test_a_form_without_any_part_says_nothing() -> None:
    assert forms.fields(multipart([]), Format.MULTIPART) == {}
