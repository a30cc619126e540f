import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import Json, streams
from local.engine import Engine, dynamodb, dynamodb_streams
from local.streams import Positions, Pump
from local.template import StreamMapping, read_template
from telemetry.domain.active_users import ActorKey
from telemetry.domain.environment import Environment
from telemetry.settings import TableNames
from telemetry.storage.active_users import LedgerStore
from tests.lambdas import Context, example_event, load_function
from tests.worlds.deployment import Deployment, Post

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HEADS = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"g": {"S": [{"exists": True}]}}}}


class Rollup:
    """A function that remembers what it took, and fails as often as it is told. Its state is how many it took."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.failures = 0
        self.taken = threading.Event()
        self.answer: Callable[[Mapping[str, Any]], Json] = self._count

    def __call__(self, name: str, event: Mapping[str, Any]) -> Json:
        assert name == "rollup"
        self.events.append(json.loads(json.dumps(event)))
        if self.failures:
            self.failures -= 1
            raise ValueError("not now")
        self.taken.set()
        return self.answer(event)

    @staticmethod
    def _count(event: Mapping[str, Any]) -> Json:
        return {"state": {"taken": event["state"].get("taken", 0) + len(event["Records"])}}

    @property
    def sorts(self) -> list[list[str]]:
        """The sort keys of each batch."""
        return [[record["dynamodb"]["Keys"]["s"]["S"] for record in event["Records"]] for event in self.events]

    @property
    def windows(self) -> list[tuple[str, Json, bool]]:
        """Of each event the beginning of its window, the state it came with, and whether it was the final one."""
        return [(each["window"]["start"], each["state"], each["isFinalInvokeForWindow"]) for each in self.events]


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
    """A pump as a start of the service makes it, of positions that outlive it. Its window outlasts any test."""

    def pump(
        batch_size: int = 100, window: int = 1_000_000_000, report: Callable[[str], None] = lambda _: None
    ) -> Pump:
        mapping = StreamMapping(table, "rollup", batch_size, (HEADS,), window)
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
    stream = f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/{label}"
    (event,) = rollup.events
    (record,) = event.pop("Records")
    assert event == {
        "window": {"start": "2001-09-09T01:46:40Z", "end": "2033-05-18T03:33:20Z"},
        "state": {},
        "shardId": f"shardId-00000001-{table}",
        "eventSourceARN": stream,
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }
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
        "eventSourceARN": stream,
    }


PAST = 1_577_836_800  # 2020-01-01T00:00:00Z: its window is over
LATER = 4_102_444_800  # 2100-01-01T00:00:00Z: its window is not


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """When records were written, by sort key: what the engine says otherwise is replaced."""
    times: dict[str, int] = {}
    real = streams.lambda_record

    def moved(described: Mapping[str, Any], stream: str) -> Json:
        record = real(described, stream)
        record["dynamodb"]["ApproximateCreationDateTime"] = times[record["dynamodb"]["Keys"]["s"]["S"]]
        return record

    monkeypatch.setattr(streams, "lambda_record", moved)
    return times


def test_state_goes_from_one_batch_to_the_next_of_its_window(
    put: Put, rollup: Rollup, pump: MakePump, written: dict[str, int]
) -> None:
    written |= {"1": LATER, "2": LATER + 899, "3": LATER + 60}
    running = pump(batch_size=1, window=900)
    put("1", "2")
    running.drain()
    put("3")
    running.drain()
    start = "2100-01-01T00:00:00Z"
    assert rollup.windows == [(start, {}, False), (start, {"taken": 1}, False), (start, {"taken": 2}, False)]


def test_a_window_ends_with_a_final_event_before_the_next_begins(
    put: Put, rollup: Rollup, pump: MakePump, written: dict[str, int]
) -> None:
    written |= {"1": LATER, "2": LATER + 899, "3": LATER + 900}
    put("1", "2", "3")
    pump(window=900).drain()
    assert rollup.sorts == [["1", "2"], [], ["3"]]
    assert rollup.windows == [
        ("2100-01-01T00:00:00Z", {}, False),
        ("2100-01-01T00:00:00Z", {"taken": 2}, True),
        ("2100-01-01T00:15:00Z", {}, False),
    ]
    assert [event["window"]["end"][11:] for event in rollup.events] == ["00:15:00Z", "00:15:00Z", "00:30:00Z"]


def test_a_window_ends_though_nothing_follows(
    put: Put, rollup: Rollup, pump: MakePump, written: dict[str, int]
) -> None:
    written |= {"1": PAST}
    put("1")
    running = pump(window=900)
    running.drain()
    running.drain()
    assert rollup.windows == [("2020-01-01T00:00:00Z", {}, False), ("2020-01-01T00:00:00Z", {"taken": 1}, True)]


def test_what_failed_comes_again_with_the_same_state(
    put: Put, rollup: Rollup, pump: MakePump, written: dict[str, int]
) -> None:
    written |= {"1": LATER, "2": LATER, "3": LATER + 900}
    running = pump(window=900)
    put("1")
    running.drain()
    for sort in ("2", "3"):  # fails at the batch, and at the final event before the batch
        put(sort)
        rollup.failures = 1
        with pytest.raises(ValueError, match="not now"):
            running.drain()
        running.drain()
    assert rollup.sorts == [["1"], ["2"], ["2"], [], [], ["3"]]
    assert [state.get("taken") for _, state, _ in rollup.windows] == [None, 1, 1, 2, 2, None]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}])
def test_an_answer_without_state_is_a_failure(put: Put, rollup: Rollup, pump: MakePump, answer: Json) -> None:
    rollup.answer = lambda _: answer
    put("1")
    for _ in range(2):
        with pytest.raises(ValueError, match="the answer holds no state"):
            pump().drain()
    assert rollup.sorts == [["1"], ["1"]]


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
    rollup.events.clear()
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
    assert rollup.events == []


EXAMPLE = "rollup-batch"


def test_the_example_event_is_what_rollup_gets(post: Post, rollup: Rollup, pump: MakePump) -> None:
    for name in ("ingest-telemetry", "ingest-usage"):
        event = example_event(name)
        assert post(event["rawPath"], event["body"]).status == 200
    pump().drain()
    (delivered,), example = rollup.events, example_event(EXAMPLE)
    assert delivered.keys() == example.keys()
    for ours, theirs in zip(example["Records"], delivered["Records"], strict=True):
        assert ours.keys() == theirs.keys()
        assert ours["dynamodb"].keys() == theirs["dynamodb"].keys()
        assert ours["dynamodb"]["NewImage"].keys() == theirs["dynamodb"]["NewImage"].keys()


def test_the_example_event_is_counted(deployment: Deployment) -> None:
    table = deployment.tables.records(Environment.PRODUCTION)
    event = json.loads(json.dumps(example_event(EXAMPLE)).replace("telemetry-records-production", table))
    images = [record["dynamodb"]["NewImage"] for record in event["Records"]]
    shown = {ActorKey(b64decode(image[name]["B"])) for image in images for name in ("u", "h") if name in image}
    aggregates = LedgerStore(deployment.tables.aggregates(Environment.PRODUCTION))
    assert aggregates.actors(shown) == {}
    assert load_function("rollup").handler(event, Context()) == {"state": {}}
    assert aggregates.actors(shown).keys() == shown
