"""What is written without a model is what the model writes and reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.domain.event import Dialect, Format
from telemetry.domain.flags import Flag
from telemetry.domain.judge import Verdict
from telemetry.domain.record import Record, RecordKey
from telemetry.storage.record_item import (
    LARGEST_INLINE_BODY,
    RecordItem,
    WireItem,
    chunk_items,
    item_of,
    judgement_item,
    record_of,
)

NOW = datetime(2026, 11, 21, 8, 30, 0, 123_000, UTC)
SMALL = Record(
    key=RecordKey("D1x#", "0000000000000#e"),
    raw=b"",
    digest=bytes(range(32)),
    dialect=Dialect.REO,
    product="acme-cli",
    received_at=NOW,
    expires_at=NOW.replace(microsecond=0) + timedelta(days=90),
    user=None,
    device=None,
    product_version=None,
    flags=frozenset(),
    evidence="",
    api_key_id="k",
    source_ip="192.0.2.7",
)
FULL = replace(
    SMALL,
    dialect=Dialect.GETKEYMANAGER,
    format=Format.FORM,
    user=b"u" * 16,
    device=bytes(16),
    product_version="é",
    flags=frozenset({Flag.MALFORMED, Flag.PLACEHOLDER_ID}),
    evidence="3;m=x",
    country="",
    data_type="text",
    group="g",
    count=0,
    address="192.0.2.8",
    company="example.com",
)


def by_the_model(item: WireItem) -> dict[str, Any]:
    return RecordItem.from_raw_data(dict(item)).serialize()


@pytest.mark.parametrize("record", [SMALL, FULL, replace(FULL, is_judged=False)])
@pytest.mark.parametrize("chunks", [0, 2])
def test_a_record(record: Record, chunks: int) -> None:
    item = item_of(record, b"\0body", chunks, 8)
    assert item == by_the_model(item)
    assert ("b" in item, "c" in item) == (not chunks, bool(chunks))
    read = record_of(RecordItem.from_raw_data(dict(item)), lambda: None)
    assert replace(read, raw=b"", has_body=True, damage=None, id_from_client=True) == record


def test_chunks_and_judgements() -> None:
    chunks = chunk_items(FULL, bytes(2 * LARGEST_INLINE_BODY + 1))
    assert [len(chunk["b"]["B"]) for chunk in chunks] == [LARGEST_INLINE_BODY, LARGEST_INLINE_BODY, 1]
    for item in (*chunks, judgement_item(FULL, Verdict(FULL.flags, "e"), NOW)):
        assert item == by_the_model(item)
    assert judgement_item(FULL, Verdict(frozenset(), ""), NOW).keys() == {"p", "s", "t", "x"}
