"""Closed days verified over the admin API, and keys that show when they were used."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.services.api_keys import issue_staff_key
from telemetry.storage.tables import dynamodb_client
from tests.conftest import Deployment, Mailbox, start_ingest
from tests.lambdas import Context, http_event, load_function
from tests.stream_events import at, close_day, deadline, stored_items, stream_batch

PRODUCTION = Environment.PRODUCTION
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
DAY = NOW.date()


class Site:
    """A closed day of four records, and its administrator."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        post = start_ingest(deployment)
        vars(post._function)["datetime"] = at(NOW)
        event = {"data_type": "text", "text_data": "x", "product_id": "acme-cli"}
        events = [event | {"user_identifier": f"user {number}"} for number in range(4)]
        assert post("/api/v1/telemetry", json.dumps(events))["statusCode"] == 200
        load_function("rollup").handler(stream_batch(deployment), Context())
        close_day(PRODUCTION, deadline(DAY))
        self.admin = load_function("admin")
        vars(self.admin)["datetime"] = at(deadline(DAY))
        self.key = self.staff(Role.ADMIN, *Environment)

    def staff(self, role: Role, *environments: Environment) -> str:
        deployment = self.deployment
        issued = issue_staff_key("staff", frozenset(environments), role, deployment.keyring, deployment.registry)
        return issued.secret

    def ask(self, method: str, path: str, key: str | None = None, **query: str) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {key or self.key}"}
        event = http_event(f"/api/v1/admin{path}", "", headers, {"environment": "production"} | query, method)
        answer = self.admin.handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"])


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


def test_what_cannot_be_verified(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.ask("POST", "/days/2026-11-04/verify")[0] == 404
    assert site.ask("POST", "/days/2026-11-03/verify", product="nobodys")[0] == 404
    assert site.ask("POST", "/days/yesterday/verify")[0] == 422
    assert site.ask("POST", "/days/2026-11-03/verify", site.staff(Role.VIEWER, PRODUCTION))[0] == 403
    assert site.ask("POST", "/days/2026-11-03/verify", site.staff(Role.ADMIN, Environment.STAGING))[0] == 403
    monkeypatch.setitem(vars(site.admin), "MOST_VERIFIED", 3)
    status, body = site.ask("POST", "/days/2026-11-03/verify")
    assert (status, body["type"]) == (400, "urn:telemetry:problem:too-wide")


def test_keys_show_when_records_came_with_them(site: Site) -> None:
    status, body = site.ask("GET", "/api-keys")
    assert status == 200
    (listed,) = body["items"]
    assert datetime.fromisoformat(listed["last_used_at"]) == NOW.replace(minute=0)
    assert site.ask("GET", f"/api-keys/{listed['id']}") == (200, listed)
    (unused,) = site.ask("GET", "/api-keys", environment="staging")[1]["items"]
    assert unused["last_used_at"] is None
    assert site.ask("GET", f"/api-keys/{unused['id']}", environment="staging") == (200, unused)
