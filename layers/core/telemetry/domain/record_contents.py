"""What a record's body says, beyond the event that is counted and judged."""

from dataclasses import dataclass
from typing import Any

from telemetry.domain.event import Event


@dataclass(frozen=True, slots=True)
class Contents:
    """What a record's body says. `metadata` and `payload` (all of it) are any JSON values, None for what is no JSON."""

    event: Event
    data_type: str | None
    metadata: Any
    payload: Any


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
