"""Nothing that is sent brings anything down: not a request, not a record, not a day, not what is read back."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import pytest

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.api_key import KEY_PREFIXES, Role
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.domain.product import Product
from telemetry.storage.deflated_json import inflated_json
from telemetry.storage.tables import dynamodb_client
from telemetry.web.http import inflated
from tests import hostile
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.hostile import LICENSING, TELEMETRY, USAGE, Sent
from tests.lambdas import Context, load_function
from tests.stream_events import close_day, deadline, stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, Mailbox

pytestmark = [pytest.mark.slow, pytest.mark.days]

SOAK = bool(os.environ.get("SOAK"))
PRODUCTION = Environment.PRODUCTION
KEY_SHAPE = re.compile(rf"(?:{'|'.join(KEY_PREFIXES)})[\w-]{{40}}".encode())

READ = {
    "/api/v1/telemetry": ("analytics", ("data_type", "data_group", "product_id", "user_identifier", "license_key",
                                        "has_red_flags", "page", "per_page", "next", "environment")),
    "/api/v1/analytics/records": ("analytics", ("range", "product", "user", "hwid", "ip", "flagged", "flag", "version",
                                                "license_id", "customer_id", "limit", "cursor", "nonsense")),
    "/api/v1/analytics/export": ("analytics", ("range", "product", "user", "format", "flag", "from", "to")),
    "/api/v1/analytics/overview": ("analytics", ("range", "product", "from", "to")),
    "/api/v1/analytics/licenses": ("analytics", ("range", "product", "limit", "threshold")),
    "/api/v1/analytics/licenses/top": ("analytics", ("range", "product", "limit")),
    "/api/v1/analytics/devices/excess": ("analytics", ("range", "product", "threshold")),
    "/api/v1/analytics/mismatches": ("analytics", ("range", "product")),
    "/api/v1/analytics/products": ("analytics", ("nonsense",)),
    "/api/v1/analytics/activity-types": ("analytics", ("product",)),
    "/api/v1/analytics/values": ("analytics", ("range", "product", "group", "version")),
    "/api/v1/analytics/alerts": ("analytics", ("range", "product", "cause", "limit", "cursor")),
    "/api/v1/analytics/companies": ("analytics", ("product", "name", "country", "order", "limit", "cursor", "view")),
    "/api/v1/analytics/companies/export": ("analytics", ("product", "name", "country", "format", "cursor", "view")),
    "/api/v1/analytics/developers": ("analytics", ("product", "name", "company", "order", "limit", "cursor", "view")),
    "/api/v1/analytics/developers/export": ("analytics", ("product", "name", "company", "format", "cursor", "view")),
    "/api/v1/analytics/system-logs": ("analytics", ("range", "cause", "last4", "ip")),
    "/api/v1/reports/active-users": ("reports", ("application", "days", "as_of", "month", "audience", "format")),
    "/api/v1/reports/daily": ("reports", ("application", "from", "to", "format")),
    "/api/v1/admin/licenses": ("admin", ("limit", "cursor", "customer_id", "product_id", "state", "stat")),
    "/api/v1/admin/audit": ("admin", ("from", "to", "limit", "cursor")),
}  # fmt: skip


OF_A_PRODUCT = ("activity-types", "values", "companies", "companies/export", "developers", "developers/export")


@pytest.fixture(autouse=True)
def few_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORD_SHARDS", "1")


class Service:
    """All functions, as one client sees them."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.key = deployment.keys[PRODUCTION]
        self.staff = deployment.staff_key(Role.SUPER_ADMIN)
        self.clock = FakeClock(datetime(2026, 11, 21, 9, tzinfo=UTC))
        self._clients: dict[str, Client] = {}

    def send(self, sent: Sent) -> Answer:
        name = "licensing" if sent.path in LICENSING else "ingest"
        return self._client(name).post(sent.path, sent.body, content_type=sent.media_type, x_api_key=self.key)

    def read(self, path: str, query: dict[str, str], key: str | None = None) -> Answer:
        name = READ[path][0] if path in READ else "analytics"
        staff = path.startswith(("/api/v1/analytics", "/api/v1/admin", "/api/v1/reports"))
        key = key or (self.staff if staff else self.key)
        return self._client(name).get(path, {"environment": "production"} | query, **bearer(key))

    def search(self, text: str) -> Answer:
        query = {"environment": "production"}
        headers = bearer(self.staff)
        return self._client("analytics").request("POST", "/api/v1/analytics/search", {"text": text}, query, headers)

    def _client(self, name: str) -> Client:
        if name not in self._clients:
            self._clients[name] = Client(load_function(name, self.clock))
        return self._clients[name]


def read_each(service: Service, path: str, answer: Answer, query: dict[str, str]) -> None:
    """Whatever a list tells of can be asked about."""
    rows: list[dict[str, str]] = (
        answer.body["items"] if path.endswith(("/companies", "/developers", "/records")) else []
    )
    for row in rows:
        assert service.read(f"{path}/{row['id']}", query).status in {200, 410}, (path, row)
    if path.endswith("/values"):
        for group in answer.body["groups"]:
            told = service.read(path, query | {"group": group["group"]})
            assert told.status == 200, (group, told)
            assert not KEY_SHAPE.search(told.text.encode())


def events_of(sent: Sent) -> Sequence[Event]:
    body = inflated(sent.body)
    return [reo.parse(body)] if sent.path in USAGE else getkeymanager.parse(body, sent.media_type).events


def check_kept(sent: Sent, events: Sequence[Event]) -> None:
    """Every byte of an event is one that was sent, but for hidden keys; and none of ours can be read."""
    body, position = inflated(sent.body), 0
    for event in events:
        kept = b"".join(b"." if byte == 0x2A else re.escape(bytes([byte])) for byte in event.raw)
        place = re.compile(kept, re.DOTALL).search(body, position)
        assert place, (sent, event)
        position = place.end()
        assert not KEY_SHAPE.search(event.raw)


def test_every_list_is_read() -> None:
    """A new one that reads analytics needs a row in READ."""
    app = load_function("analytics").app
    paths = {each.path for each in app._static_routes if each.method == "GET"}
    assert {path for path in paths if path.startswith("/api/v1/analytics")} <= READ.keys()


def test_bodies_in_memory(deployment: Deployment) -> None:
    """Understanding alone: whatever it is, something is kept of it, and read back from the record it is the same."""
    random, key = Random(1), deployment.keys[PRODUCTION]
    for _ in range(100_000 if SOAK else 3_000):
        sent = hostile.request(random, key, TELEMETRY + USAGE)
        events = events_of(sent)
        if sent.path in USAGE or len(events) == 1:
            check_kept(sent, events)
        for event in events:
            assert event.raw or not inflated(sent.body).strip()
            assert not KEY_SHAPE.search(event.raw)


@pytest.mark.parametrize("seed", range(10 if SOAK else 1))
def test_requests_on_the_engine(deployment: Deployment, mailbox: Mailbox, seed: int) -> None:
    random, service = Random(seed), Service(deployment)
    deployment.products.put(Product("acme-cli", "Acme CLI", profiles=True))
    stored: list[bytes] = []
    for _ in range(1_000 if SOAK else 300):
        sent = hostile.request(random, service.key)
        answer = service.send(sent)
        assert answer.status in ({200} if sent.path not in LICENSING else {200, 400, 422}), (sent, answer)
        if sent.path not in LICENSING:
            events = events_of(sent)
            check_kept(sent, events)
            stored += [event.raw for event in events]
            check_answer(deployment, sent, answer, events)
    deliver(deployment, mailbox)
    read_everything(service, random)
    today = service.clock.now().date()
    assert close_day(PRODUCTION, deadline(today))[-1:] == [today.isoformat()]
    service.clock.set(deadline(today))
    usage = load_function("close_usage", service.clock).handler({"environment": "production"}, Context())
    assert usage["closed"]["acme-cli"][-1:] == [today.isoformat()]
    read_everything(service, random)
    assert not KEY_SHAPE.search(repr(all_aggregates(deployment)).encode())


def all_aggregates(deployment: Deployment) -> list[object]:
    """What was made of records, with what is deflated in it as it reads."""
    pages = dynamodb_client().get_paginator("scan").paginate(TableName=deployment.tables.aggregates(PRODUCTION))
    items = [value for page in pages for item in page["Items"] for value in item.values()]
    return [inflated_json(value["B"]) if value.get("B", b"").startswith(b"x") else value for value in items]


def check_answer(deployment: Deployment, sent: Sent, answer: Answer, events: Sequence[Event]) -> None:
    """What is acknowledged is stored, byte for byte."""
    if sent.path in USAGE:
        return
    body = answer.body
    for event, result in zip(events, body.get("results", [body]), strict=True):
        assert deployment.record(result["telemetry_id"]).raw == event.raw


def deliver(deployment: Deployment, mailbox: Mailbox) -> None:
    table, rollup = deployment.tables.records(PRODUCTION), load_function("rollup")
    records = (stream_record(table, item, number) for number, item in enumerate(stored_items(deployment), 1))
    while batch := list(islice(records, 500)):
        rollup.handler(stream_event(batch, table), Context())
    assert mailbox.failures == []


def read_everything(service: Service, random: Random) -> None:
    """Every list answers, and no parameter, however odd, brings one down."""
    day = (service.clock.now() - timedelta(days=2)).date().isoformat()
    for path in READ:
        usual = {"format": "ndjson"} if path.endswith("export") else {}
        if path.endswith("active-users"):
            usual = {"application": "*", "days": "1", "as_of": day}
        if path.endswith("daily"):
            usual = {"application": "*", "from": day, "to": day}
        if path.endswith(OF_A_PRODUCT):
            usual |= {"product": "acme-cli"}
        answer = service.read(path, usual)
        assert not KEY_SHAPE.search(answer.text.encode()), path
        is_open = path.startswith("/api/v1/reports") and answer.status == 409
        assert answer.status == 200 or is_open, (path, answer)
        read_each(service, path, answer, usual)
    for text in random.sample(hostile._TEXTS, 10):
        assert service.search(text).status in {200, 422}, text
    for _ in range(2_000 if SOAK else 200):
        path = random.choice(list(READ))
        query = hostile.query(random, READ[path][1])
        answer = service.read(path, query)
        assert answer.status < 500, (path, query, answer)
