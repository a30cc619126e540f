"""What ingest reads of 10,000 registered products in a minute, from ReturnConsumedCapacity, and its seconds of CPU."""

import time
from datetime import UTC, datetime

from tests.benchmarks.capacity import read_units
from tests.benchmarks.figures import Figures
from tests.benchmarks.read_costs import a_minute_of_ingest, register
from tests.worlds.deployment import Deployment

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
REGISTERED = 10_000


def test_a_minute_of_ingest(deployment: Deployment, figures: Figures) -> None:
    ids = register(deployment, REGISTERED)
    for used in (1, 10):
        began = time.process_time()
        calls = a_minute_of_ingest(deployment, NOW, ids[:used])
        seconds = time.process_time() - began
        of = f"59 clean and 59 flagged events of each; {len(calls)} requests, {seconds:.2f} s of CPU in all"
        name = f"ingest's products, {REGISTERED:,} registered, {used} in use, a minute"
        figures.note(name, read_units(calls), "read units", used, of)
        assert read_units(calls) <= used
