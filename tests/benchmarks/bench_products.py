"""What ingest reads of 10,000 registered products in a minute, from ReturnConsumedCapacity, and its seconds of CPU."""

import time
from datetime import UTC, datetime

from tests.benchmarks.capacity import read_units
from tests.benchmarks.read_costs import a_minute_of_ingest, register
from tests.worlds.deployment import Deployment

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
REGISTERED = 10_000


def test_a_minute_of_ingest(deployment: Deployment) -> None:
    ids = register(deployment, REGISTERED)
    for used in (1, 10):
        began = time.process_time()
        calls = a_minute_of_ingest(deployment, NOW, ids[:used])
        seconds = time.process_time() - began
        told = f"{len(calls)} requests for products, {read_units(calls)} read units; {seconds:.2f} s CPU in all"
        print(f"\n{REGISTERED:,} products, {used:2} in use, 59 clean and 59 flagged events of each: {told}", end="")
        assert read_units(calls) <= used
