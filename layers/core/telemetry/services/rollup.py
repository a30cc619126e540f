"""From a batch of a records stream to counted users."""

from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.domain.active_users import Refusal
from telemetry.domain.environment import Environment
from telemetry.domain.errors import TelemetryError
from telemetry.domain.sighting import Sighting
from telemetry.services.counting import ActorStore, Wait, count, wait_with_jitter

StreamRecord = Mapping[str, Any]
"""One record of a DynamoDB stream event, as Lambda delivers it."""

SightingOf = Callable[[Mapping[str, Any]], Sighting]
"""Reads a stream's NewImage, in DynamoDB's notation with binary values as bytes."""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A record that could not be read or counted: its key, in DynamoDB's notation, and why."""

    key: Mapping[str, Any]
    cause: Exception


def environment_of(records: Iterable[StreamRecord], table_name: Callable[[Environment], str]) -> Environment:
    """Whose records a batch carries, by its stream's table. Raises ValueError unless that is one of ours."""
    (table,) = {record["eventSourceARN"].split("/")[1] for record in records}
    (environment,) = (each for each in Environment if table_name(each) == table)
    return environment


def roll_up(
    records: Iterable[StreamRecord], sighting_of: SightingOf, store: ActorStore, wait: Wait = wait_with_jitter
) -> list[Uncounted]:
    """Counts whom a batch shows; the same batch again changes nothing.

    What cannot be read or counted is returned, and the rest counted nevertheless. Raises StoreUnavailable when storage
    keeps failing: the batch is to come again.
    """
    uncounted: list[Uncounted] = []
    seen: list[tuple[StreamRecord, Sighting]] = []
    for record in records:
        if record["eventName"] != "INSERT":
            continue  # what TTL removes; nothing else ever happens to a record
        try:
            seen.append((record, sighting_of(_with_bytes(record["dynamodb"]["NewImage"]))))
        except (TelemetryError, AttributeError, LookupError, TypeError, ValueError) as exc:
            uncounted.append(Uncounted(_key(record), exc))
    refusals = count((who for _, who in seen), store, wait)
    refused = {(each.fingerprint, each.presence.day): each for each in refusals}
    for record, who in seen:
        if refusal := _refusal(who, refused):
            uncounted.append(Uncounted(_key(record), refusal.cause))
    return uncounted


def _refusal(who: Sighting, refused: Mapping[tuple[bytes, int], Refusal]) -> Refusal | None:
    day = who.day.toordinal()
    shown = (fingerprint for fingerprint in (who.actor, who.device) if fingerprint is not None)
    return next((refused[each, day] for each in shown if (each, day) in refused), None)


def _with_bytes(image: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Lambda delivers binary values as base64; DynamoDB's clients take bytes."""
    return {name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in image.items()}


def _key(record: StreamRecord) -> Mapping[str, Any]:
    key: Mapping[str, Any] = record["dynamodb"].get("Keys", {})
    return key
