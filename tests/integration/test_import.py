"""Bulk import, as a command works it: any rows, run again, with what failed reported line by line."""

import argparse
import json
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local import deployments, imports, keys
from telemetry.domain.environment import Environment
from telemetry.domain.errors import NotFound
from telemetry.domain.license import License, LicenseState, license_id
from telemetry.domain.staff import AuditEntry
from telemetry.storage.audit import AuditLog
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import license_store

pytestmark = pytest.mark.days

CSV = """license_key,product_id,customer_id,state,expires_at,activation_limit,identifier
KEY-0001,acme-cli,c1,,2027-01-31,2,
KEY-0002,acme-desktop,,,,,
"KEY-0003",acme-cli,c1,suspended,2027-01-31T12:00:00+01:00,-1,
KEY-0001,,,,,,device-1
KEY-0001,,,,,,device-2
KEY-0001,,,,,,device-3
,acme-cli,,,,,
KEY-0004,nope,,,,,
KEY-0005,,,strange,,,
KEY-0006,,,,someday,,
KEY-0007,,,,,many,
KEY-0008,,,,,,device
KEY-0001,acme-cli,c1,,2027-01-31,2,
"""
ERRORS = """line,error
7,activation_limit: the licence has no room for another activation
8,license_key: missing
9,product_id: no such product
10,"state: must be one of available, assigned, active, suspended, expired, revoked"
11,expires_at: must be a date or time in ISO-8601
12,activation_limit: must be an integer
13,license_key: no such licence here
"""


@pytest.fixture
def run(deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Import":
    monkeypatch.setattr(deployments, "reached", lambda _: _Reached(deployment.tables.prefix))
    return Import(tmp_path)


class _Reached:
    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __enter__(self) -> str:
        return self.prefix

    def __exit__(self, *_: object) -> None: ...


class Import:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, content: str, environment: Environment = Environment.PRODUCTION) -> int:
        path = self.folder / name
        path.write_text(content, encoding="utf-8", errors="surrogateescape")
        parser = argparse.ArgumentParser()
        imports.add_arguments(parser)
        return imports.run(parser.parse_args(["--environment", environment, str(path)]))

    def errors(self, name: str) -> str:
        return (self.folder / f"{name}.errors.csv").read_text()


def test_rows_become_licences_and_activations_and_bad_ones_a_report(
    deployment: Deployment, run: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fleet.csv", CSV) == 1
    # which of three devices finds no room is a matter of who is first
    reported = run.errors("fleet.csv").splitlines()
    assert sorted(reported[2:]) == sorted(ERRORS.splitlines()[2:])
    assert reported[1].endswith(ERRORS.splitlines()[1].partition(",")[2])
    assert "done: 5 added, 1 there before, 7 failed" in capsys.readouterr().out

    store = license_store(deployment)
    one, two, three = (imported(deployment, key) for key in ("KEY-0001", "KEY-0002", "KEY-0003"))
    assert (one.state, one.active_activations, one.customer_id) == (LicenseState.ACTIVE, 2, "c1")
    assert one.expires_at
    assert one.expires_at.isoformat() == "2027-01-31T23:59:59+00:00"
    assert (two.state, two.expires_at) == (LicenseState.AVAILABLE, None)
    assert (three.state, three.has_room) == (LicenseState.SUSPENDED, True)
    assert three.expires_at
    assert three.expires_at.isoformat() == "2027-01-31T11:00:00+00:00"
    assert store.key_of(one) == "KEY-0001"
    with pytest.raises(NotFound):
        imported(deployment, "KEY-0001", Environment.STAGING)


def imported(deployment: Deployment, key: str, environment: Environment = Environment.PRODUCTION) -> License:
    return license_store(deployment).get(license_id(environment, key, deployment.keyring))


@pytest.mark.parametrize("state", LicenseState)
def test_an_imported_activation_revives_no_licence(deployment: Deployment, run: Import, state: LicenseState) -> None:
    rows = [{"license_key": "KEY-0001", "state": state}, {"license_key": "KEY-0001", "identifier": "device"}]
    assert run("fleet.ndjson", "\n".join(json.dumps(row) for row in rows)) == 0
    found = imported(deployment, "KEY-0001")
    assert found.active_activations == 1
    assert found.state is (LicenseState.ACTIVE if state is LicenseState.ASSIGNED else state)


def test_running_again_changes_nothing(deployment: Deployment, run: Import, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"license_key": f"KEY-{i:04}", "activation_limit": 5} for i in range(700)]
    rows += [{"license_key": f"KEY-{i:04}", "identifier": f"device-{i}"} for i in range(0, 700, 5)]
    content = "\n".join(json.dumps(row) for row in rows)
    assert run("fleet.ndjson", content) == 0
    assert "done: 840 added, 0 there before, 0 failed" in capsys.readouterr().out
    before = imported(deployment, "KEY-0005")
    assert run("fleet.ndjson", content) == 0
    assert "done: 0 added, 840 there before, 0 failed" in capsys.readouterr().out
    assert imported(deployment, "KEY-0005") == before
    assert not (run.folder / "fleet.ndjson.errors.csv").exists()


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-12:00", "0001-01-01", "1969-12-31T23:59:59Z"])
def test_an_end_that_could_not_be_read_again_is_reported(run: Import, end: str) -> None:
    assert run("x.csv", f"license_key,product_id,expires_at\nKEY-0010,acme-cli,{end}\n") == 1
    assert run.errors("x.csv").startswith("line,error\n2,expires_at: ")


def test_lines_that_are_no_objects_are_reported(run: Import) -> None:
    assert run("fleet.jsonl", '{"license_key":"KEY-0001"}\n\n{\n[1]\n{"license_key":"KEY-0002","colour":"red"}\n') == 1
    assert run.errors("fleet.jsonl") == "line,error\n3,not JSON\n4,not an object\n5,colour: no such field\n"


def test_a_file_of_another_kind_is_refused(run: Import) -> None:
    with pytest.raises(imports.UnreadableFile):
        run("fleet.xlsx", "")


def test_keys_are_not_in_clear_in_the_registry(deployment: Deployment, run: Import) -> None:
    from telemetry.storage.tables import dynamodb_client

    run("fleet.csv", CSV)
    dump = str(dynamodb_client().scan(TableName=deployment.tables.registry)["Items"])
    assert sys.getsizeof(dump) > 1000
    assert not any(key in dump for key in ("KEY-0001", "KEY-0002", "KEY-0003"))


HEADER = "license_key,product_id,identifier"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("KEY-0002,acme-cli,,surplus", "more cells than the header has names"),
        (f"KEY-0002,{'x' * 200_000},", "not CSV: field larger than field limit (131072)"),
        ('KEY-0002,"acme-cli,', "a quote is not closed: a row is one line"),
        ('"KEY-0002"x,,', "not CSV: ',' expected after '\"'"),
        ("KEY-2,acme-cli,", "license_key: shorter than 8 characters"),
        ("KEY-2,,device", "license_key: shorter than 8 characters"),
        ("KEY-\udce4002,,", "license_key: must be valid text"),
    ],
)
def test_a_bad_line_is_reported_and_the_others_are_imported(
    deployment: Deployment,
    run: Import,
    line: str,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("x.csv", f"{HEADER}\nKEY-0001,,\n{line}\nKEY-0003,,\nKEY-0003,,device\n") == 1
    told = run.errors("x.csv").splitlines()
    assert [row.replace('"', "") for row in told] == ["line,error", f"3,{reason}".replace('"', "")]
    printed = capsys.readouterr()
    assert "done: 3 added, 0 there before, 1 failed" in printed.out
    assert printed.err.startswith("1 row failed: see ")
    assert {imported(deployment, key).last_four for key in ("KEY-0001", "KEY-0003")}


@pytest.mark.parametrize("name", ["x.csv", "x.ndjson"])
def test_byte_order_marks_and_line_ends_are_no_part_of_a_row(deployment: Deployment, run: Import, name: str) -> None:
    row = (
        f"\ufeff{HEADER}\r\n\r\nKEY-0001,,\r\n\ufeffKEY-0002,,"
        if name == "x.csv"
        else '\ufeff{"license_key":"KEY-0001"}'
    )
    content = f"\ufeff{row}\r\n"
    assert run(name, content) == 0
    assert imported(deployment, "KEY-0001").last_four


@pytest.mark.parametrize("separator", [";", "\t"])
def test_spreadsheets_that_write_no_commas(
    deployment: Deployment, run: Import, separator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("x.csv", "license_key,product_id,\nKEY-0001,acme-cli,\n".replace(",", separator)) == 0
    assert imported(deployment, "KEY-0001").product_id == "acme-cli"
    assert "x.csv: columns are separated by " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.csv", "", "is empty"),
        ("x.ndjson", "\n\n", "is empty"),
        ("x.csv", "KEY-0001,acme-cli\n", "'license_key' is missing"),
        ("x.csv", "license_key,colour\nKEY-0001,red\n", "'colour' is no column"),
        ("x.csv", "license_key,license_key\nKEY-0001,\n", "'license_key' is there twice"),
        ("x.csv", 'license_key,"product_id\nKEY-0001,\n', "the header is not CSV"),
        ("x.csv", "l\0i\0c\0", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_before_anything_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, reason: str
) -> None:
    def reached(_: object) -> None:
        raise AssertionError("nothing needs to be reached")

    monkeypatch.setattr(deployments, "reached", reached)
    with pytest.raises(imports.UnreadableFile, match=reason):
        Import(tmp_path)(name, content)
    assert not (tmp_path / f"{name}.errors.csv").exists()


def test_an_import_is_in_the_audit_log_as_a_whole(deployment: Deployment, run: Import) -> None:
    run("x.csv", f"{HEADER}\nKEY-0001,,\nKEY-0002,nope,\n")
    end, begin = staff_actions(deployment)
    assert (begin.action, begin.entity, begin.after) == ("license_import.begin", "x.csv", {})
    assert (end.action, end.after) == ("license_import.end", {"added": 1, "present": 0, "failed": 1})
    assert {each.author.key_id for each in (begin, end)} == {"command line"}
    assert {each.author.user_agent for each in (begin, end)} == {"python -m local import"}
    assert begin.author.key_name.endswith(f"@{socket.gethostname()}")
    assert begin.environment is Environment.PRODUCTION


@pytest.mark.parametrize(
    ("words", "environment", "after"),
    [
        (
            ["sdk", "--environment", "staging", "--capability", "ingest"],
            Environment.STAGING,
            {"kind": "sdk", "environments": ["staging"], "capabilities": ["ingest"]},
        ),
        (["staff", "--environment", "staging", "--role", "viewer"], None, {"kind": "staff", "role": "viewer"}),
    ],
)
def test_a_key_made_on_the_command_line_is_in_the_audit_log(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    environment: Environment | None,
    after: dict[str, object],
) -> None:
    monkeypatch.setattr(deployments, "reached", lambda _: _Reached(deployment.tables.prefix))
    parser = argparse.ArgumentParser()
    keys.add_arguments(parser)
    assert keys.run(parser.parse_args(words)) == 0
    secret = capsys.readouterr().out.strip()
    (entry,) = staff_actions(deployment)
    assert (entry.action, entry.environment, entry.author.key_id) == ("api_key.create", environment, "command line")
    assert after.items() <= entry.after.items()
    assert secret not in str(entry)
    assert entry.after["last_four"] == secret[-4:]


def staff_actions(deployment: Deployment) -> list[AuditEntry]:
    """What the audit log has of the last hour, newest first."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    log = AuditLog(deployment.tables.registry)
    return list(log.page(Environment.STAGING, now - timedelta(hours=1), now, 10, None).items) or list(
        log.page(Environment.PRODUCTION, now - timedelta(hours=1), now, 10, None).items
    )
