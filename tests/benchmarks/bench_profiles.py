"""What developers and companies cost, from ReturnConsumedCapacity: written for each of their active days, and read."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.profiles.cards import CompanyName, Order
from telemetry.domain.profiles.today import CompanyToday
from telemetry.settings import TableNames
from telemetry.storage.profiles.today import TodayStore
from tests.benchmarks.capacity import metered, read_units, write_units
from tests.benchmarks.figures import Figures
from tests.worlds.profile_days import (
    FIRST,
    NOW,
    PRODUCT,
    Attributes,
    Records,
    Use,
    closer,
    fingerprint,
    reader,
    recounted,
)

DAYS, MEASURED = 60, 10
DEVELOPERS, COMPANIES, ACTIVE = 300, 60, 100


def usage() -> list[Use]:
    """A hundred developers a day, of three hundred at sixty companies of all sizes; most have a mail address."""
    random = Random(5)
    home = [f"company-{min(random.randrange(COMPANIES), random.randrange(COMPANIES))}.com" for _ in range(DEVELOPERS)]
    uses = []
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        for who in random.sample(range(DEVELOPERS), ACTIVE):
            for _ in range(random.choice((1, 3, 10))):
                activity = random.choice(("primary", "primary", "secondary1", "LOGIN_ACTIVITY"))
                uses.append(Use(day, fingerprint(f"user {who}"), None, home[who], 3 if who % 4 else 2, activity, 1))
        uses += [Use(day, None, None, random.choice(home), 3, "primary", random.randint(1, 5_000)) for _ in range(5)]
    return uses


def days() -> Iterator[date]:
    return (FIRST + timedelta(days=number) for number in range(DAYS))


@pytest.fixture
def table(tables: TableNames) -> str:
    return tables.aggregates(Environment.PRODUCTION)


def test_profiles(table: str, figures: Figures) -> None:
    uses = usage()
    did = recounted(uses)
    active = {day: {company for (on, _), (company, _) in did.items() if on == day and company} for day in days()}
    closing, today = closer(table, Records(uses), Attributes()), TodayStore(table)
    written = 0.0
    for day in days():
        with metered() as calls:
            for company in active[day]:  # by rollup, which notes it when it comes
                noted = CompanyToday(CompanyName(company, company, "domain", 3), NOW, is_new=False)
                today.note_company(PRODUCT, day, noted)
            assert closing.close(PRODUCT, FIRST, day, NOW) == [day]
        if (FIRST + timedelta(days=DAYS) - day).days <= MEASURED:
            written += write_units(calls)
    active_days = MEASURED * ACTIVE + sum(len(active[day]) for day in list(days())[-MEASURED:])
    of = f"{ACTIVE} of {DEVELOPERS} developers and {COMPANIES} companies a day, lists included"
    figures.note("an active day of a developer or company", written / active_days, "write units", 1.3, of)
    assert written / active_days <= 1.3
    last = max(days())
    shown = reader(table)
    fingerprints = sorted({who for _, who in did})
    pages: dict[str, Callable[[], object]] = {
        "page of 25 companies": lambda: shown.companies(PRODUCT, Order.ACTIVE, 0, 25, last),
        "page of 25 developers": lambda: shown.developers(PRODUCT, Order.ACTIVE, 25, 25, last),
        "a company with 25 developers": lambda: shown.company(PRODUCT, "company-0.com", None, 25, last),
        "a developer": lambda: shown.developer(PRODUCT, fingerprints[0], last),
    }
    for name, read in pages.items():
        with metered() as calls:
            assert read()
        figures.note(name, read_units(calls), "read units", 20, f"{len(calls)} requests")
        assert len(calls) <= 10
        assert read_units(calls) <= 20
