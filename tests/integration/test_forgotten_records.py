"""Records of somebody who is forgotten, as staff and SDK keys see them."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.storage.profiles.forgotten import REMEMBERED_SECONDS
from tests.benchmarks.capacity import metered
from tests.client import Client, bearer
from tests.clock import FakeClock
from tests.lambdas import load_function
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
ANN, LAPTOP = "ann@globex.example", "ANNS-LAPTOP-0001"
SENT = {"user_identifier": ANN, "hwid": LAPTOP, "text_data": f"mail to {ANN}", "product_id": "no-product"}


class Site:
    """Two records of Ann's and one of Bob's."""

    def __init__(self, deployment: Deployment, mailbox: Mailbox) -> None:
        self.deployment, self.clock = deployment, FakeClock(NOW)
        self.world = AnalyticsWorld(deployment, mailbox, self.clock)
        self.analytics = load_function("analytics", self.clock)
        self.staff, self.sdk = deployment.staff_key(Role.ADMIN), deployment.key()
        for minutes, body in ((3, SENT), (2, {"user_identifier": "bob"}), (1, SENT)):
            self.world.keep(body, NOW - timedelta(minutes=minutes))

    def forget(self, identity: Identity, name: str, environment: Environment = Environment.PRODUCTION) -> None:
        self.world.forget(identity, name, NOW, environment)
        self.clock.advance(REMEMBERED_SECONDS)

    def staffs(self, path: str, **query: str) -> Any:  # noqa: ANN401
        return Client(self.analytics, bearer(self.staff)).get(
            f"/api/v1/analytics/{path}", {"environment": "production", **query}
        )

    def rows(self, **query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.staffs("records", **query).body["items"]
        return rows

    def read_back(self, **query: str) -> list[dict[str, Any]]:
        answer = Client(self.analytics, {"x-api-key": self.sdk}).get("/api/v1/telemetry", query)
        found: list[dict[str, Any]] = answer.body["response"]["data"]
        return found

    def body_of(self, row: dict[str, Any]) -> str:
        text = self.staffs(f"records/{row['id']}/raw").text
        return text if text.startswith("{") else b64decode(text).decode()

    def everything(self) -> str:
        """All that is said of records, wherever they are shown."""
        said: list[Any] = [self.rows(), self.read_back()]
        for row in self.rows():
            said += [self.staffs(f"records/{row['id']}").body, self.body_of(row)]
        said += [self.staffs("export", format=each).text for each in ("csv", "ndjson")]
        return json.dumps(said, default=str)


@pytest.fixture
def site(deployment: Deployment, mailbox: Mailbox) -> Site:
    return Site(deployment, mailbox)


@pytest.mark.parametrize(("identity", "name"), [(Identity.USER, ANN), (Identity.DEVICE, LAPTOP)])
def test_nothing_shows_who_is_forgotten(site: Site, identity: Identity, name: str) -> None:
    before = site.everything()
    assert ANN in before
    assert LAPTOP in before
    site.forget(identity, name)
    after = site.everything()
    assert "ann" not in after.lower()
    assert "bob" in after
    rows = site.rows()
    assert [row["forgotten"] for row in rows] == [True, False, True]
    assert [row["user"] for row in rows] == [None, "bob", None]
    assert rows[0]["flags"] == ["UNKNOWN_PRODUCT"]
    detail = site.staffs(f"records/{rows[0]['id']}").body
    assert (detail["raw"], detail["payload"], detail["context"]["evidence"]) == (None, None, {})
    assert detail["context"]["rules_version"] is not None
    raw = site.staffs(f"records/{rows[0]['id']}/raw")
    assert (raw.status, raw.body["type"]) == (410, "/docs#problem-forgotten")
    assert site.staffs(f"records/{rows[1]['id']}/raw").status == 200
    assert [each.get("forgotten") for each in site.read_back()] == [True, None, True]
    csv = site.staffs("export", format="csv").text.splitlines()
    assert [line.rsplit(",", 1)[1] for line in csv] == ["forgotten", "true", "", "true"]


def test_they_are_found_as_somebody_who_was_never_seen(site: Site) -> None:
    assert [len(site.rows(**each)) for each in ({"user": ANN}, {"hwid": LAPTOP})] == [2, 2]
    assert len(site.read_back(user_identifier=ANN)) == 2
    site.forget(Identity.USER, ANN)
    assert site.rows(user=ANN) == site.rows(user="nobody") == []
    assert site.read_back(user_identifier=ANN) == []
    assert [row["user"] for row in site.rows(hwid=LAPTOP)] == [None, None]
    site.forget(Identity.DEVICE, LAPTOP)
    assert site.rows(hwid=LAPTOP) == []
    assert len(site.rows(flag="UNKNOWN_PRODUCT")) == 2


def test_forgetting_is_of_one_environment(site: Site) -> None:
    site.forget(Identity.USER, ANN, Environment.STAGING)
    assert [row["user"] for row in site.rows()] == [ANN, "bob", ANN]


def test_who_is_forgotten_is_asked_once_in_half_a_minute(site: Site) -> None:
    site.rows()
    site.clock.advance(REMEMBERED_SECONDS)
    with metered() as first:
        site.rows()
    with metered() as second:
        site.rows()
    assert len(first) - len(second) == 1
