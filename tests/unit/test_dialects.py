"""Both dialects take whatever comes, and keep every byte of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.event import normalise_license, normalise_user, parse_time

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["data_type", "data_group", "text_data", "numeric_data_single_value", "license_key", "hwid", "user_identifier",
     "product_id", "product_version", "country", "metadata", "flags", "event_id", "event_at", "events", "payload",
     "activity_type", "user_id", "meta", "environment"]
)  # fmt: skip


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_understood_as_something_and_kept_whole(body: bytes) -> None:
    submission = getkeymanager.parse(body, "application/json")
    if not submission.is_batch:
        assert [event.raw for event in submission.events] == [body]
    assert reo.parse(body).raw == body


@given(st.dictionaries(FIELDS, JSON | st.text(alphabet=st.characters()), max_size=12))
def test_fields_of_any_type_are_read_or_complained_about(value: dict[str, object]) -> None:
    raw = json.dumps(value).encode()
    for event in (getkeymanager.parse_event(raw, json.loads(raw)), reo.parse(json.dumps({"payload": value}).encode())):
        texts = (event.product_id, event.user_id, event.device_id, event.event_id, event.license_key, event.country)
        assert all(text is None or text.encode() for text in texts)  # can be stored
        assert all(messages for messages in event.errors.values())


def test_times_in_seconds_milliseconds_and_iso_mean_the_same() -> None:
    same = [1795249800, "1795249800", 1795249800.0, 1795249800000, "1795249800000", "2026-11-21T08:30:00Z",
            "2026-11-21T09:30:00+01:00", "2026-11-21T08:30:00", "2026-11-21 08:30"]  # fmt: skip
    assert {parse_time(value) for value in same} == {1795249800000}
    nonsense: list[object] = [True, None, "", "soon", -1, 10**14, 1e300, [], "9" * 400, "nan"]
    assert {parse_time(value) for value in nonsense} == {None}


def test_identities_are_normalised() -> None:
    assert [normalise_license(text) for text in (None, "", "unknown", "UNKNOWN", "K")] == [
        None,
        None,
        None,
        "UNKNOWN",
        "K",
    ]
    assert [normalise_user(text) for text in (None, "Jane", "Jane@X.example", "@Jane", "a b@C")] == [
        None, "Jane", "jane@x.example", "@Jane", "a b@C",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(" DE ", "DE"), ("Österreich", "Österreich"), ("x" * 56, "x" * 56), ("x" * 57, None), (" ", None), (None, None),
     (["DE"], None)],
)  # fmt: skip
def test_a_country_is_kept_as_sent_unless_it_can_be_none(sent: object, kept: str | None) -> None:
    raw = json.dumps({"country": sent, "payload": {"country": sent}}).encode()
    assert getkeymanager.element(raw).country == kept
    assert reo.parse(raw).country is None
