"""Records of a stream that cannot be counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telemetry.domain.environment import Environment


@dataclass(frozen=True, slots=True)
class UncountedRecord:
    """A record of a stream that could not be counted, and why.

    `key` is the record's, in DynamoDB's notation; `cause` a text for people. `event_id` is the same whenever the record
    is delivered again; `shard` and `sequence_number` are its place in the stream.
    """

    environment: Environment
    key: Mapping[str, Any]
    cause: str
    event_id: str
    shard: str
    sequence_number: str
