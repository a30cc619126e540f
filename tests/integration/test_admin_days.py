"""Closed days verified over the admin API, and keys that show when they were used."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.hourly_counts import OTHER, Fold, HourKey, Kind, Measure
from telemetry.domain.sighting import CATALOGUE
from telemetry.services.api_keys import hash_of
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.tables import dynamodb_client
from tests.client import Client, bearer
from tests.clock import FakeClock
from tests.lambdas import Context, load_function, restart
from tests.stream_events import close_day, deadline, stored_items, stream_batch
from tests.worlds.deployment import Deployment, Mailbox, start_ingest

pytestmark = pytest.mark.days

PRODUCTION = Environment.PRODUCTION
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
DAY = NOW.date()


class Site:
    """A closed day of four records, and its administrator."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        post = start_ingest(deployment, NOW)
        event = {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": "acme-cli"}
        events = [event | {"user_identifier": f"user {number}"} for number in range(4)]
        assert post("/api/v1/telemetry", json.dumps(events)).status == 200
        load_function("rollup").handler(stream_batch(deployment), Context())
        close_day(PRODUCTION, deadline(DAY))
        self.clock = FakeClock(deadline(DAY))
        self.admin = load_function("admin", self.clock)
        self.key = deployment.staff_key()

    def ask(self, method: str, path: str, key: str | None = None, **query: str) -> tuple[int, Any]:
        admin = Client(self.admin, bearer(key or self.key), "/api/v1/admin", {"environment": "production"})
        answer = admin.request(method, path, None, query)
        return answer.status, answer.body


@pytest.fixture
def site(deployment: Deployment, mailbox: Mailbox) -> Site:
    del mailbox
    return Site(deployment)


def test_a_day_that_holds(site: Site) -> None:
    names = ("acme-cli", "acme-desktop", "~unknown", "*")
    reports = [{"product": name, "outcome": "holds", "difference": None} for name in names]
    expected = {"environment": "production", "day": "2026-11-03", "holds": True, "reports": reports}
    assert site.ask("POST", "/days/2026-11-03/verify") == (200, expected)
    one = {**expected, "reports": reports[:1]}
    assert site.ask("POST", "/days/2026-11-03/verify", product="acme-cli") == (200, one)


def test_a_day_that_does_not(site: Site) -> None:
    table, item = site.deployment.tables.records(PRODUCTION), stored_items(site.deployment)[2]
    dynamodb_client().delete_item(TableName=table, Key={"p": item["p"], "s": item["s"]})
    status, body = site.ask("POST", "/days/2026-11-03/verify")
    assert (status, body["holds"]) == (200, False)
    assert [report["difference"] for report in body["reports"] if report["outcome"] == "differs"] == [
        "records: the report says 4, its records 3",
        "records: the report says 4, its records 3",
    ]


def test_what_cannot_be_verified(site: Site) -> None:
    assert site.ask("POST", "/days/2026-11-04/verify")[0] == 404
    assert site.ask("POST", "/days/2026-11-03/verify", product="nobodys")[0] == 404
    assert site.ask("POST", "/days/yesterday/verify")[0] == 422
    for role, environment in ((Role.VIEWER, PRODUCTION), (Role.ADMIN, Environment.STAGING)):
        key = site.deployment.staff_key(role, environment)
        assert site.ask("POST", "/days/2026-11-03/verify", key)[0] == 403
    restart(site.admin, most_verified=3)
    status, body = site.ask("POST", "/days/2026-11-03/verify")
    assert (status, body["type"]) == (400, "/docs#problem-too-wide")


# ── what was found that a report does not say


CORRECTIONS = "/days/2026-11-03/corrections"


def corrections_of(*found: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"environment": "production", "day": "2026-11-03", "corrections": list(found)}


def correction(product: str, records: int, at: datetime) -> dict[str, Any]:
    """Of a day with four users, and one record of each; acme-cli does not take its activity type."""
    return {
        "product": product,
        "difference": f"records: the report says 4, its records {records}",
        "records": records,
        "flagged": records,
        "users": 4,
        "found_at": at.isoformat().replace("+00:00", "Z"),
    }


def test_corrections_of_a_day(site: Site) -> None:
    assert site.ask("GET", CORRECTIONS) == corrections_of()
    site.ask("POST", "/days/2026-11-03/verify")
    assert site.ask("GET", CORRECTIONS) == corrections_of()
    table = site.deployment.tables.records(PRODUCTION)
    found: dict[str, list[dict[str, Any]]] = {"acme-cli": [], "*": []}
    for item, left in zip(stored_items(site.deployment), (3, 2), strict=False):
        dynamodb_client().delete_item(TableName=table, Key={"p": item["p"], "s": item["s"]})
        site.clock.advance(60)
        for _ in range(2):  # what is found again is kept once
            site.ask("POST", "/days/2026-11-03/verify")
        for product, corrections in found.items():
            corrections.append(correction(product, left, site.clock.now()))
    assert site.ask("GET", CORRECTIONS) == corrections_of(*found["acme-cli"], *found["*"])
    assert site.ask("GET", CORRECTIONS, product="acme-cli") == corrections_of(*found["acme-cli"])
    assert site.ask("GET", CORRECTIONS, product="acme-desktop") == corrections_of()


def test_who_sees_corrections_and_of_what(site: Site) -> None:
    status, body = site.ask("GET", "/days/2026-11-04/corrections")
    assert (status, body["detail"]) == (404, "There is no report of * on 2026-11-04.")
    status, body = site.ask("GET", CORRECTIONS, product="nobodys")
    assert (status, body["detail"]) == (404, "There is no report of nobodys on 2026-11-03.")
    assert site.ask("POST", "/days/2026-11-04/verify")[1]["detail"] == "There is no report of * on 2026-11-04."
    assert site.ask("GET", "/days/yesterday/corrections")[0] == 422
    assert site.ask("GET", CORRECTIONS, page="2")[0] == 422
    assert site.ask("GET", CORRECTIONS, site.deployment.staff_key(Role.VIEWER, PRODUCTION))[0] == 403
    assert site.ask("GET", CORRECTIONS, site.deployment.staff_key(Role.ADMIN, Environment.STAGING))[0] == 403


def test_keys_show_when_records_came_with_them(site: Site) -> None:
    status, body = site.ask("GET", "/api-keys")
    assert status == 200
    (listed,) = body["items"]
    assert datetime.fromisoformat(listed["last_used_at"]) == NOW.replace(minute=0)
    assert site.ask("GET", f"/api-keys/{listed['id']}") == (200, listed)
    (unused,) = site.ask("GET", "/api-keys", environment="staging")[1]["items"]
    assert unused["last_used_at"] is None
    assert site.ask("GET", f"/api-keys/{unused['id']}", environment="staging") == (200, unused)


# ── how much came with a key


def key_id(site: Site, environment: Environment = PRODUCTION) -> str:
    key = site.deployment.api_keys.find(hash_of(site.deployment.keys[environment], site.deployment.keyring))
    assert key
    return key.id


def test_events_of_a_key_by_hour(site: Site) -> None:
    id_ = key_id(site)
    site.clock.set(NOW + timedelta(hours=2, minutes=20))
    status, body = site.ask("GET", f"/api-keys/{id_}/usage")
    assert status == 200
    first = NOW - timedelta(hours=21)
    assert body == {
        "api_key_id": id_,
        "environment": "production",
        "from": "2026-11-02T12:00:00Z",
        "to": "2026-11-03T12:00:00Z",
        "bucket": "hour",
        "events": 4,
        "exact": True,
        "buckets": [
            {"start": f"{first + timedelta(hours=n):%Y-%m-%dT%H}:00:00Z", "events": 4 if n == 21 else 0}
            for n in range(24)
        ],
    }
    assert site.ask("GET", f"/api-keys/{id_}/usage", range="24h") == (200, body)
    window = {"from": "2026-11-03T09:00:00Z", "to": "2026-11-03T11:00:00Z"}
    some = [{"start": f"2026-11-03T{hour}:00:00Z", "events": events} for hour, events in (("09", 4), ("10", 0))]
    told = {**body, **window, "buckets": some}
    assert site.ask("GET", f"/api-keys/{id_}/usage", **window) == (200, told)


@pytest.mark.parametrize(("range_", "days"), [("7d", 7), ("30d", 30), ("90d", 90)])
def test_events_of_a_key_by_day(site: Site, range_: str, days: int) -> None:
    status, body = site.ask("GET", f"/api-keys/{key_id(site)}/usage", range=range_)
    assert status == 200
    assert (body["bucket"], body["events"], len(body["buckets"])) == ("day", 4, days)
    assert [each["start"] for each in body["buckets"] if each["events"]] == ["2026-11-03T00:00:00Z"]


def test_usage_says_what_the_records_say(site: Site) -> None:
    """Of two keys, over several batches, one of which comes again."""
    deployment, other = site.deployment, site.deployment.key()
    post = start_ingest(deployment)
    for hour, secret, count in ((10, other, 3), (12, other, 2), (12, deployment.keys[PRODUCTION], 5)):
        post.clock.set(deadline(DAY) + timedelta(hours=hour))
        events = [
            {"data_type": "text", "data_group": "g", "text_data": "x", "product_id": name}
            for name in ("acme-cli", "other")
        ]
        assert post("/api/v1/telemetry", json.dumps((events * 3)[:count]), {"x-api-key": secret}).status == 200
    batch = stream_batch(deployment)
    for _ in range(2):
        load_function("rollup").handler(batch, Context())
    site.clock.set(deadline(DAY) + timedelta(hours=13))
    used = Counter(item["k"]["S"] for item in stored_items(deployment))
    assert sorted(used.values()) == [5, 9]
    for id_, count in used.items():
        assert site.ask("GET", f"/api-keys/{id_}/usage", range="7d")[1]["events"] == count


def test_usage_is_told_of_sdk_keys_in_their_own_environment(site: Site) -> None:
    id_ = key_id(site)
    staging = site.deployment.staff_key(Role.ADMIN, Environment.STAGING)
    for key, environment, expected in (
        (None, "staging", 404),
        (staging, "production", 403),
        (staging, "staging", 404),
        (site.deployment.staff_key(Role.VIEWER, PRODUCTION), "production", 403),
    ):
        assert site.ask("GET", f"/api-keys/{id_}/usage", key, environment=environment)[0] == expected
    assert site.ask("GET", f"/api-keys/{key_id(site, Environment.STAGING)}/usage")[0] == 404
    assert site.ask("GET", "/api-keys/nobodys/usage")[0] == 404
    of_staff = site.deployment.api_keys.find(hash_of(site.key, site.deployment.keyring))
    assert of_staff
    assert site.ask("GET", f"/api-keys/{of_staff.id}/usage")[0] == 404


NO_WINDOWS = [
    {"range": "1h"},
    {"rnage": "7d"},
    {"range": "7d", "from": "2026-11-01", "to": "2026-11-02"},
    {"from": "2026-11-01"},
    {"from": "yesterday", "to": "2026-11-02"},
    {"from": "2026-11-01T08:00:00", "to": "2026-11-02T08:00:00"},
    {"from": "2026-11-01T08:30:00Z", "to": "2026-11-02T08:00:00Z"},
    {"from": "2026-11-02", "to": "2026-11-01"},
    {"from": "2026-12-02", "to": "2026-12-03"},
    {"from": "2025-01-01", "to": "2026-11-01"},
]


def test_windows_that_are_none(site: Site) -> None:
    for query in NO_WINDOWS:
        assert site.ask("GET", f"/api-keys/{key_id(site)}/usage", **query)[0] == 422, query


def test_more_keys_in_an_hour_than_are_told_apart(site: Site) -> None:
    store = HourlyCountStore(site.deployment.tables.aggregates(PRODUCTION))
    crowd = {HourKey(CATALOGUE, NOW + timedelta(hours=1)): Counter({Measure(Kind.API_KEY, OTHER): 7})}
    store.add("a shard", None, "1", Fold(crowd), NOW)
    usage = site.ask("GET", f"/api-keys/{key_id(site)}/usage", range="7d")[1]
    assert (usage["events"], usage["exact"]) == (4, False)
    before = {"from": "2026-11-03T08:00:00Z", "to": "2026-11-03T10:00:00Z"}
    usage = site.ask("GET", f"/api-keys/{key_id(site)}/usage", **before)[1]
    assert (usage["events"], usage["exact"]) == (4, True)
