"""What an overview costs, from ReturnConsumedCapacity: half a year of closed days, and today."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from random import Random

import pytest

from telemetry.domain.active_users import COUNTERS, Audience, Balance, TallyKey
from telemetry.domain.day_report import DayTotals, Moments, product_report
from telemetry.domain.day_summary import summary
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import Fold, bounded
from telemetry.domain.licensing import Calls, DeviceAction
from telemetry.domain.recount import counted
from telemetry.domain.sighting import CATALOGUE, Observation, Sighting
from telemetry.storage.active_user_items import SLICES
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.licensing_counters import LicensingCounters
from tests.benchmarks.capacity import metered
from tests.observations import observe
from tests.worlds.analytics import PRODUCTION, AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
DAYS = 180
"""Closed: 90 to be looked at, and as many before them to compare with."""

SIZES = (1_000, 1_000_000 if "SOAK" in os.environ else 100_000)
LICENSED = [f"product-{number}" for number in range(10)]
FLAGS = (Flag.INVALID_LICENSE, Flag.REVOKED_LICENSE, Flag.BYPASSED_ACTIVATION, Flag.CLOCK_SKEW)
CALLS: Calls = Counter({(action, code): 5 for action in DeviceAction for code in (200, 204, 300, 302)})


@pytest.mark.parametrize("records", SIZES)
@pytest.mark.parametrize("version_length", [6, 64])
def test_an_overview_costs_the_same_however_many_records(
    deployment: Deployment, mailbox: Mailbox, records: int, version_length: int
) -> None:
    """With usual names of versions, and with the longest there may be: 100 of them every day, all in random letters."""
    fill(deployment.tables.aggregates(PRODUCTION), records, version_length)
    for product in (None, "editor"):
        for range_ in ("24h", "90d"):
            world = AnalyticsWorld(deployment, mailbox, NOW)  # a cold start: the key is looked up too
            with metered() as calls:
                told = world.given("overview", range=range_, **({"product": product} if product else {}))
            units = sum(each for _, each in calls)
            of = f"{records:>7} records, versions of {version_length:>2} letters, {product or 'all products':>12}"
            print(f"\n{of}, {range_}: {len(calls)} requests, {units} read units", end="")
            assert told["stats"]["total_records"] == records
            assert sum(each["records"] for each in told["versions"]) == told["stats"]["recent_activity"]
            assert len(calls) <= 6
            assert units <= 50
        for path in ("licenses/top", "devices/excess", "licenses"):
            world = AnalyticsWorld(deployment, mailbox, NOW)
            with metered() as calls:
                world.given(path, range="90d", **({"product": product} if product else {}))
            print(f"\n{of}, {path}, 90d: {len(calls)} requests, {sum(each for _, each in calls)} read units", end="")
            assert path != "devices/excess" or len(calls) <= 40


def fill(table: str, records: int, version_length: int, called: Sequence[str] = LICENSED) -> None:
    """The counters of so many records, of one product and the catalogue alike; today has as many as any other day.

    Licensing was asked of the products that are `called`, in each of the last 24 hours.
    """
    random = Random(records)
    reports, sums = DayReportStore(table), SummaryStore(table)
    before: dict[str, DayTotals | None] = {"editor": None, CATALOGUE: None}
    per_day = spread(records)
    for days_ago in range(DAYS, 0, -1):
        day = (NOW - timedelta(days=days_ago)).date()
        recount = counted(observations(next(per_day), NOW - timedelta(days=days_ago), random, version_length))
        for scope, totals in before.items():
            balance = Balance(day.toordinal(), dict.fromkeys(Audience, (records,) * COUNTERS))
            moment = datetime.combine(day + timedelta(days=1), time(1), UTC)
            report = product_report(scope, day, recount, balance, totals, Moments(moment, moment))
            before[scope] = reports.keep(report).totals
            sums.put([summary(report, {"editor": CALLS})])
    fill_today(table, list(observations(next(per_day), NOW, random, version_length)), called)


def spread(records: int) -> Iterator[int]:
    """How many there are on each day."""
    for number in range(DAYS + 1):
        yield records * (number + 1) // (DAYS + 1) - records * number // (DAYS + 1)


def observations(number: int, at: datetime, random: Random, version_length: int) -> Iterator[Observation]:
    for one in range(number):
        user = random.randrange(10_000).to_bytes(16)
        flags = frozenset({random.choice(FLAGS)} if random.random() < 0.2 else ())
        sighting = Sighting("editor", at.date(), user, user, billable=not flags or flags == {Flag.CLOCK_SKEW})
        name = sha256(f"{random.randrange(100)}".encode()).hexdigest()[:version_length]
        license_ = f"1{random.randrange(200):022d}"
        yield observe(sighting, one, time(random.randrange(24)), flags, name, license_)


def fill_today(table: str, today: list[Observation], called: Sequence[str]) -> None:
    fold, activity = Fold(), HourlyCountStore(table)
    for seen in today:
        fold.add(seen, sha256(f"group {seen.version}".encode()).hexdigest())
    for number, (key, added) in enumerate(fold.hours.items()):
        activity.add(f"shard-{number}", None, "1", Fold({key: bounded(added, {})}), NOW)
    aggregates = LedgerStore(table)
    for scope in ("editor", CATALOGUE):
        for slice_ in range(SLICES):
            for some in range(0, COUNTERS, 61):
                tally = Counter({(audience, some + age): 1 for audience in Audience for age in range(61)})
                aggregates.commit({}, {TallyKey(scope, NOW.date().toordinal()): tally}, slice_)
    licensing = LicensingCounters(table)
    for product in called:
        for hours_ago in range(24):
            for action, code in CALLS:
                licensing.add(product, action, code, NOW - timedelta(hours=hours_ago))
