"""Retention: how long an environment keeps its records, and what a shorter one would hide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.hourly_counts import RECORDS
from telemetry.domain.instant import midnight
from telemetry.domain.retention import Retention, oldest_day
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.staff import Staff
from telemetry.services.administration.stores import Stores, at_version, audited
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.hourly_counts import HourlyCountStore


@dataclass(frozen=True, slots=True)
class DayCounts:
    """How many records each day has: from the reports of closed days, and from hourly counts of other days."""

    reports: DayReportStore
    live: HourlyCountStore

    def on(self, first: date, last: date, now: datetime) -> dict[date, int]:
        """The records of each UTC day from first to last, without days that have none or whose records have expired."""
        closed = self.reports.totals(CATALOGUE, first, last)
        found = {day.day: day.records for day in closed if day.expires_at and day.expires_at > now}
        start = closed[-1].day + timedelta(days=1) if closed else first
        hours = self.live.hours(CATALOGUE, midnight(start), midnight(last).replace(hour=23))
        for hour, counts in hours if start <= last else ():
            found[hour.date()] = found.get(hour.date(), 0) + counts[RECORDS]
        return found


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
    after = replace(before, days=days)
    entry = audited(staff, "retention.change", environment, ("days",), before, after, environment)
    with at_version(version, before.version, f"retention of {environment}"):
        return stores.retention.change(environment, after, entry)


def preview_retention(
    staff: Staff, environment: Environment, days: int, counts: DayCounts, stores: Stores
) -> RetentionPreview:
    """What would be hidden if the retention were changed now; nothing by a longer one.

    Raises Forbidden unless for a super_admin, and whatever counting raises.
    """
    staff.require(Role.SUPER_ADMIN)
    now = stores.retention.get(environment).days
    first, first_then = oldest_day(staff.now, now), oldest_day(staff.now, days)
    hidden = counts.on(first, first_then - timedelta(days=1), staff.now) if first < first_then else {}
    return RetentionPreview(now, days, hidden)
