"""Bulk import, as a command works it: any rows, run again, with what failed reported line by line."""

import argparse
import json
import sys
from pathlib import Path

import pytest

from local import deployments, imports
from telemetry.domain.environment import Environment
from telemetry.domain.errors import NotFound
from telemetry.domain.license import License, LicenseState, license_id
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import license_store

pytestmark = pytest.mark.days

CSV = """license_key,product_id,customer_id,state,expires_at,activation_limit,identifier
K-1,acme-cli,c1,,2027-01-31,2,
K-2,acme-desktop,,,,,
"K-3",acme-cli,c1,suspended,2027-01-31T12:00:00+01:00,-1,
K-1,,,,,,device-1
K-1,,,,,,device-2
K-1,,,,,,device-3
,acme-cli,,,,,
K-4,nope,,,,,
K-5,,,strange,,,
K-6,,,,someday,,
K-7,,,,,many,
K-8,,,,,,device
K-1,acme-cli,c1,,2027-01-31,2,
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
        path.write_text(content, encoding="utf-8")
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
    one, two, three = (imported(deployment, key) for key in ("K-1", "K-2", "K-3"))
    assert (one.state, one.active_activations, one.customer_id) == (LicenseState.ACTIVE, 2, "c1")
    assert one.expires_at
    assert one.expires_at.isoformat() == "2027-01-31T23:59:59+00:00"
    assert (two.state, two.expires_at) == (LicenseState.AVAILABLE, None)
    assert (three.state, three.has_room) == (LicenseState.SUSPENDED, True)
    assert three.expires_at
    assert three.expires_at.isoformat() == "2027-01-31T11:00:00+00:00"
    assert store.key_of(one) == "K-1"
    with pytest.raises(NotFound):
        imported(deployment, "K-1", Environment.STAGING)


def imported(deployment: Deployment, key: str, environment: Environment = Environment.PRODUCTION) -> License:
    return license_store(deployment).get(license_id(environment, key, deployment.keyring))


@pytest.mark.parametrize("state", LicenseState)
def test_an_imported_activation_revives_no_licence(deployment: Deployment, run: Import, state: LicenseState) -> None:
    rows = [{"license_key": "K-1", "state": state}, {"license_key": "K-1", "identifier": "device"}]
    assert run("fleet.ndjson", "\n".join(json.dumps(row) for row in rows)) == 0
    found = imported(deployment, "K-1")
    assert found.active_activations == 1
    assert found.state is (LicenseState.ACTIVE if state is LicenseState.ASSIGNED else state)


def test_running_again_changes_nothing(deployment: Deployment, run: Import, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"license_key": f"K-{i}", "activation_limit": 5} for i in range(700)]
    rows += [{"license_key": f"K-{i}", "identifier": f"device-{i}"} for i in range(0, 700, 5)]
    content = "\n".join(json.dumps(row) for row in rows)
    assert run("fleet.ndjson", content) == 0
    assert "done: 840 added, 0 there before, 0 failed" in capsys.readouterr().out
    before = imported(deployment, "K-5")
    assert run("fleet.ndjson", content) == 0
    assert "done: 0 added, 840 there before, 0 failed" in capsys.readouterr().out
    assert imported(deployment, "K-5") == before
    assert not (run.folder / "fleet.ndjson.errors.csv").exists()


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-12:00", "0001-01-01", "1969-12-31T23:59:59Z"])
def test_an_end_that_could_not_be_read_again_is_reported(run: Import, end: str) -> None:
    assert run("x.csv", f"license_key,product_id,expires_at\nK-10,acme-cli,{end}\n") == 1
    assert run.errors("x.csv").startswith("line,error\n2,expires_at: ")


def test_lines_that_are_no_objects_are_reported(run: Import) -> None:
    assert run("fleet.jsonl", '{"license_key":"K-1"}\n\n{\n[1]\n{"license_key":"K-2","colour":"red"}\n') == 1
    assert run.errors("fleet.jsonl") == "line,error\n3,not JSON\n4,not an object\n5,colour: no such field\n"


def test_a_file_of_another_kind_is_refused(run: Import) -> None:
    with pytest.raises(imports.UnreadableFile):
        run("fleet.xlsx", "")


def test_keys_are_not_in_clear_in_the_registry(deployment: Deployment, run: Import) -> None:
    from telemetry.storage.tables import dynamodb_client

    run("fleet.csv", CSV)
    dump = str(dynamodb_client().scan(TableName=deployment.tables.registry)["Items"])
    assert sys.getsizeof(dump) > 1000
    assert not any(key in dump for key in ("K-1", "K-2", "K-3"))
