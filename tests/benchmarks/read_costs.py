"""What functions read where much is asked of them, small or large: for benchmarks, and for tests of the counts."""

import json
from datetime import datetime
from typing import Any

from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.storage.batches import grouped
from telemetry.storage.tables import dynamodb_client
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


def register(deployment: Deployment, count: int) -> list[str]:
    """Registers so many products; gives their ids."""
    ids, table = [f"product-{number:05}" for number in range(count)], deployment.tables.registry
    deployment.products.put(Product(ids[0], "A product with a name of usual length", versions=frozenset({"1.0"})))
    key = {"pk": {"S": "product"}, "sk": {"S": ids[0]}}
    (item,) = dynamodb_client().batch_get_item(RequestItems={table: {"Keys": [key]}})["Responses"][table]
    for some in grouped(ids, 25):
        puts: Any = [{"PutRequest": {"Item": {**item, "sk": {"S": id_}}}} for id_ in some]
        dynamodb_client().batch_write_item(RequestItems={table: puts})
    return ids


def a_minute_of_ingest(deployment: Deployment, now: datetime, used: list[str]) -> list[Call]:
    """What a process of ingest reads of products: each second a clean and a flagged event of each."""
    post = start_ingest(deployment, now)
    usual = {"data_type": "text", "data_group": "primary", "text_data": "x", "hwid": "device"}
    with metered(lambda arguments: "{'S': 'product'}" in str(arguments)) as calls:
        for _ in range(59):
            of_each = [{**usual, "product_id": id_, **more} for id_ in used for more in ({}, {"license_key": "LEAKED"})]
            answer = post("/api/v1/telemetry", json.dumps(of_each))
            assert [each["is_flagged"] for each in answer.body["results"]] == [False, True] * len(used)
            post.clock.advance(1)
    return calls
