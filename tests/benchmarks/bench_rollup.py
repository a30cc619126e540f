"""What rollup reads to count 1,000 events of 500 users, from ReturnConsumedCapacity: of new ones, and of known ones."""

from datetime import UTC, datetime

from tests.benchmarks.capacity import read_units
from tests.benchmarks.read_costs import warm_batch
from tests.worlds.deployment import Deployment, Mailbox

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def test_a_batch_of_users_who_were_counted(deployment: Deployment, mailbox: Mailbox) -> None:
    cold, warm = warm_batch(deployment, NOW, events=1_000, users=500)
    for name, calls in (("new users", cold), ("the same users, warm", warm)):
        told = f"{read_units(calls):6.1f} read units, {sum(units for _, units in calls):8.1f} units in all"
        print(f"\n1,000 events of 500 users, {name:>20}: {len(calls):3} requests, {told}", end="")
    assert read_units(warm) <= 20
    assert mailbox.failures == []
