"""Events kept, delivered, closed, and asked about: all by the functions' own code, at times of a test's choosing."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from telemetry.dialects import getkeymanager
from telemetry.domain.api_key import Access, ApiKey, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.recount import Unit
from telemetry.services.api_keys import issue_staff_key
from telemetry.services.close_day import BETWEEN_COUNTS, DayCloser
from telemetry.services.ingest import Status
from telemetry.services.spikes import SpikeWatch
from telemetry.storage.activity import ActivityStore
from telemetry.storage.backoff import Backoff
from telemetry.storage.spikes import EpisodeStore
from telemetry.storage.tables import dynamodb_client
from tests.conftest import Deployment
from tests.lambdas import Context, http_event, load_function

PRODUCTION = Environment.PRODUCTION
ANALYTICS = "/api/v1/analytics"
SHARD = "shardId-00000001"


class Silence:
    """A topic to which nobody listens."""

    def publish(self, subject: str, message: Mapping[str, Any]) -> None: ...


class AnalyticsWorld:
    """One deployment; `now` is what the analytics function takes for the time."""

    def __init__(self, deployment: Deployment, now: datetime) -> None:
        self.deployment = deployment
        self.now = now
        self.products = sorted(deployment.registry.products())
        self._ingest = load_function("ingest").ingest()
        self._rollup, self._analytics = load_function("rollup"), load_function("analytics")
        vars(self._rollup)["spike_watch"] = self._spike_watch
        vars(self._analytics)["datetime"] = self._clock()
        self._delivered: dict[Environment, set[tuple[str, str]]] = {each: set() for each in Environment}
        self.keys = {role: self.staff_key(role, Environment) for role in (Role.VIEWER, Role.ADMIN)}

    def staff_key(self, role: Role, environments: Iterable[Environment]) -> str:
        registry, reach = self.deployment.registry, frozenset(environments)
        return issue_staff_key(f"{role} key", reach, role, self.deployment.keyring, registry).secret

    def keep(
        self,
        body: Mapping[str, Any],
        at: datetime,
        environment: Environment = PRODUCTION,
        ip: str = "192.0.2.1",
        count: int = 1,
    ) -> None:
        """So many equal events of an acme-desktop, unless the body says otherwise."""
        usual = {"data_type": "text", "text_data": "x", "product_id": "acme-desktop"}
        event = getkeymanager.element(json.dumps(usual | dict(body)).encode())
        key = ApiKey("k1", KeyKind.SDK, "test", "tk_prod_", "last", frozenset({environment}))
        outcomes = self._ingest.keep([event] * count, Access(key, environment), ip, at, Backoff(5))
        assert {outcome.status for outcome in outcomes} == {Status.STORED}

    def deliver(self, environment: Environment = PRODUCTION) -> None:
        """The stream hands over what it has not yet, in the order of receipt."""
        table, delivered = self.deployment.tables.records(environment), self._delivered[environment]
        pages = dynamodb_client().get_paginator("scan").paginate(TableName=table)
        items = [item for page in pages for item in page["Items"] if "g" in item]
        fresh = [item for item in items if (item["p"]["S"], item["s"]["S"]) not in delivered]
        records = []
        for item in sorted(fresh, key=lambda item: int(item["t"]["N"])):
            delivered.add((item["p"]["S"], item["s"]["S"]))
            records.append(_stream_record(item, len(delivered)))
        for start in range(0, len(records), 1_000):
            arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/2026-11-01T00:00:00.000"
            event = {"Records": records[start : start + 1_000], "eventSourceARN": arn, "shardId": SHARD}
            assert self._rollup.handler(event, Context()) == {"state": {}}

    def close(self, at: datetime, environment: Environment = PRODUCTION) -> list[str]:
        """The schedule fires, and again; gives the days closed."""
        aggregates = self.deployment.tables.aggregates(environment)
        closer = DayCloser.of(aggregates, self.deployment.records(environment), self.products, _no_part)
        return [each.day.isoformat() for now in (at, at + BETWEEN_COUNTS) for each in closer.close(now)]

    def ask(
        self, path: str, query: Mapping[str, str] | None = None, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """An admin asks of production, unless told."""
        headers = {"authorization": f"Bearer {key or self.keys[Role.ADMIN]}"}
        asked = {"environment": "production"} | dict(query or {})
        answer = self._analytics.handler(http_event(f"{ANALYTICS}/{path}", "", headers, asked, "GET"), Context())
        assert answer["headers"]["Cache-Control"] == "no-store"
        return answer["statusCode"], json.loads(answer["body"])

    def given(self, path: str, **query: str) -> dict[str, Any]:
        status, body = self.ask(path, query)
        assert status == 200, body
        return body

    def _spike_watch(self, environment: Environment) -> SpikeWatch:
        table = self.deployment.tables.aggregates(environment)
        return SpikeWatch(environment, ActivityStore(table), EpisodeStore(table), Silence())

    def _clock(self) -> type[datetime]:
        world = self

        class Clock(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                assert tz is UTC
                return world.now

        return Clock


def _stream_record(item: dict[str, Any], number: int) -> dict[str, Any]:
    image = {name: {"B": b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()}
    change = {
        "Keys": {name: image[name] for name in ("p", "s")},
        "NewImage": image,
        "SequenceNumber": f"{number:021d}",
    }
    return {"eventName": "INSERT", "eventID": str(number), "dynamodb": change}


def _no_part(unit: Unit) -> None:
    raise AssertionError(f"a test's day is never counted in parts: {unit}")
