"""A record that cannot be read is one row that says so; whatever else is asked for goes on."""

import argparse
import csv
import io
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError

from local import deployments
from local import records as records_command
from local.engine import Engine
from local.template import read_template
from telemetry.domain.active_users import Audience
from telemetry.domain.environment import Environment
from telemetry.domain.event import Dialect
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import Kind, total
from telemetry.domain.record import Record, RecordKey, read_telemetry_id
from telemetry.domain.shards import ShardPlan
from telemetry.domain.sighting import CATALOGUE
from telemetry.retry import Deadline
from telemetry.services.verify_day import Outcome, Verifier
from telemetry.settings import TableNames
from telemetry.storage import batches
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.bodies import encode_body
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.index_marks import mark_item
from telemetry.storage.inserts import Insertion
from telemetry.storage.records import RecordStore
from telemetry.storage.tables import dynamodb_client
from tests.client import Client, bearer
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import close_day, deadline, stream_batch
from tests.worlds.deployment import SHARDS, Deployment, Mailbox, start_ingest

pytestmark = pytest.mark.days

DAY = date(2026, 11, 3)
NOON = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=12)
LEAKED = "LEAKED-KEY-0001"
BODY = {
    "data_type": "text", "text_data": "started", "data_group": "runs", "product_id": "acme-desktop",
    "user_identifier": "u1", "license_key": LEAKED, "event_id": "e1",
}  # fmt: skip
LARGE = BODY | {"text_data": Random(1).randbytes(450_000).hex()}
BASE = "/api/v1/analytics"

Damage = Callable[[str, dict[str, Any]], None]


def change(expression: str, **values: Any) -> Damage:  # noqa: ANN401
    """Updates the head behind the service's back; on AWS the table's policy denies that."""

    def damage(table: str, key: dict[str, Any]) -> None:
        named: Any = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}}
        dynamodb_client().update_item(
            TableName=table, Key=key, UpdateExpression=expression, **(named if values else {})
        )

    return damage


def chunks(table: str) -> list[dict[str, Any]]:
    items = dynamodb_client().scan(TableName=table)["Items"]
    return sorted((item for item in items if item["p"]["S"].startswith("C")), key=lambda item: str(item["s"]["S"]))


def lose_a_chunk(table: str, _: dict[str, Any]) -> None:
    chunk = chunks(table)[1]
    dynamodb_client().delete_item(TableName=table, Key={"p": chunk["p"], "s": chunk["s"]})


def empty_a_chunk(table: str, _: dict[str, Any]) -> None:
    chunk = chunks(table)[0]
    dynamodb_client().put_item(TableName=table, Item={name: chunk[name] for name in "psx"})


def swap_chunks(table: str, _: dict[str, Any]) -> None:
    first, second = chunks(table)[:2]
    for place, body in ((first, second["b"]), (second, first["b"])):
        dynamodb_client().put_item(TableName=table, Item=place | {"b": body})


NEW_ENCODING = change("SET b = :b", b={"B": b"\x09new"})
BODIES: Mapping[str, tuple[dict[str, Any], Damage, str]] = {
    "a chunk is gone": (LARGE, lose_a_chunk, "chunk 2 of 2 is missing"),
    "a chunk is empty": (LARGE, empty_a_chunk, "chunk 1 of 2 is missing"),
    "chunks are swapped": (LARGE, swap_chunks, ""),
    "more chunks than there can be": (LARGE, change("SET c = :c", c={"N": "1000000000"}), "nobody writes 1000000000"),
    "an encoding of tomorrow": (BODY, NEW_ENCODING, "its encoding 09 is unknown"),
    "no encoding": (BODY, change("SET b = :b", b={"B": b""}), "its encoding (none) is unknown"),
    "it cannot be inflated": (BODY, change("SET b = :b", b={"B": b"\x01\xff\xff\xff"}), "it cannot be inflated"),
    "it was cut off": (
        BODY,
        change("SET b = :b", b={"B": encode_body(json.dumps(BODY).encode())[:-5]}),
        "it does not end where it should",
    ),
    "something follows": (
        BODY,
        change("SET b = :b", b={"B": encode_body(json.dumps(BODY).encode()) + b"more"}),
        "it does not end where it should",
    ),
    "another body": (BODY, change("SET b = :b", b={"B": encode_body(b"other")}), "it is another than its digest is of"),
    "no body": (BODY, change("REMOVE b"), "there is none"),
}


@dataclass
class Site:
    """Three records, of which the second is to be damaged; `ids` and `bodies` are theirs, oldest first."""

    deployment: Deployment
    ids: list[str]
    bodies: list[str]
    function: ModuleType
    key: str

    @property
    def table(self) -> str:
        return self.deployment.tables.records(Environment.PRODUCTION)

    @property
    def aggregates(self) -> str:
        return self.deployment.tables.aggregates(Environment.PRODUCTION)

    @property
    def stored(self) -> dict[str, Any]:
        """Where the second lies."""
        key = read_telemetry_id(self.ids[1], Environment.PRODUCTION, self.deployment.keyring)
        assert key
        return {"p": {"S": key.partition}, "s": {"S": key.sort}}

    def damage(self, how: Damage) -> None:
        how(self.table, self.stored)

    def ask(self, path: str, query: Mapping[str, str] | None = None, key: str | None = None, status: int = 200) -> Any:  # noqa: ANN401
        usual = {"environment": "production", "range": "7d"} if path.startswith(BASE) else {}
        answer = Client(self.function, bearer(key or self.key)).get(path, usual | dict(query or {}))
        assert answer.status == status, answer.text
        return answer.text

    def rows(self, **query: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.ask(f"{BASE}/records", query))["items"]
        return items

    def verify(self) -> list[tuple[Outcome, str | None]]:
        ledger, reports = LedgerStore(self.aggregates), DayReportStore(self.aggregates)
        verifier = Verifier(ledger, reports, CorrectionStore(self.aggregates), self.deployment.day_records())
        verdicts = verifier.verify_all(CATALOGUE, deadline(DAY))
        return [(verdict.outcome, verdict.difference) for verdict in verdicts if verdict.scope == "acme-desktop"]

    def close(self) -> None:
        load_function("rollup").handler(stream_batch(self.deployment), Context())
        assert close_day(Environment.PRODUCTION, deadline(DAY)) == [DAY.isoformat()]


@pytest.fixture
def site(deployment: Deployment, mailbox: Mailbox, request: pytest.FixtureRequest) -> Site:
    del mailbox
    body = getattr(request, "param", BODY)
    bodies = [
        json.dumps(BODY | {"event_id": "e0", "user_identifier": "u0"}),
        json.dumps(body),
        json.dumps(BODY | {"event_id": "e2", "user_identifier": "u2", "license_key": None}),
    ]
    ids = []
    for minute, each in enumerate(bodies):
        post = start_ingest(deployment, NOON + timedelta(minutes=minute))
        ids.append(post("/api/v1/telemetry", each).body["telemetry_id"])
    function = load_function("analytics", FakeClock(deadline(DAY) + timedelta(hours=1)))
    return Site(deployment, ids, bodies, function, deployment.staff_key())


@pytest.mark.parametrize("kind", BODIES)
def test_whatever_was_done_to_a_body_is_told(tables: TableNames, kind: str) -> None:
    body, how, why = BODIES[kind]
    store = RecordStore(tables.records(Environment.PRODUCTION), ShardPlan(SHARDS))
    raw, key = json.dumps(body).encode(), RecordKey("U1x#acme-cli", "0000000000001#e1")
    record = Record(
        key, raw, sha256(raw).digest(), Dialect.GETKEYMANAGER, "acme-cli", NOON, NOON, b"u", b"d", "1.0",
        frozenset({Flag.CLOCK_SKEW}), "2;s=+1", "k1", "192.0.2.1",
    )  # fmt: skip
    assert store.insert([record], Deadline(60)) == [Insertion.INSERTED]
    assert store.get(key) == record
    how(store.table, {"p": {"S": key.partition}, "s": {"S": key.sort}})
    found = store.get(key)
    assert found
    assert found.damage
    assert found.damage.startswith("its body cannot be read: ")
    assert why in found.damage
    assert found == replace(record, raw=b"", has_body=False, damage=found.damage)


@pytest.mark.parametrize(
    ("site", "kind"),
    [(BODIES[kind][0], kind) for kind in ("a chunk is gone", "an encoding of tomorrow")],
    indirect=["site"],
)
def test_a_body_that_cannot_be_read_is_one_row_that_says_so(site: Site, kind: str) -> None:
    _, how, why = BODIES[kind]
    site.close()
    assert site.verify() == [(Outcome.HOLDS, None)]
    site.damage(how)
    text = shown_to_staff(site)
    assert text.startswith("its body cannot be read: ")
    assert why in text
    shown_to_sdks(site, text)
    (top,) = json.loads(site.ask(f"{BASE}/licenses/top"))["items"]
    assert (top["records"], top["flagged"]) == (2, 2)
    for path in ("devices/excess", "mismatches", "alerts", "overview"):
        site.ask(f"{BASE}/{path}")
    ((outcome, difference),) = site.verify()
    assert outcome is Outcome.DIFFERS
    assert difference
    assert difference.startswith("record L1")
    assert text in difference or "is not as the index lists it" in difference


def shown_to_staff(site: Site) -> str:
    """Lists, details, bodies, files; gives what the row says."""
    newest, damaged, oldest = site.rows()
    assert [newest["id"], damaged["id"], oldest["id"]] == site.ids[::-1]
    assert (newest["damage"], oldest["damage"]) == (None, None)
    text: str = damaged["damage"]
    assert (damaged["product"], damaged["ip"], damaged["flags"]) == ("acme-desktop", "203.0.113.7", ["INVALID_LICENSE"])
    assert (damaged["user"], damaged["license"], damaged["group"]) == (None, None, None)

    detail = json.loads(site.ask(f"{BASE}/records/{site.ids[1]}"))
    assert (detail["damage"], detail["raw"], detail["payload"]) == (text, None, None)
    problem = json.loads(site.ask(f"{BASE}/records/{site.ids[1]}/raw", status=410))
    assert (problem["title"], problem["detail"]) == ("Cannot be read", f"This record is damaged: {text}.")
    assert b64decode(site.ask(f"{BASE}/records/{site.ids[0]}/raw")).decode() == site.bodies[0]

    lines = [json.loads(line) for line in site.ask(f"{BASE}/export", {"format": "ndjson"}).splitlines()]
    assert [line["raw"] for line in lines] == [{"text": site.bodies[2]}, None, {"text": site.bodies[0]}]
    cells = list(csv.DictReader(io.StringIO(site.ask(f"{BASE}/export", {"format": "csv"}), newline="")))
    assert [cell["damage"] for cell in cells] == ["", text, ""]
    return text


def shown_to_sdks(site: Site, text: str) -> None:
    read_key = site.deployment.keys[Environment.PRODUCTION]

    def found(**query: str) -> list[tuple[str, Any]]:
        rows = json.loads(site.ask("/api/v1/telemetry", query, read_key))["response"]["data"]
        return [(row["id"], row.get("damage")) for row in rows]

    damaged = (site.ids[1], text)
    assert found() == [(site.ids[2], None), damaged, (site.ids[0], None)]
    # what is looked for is told by keys and index: it is found though its body cannot be read
    assert found(license_key=LEAKED) == [damaged, (site.ids[0], None)]
    assert found(data_group="runs") == [(site.ids[2], None), damaged, (site.ids[0], None)]


def test_a_damaged_record_counts_as_the_index_says(site: Site, mailbox: Mailbox) -> None:
    """What the stream shows of it is enough."""
    site.damage(NEW_ENCODING)
    site.close()
    assert mailbox.failures == []
    report = DayReportStore(site.aggregates).report("acme-desktop", DAY)
    assert report
    assert (report.totals.records, report.totals.flagged) == (3, 2)
    assert report.totals.active[Audience.ALL_USERS][0] == 3
    groups = total(counts for _, counts in HourlyCountStore(site.aggregates).hours("acme-desktop", NOON, NOON))
    assert {each.name: count for each, count in groups.items() if each.kind is Kind.GROUP} == {"runs": 3}


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (change("SET f = :f", f={"S": "IZ"}), "its flag code Z is unknown"),
        (change("SET f = :f", f={"S": "Z"}), "its flag code Z is unknown"),
        (change("SET v = :v", v={"S": "9z"}), "its dialect z is unknown"),
    ],
)
def test_what_a_later_version_wrote_is_shown_as_far_as_it_is_known(site: Site, how: Damage, why: str) -> None:
    site.damage(how)
    assert [row["damage"] for row in site.rows()] == [None, why, None]
    assert [row["id"] for row in site.rows(flagged="true")] == site.ids[1::-1]
    detail = json.loads(site.ask(f"{BASE}/records/{site.ids[1]}"))
    assert (detail["damage"], detail["raw"]) == (why, {"text": site.bodies[1]})
    assert b64decode(site.ask(f"{BASE}/records/{site.ids[1]}/raw")).decode() == site.bodies[1]
    site.close()
    report = DayReportStore(site.aggregates).report("acme-desktop", DAY)
    assert report
    assert (report.totals.records, report.totals.flagged) == (3, 2)
    # a flag of which nobody knows what it means bills nobody
    assert report.totals.users(1) == 1
    ((_, difference),) = site.verify()
    assert difference
    assert difference.endswith(f"is damaged: {why}")


def test_the_command_line_goes_on(
    site: Site, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.damage(NEW_ENCODING)
    template = read_template(site.deployment.tables.prefix)
    monkeypatch.setattr(records_command, "read_template", lambda: template)
    monkeypatch.setattr(deployments, "read_template", lambda: template)
    monkeypatch.setattr(deployments, "attached", lambda _: nullcontext(engine.endpoint))
    parser = argparse.ArgumentParser()
    records_command.add_arguments(parser)
    capsys.readouterr()
    arguments = parser.parse_args(["--judge"], argparse.Namespace(state=str(tmp_path)))
    assert records_command.run(arguments) == 0
    *lines, count = capsys.readouterr().out.splitlines()
    assert count == "3 events"
    oldest, damaged, _ = map(json.loads, lines)
    assert (oldest["body"], "damage" in oldest, "judged_today" in oldest) == (site.bodies[0], False, True)
    assert (damaged["body"], damaged["damage"]) == (None, "its body cannot be read: its encoding 09 is unknown")
    assert "judged_today" not in damaged


def test_nobody_judges_what_nobody_can_read(site: Site) -> None:
    """Stored while the registry was away, it stays unjudged; its day closes without it."""
    table, key = site.table, site.stored
    item = dynamodb_client().get_item(TableName=table, Key=key)["Item"]
    unjudged = item["g"]["S"].replace("#f#", "#u#")
    dynamodb_client().put_item(
        TableName=table, Item={name: item[name] for name in item if name not in "fe"} | {"g": {"S": unjudged}}
    )
    dynamodb_client().put_item(TableName=table, Item=mark_item(unjudged))
    site.damage(NEW_ENCODING)
    site.close()
    assert len(list(site.deployment.day_records().unjudged("acme-desktop", DAY))) == 1
    report = DayReportStore(site.aggregates).report("acme-desktop", DAY)
    assert report
    assert (report.totals.records, report.totals.users(1)) == (3, 1)


@pytest.mark.parametrize("site", [LARGE], indirect=True)
def test_storage_that_does_not_answer_is_no_damage(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    call: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def failing(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        keys = arguments["RequestItems"][site.table]["Keys"] if operation == "BatchGetItem" else []
        if keys and keys[0]["p"]["S"].startswith("C"):
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", failing)
    monkeypatch.setattr(batches, "_SECONDS", 0.1)
    site.ask(f"{BASE}/records", status=503)
