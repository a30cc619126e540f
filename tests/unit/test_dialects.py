"""Both dialects take whatever comes, and keep every byte of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.body.reader import Element
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
    for event in (
        getkeymanager.event_of(Element(raw, json.loads(raw))),
        reo.parse(json.dumps({"payload": value}).encode()),
    ):
        texts = (event.product_id, event.user_id, event.device_id, event.event_id, event.license_key, event.country)
        assert all(text is None or text.encode() for text in texts)  # can be stored
        assert all(messages for messages in event.errors.values())


def test_times_in_seconds_milliseconds_and_iso_mean_the_same() -> None:
    same = [1795249800, "1795249800", 1795249800.0, "1795249800.000", 1795249800000, "1795249800000", " 1795249800 ",
            "2026-11-21T08:30:00Z", "2026-11-21t08:30:00z", "2026-11-21T09:30:00+01:00", "2026-11-21T08:30:00",
            "2026-11-21 08:30", "2026-11-21T08:29:60Z", "2026-11-21t07:29:60.0-01:00", "20261121T083000Z"]  # fmt: skip
    assert {parse_time(value) for value in same} == {1795249800000}
    assert parse_time("2026-11-21") == parse_time("2026-11-21T00:00Z")
    assert (parse_time("1970-01-01"), parse_time(1), parse_time(9999999999999)) == (0, 1000, 9999999999999)


@pytest.mark.parametrize(
    "value",
    [True, None, "", "soon", -1, 10**14, 1e300, [], "9" * 400, "nan", 20261125, "20261125", 20261125.0, 202611251200,
     "202611251200", "20261125120000", "1_763_713_800", "١٧٦٣٧١٣٨٠٠", "１７６３７１３８００", "+1763713800",
     "1.7e9", "0x69", "2026-11-21T08:30:61Z", "2026-11-21T24:01Z", "2026-02-30", "٢٠٢٦-11-21", "1969-12-31T23:59:59Z",
     "2286-11-20T17:46:40Z", "2026-11-21T08:30:00 Z Z", float("inf"), float("nan"), 10**11 - 1],
)  # fmt: skip
def test_what_is_no_time_is_not_read_as_one(value: object) -> None:
    assert parse_time(value) is None


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
    assert getkeymanager.parse_one(raw).country == kept
    assert reo.parse(raw).country is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(" 203.0.113.9 ", "203.0.113.9"), ("2001:DB8::1", "2001:db8::1"), ("::ffff:203.0.113.9", "203.0.113.9"),
     ("fe80::1", "fe80::1"), ("fe80::1%eth0", None), ("::1%" + "x" * 400_000, None), ("203.0.113.9:443", None),
     ("203.000.113.009", None), ("٢٠٣.0.113.9", None), ("203.0.113.9, 10.0.0.1", None)],
)  # fmt: skip
def test_the_address_an_event_is_about_is_an_address_and_nothing_else(sent: str, kept: str | None) -> None:
    event = reo.parse(json.dumps({"payload": {"ip_addr": sent}}).encode())
    assert event.address == kept
    assert ("ip_addr" in event.errors) == (kept is None)
