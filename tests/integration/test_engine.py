import os
import platform
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from local.engine import Engine, EngineError, create_tables, dynamodb, is_alive
from local.template import ROOT, read_template
from telemetry.domain.environment import Environment
from telemetry.settings import TableNames
from tests.waiting import eventually

_PARENT = """
import fcntl, pathlib, sys, time
from local.engine import Engine
lock = open(sys.argv[2], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print(Engine.start(pathlib.Path(sys.argv[1]), [lock.fileno()]).endpoint, flush=True)
time.sleep(60)
"""


def test_default_clients_reach_the_tables(engine: Engine) -> None:
    tables = TableNames("reached-stack")
    create_tables(dynamodb(engine.endpoint), read_template(tables.prefix).tables)
    client = boto3.client("dynamodb")
    for environment in Environment:
        description = client.describe_table(TableName=tables.records(environment))["Table"]
        assert "LatestStreamArn" in description
        assert client.scan(TableName=tables.aggregates(environment))["Count"] == 0
    ttl = client.describe_time_to_live(TableName=tables.records(Environment.STAGING))["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "x"


def test_keeps_its_data_and_tables(tmp_path: Path) -> None:
    database = tmp_path / "dynamodb.sqlite"
    template = read_template("kept-stack")
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    for _ in range(2):
        with Engine.start(database) as engine:
            client = dynamodb(engine.endpoint)
            create_tables(client, template.tables)
            client.put_item(TableName="kept-stack-registry", Item=key)
            assert client.scan(TableName="kept-stack-registry")["Items"] == [key]
        assert not is_alive(engine.endpoint)


def test_dies_with_its_killed_parent_and_then_frees_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "db"), str(lock)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        endpoint = parent.stdout.readline().strip()
        assert is_alive(endpoint)
        assert _locked(lock)
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not _locked(lock) and not is_alive(endpoint))


def _locked(path: Path) -> bool:
    import fcntl

    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_a_stream_read_does_not_scan_the_stream(tmp_path: Path) -> None:
    database = tmp_path / "dynamodb.sqlite"
    with Engine.start(database):
        pass
    # the engine's own two statements, as far as they decide how much is read
    position = "CAST(sequence_number AS INTEGER)"
    last = f"SELECT MAX({position}) FROM _stream_records WHERE table_name = ?1"
    after = (
        "SELECT keys_json FROM _stream_records WHERE table_name = ?1 AND shard_id = ?2 "
        f"AND {position} > ?3 ORDER BY {position} ASC LIMIT ?4"
    )
    with closing(sqlite3.connect(database)) as connection:
        for query, arguments in ((last, ["t"]), (after, ["t", "s", 1, 10])):
            (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {query}", arguments).fetchall()
            assert plan[-1].startswith("SEARCH _stream_records USING INDEX stream_position (table_name=?")


@pytest.mark.parametrize(
    ("system", "machine", "message"),
    [
        ("Darwin", "arm64", "no local DynamoDB is pinned for darwin-arm64"),
        ("Windows", "AMD64", "no local DynamoDB is pinned for windows-x64"),
        ("Linux", "x86_64", "the local DynamoDB is not installed: run `make run`"),
    ],
)
def test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, system: str, machine: str, message: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(Path, "is_file", lambda _: False)
    with pytest.raises(EngineError, match=message):
        Engine.start()
