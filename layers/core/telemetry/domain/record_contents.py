"""What a record's body says, beyond the event that is counted and judged."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from telemetry.domain.event import Event


class Contents(NamedTuple):
    """What a record's body says. `metadata` and `payload` (all of it) are any JSON values, None for what is no JSON."""

    event: Event
    data_type: str | None
    metadata: Any
    payload: Any

    def forgotten(self) -> "Contents":
        """Without ids of user and device, and without what may hold them."""
        event = replace(self.event, raw=b"", user_id=None, hwid=None, activation_identifier=None, value=None)
        return Contents(event, self.data_type, None, None)


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

    def forgotten(self) -> "Said":
        """Without ids of user and device, and without what may hold them."""
        return replace(self, user_identifier=None, activation_identifier=None, data=None)
