"""What a licence, or a customer, sent: counted from the records themselves."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.domain.license_use import MOST_DEVICES
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.licenses import issue

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
KEYS = ("ACME-USED-AAAA-0001", "ACME-USED-BBBB-0002", "ACME-USED-CCCC-0003")
PRODUCTS = ("acme-desktop", "acme-cli", "")


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> AnalyticsWorld:
    monkeypatch.setenv("RECORD_SHARDS", "2")
    return AnalyticsWorld(deployment, mailbox, NOW)


def test_it_is_what_the_records_say(world: AnalyticsWorld) -> None:
    """By licence and by customer, over any days: as counted here from the list of records."""
    random = Random(3)
    ids = [
        issue(world.deployment, key, customer_id=customer).id
        for key, customer in zip(KEYS, ("globex", "globex", "other"), strict=True)
    ]
    for number in range(120):
        body = {"license_key": random.choice(KEYS), "product_id": random.choice(PRODUCTS), "event_id": f"e{number}"}
        body |= {"hwid": f"device-{random.randrange(9)}"}
        moment = NOW - timedelta(hours=random.randrange(24 * 12))
        # of three events one brings no time: its record lies before all others
        body |= {"event_at": (moment - timedelta(hours=random.randrange(50))).isoformat()} if number % 3 else {}
        world.keep(body, moment, ip=f"192.0.2.{random.randrange(5)}")
    for named in ({"license_id": ids[0]}, {"license_id": ids[2]}, {"customer_id": "globex"}):
        ((kind, id_),) = named.items()
        for days in ({"range": "7d"}, {"range": "90d"}, {"from": "2026-11-20", "to": "2026-11-20"}):
            told = world.given(f"{kind[:-3]}s/{id_}/use", **days)
            records = world.given("records", **named, **days, limit="200")
            assert records["next"] is None
            by_day: dict[str, list[dict[str, Any]]] = {}
            for each in records["items"]:
                by_day.setdefault(each["received_at"][:10], []).append(each)
            assert told["exact"] is True
            assert told["counted_from"] is None
            assert shown(told["sent"]) == counted(records["items"])
            assert {each["day"]: shown(each) for each in told["days"]} == {
                day: counted(items) for day, items in by_day.items()
            }
            assert [each["day"] for each in told["days"]] == sorted(by_day, reverse=True)
            assert {each["hwid"]: each for each in told["devices"]} == by_device(records["items"])
            times = [each["last_seen"] for each in told["devices"]]
            assert times == sorted(times, reverse=True)


def shown(sent: dict[str, Any]) -> tuple[object, ...]:
    return sent["records"], sent["flagged"], sent["flags"], sent["devices"], sent["ips"]


def counted(records: list[dict[str, Any]]) -> tuple[object, ...]:
    flags: dict[str, int] = {}
    for flag in (flag for each in records for flag in each["flags"]):
        flags[flag] = flags.get(flag, 0) + 1
    devices, addresses = {each["hwid"] for each in records}, {each["ip"] for each in records}
    return len(records), sum(bool(each["flags"]) for each in records), flags, len(devices), len(addresses)


def by_device(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in records:
        found.setdefault(each["hwid"], []).append(each)
    told = {}
    for hwid, items in found.items():
        number, flagged, flags, _, _ = counted(items)
        times = [each["received_at"] for each in items]
        seen = {"first_seen": min(times), "last_seen": max(times), "countries": []}
        told[hwid] = {"hwid": hwid, "records": number, "flagged": flagged, "flags": flags} | seen
    return told


def test_of_very_many_devices_those_that_sent_last_are_told(world: AnalyticsWorld) -> None:
    id_ = issue(world.deployment, KEYS[0]).id
    for number in range(MOST_DEVICES + 3):
        world.keep({"license_key": KEYS[0], "hwid": f"device-{number}"}, NOW - timedelta(minutes=number))
    told = world.given(f"licenses/{id_}/use", range="7d")
    assert told["sent"]["devices"] == MOST_DEVICES + 3
    assert [each["hwid"] for each in told["devices"]] == [f"device-{number}" for number in range(MOST_DEVICES)]


def test_a_device_that_is_forgotten_is_told_without_its_name(world: AnalyticsWorld) -> None:
    id_ = issue(world.deployment, KEYS[0]).id
    for name in ("kept", "gone"):
        world.keep({"license_key": KEYS[0], "hwid": name}, NOW - timedelta(hours=1 if name == "kept" else 2))
    world.forget(Identity.DEVICE, "gone", NOW)
    told = world.given(f"licenses/{id_}/use", range="7d")
    assert [(each["hwid"], each["records"]) for each in told["devices"]] == [("kept", 1), (None, 1)]


def test_too_many_records_are_not_passed_off_as_all(world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.license_use.MOST_RECORDS", 10)
    id_ = issue(world.deployment, KEYS[0]).id
    for hours in range(30):
        world.keep({"license_key": KEYS[0], "hwid": "d"}, NOW - timedelta(hours=hours))
    told = world.given(f"licenses/{id_}/use", range="7d")
    assert (told["exact"], told["sent"]["records"]) == (False, 10)
    assert datetime.fromisoformat(told["counted_from"]) == NOW - timedelta(hours=9)
    few = world.given(f"licenses/{id_}/use", **{"from": "2026-11-21T00:00:00Z", "to": "2026-11-21T05:00:00Z"})
    assert (few["exact"], few["sent"]["records"]) == (True, 5)


def test_what_is_old_is_not_read_for_a_new_window(world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A licence that has been silent for long is known to be so, however much it sent before."""
    monkeypatch.setattr("telemetry.services.license_use.MOST_RECORDS", 10)
    id_ = issue(world.deployment, KEYS[0]).id
    world.keep({"license_key": KEYS[0], "hwid": "d"}, NOW - timedelta(days=30), count=1)
    for days in range(20, 60):
        world.keep({"license_key": KEYS[0], "hwid": "d"}, NOW - timedelta(days=days))
    told = world.given(f"licenses/{id_}/use", range="7d")
    assert (told["exact"], told["days"]) == (True, [])
    assert told["sent"] == {
        "records": 0, "flagged": 0, "flags": {}, "devices": 0, "ips": 0, "countries": [], "first_seen": None,
        "last_seen": None,
    }  # fmt: skip


def test_who_may_ask_and_of_what(world: AnalyticsWorld) -> None:
    here = issue(world.deployment, KEYS[0]).id
    elsewhere = issue(world.deployment, KEYS[0], Environment.STAGING).id
    path = f"licenses/{here}/use"
    assert world.ask(path)[0] == 200
    for each in (path, "customers/globex/use"):
        assert world.ask(each, key=world.keys[Role.VIEWER])[0] == 403
    staging = world.deployment.staff_key(Role.ADMIN, Environment.STAGING)
    assert world.ask(path, key=staging)[0] == 403
    assert world.ask(path, {"environment": "staging"}, staging)[0] == 404
    for id_ in (elsewhere, "nobody"):
        assert world.ask(f"licenses/{id_}/use")[0] == 404
    for wrong in ({"range": "9d"}, {"license_id": here}):
        assert world.ask(path, wrong)[0] == 422
    assert world.given("customers/nobody/use")["days"] == []


def test_a_customer_with_too_many_licences_is_told_so(world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.record_search.MOST_PARTITIONS", 5)
    for key in KEYS:
        issue(world.deployment, key, customer_id="globex")
    status, told = world.ask("customers/globex/use")
    assert (status, told["type"]) == (400, "/docs#problem-too-wide")


def test_a_key_in_the_path_is_no_licence_and_in_no_log(world: AnalyticsWorld, caplog: pytest.LogCaptureFixture) -> None:
    issue(world.deployment, KEYS[0])
    for path in (f"licenses/{KEYS[0]}/use", f"licenses/{'x' * 3_000}/use", f"customers/{'x' * 3_000}/use"):
        status, told = world.ask(path)
        assert status == 404
        assert path.split("/")[1] not in told["detail"]
    assert "Refused" in caplog.text
    assert KEYS[0] not in caplog.text
