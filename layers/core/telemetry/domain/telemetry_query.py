"""Records looked for, and found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telemetry.domain.flags import Flag
from telemetry.domain.record import RecordKey

LARGEST_PAGE = 100
LAST_RECORD = 10_000
"""How deep pages go: counting records off is work, and whoever wants them all asks with a narrower filter."""


@dataclass(frozen=True, slots=True)
class TelemetryQuery:
    """What is looked for; None where any will do. Texts are compared as they were sent, users as they are counted."""

    data_type: str | None = None
    data_group: str | None = None
    product_id: str | None = None
    user_id: str | None = None
    license_key: str | None = None
    is_flagged: bool | None = None
    page: int = 1
    per_page: int = 25


@dataclass(frozen=True, slots=True)
class Said:
    """What a record's body says, as far as it can be read. `data` is any JSON value."""

    user_identifier: str | None = None
    license_key: str | None = None
    activation_identifier: str | None = None
    product_id: str | None = None
    product_version: str | None = None
    data_type: str | None = None
    data_group: str | None = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record as it is listed. `product` is what it counts for; `flags` include those of a later first judgement."""

    key: RecordKey
    product: str
    received_at: datetime
    flags: frozenset[Flag]
    is_judged: bool
    said: Said
    damage: str | None = None
    """What of it cannot be read."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records, newest first, and whether there are older ones."""

    records: tuple[FoundRecord, ...]
    has_more: bool
