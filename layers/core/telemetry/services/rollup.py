"""From a batch of a records stream to counted users, counted hours, and alerts."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from cachetools import LRUCache

from telemetry.domain.active_users import Outdated, Refusal
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.event import Event
from telemetry.domain.hourly_counts import Fold
from telemetry.domain.instant import hour_of
from telemetry.domain.sighting import Observation, Sighting
from telemetry.domain.uncounted_record import UncountedRecord
from telemetry.retry import Attempts, Wait, wait_with_jitter
from telemetry.services.counting import count
from telemetry.services.ports import HourlyCounters, Ledger

MOST_ITEMS = 90
"""Items of one transaction, which takes 100: a record adds at most three."""

MOST_REMEMBERED = 100_000
"""Sightings that a process remembers of each environment: at most 60 MB."""

StreamRecord = Mapping[str, Any]
"""One record of a DynamoDB stream event, as Lambda delivers it."""

Read = Callable[[Mapping[str, Any]], tuple[Observation, Event | None]]
"""Reads a stream's NewImage (DynamoDB's notation, binary values as bytes): the record, and its event.

None where the body is too large for the stream, or cannot be read.
"""


class UncountedRecords(Protocol):
    """Where records go that cannot be counted (messages.uncounted_records)."""

    def send(self, records: Sequence[UncountedRecord]) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of one stream shard, in order. Lambda may deliver a batch again, cut differently."""

    environment: Environment
    shard: str
    records: Sequence[StreamRecord]

    @classmethod
    def of(cls, event: Mapping[str, Any], table_name: Callable[[Environment], str]) -> "Batch":
        """Reads an event of a stream with tumbling windows: no others name their shard.

        Raises ValueError unless the stream is that of one of our tables, KeyError without a shard.
        """
        table = event["eventSourceARN"].split("/")[1]
        (environment,) = (each for each in Environment if table_name(each) == table)
        return cls(environment, event["shardId"], event["Records"])


class Seen(NamedTuple):
    """A record that could be read."""

    record: StreamRecord
    observation: Observation
    event: Event | None

    @property
    def group(self) -> str | None:
        """Of a body that is not at hand as the index lists it: a long one has no name there."""
        if self.event:
            return self.event.group
        listed = self.observation.group
        return None if listed and listed.startswith("~") else listed


def _remembered() -> MutableMapping[Sighting, bool]:
    return LRUCache(MOST_REMEMBERED)


@dataclass(frozen=True, slots=True)
class Rollup:
    """What counting a batch takes. `noted` remembers the hours for which the use of a key was written down.

    `counted` remembers sightings that this process has counted: most records show nothing new, and need no actor to be
    read. Only what is certainly stored is in it, and nothing that is stored is ever taken back, so it cannot be wrong.
    Recounts know nothing of it.
    """

    read: Read
    actors: Ledger
    hourly: HourlyCounters
    uncounted: UncountedRecords
    noted: dict[str, datetime]
    wait: Wait = wait_with_jitter
    counted: MutableMapping[Sighting, bool] = field(default_factory=_remembered)

    def count(self, batch: Batch, now: datetime) -> list[Seen]:
        """Counts a batch and returns what it shows; the same records again change nothing.

        What can never be read or counted goes to the failure queue with its cause, perhaps more than once, and the
        rest is counted nevertheless. Raises StoreUnavailable when storage keeps failing: the batch is to come again.
        """
        position = self._position(batch.shard)
        readable, failed = self._read(batch)
        fresh = [seen for seen in readable if is_after(seen.record, position)]
        refused = _refused(batch, fresh, self._count_users(fresh))
        if uncounted := [each for each in failed if int(each.sequence_number) > int(position or 0)] + refused:
            self.uncounted.send(uncounted)
        self._note_uses(fresh)
        self._add(batch, fresh, position, now)
        return readable

    def _position(self, shard: str) -> str | None:
        attempts = Attempts(self.wait)
        while True:
            try:
                return self.hourly.position(shard)
            except StoreUnavailable as exc:
                attempts.failed(exc)

    def _read(self, batch: Batch) -> tuple[list[Seen], list[UncountedRecord]]:
        readable, failed = [], []
        for record in batch.records:
            if record["eventName"] != "INSERT":
                continue  # what TTL removes; nothing else ever happens to a record
            try:
                readable.append(Seen(record, *self.read(_with_bytes(record["dynamodb"]["NewImage"]))))
            except Exception as exc:  # noqa: BLE001 (whatever is wrong with it, the rest of the batch counts)
                failed.append(_uncounted(batch, record, exc))
        return readable, failed

    def _count_users(self, fresh: Sequence[Seen]) -> dict[tuple[bytes, int], Refusal]:
        """Counts everyone who is not counted yet; gives what could not be counted, by fingerprint and day."""
        shown = dict.fromkeys(seen.observation.sighting for seen in fresh)
        unknown = [each for each in shown if not self.counted.get(each)]
        refusals = count(unknown, self.actors, self.wait, consistent=False)
        refused = {(each.fingerprint, each.presence.day): each for each in refusals}
        for each in unknown:
            if _refusal(each, refused) is None:
                self.counted[each] = True
        return refused

    def _note_uses(self, fresh: Sequence[Seen]) -> None:
        """At most once an hour and process for each API key, and once a batch: only the last hour matters."""
        last = dict[str, datetime]()
        for seen in fresh:
            key, hour = seen.observation.api_key_id, hour_of(seen.observation.received_at)
            last[key] = max(last.get(key, hour), hour)
        for key, hour in last.items():
            noted = self.noted.get(key)
            if noted is None or noted < hour:
                self.hourly.note_use(key, hour)
                self.noted[key] = hour

    def _add(self, batch: Batch, fresh: Sequence[Seen], position: str | None, now: datetime) -> None:
        """Moves the position on to the batch's end, in as many transactions as it takes; it is read again only then."""
        attempts = Attempts(self.wait)
        while batch.records:
            try:
                if attempts.failures:
                    position = self.hourly.position(batch.shard)
                for end, fold in _runs(batch.records, [seen for seen in fresh if is_after(seen.record, position)]):
                    if int(end) > int(position or 0):
                        self.hourly.add(batch.shard, position, end, self._bounded(fold), now)
                        position = end
            except (Outdated, StoreUnavailable) as exc:
                attempts.failed(exc)
            else:
                return

    def _bounded(self, fold: Fold) -> Fold:
        return fold.bounded(self.hourly.known(list(fold.hours)) if fold.hours else {})


def _runs(records: Sequence[StreamRecord], fresh: Sequence[Seen]) -> Iterator[tuple[str, Fold]]:
    """What to add up to which sequence number; the last run ends with the batch."""
    fold, end = Fold(), ""
    for seen in fresh:
        if len(fold) > MOST_ITEMS:
            yield end, fold
            fold = Fold()
        fold.add(seen.observation, seen.group)
        end = sequence_number(seen.record)
    yield sequence_number(records[-1]), fold


def _refused(
    batch: Batch, fresh: Sequence[Seen], refused: Mapping[tuple[bytes, int], Refusal]
) -> list[UncountedRecord]:
    found = ((seen, _refusal(seen.observation.sighting, refused)) for seen in fresh)
    return [_uncounted(batch, seen.record, refusal.cause) for seen, refusal in found if refusal]


def _refusal(who: Sighting, refused: Mapping[tuple[bytes, int], Refusal]) -> Refusal | None:
    day = who.day.toordinal()
    shown = (fingerprint for fingerprint in (who.actor, who.device) if fingerprint is not None)
    return next((refused[each, day] for each in shown if (each, day) in refused), None)


def _uncounted(batch: Batch, record: StreamRecord, cause: Exception) -> UncountedRecord:
    return UncountedRecord(
        environment=batch.environment,
        key=record["dynamodb"].get("Keys", {}),
        cause=f"{type(cause).__name__}: {cause}",
        event_id=record["eventID"],
        shard=batch.shard,
        sequence_number=sequence_number(record),
    )


def is_after(record: StreamRecord, position: str | None) -> bool:
    """Whether a record comes after a position of its shard; None: its beginning."""
    return position is None or int(sequence_number(record)) > int(position)


def sequence_number(record: StreamRecord) -> str:
    """Where a record is in its shard."""
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def _with_bytes(image: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Lambda delivers binary values as base64; DynamoDB's clients take bytes."""
    return {name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in image.items()}
