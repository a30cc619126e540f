"""Whatever was sent on a day, it closes, and what was reported of it holds."""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.report_rules import RULES
from telemetry.domain.sighting import CATALOGUE
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.tables import dynamodb_client
from tests.lambdas import Context, load_function
from tests.stream_events import close_day, deadline, stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, Mailbox, start_ingest

pytestmark = [pytest.mark.slow, pytest.mark.days]

SOAK = bool(os.environ.get("SOAK"))
PRODUCTION = Environment.PRODUCTION
DAY = date(2026, 11, 3)
Events = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def few_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORD_SHARDS", "1")


def send(deployment: Deployment, events: Sequence[dict[str, Any]], chance: Random) -> None:
    """In batches over the day."""
    for start in range(0, len(events), 410):
        post = start_ingest(deployment)
        moment = datetime.combine(DAY, time(chance.randrange(24), chance.randrange(60)), UTC)
        post.clock.set(moment)
        assert post("/api/v1/telemetry", json.dumps(events[start : start + 410])).status == 200


def deliver(deployment: Deployment) -> None:
    table, rollup = deployment.tables.records(PRODUCTION), load_function("rollup")
    records = [stream_record(table, item, number) for number, item in enumerate(stored_items(deployment), 1)]
    for start in range(0, len(records), 1_000):
        rollup.handler(stream_event(records[start : start + 1_000], table), Context())


def verified(deployment: Deployment) -> set[str]:
    assert deployment
    event = {"environment": "production", "day": DAY.isoformat()}
    return {verdict["outcome"] for verdict in load_function("close_day").handler(event, Context())["verdicts"]}


def largest_item(deployment: Deployment) -> int:
    """In bytes, nearly as DynamoDB counts."""
    pages = dynamodb_client().get_paginator("scan").paginate(TableName=deployment.tables.aggregates(PRODUCTION))
    return max(
        len(json.dumps(item, default=lambda found: found.decode("latin-1"))) for page in pages for item in page["Items"]
    )


def odd_text(chance: Random, length: int) -> str:
    """Characters outside the Basic Multilingual Plane: four bytes each, and nothing to deflate."""
    return "".join(chr(chance.randrange(0x10000, 0x110000)) for _ in range(length))


def test_licences_with_countries_as_long_as_may_be(deployment: Deployment) -> None:
    """Half of the licences have the most flagged records, the other half the most devices: all are listed."""
    chance = Random(7)
    countries = [[odd_text(chance, 56) for _ in range(20)] for _ in range(100)]
    events = [
        {
            "data_type": "text",
            "data_group": "g",
            "text_data": "x",
            "product_id": "acme-cli",
            "license_key": f"MADE-UP-KEY-{number % 100:03d}",
            "hwid": "device" if number % 100 < 50 else f"device {number}",
            "country": countries[number % 100][number // 100 % 20],
        }
        for number in range(2_050)
    ]
    send(deployment, events, chance)
    assert close_day(PRODUCTION, deadline(DAY)) == [DAY.isoformat()]
    for scope in ("acme-cli", CATALOGUE):
        report = DayReportStore(deployment.tables.aggregates(PRODUCTION)).report(scope, DAY)
        assert report
        assert report.totals.records == 2_050
        assert len(report.details.licenses) == 100
        assert {each.countries for each in report.details.licenses} == {("~other",)}
        assert report.details.rules == RULES.version
    assert verified(deployment) == {"holds"}


def hostile(chance: Random) -> Iterator[dict[str, Any]]:
    """Events of which every field is as long, as many, as odd as it may be."""
    odd = [odd_text(chance, length) for length in (1, 2, 3, 16, 56, 64, 200) for _ in range(3)]
    texts = [*odd, "\x01" * 64, "\u202e~other", "#", "~unknown", "*", "0", "unknown", "", " ", "nul\x00l", "a" * 3_000]
    names = (
        "event_id",
        "user_identifier",
        "hwid",
        "license_key",
        "product_version",
        "country",
        "data_group",
        "product_id",
    )
    for _ in range(chance.randrange(50, 400)):
        event: dict[str, Any] = {
            "data_type": "text",
            "data_group": "g",
            "text_data": chance.choice(texts),
            "product_id": "acme-cli",
        }
        for name in names:
            if chance.random() < 0.7:
                few = chance.random() < 0.5
                event[name] = (
                    chance.choice(texts) if few else f"{name} {chance.randrange(10_000)} {chance.choice(texts)}"
                )
        if chance.random() < 0.7:
            event["product_id"] = chance.choice(("acme-cli", "acme-desktop"))
        yield event


@pytest.mark.parametrize("seed", range(200 if SOAK else 3))
def test_whatever_is_sent_its_day_closes(deployment: Deployment, mailbox: Mailbox, seed: int) -> None:
    chance = Random(seed)
    send(deployment, list(hostile(chance)), chance)
    if chance.random() < 0.7:
        deliver(deployment)
        assert mailbox.failures == []
    midnight = datetime.combine(DAY + timedelta(days=1), time(), UTC)
    closed = [
        day
        for moment in (midnight + timedelta(minutes=30), midnight + timedelta(minutes=90), deadline(DAY))
        for day in close_day(PRODUCTION, moment)
    ]
    assert closed[0] == DAY.isoformat()
    assert verified(deployment) == {"holds"}
    assert largest_item(deployment) < 400_000
