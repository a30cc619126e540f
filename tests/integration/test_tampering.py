"""Whoever changes the database file behind the service's back is found out, and the day is named."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from local.engine import Engine, create_tables, dynamodb, environment
from local.template import read_template
from telemetry.domain.environment import Environment
from telemetry.domain.sighting import CATALOGUE
from telemetry.services.verify_day import DayVerdict, Outcome, Verifier
from telemetry.settings import TableNames
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.index_marks import mark_item
from telemetry.storage.tables import _bound, connection, dynamodb_client
from tests.lambdas import Context, load_function
from tests.stream_events import close_day, deadline, stream_batch
from tests.worlds.deployment import Deployment, start_ingest

pytestmark = [pytest.mark.slow, pytest.mark.days]

FIRST = date(2026, 10, 30)
DAYS = [FIRST + timedelta(days=number) for number in range(4)]
AFTERWARDS = deadline(DAYS[-1])
SOAK = bool(os.environ.get("SOAK"))
RECORDS, INDEX = '"disk-records-production"', '"disk-records-production::gsi::by_received"'
AGGREGATES = '"disk-aggregates-production"'


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "dynamodb.sqlite"


@pytest.fixture
def tables(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TableNames]:
    """The template's tables, on disk."""
    caches: list[Any] = [dynamodb_client, _bound, connection]
    for cached in caches:
        cached.cache_clear()
    with Engine.start(database) as engine:
        for name, value in environment(engine.endpoint).items():
            monkeypatch.setenv(name, value)
        create_tables(dynamodb(engine.endpoint), read_template("disk").tables)
        yield TableNames("disk")
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def closed(deployment: Deployment, mailbox: object) -> Deployment:
    """Four closed days of a few records each; one body is too large for its head."""
    del mailbox
    for day in DAYS:
        post = start_ingest(deployment, datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=9))
        bodies = [
            {
                "data_type": "text",
                "data_group": "g",
                "text_data": f"note {number}",
                "product_id": product,
                "user_identifier": f"u{number}",
            }
            for number in range(6)
            for product in ("acme-cli", "acme-desktop")
        ]
        bodies.append(bodies[0] | {"user_identifier": "pirate", "license_key": "LEAKED-KEY"})
        if day == DAYS[2]:
            bodies.append(bodies[0] | {"text_data": Random(1).randbytes(400_000).hex()})
        assert post("/api/v1/telemetry", json.dumps(bodies)).status == 200
    load_function("rollup").handler(stream_batch(deployment), Context())
    assert close_day(Environment.PRODUCTION, deadline(DAYS[-1])) == [day.isoformat() for day in DAYS]
    return deployment


def verify(deployment: Deployment, now: datetime = AFTERWARDS) -> list[DayVerdict]:
    table = deployment.tables.aggregates(Environment.PRODUCTION)
    verifier = Verifier(LedgerStore(table), DayReportStore(table), CorrectionStore(table), deployment.day_records())
    return list(verifier.verify_all(CATALOGUE, now))


def unsound(deployment: Deployment) -> set[date]:
    return {verdict.day for verdict in verify(deployment) if verdict.outcome is not Outcome.HOLDS}


def test_what_nobody_touched_holds(closed: Deployment) -> None:
    verdicts = verify(closed)
    assert {(verdict.outcome, verdict.difference) for verdict in verdicts} == {(Outcome.HOLDS, None)}
    assert len(verdicts) == 4 * 4


@pytest.mark.parametrize("table", [RECORDS, INDEX])
def test_one_byte_anywhere_in_a_record(closed: Deployment, database: Path, table: str) -> None:
    random = Random(3)
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        for day in DAYS if SOAK else random.sample(DAYS, 2):
            row, text = random.choice(_rows(file, table, day))
            for place in _places(text, random):
                changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
                _write(file, table, row, changed)
                assert unsound(closed) == {day}, changed
            _write(file, table, row, text)
    assert unsound(closed) == set()


def test_a_mark_that_is_gone(closed: Deployment) -> None:
    """What lies in an index partition that nobody looks into is found all the same."""
    place = str(closed.records().marked(DAYS[1], ["acme-desktop"])[0])
    mark = {name: mark_item(place)[name] for name in "ps"}
    dynamodb_client().delete_item(TableName=closed.tables.records(Environment.PRODUCTION), Key=mark)
    assert unsound(closed) == {DAYS[1]}
    (verdict,) = [each for each in verify(closed) if each.scope == "acme-desktop" and each.outcome is Outcome.DIFFERS]
    assert verdict.difference
    assert verdict.difference.endswith(f"is in {place}, which has no mark")


def test_one_byte_of_a_body_in_chunks(closed: Deployment, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        ((row, text),) = file.execute(f"SELECT rowid, item_json FROM {RECORDS} WHERE pk LIKE 'S:C%' LIMIT 1").fetchall()
        place = text.index('"B":"') + 1_000
        _write(file, RECORDS, row, text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :])
        assert unsound(closed) == {DAYS[2]}


@pytest.mark.parametrize("table", [RECORDS, INDEX])
def test_a_record_that_is_gone(closed: Deployment, database: Path, table: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        row, _ = _rows(file, table, DAYS[1])[3]
        file.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
    assert unsound(closed) == {DAYS[1]}


def test_a_report_that_was_changed(closed: Deployment, database: Path) -> None:
    """One byte of each of its three parts."""
    with closing(sqlite3.connect(database, isolation_level=None)) as file:
        day = DAYS[1]
        opening = day + timedelta(days=1)
        for key, sort in (("days#acme-cli", day), ("details#acme-cli", day), ("uniques#acme-cli", f"{opening}#0")):
            where = (f"S:{key}", f"S:{sort}")
            ((row, text),) = file.execute(
                f"SELECT rowid, item_json FROM {AGGREGATES} WHERE pk = ? AND sk = ?", where
            ).fetchall()
            place = text.rindex('"B":"') + 9
            _write(file, AGGREGATES, row, text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :])
            assert day in unsound(closed), key
            _write(file, AGGREGATES, row, text)
    assert unsound(closed) == set()


def test_purged_days(closed: Deployment) -> None:
    later = deadline(DAYS[-1]) + timedelta(days=92)
    assert {verdict.outcome for verdict in verify(closed, later) if verdict.scope == CATALOGUE} == {Outcome.PURGED}
    assert {verdict.outcome for verdict in verify(closed, later)} == {
        Outcome.PURGED,
        Outcome.HOLDS,
    }


def _rows(file: sqlite3.Connection, table: str, day: date) -> list[tuple[int, str]]:
    """Head records of a day (or their index entries): row and item."""
    query = f"SELECT rowid, item_json FROM {table} WHERE item_json LIKE ? ORDER BY rowid"
    return file.execute(query, (f'%"g":{{"S":"acme-cli#{day}#%',)).fetchall()


def _write(file: sqlite3.Connection, table: str, row: int, text: str) -> None:
    file.execute(f"UPDATE {table} SET item_json = ? WHERE rowid = ?", (text, row))


def _places(text: str, random: Random) -> list[int]:
    """Some bytes. Not those before a =: base64 leaves some of their bits open, and the value may stay the same."""
    return [
        place for place in random.sample(range(len(text) - 1), 50 if SOAK else 5) if "=" not in text[place : place + 2]
    ]
