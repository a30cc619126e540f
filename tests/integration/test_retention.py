"""Retention set through the admin API: what is stored, seen and hidden, through the handlers on a real engine."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StoreUnavailable
from telemetry.domain.retention import Retention
from telemetry.domain.staff import AuditEntry, Author
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.retention import RetentionStore
from telemetry.storage.tables import dynamodb_client
from tests.client import Answer, Client, bearer
from tests.lambdas import Context, load_function
from tests.stream_events import close_day, stored_items, stream_batch, stream_event, stream_record
from tests.worlds.deployment import Deployment, start_ingest

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
TODAY = NOW.date()
PATH = "/api/v1/admin/retention"
PRODUCTION, STAGING = Environment.PRODUCTION, Environment.STAGING


class Site:
    """Ingest, analytics and admin, at a time of day that the test sets."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.post = start_ingest(deployment, NOW)
        self.clock = self.post.clock
        self.admin, self.analytics = load_function("admin", self.clock), load_function("analytics", self.clock)
        self.super_admin = deployment.staff_key(Role.SUPER_ADMIN)

    def ask(
        self,
        method: str,
        path: str = "",
        body: object = None,
        environment: str = "production",
        key: str | None = None,
        **more: str,
    ) -> Answer:
        headers: dict[str, str | None] = {**bearer(key or self.super_admin), "if-match": more.pop("if_match", None)}
        admin = Client(self.admin, headers, PATH, {"environment": environment})
        return admin.request(method, path, body, more)

    def set(self, days: int, environment: str = "production") -> None:
        etag = self.ask("GET", environment=environment).headers["etag"]
        assert self.ask("PUT", "", {"days": days}, environment, if_match=etag).status == 200

    def keep(self, age: int, *texts: str, environment: Environment = PRODUCTION, **fields: object) -> list[str]:
        """Sends events of a user each, some days ago; gives their ids."""
        now = self.clock.now()
        self.clock.set(now - timedelta(days=age))
        events = [
            {"data_type": "text", "data_group": "g", "text_data": text, "user_identifier": text, **fields}
            for text in texts
        ]
        result = self.post("/api/v1/telemetry", json.dumps(events), {"x-api-key": self.deployment.keys[environment]})
        self.clock.set(now)
        results = result.body["results"]
        assert {one["status"] for one in results} == {"stored"}
        return [one["telemetry_id"] for one in results]

    def seen(self, environment: Environment = PRODUCTION) -> list[str]:
        """What the read API shows, newest first."""
        analytics = Client(self.analytics, {"x-api-key": self.deployment.keys[environment]})
        found: list[str] = []
        for page in range(1, 100):
            response = analytics.get("/api/v1/telemetry", {"per_page": "100", "page": str(page)}).body["response"]
            found += [row["data"] for row in response["data"]]
            if not response["has_more"]:
                break
        return found

    def count(self) -> None:
        """Rollup counts what production has received."""
        load_function("rollup").handler(stream_batch(self.deployment), Context())

    def expires(self, telemetry_id: str) -> date:
        return self.deployment.record(telemetry_id).expires_at.date()

    def stored_by_day(self) -> Counter[date]:
        """Records in production's table that have not expired, by day of receipt."""
        pages = dynamodb_client().get_paginator("scan").paginate(TableName=self.deployment.tables.records(PRODUCTION))
        items = [item for page in pages for item in page["Items"]]
        return Counter(
            date.fromisoformat(item["g"]["S"].split("#")[1])
            for item in items
            if "g" in item and int(item["x"]["N"]) > self.clock.now().timestamp()
        )


@pytest.fixture
def site(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("RECORD_SHARDS", "1")  # reading and counting ask every shard; one is as telling as eight
    return Site(deployment)


# ── seen and hidden


def test_a_shorter_retention_hides_at_once_and_deletes_when_stored(site: Site) -> None:
    ids = {age: site.keep(age, str(age))[0] for age in (5, 3, 2, 1, 0)}
    assert site.seen() == ["0", "1", "2", "3", "5"]
    site.set(2)
    assert site.seen() == ["0", "1", "2"]
    # still stored, to be deleted when it was to be
    assert {age: site.expires(id_) for age, id_ in ids.items()} == {
        age: TODAY - timedelta(days=age) + timedelta(days=91) for age in ids
    }
    site.set(4)
    assert site.seen() == ["0", "1", "2", "3"]
    site.set(365)
    assert site.seen() == ["0", "1", "2", "3", "5"]


def test_a_longer_retention_is_for_new_records_only(site: Site) -> None:
    site.set(3)
    (old,) = site.keep(2, "old")
    site.set(30)
    site.clock.advance(61)
    (new,) = site.keep(0, "new")
    assert (site.expires(old), site.expires(new)) == (TODAY + timedelta(days=2), TODAY + timedelta(days=31))
    assert site.seen() == ["new", "old"]
    site.clock.set(NOW.replace(hour=0, minute=0) + timedelta(days=2))
    assert site.seen() == ["new"]


def test_ingest_knows_of_a_change_within_a_minute(site: Site) -> None:
    before = site.expires(site.keep(0, "before")[0])
    site.set(7)
    site.clock.advance(59)
    soon = site.expires(site.keep(0, "soon")[0])
    site.clock.advance(1)
    after = site.expires(site.keep(0, "after")[0])
    assert (before, soon, after) == (*[TODAY + timedelta(days=91)] * 2, TODAY + timedelta(days=8))


def test_what_cannot_be_read_keeps_no_event_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise StoreUnavailable("registry")

    with monkeypatch.context() as patch:
        patch.setattr(RetentionStore, "get", unavailable)
        patch.setattr(LicenseStore, "known", unavailable)
        (at_first,) = site.keep(0, "default")
        # what may have to be hidden is not shown
        analytics = Client(site.analytics, {"x-api-key": site.deployment.keys[PRODUCTION]})
        assert analytics.get("/api/v1/telemetry").status == 503
        assert site.ask("GET").status == 503
    assert site.expires(at_first) == TODAY + timedelta(days=91)
    site.set(7)
    site.clock.advance(2)
    site.keep(0, "read")
    site.clock.advance(61)
    with monkeypatch.context() as patch:
        patch.setattr(RetentionStore, "get", unavailable)
        (later,) = site.keep(0, "last known")
    assert site.expires(later) == TODAY + timedelta(days=8)


# ── the setting


def test_it_is_the_deployments_until_it_is_changed(site: Site) -> None:
    deployed = {"environment": "production", "days": 90, "version": 1, "changed_at": None}
    read = site.ask("GET")
    assert (read.status, read.headers["etag"], read.body) == (200, '"1"', deployed)
    changed = site.ask("PUT", "", {"days": 30}, if_match='"1"')
    after = deployed | {"days": 30, "version": 2, "changed_at": "2026-11-21T08:30:00Z"}
    assert (changed.status, changed.headers["etag"], changed.body) == (200, '"2"', after)
    assert site.ask("GET") == changed
    assert site.ask("GET", environment="staging").body == deployed | {"environment": "staging"}


@pytest.mark.parametrize("days", [0, 366, -1, 1.5, "30", True, None])
def test_days_are_whole_and_within_bounds(site: Site, days: object) -> None:
    for body in ({"days": days}, {}, {"days": 30, "more": 1}):
        assert site.ask("PUT", "", body, if_match='"1"').status == 422
    assert site.ask("GET").body["version"] == 1
    for bound in (1, 365):
        site.set(bound)
        assert site.ask("GET").body["days"] == bound


def test_no_change_is_lost(site: Site) -> None:
    assert site.ask("PUT", "", {"days": 30}).status == 428
    for days, etag, status in ((30, '"2"', 412), (30, '"1"', 200), (40, '"1"', 412), (40, '"2"', 200)):
        assert site.ask("PUT", "", {"days": days}, if_match=etag).status == status
    assert site.ask("GET").body["days"] == 40


@pytest.mark.parametrize("version", [1, 2])
def test_of_two_changes_at_once_one_holds(site: Site, version: int) -> None:
    if version == 2:
        site.set(30)
    store = RetentionStore(site.deployment.tables.registry, 90)
    was = store.get(PRODUCTION)

    def change(days: int) -> Retention | None:
        author = Author("k1", "", NOW, "", "", "")
        entry = AuditEntry(f"e{days}", author, PRODUCTION, "retention.change", "production", {}, {})
        try:
            return store.change(PRODUCTION, Retention(days, was.version), entry)
        except ChangedMeanwhile:
            return None

    with ThreadPoolExecutor(4) as threads:
        (held,) = filter(None, threads.map(change, range(1, 5)))
    assert held == store.get(PRODUCTION) == Retention(held.days, version + 1, NOW, "k1")


def test_a_change_is_written_down(site: Site) -> None:
    for days in (30, 45):
        site.set(days)
    site.set(7, "staging")
    site.ask("GET", "/preview", days="10")
    site.ask("PUT", "", {"days": 1}, if_match='"1"')
    site.clock.advance(1)
    admin = Client(site.admin, bearer(site.super_admin))
    items = admin.get("/api/v1/admin/audit", {"environment": "production"}).body["items"]
    written = [(item["action"], item["entity"], item["before"], item["after"], item["key_name"]) for item in items]
    assert sorted(written, key=str) == [
        ("retention.change", "production", {"days": 30}, {"days": 45}, "the super_admin"),
        ("retention.change", "production", {"days": 90}, {"days": 30}, "the super_admin"),
    ]


def test_only_a_super_admin_changes_it(site: Site) -> None:
    admin, viewer = site.deployment.staff_key(Role.ADMIN), site.deployment.staff_key(Role.VIEWER)
    statuses = {
        name: (
            site.ask("GET", key=key).status,
            site.ask("PUT", "", {"days": 30}, key=key, if_match='"1"').status,
            site.ask("GET", "/preview", key=key, days="30").status,
        )
        for name, key in {"admin": admin, "viewer": viewer, "sdk": site.deployment.keys[PRODUCTION]}.items()
    }
    assert statuses == {"admin": (200, 403, 403), "viewer": (403, 403, 403), "sdk": (403, 403, 403)}
    assert site.ask("GET").body["version"] == 1


def test_no_environment_is_set_from_another(site: Site) -> None:
    site.keep(3, "in production")
    site.keep(3, "in staging", environment=STAGING)
    site.set(4, "staging")
    staging = site.deployment.staff_key(Role.SUPER_ADMIN, STAGING)
    for method, path in (("GET", ""), ("PUT", ""), ("GET", "/preview")):
        body = {"days": 1} if method == "PUT" else None
        assert site.ask(method, path, body, key=staging, if_match='"1"', days="1").status == 403
    table = site.deployment.tables.records(STAGING)
    items = stored_items(site.deployment, STAGING)
    records = [stream_record(table, item, number) for number, item in enumerate(items, 1)]
    load_function("rollup").handler(stream_event(records, table), Context())
    preview = site.ask("GET", "/preview", None, "staging", staging, days="1")
    assert preview.body["records"] == 1
    site.set(1, "staging")
    assert (site.seen(), site.seen(STAGING)) == (["in production"], [])
    assert site.ask("GET").body["version"] == 1


# ── the preview


def test_a_preview_counts_what_a_change_then_hides(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    random, number = Random(1), 0
    for age in [*range(12), 40]:
        for product in ("acme-cli", "acme-desktop", "nobody-knows"):
            texts = [f"{age}-{product}-{number + i}" for i in range(random.randrange(4))]
            number += len(texts)
            if texts and random.random() < 0.3:
                with monkeypatch.context() as patch:
                    patch.setattr(LicenseStore, "known", lambda *_: (_ for _ in ()).throw(StoreUnavailable("licenses")))
                    site.clock.advance(61)
                    site.keep(age, *texts, product_id=product, license_key="any")
            elif texts:
                site.keep(age, *texts, product_id=product)
    site.set(45)
    site.count()
    stored, before = site.stored_by_day(), site.seen()
    assert sum(stored.values()) == len(before) == number > 30
    for days in (1, 39, 40, 45, 365):
        preview = site.ask("GET", "/preview", days=str(days))
        hidden = {day: n for day, n in stored.items() if day < TODAY - timedelta(days=days)}
        assert preview.body == {
            "environment": "production",
            "days_now": 45,
            "days_then": days,
            "hidden": [{"day": day.isoformat(), "records": n} for day, n in sorted(hidden.items())],
            "records": sum(hidden.values()),
        }
    assert (site.ask("GET").body["days"], site.seen()) == (45, before)
    records = site.ask("GET", "/preview", days="5").body["records"]
    site.set(5)
    assert len(before) - len(site.seen()) == records > 0
    # what is hidden already is not hidden again
    assert site.ask("GET", "/preview", days="5").body["hidden"] == []


def test_a_preview_of_closed_days_does_not_count_what_has_gone(site: Site) -> None:
    site.set(3)
    site.keep(7, "expired", "too")
    site.set(10)
    site.clock.advance(61)
    site.keep(6, "visible")
    assert site.seen() == ["visible"]
    close_day(PRODUCTION, site.clock.now() - timedelta(days=3))
    hidden = [{"day": (TODAY - timedelta(days=6)).isoformat(), "records": 1}]
    assert site.ask("GET", "/preview", days="3").body["hidden"] == hidden
    for days in ("0", "366", "x", ""):
        assert site.ask("GET", "/preview", days=days).status == 422


def test_what_is_hidden_sooner_stays_until_its_day_is_closed(site: Site) -> None:
    site.set(1)
    (id_,) = site.keep(2, "short")
    assert site.seen() == []
    assert site.expires(id_) == TODAY + timedelta(days=2)
