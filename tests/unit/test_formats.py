"""The same events, however they are written, make the same records but for their bytes."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from telemetry.dialects import getkeymanager
from telemetry.domain.api_key import Access, ApiKey, KeyKind
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event, Format
from telemetry.domain.judge import LicenseView
from telemetry.domain.keyring import Keyring
from telemetry.domain.record import Record, RecordKey
from telemetry.retry import Deadline
from telemetry.services.ingest import Ingest
from telemetry.storage.inserts import Insertion
from telemetry.storage.records import Existing
from telemetry.web.http import inflated

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ACCESS = Access(ApiKey("k1", KeyKind.SDK, "", "", "", frozenset(Environment)), Environment.PRODUCTION)

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
EVENTS = st.fixed_dictionaries(
    {"event_id": st.uuids().map(str), "data_type": st.sampled_from(["text", "numeric-single-value", "other"])},
    optional={
        "text_data": TEXT, "numeric_data_single_value": st.integers(0, 99).map(str), "data_group": TEXT,
        "user_identifier": TEXT | st.just("Ann@Example.COM"), "hwid": TEXT, "activation_identifier": TEXT,
        "license_key": TEXT, "product_id": TEXT, "product_version": TEXT, "country": TEXT,
        "event_at": st.sampled_from(["1795249799", "2026-11-21T08:00:00Z", "soon"]),
        "metadata": st.dictionaries(st.text("abc", min_size=1), TEXT, min_size=1, max_size=2),
        "flags": st.lists(TEXT, min_size=1, max_size=2),
    },
)  # fmt: skip


class Kept:
    """Records of one environment, in memory."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def insert(self, records: Sequence[Record], deadline: Deadline) -> list[Insertion]:
        del deadline
        self.records += records
        return [Insertion.INSERTED] * len(records)

    def existing(self, keys: Sequence[RecordKey], deadline: Deadline) -> Mapping[RecordKey, Existing]:
        raise AssertionError(keys, deadline)


def records_of(body: bytes, media_type: str = "application/json") -> list[Record]:
    kept = Kept()
    ingest = Ingest(
        lambda _: kept,
        lambda *_: {},
        lambda events, *_: [LicenseView()] * len(events),
        Keyring(bytes(32)),
        lambda _: 90,
    )
    events: Sequence[Event] = getkeymanager.parse(inflated(body), media_type).events
    ingest.keep(events, ACCESS, "192.0.2.1", NOW, Deadline(60))
    return [replace(each, raw=b"", digest=b"", format=Format.JSON) for each in kept.records]


def form(event: Mapping[str, Any]) -> bytes:
    pairs = []
    for name, value in event.items():
        match value:
            case dict():
                pairs += [(f"{name}[{key}]", inner) for key, inner in value.items()]
            case list():
                pairs += [(f"{name}[]", inner) for inner in value]
            case _:
                pairs.append((name, value))
    return urlencode(pairs).encode()


def many(events: Sequence[Any]) -> dict[str, tuple[bytes, str]]:
    """The events in every way in which there may be several."""
    array, lines = json.dumps(events), "\n".join(map(json.dumps, events))
    return {
        "array": (array.encode(), "application/json"),
        "array, not escaped": (json.dumps(events, ensure_ascii=False, indent=1).encode(), "text/plain"),
        "envelope": (f'{{"api_key":"x","events":{array}}}'.encode(), "application/json"),
        "lines": (lines.encode(), "application/x-ndjson"),
        "gzip": (gzip.compress(array.encode()), "application/octet-stream"),
        "gzip of lines": (gzip.compress(lines.encode()), "application/x-ndjson"),
        "byte order mark": (b"\xef\xbb\xbf" + array.encode(), "application/json"),
        "lines behind a byte order mark": (b"\xef\xbb\xbf" + lines.encode(), "application/x-ndjson"),
    }


@given(st.lists(EVENTS, min_size=1, max_size=4, unique_by=lambda event: str(event["event_id"])))
def test_a_batch_is_the_same_however_it_is_written(events: list[dict[str, Any]]) -> None:
    singly = [record for event in events for record in records_of(json.dumps(event).encode())]
    for name, (body, media_type) in many(events).items():
        assert records_of(body, media_type) == singly, name
    if len(events) > 1:
        assert records_of("\r\n".join(map(json.dumps, events)).encode(), "text/plain") == singly


@given(EVENTS)
def test_an_event_is_the_same_however_it_is_written(event: dict[str, Any]) -> None:
    (expected,) = records_of(json.dumps(event).encode())
    ways: list[tuple[bytes, str]] = [
        (json.dumps(event, ensure_ascii=False).encode(), "application/x-www-form-urlencoded"),
        (b"\xef\xbb\xbf" + json.dumps(event).encode(), "application/json"),
        (gzip.compress(json.dumps(event).encode()), "application/octet-stream"),
        (form(event), "application/x-www-form-urlencoded"),
        (gzip.compress(form(event)), "application/x-www-form-urlencoded"),
    ]
    for body, media_type in ways:
        assert records_of(body, media_type) == [expected], media_type


def test_the_formats_differ_in_bytes_alone() -> None:
    """The comparison above compares something: what it leaves out, and what it does not."""
    event = {"event_id": "e", "data_type": "text", "text_data": "x", "user_identifier": "ann"}
    compare: Callable[[bytes], list[Record]] = records_of
    assert compare(json.dumps(event).encode()) != compare(json.dumps(event | {"user_identifier": "bob"}).encode())
