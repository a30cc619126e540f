"""Lambda's event source mapping on one machine: takes a table's stream to a function, and remembers how far it got.

A position is saved only after the function has taken the batch, so that what is in flight when the service is killed
comes again: at least once, in order, never skipped.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import Json, filters
from local.state import read_json, write_atomically
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
    """The last sequence number a function has taken, by stream, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._by_stream: dict[str, str] = read_json(path, {})

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
            self._deliver(self._mapping.function, {"Records": batch.records})
        self._positions.save(batch.stream, batch.last)

    def _batches(self, *, follow: bool) -> Iterator["_Batch"]:
        """Batches from the saved position on; endless if it is to `follow`, until stopped."""
        label, shard = self._locate()
        stream = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self._mapping.table}/stream/{label}"
        iterator = self._iterator(stream, shard)
        batch = _Batch(stream)
        while not self._stop.is_set():
            page: Any = self._streams.get_records(ShardIterator=iterator, Limit=_PAGE)
            iterator = page["NextShardIterator"]
            for described in page["Records"]:
                record = lambda_record(described, stream)
                size = len(json.dumps(record)) if filters.matches(self._mapping.patterns, record) else 0
                if batch.is_full(size, self._mapping.batch_size):
                    yield batch
                    batch = _Batch(stream)
                batch.add(record, size, described["dynamodb"]["SequenceNumber"])
            if len(page["Records"]) == _PAGE:
                continue
            if batch.last and (batch.is_due() or not follow):
                yield batch
                batch = _Batch(stream)
            if not follow:
                return
            self._stop.wait(_POLL_SECONDS)

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


class _Batch:
    """Records to deliver, and how far the stream has been read for them: further, where records were filtered out."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.records: list[Record] = []
        self.last = ""
        self._size = 0
        self._since = 0.0

    def add(self, record: Record, size: int, sequence_number: str) -> None:
        """`size` in bytes; 0 for a record nobody wants."""
        if not self.last:
            self._since = time.monotonic()
        if size:
            self.records.append(record)
        self._size += size
        self.last = sequence_number

    def is_full(self, size: int, batch_size: int) -> bool:
        """Whether a record of this size belongs into the next batch."""
        return bool(size and self.records and (len(self.records) >= batch_size or self._size + size > _MAX_BATCH_BYTES))

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
