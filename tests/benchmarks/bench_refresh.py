"""What a refresh of the open page reads, from ReturnConsumedCapacity: 100 products, of which few have records today."""

from tests.benchmarks.bench_analytics import NOW, fill
from tests.benchmarks.capacity import metered, read_units
from tests.benchmarks.read_costs import OpenPage, many_devices, register
from tests.clock import FakeClock
from tests.worlds.analytics import PRODUCTION, AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox

PRODUCTS = 100
OF_TODAY = 3
"""Products with flagged records today."""


def test_a_refresh(deployment: Deployment, mailbox: Mailbox) -> None:
    ids = register(deployment, PRODUCTS)
    fill(deployment.tables.aggregates(PRODUCTION), 100_000, 6, ids)
    world = AnalyticsWorld(deployment, mailbox, NOW)
    for id_ in ids[:OF_TODAY]:
        world.keep({"product_id": id_, "license_key": f"LEAKED-KEY-OF-{id_}", "hwid": "device"}, NOW, count=20)
    for range_ in ("24h", "7d", "30d", "90d"):
        page = OpenPage(deployment, FakeClock(NOW), range=range_)
        for name in ("first", "again"):
            with metered() as everything:
                told = page.refresh()
            units = sum(read_units(calls) for calls, _ in told.values())
            empty = read_units(everything) - units
            of_each = ", ".join(f"{path} {read_units(calls)}" for path, (calls, _) in told.items())
            print(f"\n{range_}, {name}: {units} read units ({of_each}), and {empty} of empty partitions", end="")
        assert units <= 60


def test_many_devices(deployment: Deployment, mailbox: Mailbox) -> None:
    many_devices(deployment, NOW, licenses=50, devices=25)
    world = AnalyticsWorld(deployment, mailbox, NOW)
    for name in ("first", "again"):
        with metered() as calls:
            told = world.given("devices/excess", range="90d")
        assert len(told["items"]) == 100
        print(f"\n50 licences on 25 devices, {name}: {len(calls)} requests, {read_units(calls)} read units", end="")
        assert len(calls) <= 40
