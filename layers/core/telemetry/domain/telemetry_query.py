"""Records looked for, and found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from telemetry.domain.flags import Flag
from telemetry.domain.record import RecordKey
from telemetry.domain.record_contents import Said

LARGEST_PAGE = 100
LAST_RECORD = 10_000
"""The last record that a page number may reach: skipping records is work. To read all, follow the pages' cursors."""


@dataclass(frozen=True, slots=True)
class TelemetryQuery:
    """Which records match; None matches any value. Texts are compared as they were sent, users as they are counted.

    A `license_key` that means none (`unknown`) finds what was sent without one. With a `next`, `page` is not used.
    """

    data_type: str | None = None
    data_group: str | None = None
    product_id: str | None = None
    user_id: str | None = None
    license_key: str | None = None
    is_flagged: bool | None = None
    page: int = 1
    per_page: int = 25
    next: str | None = None

    @property
    def filters(self) -> tuple[str | bool | None, ...]:
        """All that decides which records are in the list."""
        return (self.data_type, self.data_group, self.product_id, self.user_id, self.license_key, self.is_flagged)


class PageStart(NamedTuple):
    """Where a page begins: after a position of the list (None: at its beginning), and `skip` records later."""

    after: tuple[Any, ...] | None = None
    skip: int = 0


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
    is_forgotten: bool = False
    """Its user or device is forgotten, and `said` names neither."""


@dataclass(frozen=True, slots=True)
class TelemetryPage:
    """Records, newest first, and where there may be older ones; None where there are none."""

    records: tuple[FoundRecord, ...]
    rest: PageStart | None
