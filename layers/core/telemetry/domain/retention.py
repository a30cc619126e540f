"""How long records are kept, and which are to be seen: in whole UTC days, so that a day goes as one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

SHORTEST_DAYS = 1
LONGEST_DAYS = 365
DEPLOYED_VERSION = 1

SHORTEST_STORED_DAYS = 3
"""What is hidden sooner is still there for its day to be closed, which may wait for two days."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The setting of one environment: for how many days after its day of receipt a record is kept.

    The first version is what was deployed; nobody (`changed_by`, an API key's id) has changed that yet.
    """

    days: int
    version: int = DEPLOYED_VERSION
    changed_at: datetime | None = None
    changed_by: str | None = None


def expiry(received_at: datetime, days: int) -> datetime:
    """When a record goes that is received now. It is stored with the record, and a later setting does not move it."""
    midnight = datetime.combine(received_at.astimezone(UTC).date(), datetime.min.time(), UTC)
    return midnight + timedelta(days=max(days, SHORTEST_STORED_DAYS) + 1)


def oldest_day(now: datetime, days: int) -> date:
    """The first day whose records are to be seen: a shorter setting hides at once what was stored for longer."""
    return now.astimezone(UTC).date() - timedelta(days=days)
