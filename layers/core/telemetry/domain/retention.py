"""How long records are kept, and which are visible: in whole UTC days, so that a day goes at once."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from telemetry.domain.instant import midnight

SHORTEST_DAYS = 1
LONGEST_DAYS = 365
DEPLOYED_VERSION = 1

SHORTEST_STORED_DAYS = 3
"""Records that are hidden earlier are still stored until their day is closed, which may take two days."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The setting of one environment: for how many days after its day of receipt a record is kept.

    The first version is the deployed setting, which nobody has changed yet. `changed_by` is an API key's id.
    """

    days: int
    version: int = DEPLOYED_VERSION
    changed_at: datetime | None = None
    changed_by: str | None = None


def expiry(received_at: datetime, days: int) -> datetime:
    """When a record goes that is received now. It is stored with the record, and a later setting does not move it."""
    return midnight(received_at.astimezone(UTC).date()) + timedelta(days=max(days, SHORTEST_STORED_DAYS) + 1)


def oldest_day(now: datetime, days: int) -> date:
    """The first day whose records are visible: a shorter setting hides at once what was stored for longer."""
    return now.astimezone(UTC).date() - timedelta(days=days)
