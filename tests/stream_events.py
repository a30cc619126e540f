"""Batches of record streams as Lambda delivers them, made of what is in a table."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from telemetry.domain.environment import Environment
from telemetry.storage.tables import dynamodb_client
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.worlds.deployment import Deployment

SHARD = "shardId-00000001795266652588-0f1a2b3c"


def stored_items(deployment: Deployment, environment: Environment = Environment.PRODUCTION) -> list[dict[str, Any]]:
    """All head records of an environment, in order of receipt."""
    pages = dynamodb_client().get_paginator("scan").paginate(TableName=deployment.tables.records(environment))
    heads = (item for page in pages for item in page["Items"] if "g" in item)
    return sorted(heads, key=lambda item: (int(item["t"]["N"]), item["p"]["S"], item["s"]["S"]))


def stream_record(table: str, item: dict[str, Any], sequence_number: int) -> dict[str, Any]:
    image = {name: {"B": b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()}
    return {
        "eventID": f"{table}-{sequence_number}",
        "eventName": "INSERT",
        "eventSourceARN": f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/2026-11-01T00:00:00.000",
        "dynamodb": {
            "Keys": {name: image[name] for name in ("p", "s") if name in image},
            "NewImage": image,
            "SequenceNumber": f"{sequence_number:021d}",
        },
    }


def stream_event(records: list[dict[str, Any]], table: str, shard: str = SHARD) -> dict[str, Any]:
    """An event of a stream with tumbling windows."""
    return {
        "Records": records,
        "window": {"start": "2026-11-21T10:00:00Z", "end": "2026-11-21T10:15:00Z"},
        "state": {},
        "shardId": shard,
        "eventSourceARN": f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/2026-11-01T00:00:00.000",
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }


def stream_batch(deployment: Deployment, environment: Environment = Environment.PRODUCTION) -> dict[str, Any]:
    """All records of an environment as its stream delivers them."""
    table = deployment.tables.records(environment)
    items = stored_items(deployment, environment)
    return stream_event([stream_record(table, item, number) for number, item in enumerate(items, 1)], table)


def close_day(environment: Environment, moment: datetime) -> list[str]:
    """Runs a freshly started close_day function at this moment; gives the days it closed."""
    function = load_function("close_day", FakeClock(moment))
    closed: list[str] = function.handler({"environment": environment.value}, Context())["closed"]
    return closed


def deadline(day: date) -> datetime:
    """When a day closes, whatever rollup has counted of it."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) + timedelta(hours=26)


def in_batches(records: list[dict[str, Any]], sizes: Iterable[int]) -> Iterable[list[dict[str, Any]]]:
    """The records cut into batches of these sizes, and the rest."""
    start = 0
    for size in sizes:
        yield records[start : start + size]
        start += size
    yield records[start:]
