"""How much is read, counted and never timed: what must not grow with users, days, products or licences."""

from datetime import UTC, datetime

import pytest

from tests.benchmarks.capacity import read_units
from tests.benchmarks.read_costs import a_minute_of_ingest, register, warm_batch
from tests.worlds.deployment import Deployment

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.mark.usefixtures("mailbox")
@pytest.mark.parametrize("users", [2, 20])
def test_users_whom_rollup_has_counted_are_not_read(deployment: Deployment, users: int) -> None:
    """The position, and twice the hours of the product or of all products: to name what they count, and to watch."""
    cold, warm = warm_batch(deployment, NOW, events=40, users=users)
    assert [operation for operation, _ in warm] == [
        "BatchGetItem",
        "BatchGetItem",
        "TransactWriteItems",
        "BatchGetItem",
    ]
    assert read_units(warm) == 4
    assert read_units(cold) <= 10 + users  # each user and device is half a unit


@pytest.mark.parametrize("registered", [3, 30])
def test_ingest_reads_a_product_once_a_minute_however_many_there_are(deployment: Deployment, registered: int) -> None:
    used = register(deployment, registered)[:3]
    assert a_minute_of_ingest(deployment, NOW, used) == [("BatchGetItem", 3.0)]
