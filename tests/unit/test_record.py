from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.domain.event import Dialect, Event
from telemetry.domain.keyring import Keyring
from telemetry.domain.record import RecordKey, read_telemetry_id, record_key, server_event_id, telemetry_id

KEYRING = Keyring(bytes(32))
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
MS = 1795249800000


def key(**fields: object) -> RecordKey:
    event = Event(raw=b"", dialect=Dialect.GETKEYMANAGER, **fields)  # type: ignore[arg-type]
    return record_key(event, "0" * 32, NOW, KEYRING)


@pytest.mark.parametrize(
    ("fields", "letter"),
    [
        ({"license_key": "K", "user_id": "u", "hwid": "d"}, "L1"),
        ({"user_id": "u", "hwid": "d"}, "U1"),
        ({"hwid": "d"}, "D1"),
        ({}, "A1"),
    ],
)
def test_the_subject_is_licence_else_user_else_device_else_a_bucket(fields: dict[str, str], letter: str) -> None:
    partition = key(product_id="acme-cli", **fields).partition
    assert partition.startswith(letter)
    assert partition.endswith("#acme-cli")
    assert len(partition.split("#")[0]) == (4 if letter == "A1" else 24)


@pytest.mark.parametrize(
    ("fields", "sort"),
    [
        ({"event_id": "e1", "event_at": 1}, "0000000000001#e1"),
        ({"event_id": "e1"}, "0000000000000#e1"),
        ({"event_at": 1}, f"0000000000001#{'0' * 32}"),
        ({}, f"{MS}#{'0' * 32}"),
    ],
)
def test_the_sort_key_is_made_of_content_wherever_there_is_an_event_id(fields: dict[str, object], sort: str) -> None:
    assert key(**fields).sort == sort


def test_texts_too_long_for_a_key_are_hashed_and_stay_apart_from_short_ones() -> None:
    long = key(product_id="p" * 65, event_id="e" * 1000)
    assert len(long.partition) < 100
    assert len(long.sort) < 100
    hashed_product = long.partition.partition("#")[2]
    assert key(product_id=hashed_product).partition != key(product_id="p" * 65).partition


@given(st.datetimes(min_value=datetime(2020, 1, 1), timezones=st.just(UTC)), st.binary(min_size=10, max_size=10))  # noqa: DTZ001
def test_server_ids_are_uuid_7(now: datetime, randomness: bytes) -> None:
    text = server_event_id(now, randomness)
    assert UUID(text).version == 7
    assert UUID(text).variant == "specified in RFC 4122"
    assert int(text[:12], 16) == int(now.timestamp() * 1000)


@given(st.text(), st.text())
def test_a_telemetry_id_leads_back_to_the_key_in_its_own_environment_only(partition: str, sort: str) -> None:
    key = RecordKey(partition, sort)
    token = telemetry_id(key, "production", KEYRING)
    assert read_telemetry_id(token, "production", KEYRING) == key
    assert read_telemetry_id(token, "staging", KEYRING) is None
    assert read_telemetry_id("A" + token[1:] if token[0] != "A" else "B" + token[1:], "production", KEYRING) is None
    assert read_telemetry_id(token, "production", Keyring(bytes([1] * 32))) is None


@pytest.mark.parametrize("token", ["", "x", "not base64!", "\N{SNOWMAN}", "A" * 400])
def test_what_nobody_issued_is_no_telemetry_id(token: str) -> None:
    assert read_telemetry_id(token, "production", KEYRING) is None
