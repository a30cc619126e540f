"""Alerts as staff see them and answer them: whose licence it is, how much it has come to, acknowledged, muted."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from telemetry.domain.api_key import ApiKey, KeyKind, Role
from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile
from telemetry.domain.license import LicenseState
from telemetry.domain.spike_handling import Handling, MuteFor
from telemetry.domain.spikes import QUIET, Cause, Episode, Spike
from telemetry.domain.staff import AuditEntry, Author, Staff
from telemetry.storage.changes import Logged
from telemetry.storage.customers import CustomerStore
from telemetry.storage.spike_handling import HandlingStore
from telemetry.storage.spikes import EpisodeStore
from tests.client import Answer, Client, bearer
from tests.clock import FakeClock
from tests.lambdas import load_function
from tests.worlds.analytics import PRODUCTION, AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.licenses import issue

pytestmark = pytest.mark.days

STAGING = Environment.STAGING
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KEYS = ("KEY-LEAK-0000-0C33", "KEY-LEAK-0000-77AB")
FLAGGED_HOURS = {2: 60, 1: 70, 0: 5}
"""Records of the first key by days ago, each of another device within a day."""


class Site:
    """An outbreak that began the day before yesterday, and who answers it."""

    def __init__(self, deployment: Deployment, mailbox: Mailbox) -> None:
        self.deployment, self.clock = deployment, FakeClock(NOW)
        self.world = AnalyticsWorld(deployment, mailbox, self.clock)
        self.admin = load_function("admin", self.clock)
        self.key = deployment.staff_key(Role.ADMIN)

    def outbreak(self) -> str:
        """Gives the episode's id."""
        for days, count in FLAGGED_HOURS.items():
            bodies = [{"license_key": KEYS[0], "hwid": f"device {number}"} for number in range(count)]
            self.world.keep_all(bodies, self.ago(days))
        self.world.keep({"license_key": KEYS[1], "hwid": "another"}, self.ago(1), count=55)
        self.world.keep({"license_key": KEYS[0]}, self.ago(3))  # of the day before it began
        self.world.deliver()
        (alert,) = self.alerts()
        return str(alert["id"])

    def ago(self, days: int) -> datetime:
        return NOW.replace(hour=7) - timedelta(days=days)

    def alerts(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world.given("alerts", **query)["items"]
        return found

    def post(
        self,
        id_: str,
        action: str,
        body: object = None,
        key: str | None = None,
        if_match: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        client = Client(self.admin, {**bearer(key or self.key), "if-match": if_match}, "/api/v1/admin")
        # API Gateway hands paths over decoded
        asked = {"environment": "production"} if query is None else query
        return client.request("POST", f"/spikes/{id_}/{action}", body, asked)

    def audit(self) -> list[dict[str, Any]]:
        """The latest entry first; those of this moment are not told before the next one."""
        self.clock.advance(1)
        client = Client(self.admin, bearer(self.key), "/api/v1/admin")
        found = client.get("/audit", {"environment": "production"}).body["items"]
        return [each for each in found if each["action"].startswith("spike.")]


@pytest.fixture
def site(deployment: Deployment, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("RECORD_SHARDS", "2")
    return Site(deployment, mailbox)


def test_an_alert_tells_whose_licence_it_is_and_what_it_has_come_to(site: Site) -> None:
    CustomerStore(site.deployment.tables.registry).add(Customer("aurora", "Aurora Works", None, NOW))
    first = issue(site.deployment, KEYS[0], customer_id="aurora", activation_limit=3)
    second = issue(site.deployment, KEYS[1], state=LicenseState.AVAILABLE, customer_id=None, activation_limit=0)
    site.outbreak()
    (alert,) = site.alerts()
    so_far = alert["so_far"]
    licenses = so_far.pop("licenses")
    assert so_far == {"first_day": "2026-11-19", "last_day": "2026-11-21", "days": 3, "records": 60 + 70 + 5 + 55}
    for each, license_ in zip(licenses, (first, second), strict=True):
        assert each.pop("fingerprint").startswith("1")
        assert each.pop("license_id") == license_.id
    about_second = {"last4": "77AB", "customer": None, "state": "available", "limit": None, "flagged": 55, "devices": 1}
    assert licenses[1] == about_second | {"devices_at_least": False}
    assert licenses[0] == {
        "last4": "0C33",
        "customer": {"id": "aurora", "name": "Aurora Works"},
        "state": "assigned",
        "limit": 3,
        "flagged": 135,
        "devices": 70,
        "devices_at_least": False,
    }


def test_it_goes_up_while_it_lasts_and_stays_when_it_is_over(site: Site) -> None:
    issue(site.deployment, KEYS[0])
    site.outbreak()
    site.world.keep({"license_key": KEYS[0], "hwid": "one more"}, NOW)
    site.world.deliver()
    (alert,) = site.alerts()
    assert (alert["so_far"]["records"], alert["so_far"]["licenses"][0]["devices"]) == (191, 71)
    site.clock.advance(10 * 24 * 3_600)
    assert site.alerts() == []
    for _ in range(2):  # up to the day of its last spike, which is yesterday
        (ended,) = site.alerts(state="all")
        assert (ended["so_far"]["last_day"], ended["so_far"]["records"]) == ("2026-11-20", 185)


def test_staff_acknowledge_a_spike(site: Site) -> None:
    id_ = site.outbreak()
    (alert,) = site.alerts()
    assert (alert["acknowledged"], alert["muted"]) == (None, None)
    answer = site.post(id_, "acknowledge")
    assert (answer.status, answer.headers["etag"], answer.headers["cache-control"]) == (200, '"1"', "no-store")
    at = "2026-11-21T08:30:00Z"
    who = answer.body["acknowledged_by"]
    assert answer.body == {
        "environment": "production",
        "id": id_,
        "acknowledged_by": who,
        "acknowledged_at": at,
        "muted_by": None,
        "muted_at": None,
        "muted_until": None,
    }
    (alert,) = site.alerts()
    assert alert["acknowledged"]["key_name"] == who
    assert (alert["acknowledged"]["at"], alert["muted"]) == ("2026-11-21T08:30:00.000Z", None)
    (entry,) = site.audit()
    assert (entry["action"], entry["entity"], entry["environment"]) == ("spike.acknowledge", id_, "production")
    assert (entry["before"], entry["after"]) == ({"acknowledged": False}, {"acknowledged": True})
    site.clock.advance(60)
    again = site.post(id_, "acknowledge", key=site.deployment.staff_key(Role.SUPER_ADMIN))
    assert (again.body["acknowledged_at"], again.headers["etag"], len(site.audit())) == (at, '"1"', 1)


@pytest.mark.parametrize(
    ("time", "until", "lasts"),
    [("24h", "2026-11-22T08:30:00Z", 24), ("7d", "2026-11-28T08:30:00Z", 168), ("episode", None, None)],
)
def test_staff_mute_a_spike(site: Site, time: str, until: str | None, lasts: int | None) -> None:
    id_ = site.outbreak()
    answer = site.post(id_, "mute", {"time": time})
    assert (answer.status, answer.body["muted_until"], answer.body["muted_at"]) == (200, until, "2026-11-21T08:30:00Z")
    assert answer.body["acknowledged_by"] == answer.body["muted_by"]
    (alert,) = site.alerts()  # it is told, and says that it is muted
    assert alert["muted"]["until"] == (until and until.replace("Z", ".000Z"))
    site.clock.advance(3_600)
    unmuted = site.post(id_, "unmute")
    assert (unmuted.body["muted_by"], unmuted.body["acknowledged_by"]) == (None, answer.body["acknowledged_by"])
    assert site.alerts()[0]["muted"] is None
    assert [entry["action"] for entry in site.audit()] == ["spike.unmute", "spike.mute"]
    if lasts is not None:
        assert site.audit()[1]["after"]["muted_until"] == f"{until}".replace("Z", "+00:00")


def test_what_has_ended_is_not_muted(site: Site) -> None:
    id_ = site.outbreak()
    assert site.post(id_, "mute", {"time": "episode"}).status == 200
    site.clock.advance(QUIET.total_seconds() + 3_600)
    (ended,) = site.alerts(state="all")
    assert (ended["muted"], ended["closed_at"] is None) == (None, False)
    answer = site.post(id_, "mute", {"time": "24h"})
    assert (answer.status, answer.body["type"]) == (409, "/docs#problem-action-not-allowed")
    assert site.post(id_, "acknowledge").status == 200


def test_a_muted_spike_that_goes_on_is_told_again_when_its_time_is_over(site: Site) -> None:
    id_ = site.outbreak()
    site.world.keep({"license_key": KEYS[0]}, NOW, count=60)
    site.post(id_, "mute", {"time": "24h"})
    site.clock.advance(23 * 3_600)
    site.world.keep({"license_key": KEYS[0]}, NOW + timedelta(hours=22), count=60)
    site.world.deliver()
    assert site.alerts()[0]["muted"] is not None
    site.clock.advance(3_601)
    assert site.alerts()[0]["muted"] is None


def test_versions_are_checked(site: Site) -> None:
    id_ = site.outbreak()
    assert site.post(id_, "acknowledge", if_match='"1"').status == 412
    assert site.post(id_, "mute", {"time": "7d"}, if_match="W/0").status == 412
    tag = site.post(id_, "acknowledge").headers["etag"]
    assert site.post(id_, "mute", {"time": "7d"}, if_match=tag).headers["etag"] == '"2"'
    assert site.post(id_, "unmute", if_match=tag).status == 412


def test_who_may_not(site: Site) -> None:
    id_ = site.outbreak()
    body = {"time": "24h"}
    viewer, elsewhere = site.deployment.staff_key(Role.VIEWER), site.deployment.staff_key(Role.ADMIN, STAGING)
    for key, status in ((viewer, 403), (elsewhere, 403), ("nonsense", 401)):
        for action in ("acknowledge", "mute", "unmute"):
            answer = site.post(id_, action, body if action == "mute" else None, key)
            assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert site.post(id_, "acknowledge", key=elsewhere, query={"environment": "staging"}).status == 404
    for role in (Role.ADMIN, Role.SUPER_ADMIN):
        assert site.post(id_, "unmute", key=site.deployment.staff_key(role)).status == 200
    assert site.audit() == []


def test_what_is_no_question(site: Site) -> None:
    id_ = site.outbreak()
    assert site.post("acme-desktop#2026-11-01T08", "acknowledge").status == 404
    assert site.post("", "acknowledge").status == 404
    assert site.post(id_, "forget").status == 404
    for body in ({}, {"time": "3d"}, {"time": "24h", "until": "x"}):
        assert site.post(id_, "mute", body).status == 422
    assert site.post(id_, "acknowledge", query={"environment": "production", "all": "1"}).status == 422
    assert site.post(id_, "acknowledge", query={}).status == 422


@pytest.mark.parametrize("product", ["a/b#c", "My App%", "ünï/acknowledge"])
def test_any_product_can_have_one(site: Site, product: str) -> None:
    episode = Episode(Spike(product, NOW.replace(minute=0), Cause.HOUR, 90, 19), NOW)
    EpisodeStore(site.deployment.tables.aggregates(PRODUCTION)).open(episode, None)
    (alert,) = site.alerts()
    assert (alert["product"], alert["so_far"]) == (product, None)  # nothing of it was counted
    assert quote(alert["id"], safe="")
    assert site.post(alert["id"], "acknowledge").status == 200
    assert site.alerts()[0]["acknowledged"] is not None


def test_two_at_once_do_not_lose_a_word(site: Site) -> None:
    """Each word is stored on condition of what was read; the loser reads again."""
    id_ = site.outbreak()
    spikes, author = site.admin.wired().spikes(PRODUCTION), Author("k1", "Ann", NOW, "192.0.2.1", "", "r1")
    staff = Staff(ApiKey("k1", KeyKind.STAFF, "Ann", "tk_", "last", frozenset({PRODUCTION})), frozenset(), author)
    with ThreadPoolExecutor(2) as threads:
        words = [
            lambda: spikes.acknowledge(staff, id_, None),
            lambda: spikes.mute(staff, id_, None, MuteFor.WEEK),
        ]
        assert {each.version for each in threads.map(lambda say: say(), words)} <= {1, 2}
    (alert,) = site.alerts()
    assert None not in (alert["acknowledged"], alert["muted"])


def test_a_word_is_stored_with_its_entry_or_not_at_all(site: Site) -> None:
    """The two lie in two tables, and one transaction writes both."""
    table, registry = site.deployment.tables.aggregates(PRODUCTION), site.deployment.tables.registry
    store, author = HandlingStore(table), Author("k1", "Ann", NOW, "192.0.2.1", "", "r1")
    entry = AuditEntry("e1", author, PRODUCTION, "spike.mute", "x", {}, {})
    muted = store.change(Handling("x").mute(author, MuteFor.DAY), Logged(entry, registry))
    assert store.get("x") == muted
    assert store.many(["x", "y"]) == {"x": muted}
    with pytest.raises(ChangedMeanwhile):
        store.change(muted.unmute(), Logged(entry, registry))  # an entry of this id is there
    assert store.get("x") == muted
    with pytest.raises(ChangedMeanwhile):
        store.change(Handling("x"), Logged(AuditEntry("e2", author, PRODUCTION, "spike.mute", "x", {}, {}), registry))
    assert [each["id"] for each in site.audit()] == ["e1"]
