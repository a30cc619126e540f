"""What counting needs to know of a record."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from telemetry.domain.flags import Flag

if TYPE_CHECKING:
    from telemetry.domain.record import RecordKey

UNKNOWN_PRODUCT = "~unknown"
"""Where records of unregistered products count: random ids must not grow the aggregates."""

CATALOGUE = "*"
"""The scope of all products together; no product may be called so."""

LONGEST_SCOPE = 1_024
"""Bytes of UTF-8. Nothing longer is ever counted, nor can it be asked for in DynamoDB (2,048 with our prefix)."""


def could_be_scope(text: str) -> bool:
    """Whether this may be the name of something that is counted."""
    try:
        return len(text.encode()) <= LONGEST_SCOPE
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return False


@dataclass(frozen=True, slots=True)
class Sighting:
    """One record as user counts see it: who was seen, where, on which UTC day of receipt.

    `actor` is the fingerprint of the user, else of the device, else None. `device` is the device's fingerprint or None.
    A user and a device never share a fingerprint. `billable` is false when a piracy or licence flag is set.
    """

    product: str
    day: date
    actor: bytes | None
    device: bytes | None
    billable: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """One record as the counts of hours and days see it.

    `partition` is where the index keeps it, within product and day: `c#3` (clean, flagged or unjudged; shard).
    `flags` are its own or, where it was stored unjudged and has been judged since, those of the judgement.
    `license` names the licence it came with, registered or not. `seal` is the SHA-256 of all that is stored of it but
    its body, whose digest it covers.
    """

    sighting: Sighting
    partition: str
    received_at: datetime
    expires_at: datetime
    flags: frozenset[Flag]
    version: str | None
    license: str | None
    api_key_id: str
    source_ip: str | None
    country: str | None
    seal: bytes
    uses: int = 0
    """Of product usage: how many uses it stands for, one unless it says that it sums up more; else 0."""

    key: "RecordKey | None" = None
    group: str | None = None
    """The data group or activity type, by `listed`."""
    address: str | None = None
    """Where the use was, as far as that is known."""
    company: str | None = None
    """The domain it may belong to (event.company_of)."""

    @property
    def is_flagged(self) -> bool:
        """By a flag, also one that only a later version knows: then the index alone says so."""
        return bool(self.flags) or self.partition.startswith("f")
