"""Lambda's event source mapping on one machine: takes a table's stream to a function, and remembers how far it got.

A position is saved only after the function has taken the batch, so that what is in flight when the service is killed
comes again: at least once, in order, never skipped.

Events are those of tumbling windows: a record belongs to the window it was written in, what the function answers as
`state` comes back to it until that window ends. A restart of the service forgets the state, as resharding does.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import Json, filters
from local.state import damaged, read_json, write_atomically
from local.template import ACCOUNT, REGION, StreamMapping

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

WINDOW_SECONDS = 0.5
"""How long a batch is collected at most: shorter than the template's, for the eyes of who tries things out."""

_POLL_SECONDS = 0.2
_PAGE = 100  # records with large bodies are up to 400 KB each
_MAX_BATCH_BYTES = 5_500_000  # Lambda takes 6 MB
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0

# Real sequence numbers have at least 21 digits; this engine counts from 1.
_SEQUENCE_DIGITS = 21

Record = dict[str, Any]
Deliver = Callable[[str, Mapping[str, Any]], Any]
"""Runs a function by name with an event; raises when it fails."""


class Positions:
    """The last sequence number a function has taken, by stream, in a file.

    Without the file streams are read from their beginning, and what has been counted is not counted again. Raises
    StateError when it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._by_stream = read_json(path, {})
        if not all(isinstance(position, str) and position.isdecimal() for position in self._by_stream.values()):
            raise damaged(path)

    def get(self, stream: str) -> str | None:
        with self._lock:
            return self._by_stream.get(stream)

    def save(self, stream: str, sequence_number: str) -> None:
        """Returns when it is on disk."""
        with self._lock:
            self._by_stream[stream] = sequence_number
            write_atomically(self._path, json.dumps(self._by_stream, indent=1))


class Pump:
    """A thread that takes one table's stream to its function."""

    def __init__(
        self,
        mapping: StreamMapping,
        tables: "DynamoDBClient",
        streams: "DynamoDBStreamsClient",
        positions: Positions,
        deliver: Deliver,
        report: Callable[[str], None] = print,
    ) -> None:
        for pattern in mapping.patterns:
            filters.check(pattern)
        self._mapping = mapping
        self._tables = tables
        self._streams = streams
        self._positions = positions
        self._deliver = deliver
        self._report = report
        self._window: _Window | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream of {mapping.table}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Asks the thread to end after the batch it is at."""
        self._stop.set()

    def join(self, patience: float) -> None:
        """Waits `patience` seconds for the thread's end."""
        if self._thread.ident:
            self._thread.join(max(0.0, patience))

    def drain(self) -> None:
        """Takes what is in the stream now, in the caller's thread; raises what the function raises."""
        for batch in self._batches(follow=False):
            self._take(batch)

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                for batch in self._batches(follow=True):
                    self._take(batch)
                    pause = _FIRST_PAUSE_SECONDS
            except Exception as exc:  # noqa: BLE001 (whatever it is, the batch comes again, for ever)
                if not self._stop.is_set():
                    self._report(f"{self._mapping.function}: {self._mapping.table}: {str(exc)[:300]}; trying again")
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _take(self, batch: "_Batch") -> None:
        if batch.records:
            if self._window and self._window.start != batch.window:
                self._end(self._window)
            if self._window is None:
                self._window = _Window(batch.stream, batch.shard, batch.window, self._mapping.tumbling_window)
            self._invoke(self._window, batch.records, is_final=False)
        self._positions.save(batch.stream, batch.last)

    def _end(self, window: "_Window") -> None:
        self._invoke(window, [], is_final=True)
        self._window = None

    def _invoke(self, window: "_Window", records: list[Record], *, is_final: bool) -> None:
        """What the function answers as state it gets next time; like in Lambda, an answer without is a failure."""
        event = {
            "Records": records,
            "window": {"start": _iso(window.start), "end": _iso(window.end)},
            "state": window.state,
            "shardId": window.shard,
            "eventSourceARN": window.stream,
            "isFinalInvokeForWindow": is_final,
            "isWindowTerminatedEarly": False,
        }
        answer = self._deliver(self._mapping.function, event)
        if "state" not in (answer or {}):
            raise ValueError("the answer holds no state")
        window.state = answer["state"]

    def _batches(self, *, follow: bool) -> Iterator["_Batch"]:
        """Batches from the saved position on; endless if it is to `follow`, until stopped."""
        label, shard = self._locate()
        stream = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self._mapping.table}/stream/{label}"
        iterator = self._iterator(stream, shard)
        batch = _Batch(stream, shard)
        while not self._stop.is_set():
            page: Any = self._streams.get_records(ShardIterator=iterator, Limit=_PAGE)
            iterator = page["NextShardIterator"]
            for described in page["Records"]:
                record = lambda_record(described, stream)
                size = len(json.dumps(record)) if filters.matches(self._mapping.patterns, record) else 0
                window = self._window_of(record)
                if batch.is_full(size, self._mapping.batch_size, window):
                    yield batch
                    batch = _Batch(stream, shard)
                batch.add(record, size, described["dynamodb"]["SequenceNumber"], window)
            if len(page["Records"]) == _PAGE:
                continue
            if batch.last and (batch.is_due() or not follow):
                yield batch
                batch = _Batch(stream, shard)
            if self._window and self._window.end <= time.time() and not batch.records:
                self._end(self._window)
            if not follow:
                return
            self._stop.wait(_POLL_SECONDS)

    def _window_of(self, record: Record) -> int:
        """The beginning of the window the record was written in, in epoch seconds."""
        written: int = record["dynamodb"]["ApproximateCreationDateTime"]
        return written - written % self._mapping.tumbling_window

    def _locate(self) -> tuple[str, str]:
        """The stream's label and its only shard: this engine never splits one."""
        table = self._tables.describe_table(TableName=self._mapping.table)["Table"]
        description: Any = self._streams.describe_stream(StreamArn=table["LatestStreamArn"])["StreamDescription"]
        (shard,) = description["Shards"]
        return table["LatestStreamLabel"], shard["ShardId"]

    def _iterator(self, stream: str, shard: str) -> str:
        position = self._positions.get(stream)
        if position is not None:
            try:
                return self._streams.get_shard_iterator(
                    StreamArn=stream,
                    ShardId=shard,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    SequenceNumber=position,
                )["ShardIterator"]
            except self._streams.exceptions.TrimmedDataAccessException:
                self._report(f"stream of {self._mapping.table}: position {position} is gone, reading what is left")
        return self._streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]


@dataclass
class _Window:
    """A tumbling window of a shard. Times are in epoch seconds."""

    stream: str
    shard: str
    start: int
    seconds: int
    state: Json = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.start + self.seconds


def _iso(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


class _Batch:
    """Records of one window, and how far the stream has been read for them: further, where some were filtered out."""

    def __init__(self, stream: str, shard: str) -> None:
        self.stream = stream
        self.shard = shard
        self.window = 0
        self.records: list[Record] = []
        self.last = ""
        self._size = 0
        self._since = 0.0

    def add(self, record: Record, size: int, sequence_number: str, window: int) -> None:
        """`size` in bytes; 0 for a record nobody wants."""
        if not self.last:
            self._since = time.monotonic()
        if size:
            self.records.append(record)
            self.window = window
        self._size += size
        self.last = sequence_number

    def is_full(self, size: int, batch_size: int, window: int) -> bool:
        """Whether a record of this size and window belongs into the next batch."""
        if not (size and self.records):
            return False
        too_large = len(self.records) >= batch_size or self._size + size > _MAX_BATCH_BYTES
        return too_large or window != self.window

    def is_due(self) -> bool:
        return time.monotonic() - self._since >= WINDOW_SECONDS


def lambda_record(described: Mapping[str, Any], stream: str) -> Record:
    """A record of GetRecords as Lambda delivers it: binary values in base64, times in seconds."""
    sequence_number = described["dynamodb"]["SequenceNumber"]
    change = _jsonable(described["dynamodb"])
    change["SequenceNumber"] = sequence_number.zfill(_SEQUENCE_DIGITS)
    return {
        "eventID": hashlib.md5(f"{stream} {sequence_number}".encode(), usedforsecurity=False).hexdigest(),
        "eventName": described["eventName"],
        "eventVersion": described["eventVersion"],
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": stream,
        **({"userIdentity": dict(described["userIdentity"])} if "userIdentity" in described else {}),
    }


def _jsonable(value: Json) -> Json:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, Mapping):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_jsonable(item) for item in value]
    return value
