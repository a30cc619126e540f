"""What counting needs to know of a record."""

from dataclasses import dataclass
from datetime import date

UNKNOWN_PRODUCT = "~unknown"
"""Where records of unregistered products count: random ids must not grow the aggregates."""

CATALOGUE = "*"
"""The scope of all products together; no product may be called so."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One record as the counters see it: who was seen, where, on which UTC day of receipt.

    `actor` is the fingerprint of the user, else of the device, else None. `device` is the device's fingerprint or None.
    A user and a device never share a fingerprint. `billable` is false when a piracy or licence flag is set.
    """

    product: str
    day: date
    actor: bytes | None
    device: bytes | None
    billable: bool
