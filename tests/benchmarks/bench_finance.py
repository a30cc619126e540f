"""What finance's reports cost, from ReturnConsumedCapacity: a year of closed days that hold as much as days can."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest

from telemetry.domain.active_users import COUNTERS, Audience, Balance
from telemetry.domain.day_report import Moments, product_report
from telemetry.domain.environment import Environment
from telemetry.domain.finance import ActiveUsersAsOf, DailyActiveUsers, Period, PiracyCounts, ReportQuestion, WholeDay
from telemetry.domain.flags import Flag
from telemetry.domain.license_activity import MOST_COUNTRIES, TOP_LICENSES, LicenseCount
from telemetry.domain.recount import HOURS, MOST_VERSIONS, Recount
from telemetry.services.reports import ClosedDays
from telemetry.settings import TableNames
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.day_reports import DayReportStore
from tests.benchmarks.capacity import metered

LAST = date(2026, 11, 20)
DAYS = 366
SIZES = (1_000, 100_000)

MONTH = Period(LAST - timedelta(days=29), LAST)
YEAR = Period(LAST - timedelta(days=DAYS - 1), LAST)
QUESTIONS: dict[str, tuple[ReportQuestion, float]] = {
    "ACTIVE_USERS_AS_OF, 30 days": (ActiveUsersAsOf("editor", 30, LAST), 3),
    "ACTIVE_USERS_AS_OF, 365 days": (ActiveUsersAsOf("editor", 365, LAST), 3),
    "DAY_REPORT": (WholeDay("editor", LAST), 3),
    "DAILY_ACTIVE_USERS, 30 days": (DailyActiveUsers("editor", MONTH), 5),
    "PIRACY_COUNTS, 30 days": (PiracyCounts("editor", MONTH), 5),
    "DAILY_ACTIVE_USERS, 366 days": (DailyActiveUsers("editor", YEAR), 20),
}


def full_day(day: date, random: Random) -> Recount:
    """All flags, and as many versions and licences as a report may hold."""
    records = random.randrange(10**6, 10**7)
    flagged = records // 7
    midnight = datetime.combine(day, time(), UTC)
    return Recount(
        records=records,
        flagged=flagged,
        flags=Counter({flag.code: random.randrange(flagged) for flag in Flag}),
        versions=Counter({f"5.{number}.{random.randrange(99)}": records for number in range(MOST_VERSIONS)}),
        hours=Counter({(hour, bad): random.randrange(10**6) for hour in range(HOURS) for bad in (False, True)}),
        expires_at=midnight + timedelta(days=90),
        segments={(f"{class_}#{shard}", 0): random.randbytes(32) for class_ in "cfu" for shard in range(8)},
        licenses={random.randbytes(16).hex(): full_license(midnight, random) for _ in range(2 * TOP_LICENSES)},
    )


def full_license(midnight: datetime, random: Random) -> LicenseCount:
    return LicenseCount(
        first_seen=midnight + timedelta(milliseconds=random.randrange(10**7)),
        last_seen=midnight + timedelta(milliseconds=random.randrange(10**7, 8 * 10**7)),
        records=random.randrange(10**5),
        flagged=random.randrange(10**5),
        flags=Counter({flag.code: random.randrange(10**5) for flag in random.sample(list(Flag), 4)}),
        devices={random.randbytes(8) for _ in range(random.randrange(200))},
        ips={f"192.0.2.{number}" for number in range(random.randrange(200))},
        countries={chr(65 + number) * 2 for number in range(MOST_COUNTRIES)},
    )


def keep_a_year(store: DayReportStore, users: int) -> None:
    """A year of days on which every counter of the balance is in use."""
    random, before = Random(users), None
    for day in YEAR.days():
        counters = {each: tuple(random.randrange(users // 100) for _ in range(COUNTERS)) for each in Audience}
        moment = datetime.combine(day + timedelta(days=1), time(0, 45), UTC)
        balance = Balance(day.toordinal(), counters)
        report = product_report("editor", day, full_day(day, random), balance, before, Moments(moment, moment))
        before = store.keep(report).totals


def no_such_application(application: str) -> bool:
    raise AssertionError(application)


@pytest.mark.parametrize("users", SIZES)
def test_a_report_is_one_request_whatever_the_number_of_users(tables: TableNames, users: int) -> None:
    table = tables.aggregates(Environment.PRODUCTION)
    store = DayReportStore(table)
    keep_a_year(store, users)
    now = datetime.combine(LAST + timedelta(days=1), time(1), UTC)
    closed = ClosedDays(Environment.PRODUCTION, store, LedgerStore(table), no_such_application, now)
    print(f"\n{users:>7} users, every counter, flag, version and licence in use")
    for name, (question, most) in QUESTIONS.items():
        with metered() as calls:
            closed.answer(question)
        units = sum(units for _, units in calls)
        print(f"  {name:<32}{len(calls):>3} request{units:>7.1f} read units")
        assert len(calls) == 1, calls
        assert units <= most, (name, calls)
