"""What functions read where much is asked of them, small or large: for benchmarks, and for tests of the counts."""

import json
from datetime import datetime

from telemetry.domain.environment import Environment
from tests.benchmarks.capacity import Call, metered
from tests.lambdas import Context, load_function
from tests.stream_events import stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, start_ingest

PRODUCTION = Environment.PRODUCTION


def warm_batch(deployment: Deployment, now: datetime, events: int, users: int) -> tuple[list[Call], list[Call]]:
    """What rollup asks for when it counts so many events of so many users: of new ones, and of the same ones again."""
    post, rollup, table = start_ingest(deployment, now), load_function("rollup"), deployment.tables.records(PRODUCTION)
    usual = {"data_type": "text", "data_group": "primary", "text_data": "x", "product_version": "5.0.1"}
    counted = []
    for turn in range(2):
        bodies = [
            {
                **usual,
                "product_id": "acme-cli",
                "event_id": f"{turn}-{number}",
                "user_identifier": f"user-{number % users}@x.example",
                "hwid": f"device-{number % users}",
            }
            for number in range(events)
        ]
        for start in range(0, events, 100):
            assert post("/api/v1/telemetry", json.dumps(bodies[start : start + 100])).status == 200
        numbered = enumerate(stored_items(deployment), 1)
        of_turn = list(numbered)[turn * events :]
        assert len(of_turn) == events
        batch = stream_event([stream_record(table, item, number) for number, item in of_turn], table)
        with metered() as calls:
            assert rollup.handler(batch, Context()) == {"state": {}}
        counted.append(calls)
    cold, warm = counted
    return cold, warm
