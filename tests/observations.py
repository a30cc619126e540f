"""Records and reports as counting sees them, made for tests."""

from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from telemetry.domain.active_users import Balance
from telemetry.domain.day_report import DayReport, DayTotals, Moments, product_report
from telemetry.domain.flags import Flag, is_billable
from telemetry.domain.hourly_counts import Kind
from telemetry.domain.recount import Recount
from telemetry.domain.shards import shard_of
from telemetry.domain.sighting import Observation, Sighting

SHARDS = 2
NOON = time(12)

BREAKDOWNS = (Kind.VERSION, Kind.GROUP)
"""Kinds whose names clients choose: each sums to RECORDS."""


def observe(
    sighting: Sighting,
    number: int = 0,
    at: time = NOON,
    flags: frozenset[Flag] | None = None,
    version: str | None = None,
    license_: str | None = None,
) -> Observation:
    """The record with this number that shows this; one that bills nobody is flagged as revoked unless told."""
    if flags is None:
        flags = frozenset() if sighting.billable else frozenset({Flag.REVOKED_LICENSE})
    assert sighting.billable is is_billable(flags)
    received_at = datetime.combine(sighting.day, at, UTC)
    record_class = "f" if flags else "c"
    return Observation(
        sighting=sighting,
        partition=f"{record_class}#{shard_of((sighting.actor or b'').ljust(4), SHARDS)}",
        received_at=received_at,
        expires_at=datetime.combine(sighting.day + timedelta(days=91), time(), UTC),
        flags=flags,
        version=version,
        license=license_,
        api_key_id="key-1",
        source_ip="192.0.2.1",
        country="DE",
        seal=sha256(f"{number} {sighting} {flags}".encode()).digest(),
    )


def report_of(scope: str, balance: Balance, before: DayTotals | None = None) -> DayReport:
    """A report of a day without records, with this balance."""
    day = date.fromordinal(balance.day)
    moment = datetime.combine(day + timedelta(days=1), time(1, 30), UTC)
    return product_report(scope, day, Recount(), balance, before, Moments(moment, moment))
