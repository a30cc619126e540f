"""What functions read where much is asked of them, small or large: for benchmarks, and for tests of the counts."""

import json
from datetime import datetime, timedelta
from typing import Any

from telemetry.domain.active_users import COUNTERS, Audience, Balance
from telemetry.domain.day_report import Moments, product_report
from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.domain.record import license_named
from telemetry.domain.recount import counted
from telemetry.domain.sighting import CATALOGUE, Sighting
from telemetry.storage.batches import grouped
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.capacity import Call, metered
from tests.clock import FakeClock
from tests.lambdas import Context, http_event, load_function
from tests.observations import observe
from tests.stream_events import stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, start_ingest
from tests.worlds.licenses import issue

PRODUCTION = Environment.PRODUCTION


def warm_batch(deployment: Deployment, now: datetime, events: int, users: int) -> tuple[list[Call], list[Call]]:
    """What rollup asks for when it counts so many events of so many users: of new ones, and of the same ones again."""
    post, rollup, table = start_ingest(deployment, now), load_function("rollup"), deployment.tables.records(PRODUCTION)
    usual = {"data_type": "text", "data_group": "primary", "text_data": "x", "product_version": "5.0.1"}
    asked = []
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
        asked.append(calls)
    cold, warm = asked
    return cold, warm


REFRESH: tuple[tuple[str, dict[str, str]], ...] = (
    ("overview", {}),
    ("alerts", {"state": "current"}),
    ("licenses", {"limit": "20", "threshold": "20"}),
)
"""What the open page asks for every 30 seconds, below /api/v1/analytics: tests compare it with the page's source."""


class OpenPage:
    """The page's overview in a browser that is signed in; `now` is what the functions take for the time."""

    def __init__(self, deployment: Deployment, clock: FakeClock, **scope: str) -> None:
        dashboard, self._analytics = load_function("dashboard", clock), load_function("analytics", clock)
        self._scope = {"environment": "production", **scope}
        signing_in = http_event(
            "/admin/session", json.dumps({"key": deployment.staff_key()}), {"content-type": "application/json"}
        )
        signed_in = dashboard.handler(signing_in, Context())
        assert signed_in["statusCode"] == 204, signed_in
        self._cookies = [each.partition(";")[0] for each in signed_in["cookies"]]
        self._tags: dict[str, str] = {}

    def refresh(self) -> dict[str, tuple[list[Call], int]]:
        """What each request reads, and its status; without partitions of the index in which there is nothing."""
        return {path: self._asked(path, query) for path, query in REFRESH}

    def _asked(self, path: str, query: dict[str, str]) -> tuple[list[Call], int]:
        known = {"if-none-match": self._tags[path]} if path in self._tags else {}
        event = http_event(f"/api/v1/analytics/{path}", "", known, self._scope | query, "GET", self._cookies)
        with metered(_finds_something) as calls:
            answer = self._analytics.handler(event, Context())
        assert answer["statusCode"] in {200, 304}, answer
        self._tags[path] = answer["headers"]["ETag"]
        return calls, answer["statusCode"]


def _finds_something(arguments: dict[str, Any], answer: dict[str, Any]) -> bool:
    return "IndexName" not in arguments or answer["Count"] > 0


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
    with metered(lambda arguments, _: "{'S': 'product'}" in str(arguments)) as calls:
        for _ in range(59):
            of_each = [{**usual, "product_id": id_, **more} for id_ in used for more in ({}, {"license_key": "LEAKED"})]
            answer = post("/api/v1/telemetry", json.dumps(of_each))
            assert [each["is_flagged"] for each in answer.body["results"]] == [False, True] * len(used)
            post.clock.advance(1)
    return calls


def many_devices(deployment: Deployment, now: datetime, licenses: int, devices: int) -> None:
    """Yesterday is closed, on which so many licences, of a customer each, were used on so many devices each."""
    store, day = DayReportStore(deployment.tables.aggregates(PRODUCTION)), now.date()
    observations = []
    for number in range(licenses):
        license_ = issue(deployment, f"KEY-OF-MANY-DEVICES-{number:04}", customer_id=f"customer-{number}")
        name = license_named(license_.fingerprint)
        for device in range(devices):
            sighting = Sighting("acme-desktop", day - timedelta(days=1), None, device.to_bytes(8) * 2, billable=True)
            observations.append(observe(sighting, number * devices + device, license_=name))
    balance = Balance(day.toordinal() - 1, dict.fromkeys(Audience, (0,) * COUNTERS))
    moments = Moments(now, now)
    store.keep(product_report(CATALOGUE, day - timedelta(days=1), counted(observations), balance, None, moments))
