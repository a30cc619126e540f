"""Retention: how long an environment keeps its records, and what a shorter one would hide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StaleVersion
from telemetry.domain.retention import Retention, oldest_day
from telemetry.domain.staff import Staff
from telemetry.services.administration.stores import Stores, audited


class DailyRecords(Protocol):
    """How many records of an environment there are, in numbers that are there already."""

    def records_by_day(self, first: date, last: date) -> Mapping[date, int]:
        """The number of records received on each UTC day from first to last that has any."""


@dataclass(frozen=True, slots=True)
class RetentionPreview:
    """What another retention would hide at once: records by UTC day of receipt."""

    days_now: int
    days_then: int
    hidden: Mapping[date, int]


def change_retention(staff: Staff, environment: Environment, days: int, version: int, stores: Stores) -> Retention:
    """Changes the retention as it was at a version. Raises Forbidden unless by a super_admin, StaleVersion."""
    staff.require(Role.SUPER_ADMIN)
    before = stores.retention.get(environment)
    if before.version != version:
        raise StaleVersion(f"retention of {environment}")
    after = replace(before, days=days)
    entry = audited(staff, "retention.change", environment, ("days",), before, after, environment)
    try:
        return stores.retention.change(environment, after, entry)
    except ChangedMeanwhile as exc:
        raise StaleVersion(f"retention of {environment}") from exc


def preview_retention(
    staff: Staff, environment: Environment, days: int, records: DailyRecords, stores: Stores
) -> RetentionPreview:
    """What would be hidden if the retention were changed now; nothing by a longer one.

    Raises Forbidden unless for a super_admin, and whatever counting raises.
    """
    staff.require(Role.SUPER_ADMIN)
    now = stores.retention.get(environment).days
    first, first_then = oldest_day(staff.now, now), oldest_day(staff.now, days)
    hidden = records.records_by_day(first, first_then - timedelta(days=1)) if first < first_then else {}
    return RetentionPreview(now, days, hidden)
