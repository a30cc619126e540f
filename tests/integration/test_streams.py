import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import Json, streams
from local.engine import Engine, dynamodb, dynamodb_streams
from local.streams import Positions, Pump
from local.template import StreamMapping, read_template
from telemetry.domain.environment import Environment
from telemetry.settings import TableNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HEADS = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"g": {"S": [{"exists": True}]}}}}


class Rollup:
    """A function that remembers what it took, and fails as often as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.failures = 0
        self.taken = threading.Event()

    def __call__(self, name: str, event: Mapping[str, Any]) -> Json:
        assert name == "rollup"
        self.batches.append(event["Records"])
        if self.failures:
            self.failures -= 1
            raise ValueError("not now")
        self.taken.set()
        return {}

    @property
    def sorts(self) -> list[list[str]]:
        """The sort keys of each batch."""
        return [[record["dynamodb"]["Keys"]["s"]["S"] for record in batch] for batch in self.batches]


@pytest.fixture
def client(engine: Engine) -> "DynamoDBClient":
    return dynamodb(engine.endpoint)


@pytest.fixture
def table(tables: TableNames) -> str:
    return tables.records(Environment.PRODUCTION)


@pytest.fixture
def put(client: "DynamoDBClient", table: str) -> Callable[..., None]:
    def put(*sorts: str, index: str | None = "g") -> None:
        for sort in sorts:
            item: dict[str, Any] = {"p": {"S": "p"}, "s": {"S": sort}, "t": {"N": "1"}, "d": {"B": b"\x00\xff"}}
            client.put_item(TableName=table, Item=item | ({"g": {"S": index}} if index else {}))

    return put


@pytest.fixture
def rollup() -> Rollup:
    return Rollup()


@pytest.fixture
def pump(engine: Engine, table: str, rollup: Rollup, tmp_path: Path) -> Callable[..., Pump]:
    """A pump as a start of the service makes it, of positions that outlive it."""

    def pump(batch_size: int = 100, report: Callable[[str], None] = lambda _: None) -> Pump:
        mapping = StreamMapping(table, "rollup", batch_size, (HEADS,))
        reader = dynamodb_streams(engine.endpoint)
        positions = Positions(tmp_path / "positions.json")
        return Pump(mapping, dynamodb(engine.endpoint), reader, positions, rollup, report)

    return pump


Put = Callable[..., None]
MakePump = Callable[..., Pump]


def test_delivers_what_lambda_would(
    client: "DynamoDBClient", table: str, put: Put, rollup: Rollup, pump: MakePump
) -> None:
    before = int(time.time())
    put("1")
    pump().drain()
    label = client.describe_table(TableName=table)["Table"]["LatestStreamLabel"]
    ((record,),) = rollup.batches
    json.dumps(record)
    created = record["dynamodb"].pop("ApproximateCreationDateTime")
    assert before <= created <= time.time()
    assert len(record.pop("eventID")) == 32
    assert record["dynamodb"].pop("SizeBytes") > 0
    assert record == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "Keys": {"p": {"S": "p"}, "s": {"S": "1"}},
            "NewImage": {"p": {"S": "p"}, "s": {"S": "1"}, "t": {"N": "1"}, "g": {"S": "g"}, "d": {"B": "AP8="}},
            "SequenceNumber": "000000000000000000001",
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/{label}",
    }


def test_goes_on_where_it_was_before_a_restart(put: Put, rollup: Rollup, pump: MakePump) -> None:
    put("1", "2")
    pump().drain()
    put("3")
    pump().drain()
    pump().drain()
    assert rollup.sorts == [["1", "2"], ["3"]]


def test_what_failed_comes_again_after_a_restart(put: Put, rollup: Rollup, pump: MakePump) -> None:
    put("1", "2")
    rollup.failures = 1
    with pytest.raises(ValueError, match="not now"):
        pump().drain()
    put("3")
    pump().drain()
    assert rollup.sorts == [["1", "2"], ["1", "2", "3"]]


def test_tries_again_until_it_is_taken(
    put: Put, rollup: Rollup, pump: MakePump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(streams, "WINDOW_SECONDS", 0.05)
    complaints: list[str] = []
    rollup.failures = 2
    put("1")
    running = pump(report=complaints.append)
    running.start()
    assert rollup.taken.wait(10)
    running.ask_to_stop()
    running.join(5)
    assert rollup.sorts == [["1"]] * 3
    assert [complaint.rpartition(": ")[2] for complaint in complaints] == ["not now; trying again"] * 2


def test_leaves_out_what_the_filter_does_not_match(
    client: "DynamoDBClient", table: str, put: Put, rollup: Rollup, pump: MakePump
) -> None:
    put("chunk", index=None)
    put("1")
    client.delete_item(TableName=table, Key={"p": {"S": "p"}, "s": {"S": "1"}})
    pump().drain()
    assert rollup.sorts == [["1"]]
    put("chunk-2", index=None)
    pump().drain()
    put("2")
    pump().drain()
    assert rollup.sorts == [["1"], ["2"]]


def test_cuts_batches_by_number_and_by_bytes(
    put: Put, rollup: Rollup, pump: MakePump, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("1", "2", "3", "4", "5")
    pump(batch_size=2).drain()
    assert rollup.sorts == [["1", "2"], ["3", "4"], ["5"]]
    rollup.batches.clear()
    put("6", "7", "8")
    monkeypatch.setattr(streams, "_MAX_BATCH_BYTES", 1)
    pump().drain()
    assert rollup.sorts == [["6"], ["7"], ["8"]]


def test_reads_more_than_a_page(put: Put, rollup: Rollup, pump: MakePump) -> None:
    put(*map(str, range(250)))
    pump(batch_size=1000).drain()
    assert rollup.sorts == [list(map(str, range(250)))]


def test_a_position_that_was_trimmed_reads_what_is_left(
    put: Put, rollup: Rollup, pump: MakePump, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("1")
    pump().drain()
    second = pump()
    reader = second._streams
    real = reader.get_shard_iterator

    def trimmed(**arguments: Json) -> Json:
        if arguments["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER":
            raise reader.exceptions.TrimmedDataAccessException({"Error": {}}, "GetShardIterator")
        return real(**arguments)

    monkeypatch.setattr(reader, "get_shard_iterator", trimmed)
    second.drain()
    assert rollup.sorts == [["1"], ["1"]]


def test_the_templates_streams_can_be_pumped(
    engine: Engine, tables: TableNames, rollup: Rollup, tmp_path: Path
) -> None:
    for mapping in read_template(tables.prefix).streams:
        positions = Positions(tmp_path / "positions.json")
        Pump(mapping, dynamodb(engine.endpoint), dynamodb_streams(engine.endpoint), positions, rollup).drain()
    assert rollup.batches == []
