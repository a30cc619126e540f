"""What many products cost of which few have records, in requests: closing asks for what happened."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.benchmarks.bench_many_products import BUSY, receive, register
from tests.benchmarks.capacity import counted_calls
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.worlds.deployment import Deployment, Mailbox

DAY = date(2026, 11, 3)
PRODUCTS = 220


@pytest.mark.days
def test_products_without_records_take_few_requests(deployment: Deployment, mailbox: Mailbox) -> None:
    """Their candidates and summaries go 25 to a call, their reports 33, and 100 are read by one.

    Of one with records two requests are for its values.
    """
    del mailbox
    names = register(deployment, PRODUCTS)
    for day in (DAY, DAY + timedelta(days=1)):
        receive(deployment, names, day)
        midnight, closed = datetime.combine(day + timedelta(days=1), time(), UTC), list[str]()
        with counted_calls() as calls:
            for minutes in (30, 45):
                function = load_function("close_day", FakeClock(midnight + timedelta(minutes=minutes)))
                closed += function.handler({"environment": "production"}, Context())["closed"]
        assert closed == [day.isoformat()]
    assert len(calls) <= 22 * BUSY + 0.4 * PRODUCTS
