"""Events kept, delivered, closed, and asked about: all by the functions' own code, at times of a test's choosing."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.api_key import Access, ApiKey, KeyKind, Role
from telemetry.domain.closing import BETWEEN_COUNTS
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.domain.staff import AuditEntry, Author
from telemetry.retry import Deadline
from telemetry.services.close_day import DayCloser
from telemetry.services.ingest import Status
from telemetry.storage.profiles.forgotten import ForgottenStore
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.stream_events import in_batches, stored_items, stream_event, stream_record
from tests.worlds.deployment import Deployment, Mailbox, never

PRODUCTION = Environment.PRODUCTION
ANALYTICS = "/api/v1/analytics"


class AnalyticsWorld:
    """One deployment, whose alerts nobody hears; `now` is what the analytics function takes for the time."""

    def __init__(self, deployment: Deployment, _mailbox: Mailbox, now: datetime | FakeClock) -> None:
        self.deployment = deployment
        self.products = sorted(deployment.products.all())
        self._ingest = load_function("ingest").wired().ingest
        clock = now if isinstance(now, FakeClock) else FakeClock(now)
        self._rollup, self._analytics = load_function("rollup", clock), load_function("analytics", clock)
        self._delivered: dict[Environment, set[str]] = {each: set() for each in Environment}
        self.keys = {role: deployment.staff_key(role) for role in (Role.VIEWER, Role.ADMIN)}

    def keep(
        self,
        body: Mapping[str, Any],
        moment: datetime,
        environment: Environment = PRODUCTION,
        ip: str = "192.0.2.1",
        count: int = 1,
    ) -> None:
        """So many equal events of an acme-desktop, unless the body says otherwise."""
        self.keep_all([body] * count, moment, environment, ip)

    def keep_all(
        self,
        bodies: Iterable[Mapping[str, Any]],
        moment: datetime,
        environment: Environment = PRODUCTION,
        ip: str = "192.0.2.1",
    ) -> None:
        """In one request."""
        usual = {"data_type": "text", "data_group": "primary", "text_data": "x", "product_id": "acme-desktop"}
        events = [getkeymanager.parse_one(json.dumps(usual | dict(body)).encode()) for body in bodies]
        key = ApiKey("k1", KeyKind.SDK, "test", "tk_prod_", "last", frozenset({environment}))
        outcomes = self._ingest.keep(events, Access(key, environment), ip, moment, Deadline(60))
        assert {outcome.status for outcome in outcomes} == {Status.STORED}

    def use(self, payload: Mapping[str, Any], moment: datetime, ip: str = "192.0.2.1") -> None:
        """A use of acme-cli: by a user, unless the payload says how many there were."""
        usual: dict[str, Any] = {"activity_type": "primary", "source": "PRODUCT_CLOUD", "product_id": "acme-cli"}
        usual |= {"event_at": int(moment.timestamp())} | ({} if "count" in payload else {"user_id": "jane"})
        event = reo.parse(json.dumps({"payload": usual | dict(payload)}).encode())
        key = ApiKey("k1", KeyKind.SDK, "test", "tk_prod_", "last", frozenset({PRODUCTION}))
        (outcome,) = self._ingest.keep([event], Access(key, PRODUCTION), ip, moment, Deadline(60))
        assert outcome.status is Status.STORED

    def deliver(self, environment: Environment = PRODUCTION) -> None:
        """The stream hands over what it has not yet, in the order of receipt."""
        table, delivered = self.deployment.tables.records(environment), self._delivered[environment]
        fresh = [item for item in stored_items(self.deployment, environment) if item["s"]["S"] not in delivered]
        records = []
        for item in fresh:
            delivered.add(item["s"]["S"])
            records.append(stream_record(table, item, len(delivered)))
        for some in in_batches(records, [1_000] * (len(records) // 1_000)):
            assert self._rollup.handler(stream_event(some, table), Context()) == {"state": {}}

    def close(self, moment: datetime, environment: Environment = PRODUCTION) -> list[str]:
        """The schedule fires, and again; gives the days closed."""
        aggregates = self.deployment.tables.aggregates(environment)
        closer = DayCloser.of(aggregates, self.deployment.day_records(environment), self.products, never)
        return [each.day.isoformat() for now in (moment, moment + BETWEEN_COUNTS) for each in closer.close(now)]

    def forget(self, identity: Identity, name: str, moment: datetime, environment: Environment = PRODUCTION) -> None:
        """Staff forget a user or device; whoever has the list of these already may take a while to hear of it."""
        author = Author("k1", "test", moment, "192.0.2.1", "", "r1")
        entry = AuditEntry(f"{identity} {environment}", author, environment, "developer.forget", "x", {}, {})
        store = ForgottenStore(self.deployment.tables.registry, environment)
        assert store.add(self.deployment.keyring.fingerprint(identity, name), entry)

    def ask(
        self, path: str, query: Mapping[str, str] | None = None, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """An admin asks of production, unless told."""
        analytics = Client(self._analytics, bearer(key or self.keys[Role.ADMIN]), f"{ANALYTICS}/")
        answer = analytics.get(path, {"environment": "production", **(query or {})})
        assert answer.headers["cache-control"] == "no-store"
        return answer.status, answer.body

    def answered(self, path: str, known: str | None = None) -> Answer:
        """What an admin is answered who has the answer with this ETag."""
        analytics = Client(self._analytics, bearer(self.keys[Role.ADMIN]), f"{ANALYTICS}/")
        return analytics.get(path, {"environment": "production"}, if_none_match=known)

    def given(self, path: str, **query: str) -> dict[str, Any]:
        status, body = self.ask(path, query)
        assert status == 200, body
        return body
