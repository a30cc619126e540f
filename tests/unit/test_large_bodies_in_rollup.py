"""A batch of a stream may be made of a thousand bodies that deflate to nothing: rollup holds none of them."""

import json
import pickle
from dataclasses import replace
from datetime import date
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.brief_event import brief
from telemetry.domain.event import Event
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import OTHER, name_of
from telemetry.domain.profiles.cards import shown
from telemetry.domain.sighting import Sighting
from telemetry.domain.values.summary import Values
from telemetry.domain.values.texts import Texts
from telemetry.domain.values.value import Moment
from telemetry.storage.bodies import encode_body, is_longer
from telemetry.storage.record_item import LARGEST_COUNTED_BODY, item_of
from telemetry.wiring.rollup import _read
from tests.observations import observe
from tests.unit.test_record_item import SMALL

LENGTHS = (1, 15, 16, 17, 63, 64, 65, 200, 201, 300, 301, 5_000)
TEXTS = [letter * length for letter in ("x", "ü", "\U0001f600", "0") for length in LENGTHS]


def event(**said: object) -> Event:
    usual = {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-cli"}
    return getkeymanager.parse_one(json.dumps(usual | said).encode())


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_counted_and_shown_of_an_event_is_the_same_without_its_length(text: str) -> None:
    whole = event(text_data=f"{text}!", data_group=text, user_identifier=text, hwid=text, product_version=text)
    short = brief(whole)
    assert name_of(short.group) == name_of(whole.group)
    assert shown(short.identity[0] or "") == shown(whole.identity[0] or "")
    told = [Texts(), Texts()]
    for texts, each in zip(told, (short, whole), strict=True):
        texts.add(str(each.value), Moment(1, "a"))
    assert told[0] == told[1]
    assert brief(short) == short


@pytest.mark.parametrize("field", ["user_identifier", "hwid", "activation_identifier"])
@pytest.mark.parametrize(("length", "is_told"), [(64, True), (65, False), (5_000, False)])
def test_a_long_id_is_not_cut_into_a_text_that_nobody_could_forget(field: str, length: int, is_told: bool) -> None:  # noqa: FBT001
    """A short one is recognised when it is told."""
    id_ = "f" * length
    assert brief(event(**{field: id_, "text_data": f" {id_} "})).value == (id_ if is_told else OTHER)
    assert brief(event(**{field: "x", "text_data": id_})).value != OTHER


@pytest.mark.parametrize("parse", [getkeymanager.parse_one, reo.parse])
def test_nothing_of_an_event_is_long(parse: object) -> None:
    long = "ab" * 50_000
    names: tuple[str, ...] = (
        "data_group",
        "text_data",
        "product_id",
        "product_version",
        "license_key",
        "user_identifier",
        "hwid",
    )
    names += ("activation_identifier", "country", "event_id", "activity_type", "user_id", "source", "environment")
    said: dict[str, object] = dict.fromkeys(names, long)
    said |= {"data_type": "text", "flags": [long] * 10, "user_id_type": long, "event_at": long, "metadata": long}
    for body in (said, {"payload": said}, {"payload": said | {"mode": long, "domain": "a.example"}}):
        whole: Event = parse(json.dumps(body).encode())  # type: ignore[operator]
        assert len(pickle.dumps(brief(whole))) < 8_000


@given(st.integers(0, 3_000), st.integers(0, 3_000), st.booleans())
def test_how_long_a_body_is(length: int, most: int, repeats: bool) -> None:  # noqa: FBT001
    body = b"a" * length if repeats else Random(length).randbytes(length)
    assert is_longer(encode_body(body), most) is (length > most)


@pytest.mark.parametrize(("length", "is_understood"), [(LARGEST_COUNTED_BODY, True), (LARGEST_COUNTED_BODY + 1, False)])
def test_a_body_is_understood_up_to_a_length_however_it_is_deflated(length: int, is_understood: bool) -> None:  # noqa: FBT001
    start = json.dumps({"data_type": "text", "data_group": "g", "text_data": ""}).encode()[:-2]
    raw = start + b"a" * (length - len(start) - 2) + b'"}'
    assert len(raw) == length
    stored = encode_body(raw)
    assert len(stored) < 2_000
    record = replace(SMALL, dialect=getkeymanager.parse_one(raw).dialect, raw=raw, digest=sha256(raw).digest())
    _, found = _read(item_of(record, stored, 0, 1))
    assert (found is not None) is is_understood
    if found:
        assert (found.group, found.raw, len(str(found.value))) == ("g", b"", 62)


@pytest.mark.parametrize(("flags", "unread"), [((), 1), ((Flag.MALFORMED,), 0), ((Flag.CLOCK_SKEW,), 1)])
def test_what_is_malformed_has_no_value_that_could_be_unread(flags: tuple[Flag, ...], unread: int) -> None:
    values = Values()
    values.add(
        observe(Sighting("acme-cli", date(2026, 11, 21), None, None, billable=True), flags=frozenset(flags)), None
    )
    assert (values.records, values.unread) == (1, unread)
