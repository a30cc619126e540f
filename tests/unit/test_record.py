from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.domain.environment import Environment
from telemetry.domain.event import Dialect, Event
from telemetry.domain.flags import Flag
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.keys import key_text, text_of_key
from telemetry.domain.license import license_id, license_id_of
from telemetry.domain.record import (
    Record,
    RecordKey,
    chunk_keys,
    fingerprint_named,
    judgement_key,
    license_in,
    license_named,
    license_partition,
    read_telemetry_id,
    record_key,
    server_event_id,
    telemetry_id,
)
from telemetry.domain.recount import Unit
from telemetry.domain.spikes import Cause, Episode, Spike
from telemetry.storage import active_user_items, day_reports, day_summaries, hourly_counts, recount_parts, spikes
from telemetry.storage.index_partition import IndexPartition

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


# ── no text of a client's makes one key of two

HOSTILE = st.text(st.sampled_from("#%~\0ax2350\U0001f600é"), max_size=12) | st.sampled_from(
    ["x" * 129, "#" * 128, "%" * 64, "\U0001f600" * 33, "~" + "A" * 43, f"x#{'A' * 22}", f"big#{MS}#0000"]
)
PRODUCT = HOSTILE.map(lambda text: text[:64])
IDENTITY = st.tuples(st.sampled_from(["license_key", "user_id", "hwid"]), HOSTILE.filter(bool))
EVENTS = st.builds(
    lambda who, product, event_id, event_at: Event(
        b"", Dialect.GETKEYMANAGER, product_id=product, event_id=event_id, event_at=event_at, **dict([who])
    ),
    IDENTITY,
    PRODUCT,
    HOSTILE.filter(bool),
    st.sampled_from([0, MS, 1]),
)


def identity(event: Event) -> Hashable:
    """What makes two events one: not who it is that says that it is nobody."""
    return (
        event.license_key, event.counted_user, event.counted_device, event.product_id, event.event_id, event.event_at
    )  # fmt: skip


def key_of(event: Event) -> RecordKey:
    return record_key(event, "", NOW, KEYRING)


def record_of(event: Event) -> Record:
    raw = repr(event).encode()
    return Record(
        key_of(event), raw, sha256(raw).digest(), event.dialect, "p", NOW, NOW, None, None, None, frozenset[Flag](),
        "", "", "",
    )  # fmt: skip


@settings(max_examples=500)
@given(EVENTS, EVENTS)
def test_two_events_never_share_a_key(one: Event, other: Event) -> None:
    assert (key_of(one) == key_of(other)) == (identity(one) == identity(other))


@given(EVENTS, EVENTS)
def test_what_lies_beside_a_record_is_of_it_alone(one: Event, other: Event) -> None:
    """Its conflict, its chunks, its judgement; nor does what all chunks of a body have in common begin another's."""
    keys = [key for event in {identity(each): each for each in (one, other)}.values() for key in all_keys(event)]
    assert len(set(keys)) == len(keys)
    chunks = [key for key in keys if key.partition.startswith("C")]
    for key in chunks:
        bodies = {each.sort[:-4] for each in chunks if each.partition == key.partition}
        assert [prefix for prefix in bodies if key.sort.startswith(prefix)] == [key.sort[:-4]]


def all_keys(event: Event) -> list[RecordKey]:
    record = record_of(event)
    found = []
    for kept in (record, record.as_conflict()):
        found += [kept.key, judgement_key(kept.key), *chunk_keys(kept.key, MS, kept.digest, 3)]
    assert {key.partition[0] for key in found} <= set("LUDACJ")
    assert max(len(key.sort.encode()) for key in found) <= 1_024
    assert max(len(key.partition.encode()) for key in found) <= 2_048
    return found


@given(EVENTS)
def test_keys_tell_their_parts(event: Event) -> None:
    partition, sort = key_of(event)
    subject, product = partition.split("#")
    time, event_id = sort.split("#")
    assert license_in(partition) == (subject[1:] if event.license_key else None)
    assert int(time) == event.event_at
    for part, text, limit in ((product, event.product_id or "", 64), (event_id, event.event_id or "", 128)):
        if len(text.encode()) <= limit and not text.startswith("~"):
            assert text_of_key(part) == text
        else:
            assert part.startswith("~")
    if event.license_key:
        assert license_partition(event.license_key, event.product_id or "", KEYRING) == partition


@given(EVENTS)
def test_a_telemetry_id_is_that_of_its_event(event: Event) -> None:
    token = telemetry_id(key_of(event), "production", KEYRING)
    assert read_telemetry_id(token, "production", KEYRING) == key_of(event)


def test_a_chunk_is_named_by_its_body_too() -> None:
    record = record_of(Event(b"", Dialect.GETKEYMANAGER, event_id="x"))
    other = replace(record, digest=bytes(32))
    assert not {*chunk_keys(record.key, MS, record.digest, 3)} & {*chunk_keys(other.key, MS, other.digest, 3)}


@given(st.text(), st.text())
def test_escaping_loses_nothing(one: str, other: str) -> None:
    assert text_of_key(key_text(one)) == one
    assert "#" not in key_text(one)
    assert (key_text(one) == key_text(other)) == (one == other)


DAY = date(2026, 11, 21)
MAKERS: list[Callable[[str], Any]] = [
    lambda product: IndexPartition(product, DAY, "c", 3),
    lambda product: hourly_counts._flagged(product, DAY),
    lambda product: recount_parts._partition(Unit(product, DAY, "1-first", 3, 0, 24, counts_users=True)),
    lambda product: Episode(Spike(product, NOW, Cause.HOUR, 20, 1), NOW).id,
]


@pytest.mark.parametrize("make", MAKERS)
@given(PRODUCT)
def test_a_product_in_the_middle_of_a_key_is_one_part_of_it(make: Callable[[str], Any], product: str) -> None:
    parts = str(make("acme-cli")).split("#")
    place = parts.index("acme-cli")
    found = str(make(product)).split("#")
    assert text_of_key(found.pop(place)) == product
    assert found == parts[:place] + parts[place + 1 :]


ENDINGS: list[Callable[[str], str]] = [
    hourly_counts._partition,
    active_user_items.scope_key,
    active_user_items.actor_sort_key,
    day_reports._days,
    lambda product: day_reports._details_key(product, DAY)[0],
    day_summaries._partition,
    lambda product: spikes._pointer(product)[0],
]


@pytest.mark.parametrize("make", ENDINGS)
@given(PRODUCT)
def test_a_product_at_the_end_of_a_key_is_all_the_rest(make: Callable[[str], str], product: str) -> None:
    assert make(product).partition("#")[2] == product
    assert make(product).partition("#")[0] == make("acme-cli").partition("#")[0]


@given(PRODUCT, st.sampled_from("cfu"), st.integers(0, 99))
def test_an_index_partition_tells_its_parts(product: str, record_class: str, shard: int) -> None:
    place = IndexPartition(product, DAY, record_class, shard)
    assert IndexPartition.parse(str(place)) == place


def test_example_keys() -> None:
    assert str(IndexPartition("acme-cli", DAY, "c", 3)) == "acme-cli#2026-11-21#c#3"
    assert key(product_id="a#b", user_id="u", event_id="50%").sort.endswith("#50%25")
    assert key(product_id="a#b", user_id="u").partition.endswith("#a%23b")
    (chunk,) = chunk_keys(RecordKey("L1x#p", "1763713800123#evt-1"), 1763713800456, sha256(b"").digest(), 1)
    digest = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert chunk == ("CL1x#p", f"1763713800123#evt-1#1763713800456#{digest}#0000")


@given(st.text(min_size=1), st.sampled_from(Environment))
def test_a_record_leads_to_its_licence_without_the_key(license_key: str, environment: Environment) -> None:
    fingerprint = KEYRING.fingerprint(Identity.LICENSE, license_key.encode("utf-8", "replace").decode())
    fingerprint_of_record = fingerprint_named(license_in(f"L{license_named(fingerprint)}#acme-cli") or "")
    assert fingerprint_of_record == fingerprint
    found = license_id_of(environment, fingerprint, KEYRING)
    assert found == license_id(environment, license_key.encode("utf-8", "replace").decode(), KEYRING)
    assert len({license_id_of(each, fingerprint, KEYRING) for each in Environment}) == len(Environment)


@pytest.mark.parametrize("name", ["", "2Zm9vYmFyYmF6cXV4MTIzNA", "1Z"])
def test_a_name_of_another_version_leads_to_no_licence(name: str) -> None:
    assert fingerprint_named(name) is None
