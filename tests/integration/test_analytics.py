"""Analytics over HTTP: what the handlers answer is what was sent, to whom it may be told."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.domain.api_key import ApiKey, KeyKind, Role
from telemetry.domain.customer import Customer
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.failed_call import Caller
from telemetry.domain.license import License, LicenseState
from telemetry.domain.licensing import DeviceAction
from telemetry.domain.product import ActivityLevel, ActivityType, Product, by_key
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, Observation
from telemetry.domain.spikes import KEY_FLOOR, QUIET
from telemetry.domain.staff import AuditEntry, Author
from telemetry.services.license_watch import ABOUT_SECONDS
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.audit import AuditLog
from telemetry.storage.customers import CustomerStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.day_summaries import SummaryStore
from telemetry.storage.failed_calls import FailedCallStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.licensing_counters import LicensingCounters
from telemetry.storage.records import RecordStore
from telemetry.storage.spikes import EpisodeStore
from tests.clock import FakeClock
from tests.worlds.analytics import PRODUCTION, AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.licenses import issue

pytestmark = pytest.mark.days

STAGING = Environment.STAGING
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
TODAY = NOW.date()
GOOD, LEAKED, STAGED, NOBODYS = (f"KEY-{name}-0000-{name[:4]}" for name in ("GOOD", "LEAK", "STAG", "NOBO"))
VIEWER_ROUTES = ("overview",)
ADMIN_ROUTES = ("licenses", "licenses/top", "devices/excess", "mismatches", "alerts", "system-logs")


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> AnalyticsWorld:
    monkeypatch.setenv("RECORD_SHARDS", "2")
    return AnalyticsWorld(deployment, mailbox, NOW)


def ago(days: int, hour: int = 7, minute: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute) - timedelta(days=days)


def close(world: AnalyticsWorld, *days_ago: int, environment: Environment = PRODUCTION) -> None:
    """The days before these close, in the night after them."""
    for days in days_ago:
        world.deliver(environment)
        world.close(ago(days, hour=0, minute=40), environment)


def instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ── overview


def two_days_and_some(world: AnalyticsWorld) -> None:
    """Two closed days and this morning: users of two versions, a few of whom should not."""
    for user in ("jane", "john"):
        world.keep({"user_identifier": user, "hwid": "d1", "product_version": "1.0"}, ago(2))
    world.keep({"user_identifier": "jane", "hwid": "d1", "product_version": "1.0"}, ago(1), count=2)
    world.keep({"user_identifier": "thief", "hwid": "d2", "license_key": NOBODYS}, ago(1, 8))
    close(world, 1, 0)
    world.keep({"user_identifier": "jane", "hwid": "d1", "product_version": "2.0"}, ago(0, 7))
    world.keep({"user_identifier": "thief", "hwid": "d2", "license_key": NOBODYS}, ago(0, 8), count=2)
    world.keep({"user_identifier": "jill", "product_id": "acme-cli", "product_version": "3.0"}, ago(0, 8))
    world.deliver()
    counters = LicensingCounters(world.deployment.tables.aggregates(PRODUCTION))
    for days, code in ((2, 204), (0, 200), (0, 200), (0, 302)):
        counters.add("acme-desktop", DeviceAction.VERIFY if code < 300 else DeviceAction.ACTIVATE, code, ago(days))


def test_days_that_were_closed_before_a_product_was_registered(world: AnalyticsWorld) -> None:
    """They had none of its records, and that is final."""
    two_days_and_some(world)
    world.deployment.products.put(Product("acme-new", "Acme New"))
    window = {"product": "acme-new", "from": "2026-11-19", "to": "2026-11-21"}

    def closed() -> list[tuple[int, bool, int, bool]]:
        told = world.given("overview", **window)
        days = zip(told["trend"], told["active_users"], strict=True)
        return [
            (day["clean"] + day["flagged"], day["closed"], active["users"], active["closed"]) for day, active in days
        ]

    assert closed() == [(0, True, 0, True), (0, True, 0, True), (0, False, 0, False)]
    world.keep({"user_identifier": "jane", "product_id": "acme-new"}, ago(0))
    world.deliver()
    assert closed() == [(0, True, 0, True), (0, True, 0, True), (1, False, 1, False)]


def test_the_unknown_product_is_listed_once_something_came_for_it(world: AnalyticsWorld) -> None:
    """Every closing writes a report of it, whether or not anything did."""

    def listed() -> list[str]:
        return [each["id"] for each in world.given("products")["items"]]

    assert listed() == ["acme-cli", "acme-desktop"]
    two_days_and_some(world)
    assert listed() == ["acme-cli", "acme-desktop"]
    world.keep({"product_id": "nobody's"}, ago(0, 8))
    world.deliver()
    assert listed() == ["acme-cli", "acme-desktop", UNKNOWN_PRODUCT]
    world.close(ago(-1, hour=0, minute=40))
    assert listed() == ["acme-cli", "acme-desktop", UNKNOWN_PRODUCT]


def test_an_overview_by_day(world: AnalyticsWorld) -> None:
    two_days_and_some(world)
    told = world.given("overview", **{"from": "2026-11-20", "to": "2026-11-21"})
    assert told.pop("before") is None  # it would begin on a day that nobody counted
    assert told == {
        "environment": "production",
        "product": None,
        "from": "2026-11-20T00:00:00.000Z",
        "to": "2026-11-22T00:00:00.000Z",
        "bucket": "day",
        "as_of": "2026-11-21T08:30:00.000Z",
        "users_window": {"from": "2026-11-20T00:00:00.000Z", "to": "2026-11-22T00:00:00.000Z"},
        "stats": {
            "total_records": 9,
            "flagged_records": 3,
            "flagged_percent": 33.3,
            "clean_records": 6,
            "clean_percent": 66.7,
            "recent_activity": 7,
            "range_flagged": 3,
            "range_clean": 4,
            "unique_users": 2,
            "unique_devices": 2,
            "unique_users_days": 2,
            "uses": 0,
        },
        "alerts": [
            {"flag": "INVALID_LICENSE", "records": 3, "before": None, "change": None},
            {"flag": "BYPASSED_ACTIVATION", "records": 0, "before": None, "change": None},
            {"flag": "REVOKED_LICENSE", "records": 0, "before": None, "change": None},
            {"flag": "ENVIRONMENT_MISMATCH", "records": 0, "before": None, "change": None},
        ],
        "trend": [
            {"start": "2026-11-20T00:00:00.000Z", "clean": 2, "flagged": 1, "closed": True},
            {"start": "2026-11-21T00:00:00.000Z", "clean": 2, "flagged": 2, "closed": False},
        ],
        "versions": [
            {"version": "~unknown", "records": 3, "percent": 42.9},
            {"version": "1.0", "records": 2, "percent": 28.6},
            {"version": "2.0", "records": 1, "percent": 14.3},
            {"version": "3.0", "records": 1, "percent": 14.3},
        ],
        "version_trend": [
            {"start": "2026-11-20T00:00:00.000Z", "versions": {"~unknown": 1, "1.0": 2, "2.0": 0, "3.0": 0}},
            {"start": "2026-11-21T00:00:00.000Z", "versions": {"~unknown": 2, "1.0": 0, "2.0": 1, "3.0": 1}},
        ],
        "active_users": [
            {"day": "2026-11-20", "users": 1, "devices": 2, "users_7": 2, "users_30": 2, "closed": True},
            {"day": "2026-11-21", "users": 2, "devices": 2, "users_7": 3, "users_30": 3, "closed": False},
        ],
        "activations": {
            "granted": 2,
            "blocked": 1,
            "codes": [
                {"action": "activate", "code": 302, "calls": 1},
                {"action": "verify", "code": 200, "calls": 2},
            ],
        },
        "activities": [],
    }


def test_an_overview_by_the_hour_of_one_product(world: AnalyticsWorld) -> None:
    two_days_and_some(world)
    hours = {"from": "2026-11-21T07:00:00Z", "to": "2026-11-21T10:00:00+01:00"}
    told = world.given("overview", product="acme-desktop", **hours)
    assert (told["before"]["from"], told["before"]["to"]) == ("2026-11-21T05:00:00.000Z", told["from"])
    assert told.pop("before")["recent_activity"] == 0
    assert told == {
        "environment": "production",
        "product": "acme-desktop",
        "from": "2026-11-21T07:00:00.000Z",
        "to": "2026-11-21T09:00:00.000Z",
        "bucket": "hour",
        "as_of": "2026-11-21T08:30:00.000Z",
        "users_window": {"from": "2026-11-21T00:00:00.000Z", "to": "2026-11-22T00:00:00.000Z"},
        "stats": {
            "total_records": 8,
            "flagged_records": 3,
            "flagged_percent": 37.5,
            "clean_records": 5,
            "clean_percent": 62.5,
            "recent_activity": 3,
            "range_flagged": 2,
            "range_clean": 1,
            "unique_users": 1,
            "unique_devices": 2,
            "unique_users_days": 1,
            "uses": 0,
        },
        "alerts": [
            {"flag": "INVALID_LICENSE", "records": 2, "before": 0, "change": 2},
            {"flag": "BYPASSED_ACTIVATION", "records": 0, "before": 0, "change": 0},
            {"flag": "REVOKED_LICENSE", "records": 0, "before": 0, "change": 0},
            {"flag": "ENVIRONMENT_MISMATCH", "records": 0, "before": 0, "change": 0},
        ],
        "trend": [
            {"start": "2026-11-21T07:00:00.000Z", "clean": 1, "flagged": 0, "closed": False},
            {"start": "2026-11-21T08:00:00.000Z", "clean": 0, "flagged": 2, "closed": False},
        ],
        "versions": [
            {"version": "~unknown", "records": 2, "percent": 66.7},
            {"version": "2.0", "records": 1, "percent": 33.3},
        ],
        "version_trend": [
            {"start": "2026-11-21T07:00:00.000Z", "versions": {"~unknown": 0, "2.0": 1}},
            {"start": "2026-11-21T08:00:00.000Z", "versions": {"~unknown": 2, "2.0": 0}},
        ],
        "active_users": [{"day": "2026-11-21", "users": 1, "devices": 2, "users_7": 2, "users_30": 2, "closed": False}],
        "activations": {
            "granted": 2,
            "blocked": 1,
            "codes": [
                {"action": "activate", "code": 302, "calls": 1},
                {"action": "verify", "code": 200, "calls": 2},
            ],
        },
        "activities": [],
    }


def test_an_overview_is_compared_with_the_window_before(world: AnalyticsWorld) -> None:
    """Where there is one: the product was counted when that window began."""
    two_days_and_some(world)
    told = world.given("overview", range="today")
    assert (told["from"], told["to"], told["bucket"], len(told["trend"])) == (
        instant(ago(0, 0)), instant(ago(0, 9)), "hour", 9,
    )  # fmt: skip
    before = told["before"]
    trend, active = before.pop("trend"), before.pop("active_users")
    assert before == {
        "from": instant(ago(1, 0)),
        "to": instant(ago(1, 9)),
        "users_window": {"from": instant(ago(1, 0)), "to": instant(ago(0, 0))},
        "recent_activity": 3,
        "range_flagged": 1,
        "range_clean": 2,
        "unique_users": 1,
        "unique_devices": 2,
        "unique_users_days": 1,
    }
    assert [each["start"] for each in trend] == [instant(ago(1, hour)) for hour in range(9)]
    assert [(each["clean"], each["flagged"]) for each in trend] == [(0, 0)] * 7 + [(2, 0), (0, 1)]
    assert active == [{"day": "2026-11-20", "users": 1, "devices": 2, "users_7": 2, "users_30": 2, "closed": True}]
    (invalid, *_) = told["alerts"]
    assert invalid == {"flag": "INVALID_LICENSE", "records": 2, "before": 1, "change": 1}
    (yesterday,) = world.given("overview", range="yesterday")["active_users"]
    assert (yesterday["day"], world.given("overview", range="yesterday")["before"]["recent_activity"]) == (
        "2026-11-20",
        2,
    )
    for name in ("7d", "this_month", "last_month"):
        assert world.given("overview", range=name)["before"] is None
    assert world.given("overview", range="today", product="never-heard-of")["before"] is None


def test_windows_of_months(world: AnalyticsWorld) -> None:
    for name, since, until, buckets in (
        ("this_month", "2026-11-01", "2026-11-22", 21),
        ("last_month", "2026-10-01", "2026-11-01", 31),
    ):
        told = world.given("overview", range=name)
        assert (told["from"][:10], told["to"][:10], told["bucket"]) == (since, until, "day")
        assert (len(told["trend"]), told["stats"]["unique_users_days"]) == (buckets, buckets)


def test_each_list_says_of_which_window_it_is(world: AnalyticsWorld) -> None:
    """24 hours are not whole days, and lists of licences are told by whole UTC days."""
    two_days = {"from": instant(ago(1, 0)), "to": instant(ago(-1, 0))}
    told = world.given("overview", range="24h")
    assert ({"from": told["from"], "to": told["to"]}, told["users_window"]) != (two_days, None)
    assert told["users_window"] == two_days
    lists = world.given("licenses", range="24h")
    assert [lists[name]["window"] for name in ("top", "devices", "mismatches")] == [two_days] * 3
    assert world.given("mismatches", range="yesterday")["window"] == {
        "from": instant(ago(1, 0)),
        "to": instant(ago(0, 0)),
    }


def test_uses_are_counted_beside_records(world: AnalyticsWorld) -> None:
    """Two days closed, and this morning. What sums up many uses is one record; what is malformed, one use."""
    for days, uses in ((2, {"activity_type": "primary"}), (1, {"count": 120, "domain": "globex.example"})):
        world.use(uses, ago(days))
    close(world, 1, 0)
    for uses in (
        {"activity_type": "CALL HOME"},
        {"activity_type": "CALL_HOME", "count": 1_000_000, "ip_addr": "198.51.100.7", "mode": "DOMAIN"},
        {"activity_type": "tertiary"},
        {"count": 1_000_001, "domain": "globex.example"},
        {"count": 0, "domain": "globex.example"},
        {"count": 5, "mode": "USER"},
        {"count": True, "domain": "globex.example"},
    ):
        world.use(uses, ago(0, 7))
    world.keep({"user_identifier": "jill", "product_id": "acme-cli"}, ago(0, 8))
    world.deliver()
    told = world.given("overview", product="acme-cli", **{"from": "2026-11-19", "to": "2026-11-21"})
    assert (told["stats"]["recent_activity"], told["stats"]["uses"]) == (10, 1_000_127)
    day = "2026-11-{}T00:00:00.000Z".format
    builds = {"activity_type": "primary", "label": "Ran a build", "level": "primary"}
    assert told["activities"] == [
        {"activity_type": "CALL_HOME", "label": None, "level": None, "uses": 1_000_001}
        | {"first_seen": day(21), "last_seen": day(21)},
        builds | {"uses": 125, "first_seen": day(19), "last_seen": day(21)},
        {"activity_type": "tertiary", "label": None, "level": None, "uses": 1}
        | {"first_seen": day(21), "last_seen": day(21)},
    ]
    malformed = world.given("records", flag="MALFORMED", range="7d")["items"]
    assert len(malformed) == 4
    assert world.given("overview", product="acme-desktop", range="7d")["activities"] == []
    everything = world.given("overview", range="7d")
    assert (everything["stats"]["uses"], everything["activities"][1]["label"]) == (1_000_127, None)


def test_a_type_that_is_listed_later_is_classified_from_the_beginning(world: AnalyticsWorld) -> None:
    world.use({"activity_type": "tertiary"}, ago(1))
    close(world, 0)
    products = world.deployment.products
    cli = products.get("acme-cli")
    tertiary = ActivityType("tertiary", "Looked around", ActivityLevel.SECONDARY)
    products.put(replace(cli, activity_types={**cli.activity_types, **by_key(tertiary)}))
    (told,) = world.given("overview", product="acme-cli", range="7d")["activities"]
    assert (told["label"], told["level"]) == ("Looked around", "secondary")
    (record,) = world.given("records", product="acme-cli", range="7d")["items"]
    assert record["flags"] == ["UNKNOWN_ACTIVITY_TYPE"]


def test_an_overview_is_of_the_last_24_hours_unless_told(world: AnalyticsWorld) -> None:
    two_days_and_some(world)
    told = world.given("overview")
    assert told == world.given("overview", range="24h")
    assert (told["from"], told["to"], told["bucket"]) == (instant(ago(1, 9)), instant(ago(0, 9)), "hour")
    assert (len(told["trend"]), told["stats"]["recent_activity"], told["stats"]["unique_users_days"]) == (24, 4, 2)
    for name, days in (("7d", 7), ("30d", 30), ("90d", 90)):
        told = world.given("overview", range=name)
        assert (told["bucket"], len(told["trend"]), len(told["active_users"])) == ("day", days, days)
        assert told["to"] == "2026-11-22T00:00:00.000Z"
        assert told["stats"]["recent_activity"] == 9


def test_of_an_empty_deployment_there_is_nothing_to_tell(world: AnalyticsWorld) -> None:
    told = world.given("overview", range="7d", product="never-heard-of")
    assert set(told["stats"].values()) == {0, 7}
    assert (told["versions"], told["activations"]["codes"]) == ([], [])
    for path in ("licenses/top", "devices/excess", "mismatches", "alerts"):
        assert world.given(path, range="7d")["items"] == []


# ── on random data


@pytest.mark.slow
def test_every_number_equals_a_recount_of_the_records(world: AnalyticsWorld) -> None:
    random = Random(5)
    issue(world.deployment, LEAKED, state=LicenseState.REVOKED)
    for days in (3, 2, 1, 0):
        for _ in range(30):
            body = {
                "user_identifier": random.choice(("jane", "john", None)),
                "hwid": random.choice(("d1", "d2", None)),
                "product_id": random.choice(("acme-desktop", "acme-cli", "typo")),
                "product_version": random.choice(("1.0", "2.0", None)),
                "license_key": random.choice((LEAKED, NOBODYS, "unknown", "unknown")),
                "data_type": random.choice(("text", "texts")),
            }
            world.keep(body, ago(days, random.randrange(8), random.randrange(60)))
        close(world, days)
    world.deliver()
    for scope in (*world.products, UNKNOWN_PRODUCT, CATALOGUE):
        for range_, since in (("24h", ago(1, 9)), ("7d", ago(6, 0))):
            told = world.given("overview", range=range_, **({} if scope == CATALOGUE else {"product": scope}))
            everything = recounted(world, scope)
            here = [each for each in everything if each.received_at >= since]
            stats = told["stats"]
            assert stats["total_records"] == len(everything)
            assert stats["clean_records"] + stats["flagged_records"] == stats["total_records"]
            assert stats["flagged_records"] == sum(bool(each.flags) for each in everything)
            assert stats["recent_activity"] == len(here) == sum(each["records"] for each in told["versions"])
            assert stats["range_flagged"] == sum(bool(each.flags) for each in here)
            versions = Counter(each.version or "~unknown" for each in here)
            assert {each["version"]: each["records"] for each in told["versions"]} == versions
            flags = Counter(flag for each in here for flag in each.flags)
            assert {each["flag"]: each["records"] for each in told["alerts"]} == {
                each["flag"]: flags[each["flag"]] for each in told["alerts"]
            }
            trend = Counter({(each["start"], "clean"): each["clean"] for each in told["trend"]})
            trend += Counter({(each["start"], "flagged"): each["flagged"] for each in told["trend"]})
            assert trend == Counter((start_of(each, range_), "flagged" if each.flags else "clean") for each in here)


def start_of(seen: Observation, range_: str) -> str:
    at = seen.received_at.replace(minute=0)
    return instant(at if range_ == "24h" else at.replace(hour=0))


def recounted(world: AnalyticsWorld, scope: str) -> list[Observation]:
    store = world.deployment.day_records()
    products = [*world.products, UNKNOWN_PRODUCT] if scope == CATALOGUE else [scope]
    days = [TODAY - timedelta(days=days) for days in range(7)]
    return [each for product in products for day in days for each in store.observations(product, day)]


# ── licences


def pirates(world: AnalyticsWorld) -> tuple[License, License]:
    """A licence on five devices, one of staging, a key nobody issued: yesterday, and less of it today."""
    deployment = world.deployment
    CustomerStore(deployment.tables.registry).add(Customer("globex", "Globex", None, NOW))
    leaked = issue(deployment, LEAKED, customer_id="globex")
    staged = issue(deployment, STAGED, STAGING, customer_id="globex")
    for number in range(5):
        body = {"license_key": LEAKED, "hwid": f"d{number}", "country": "DE" if number else "FR"}
        world.keep(body, ago(1), ip=f"192.0.2.{number % 2}")
    world.keep({"license_key": STAGED, "hwid": "d1"}, ago(1), count=2)
    close(world, 0)
    world.keep({"license_key": LEAKED, "hwid": "d9", "country": "AT"}, ago(0), count=3)
    world.keep({"license_key": NOBODYS, "hwid": "d9", "product_id": None}, ago(0, 6))
    world.keep({"license_key": GOOD, "product_id": "acme-cli", "hwid": "d9"}, ago(0, 6))
    world.keep({"user_identifier": "clean"}, ago(0, 6))
    world.deliver()
    return leaked, staged


NOTE_OF_TODAY = "Of each UTC day the 50 foremost licences. Since 2026-11-21: the newest 2,000 flagged records alone."


def test_the_licences_with_the_most_flagged_records(world: AnalyticsWorld) -> None:
    leaked, _ = pirates(world)
    told = world.given("licenses/top", range="7d")
    assert (told["exact"], told["note"]) == (False, f"Devices and IPs: the most on one UTC day. {NOTE_OF_TODAY}")
    first, second, third, fourth = told["items"]
    fingerprint = first.pop("fingerprint")
    assert world.deployment.records().one_of_each([f"L{fingerprint}#acme-desktop"])
    assert first == {
        "license_id": leaked.id,
        "last4": "LEAK",
        "customer": {"id": "globex", "name": "Globex"},
        "product": "acme-desktop",
        "state": "assigned",
        "records": 8,
        "flagged": 8,
        "flags": {"BYPASSED_ACTIVATION": 8},
        "devices": 5,
        "ips": 2,
        "countries": ["AT", "DE", "FR"],
        "first_seen": instant(ago(1)),
        "last_seen": instant(ago(0)),
    }
    assert second["license_id"] is None
    assert (second["last4"], second["flags"]) == ("STAG", {"ENVIRONMENT_MISMATCH": 2})
    assert {third["last4"], fourth["last4"]} == {"GOOD", "NOBO"}
    assert {third["product"], fourth["product"]} == {"acme-cli", "~unknown"}
    assert [each["last4"] for each in world.given("licenses/top", range="7d", limit="1")["items"]] == ["LEAK"]
    assert [each["last4"] for each in world.given("licenses/top", product="acme-cli")["items"]] == ["GOOD"]


def test_closed_days_are_exact(world: AnalyticsWorld) -> None:
    pirates(world)
    told = world.given("licenses/top", **{"from": "2026-11-20", "to": "2026-11-20"})
    note = "Devices and IPs: the most on one UTC day. Of each UTC day the 50 foremost licences."
    assert (told["exact"], told["note"]) == (True, note)
    assert [(each["last4"], each["flagged"]) for each in told["items"]] == [("LEAK", 5), ("STAG", 2)]


def test_licences_and_customers_on_many_devices(world: AnalyticsWorld) -> None:
    leaked, _ = pirates(world)
    told = world.given("devices/excess", range="7d", threshold="20")
    license_ = {
        "kind": "license",
        "license_id": leaked.id,
        "customer_id": "globex",
        "name": "Globex",
        "last4": "LEAK",
        "devices": 5,
        "limit": 3,
        "over": True,
    }
    counted = "The most distinct devices with one product on one UTC day; under two licences they count twice."
    window = {"from": "2026-11-15T00:00:00.000Z", "to": "2026-11-22T00:00:00.000Z"}
    assert told == {"items": [license_], "window": window, "exact": False, "note": f"{counted} {NOTE_OF_TODAY}"}
    customer = {"kind": "customer", "license_id": None, "last4": None, "limit": None, "over": False}
    told = world.given("devices/excess", range="7d", threshold="5")
    assert told["items"] == [license_, {**license_, **customer}]
    names = [each["name"] for each in world.given("devices/excess", range="7d", threshold="1")["items"]]
    assert Counter(names) == {"Globex": 2, "Unknown key": 3}


def test_keys_of_other_environments(world: AnalyticsWorld) -> None:
    pirates(world)
    told = world.given("mismatches", range="7d")
    (item,) = told["items"]
    assert item.pop("fingerprint").startswith("1")
    at = instant(ago(1))
    customer = {"id": "globex", "name": "Globex", "environment": "staging"}
    assert item == {"last4": "STAG", "records": 2, "first_seen": at, "last_seen": at, "customer": customer}
    for reach in ({PRODUCTION}, {PRODUCTION, Environment.DEVELOPMENT}):
        key = world.deployment.staff_key(Role.ADMIN, *reach)
        _, body = world.ask("mismatches", {"range": "7d"}, key)
        assert [(each["last4"], each["records"], each["customer"]) for each in body["items"]] == [("STAG", 2, None)]
        assert "lobex" not in json.dumps(body)


def test_a_licence_is_told_by_its_records_also_after_it_was_sent_without_a_product(world: AnalyticsWorld) -> None:
    issue(world.deployment, LEAKED)
    world.keep({"license_key": LEAKED, "product_id": None, "hwid": "d"}, ago(0))
    world.deliver()
    assert [(each["last4"], each["product"]) for each in world.given("licenses/top")["items"]] == [
        ("LEAK", "acme-desktop")
    ]


def test_a_licence_of_which_no_record_tells_the_key_is_shown_by_its_fingerprint(world: AnalyticsWorld) -> None:
    world.keep({"license_key": NOBODYS, "product_id": "typo"}, ago(0))
    world.deliver()
    (item,) = world.given("licenses/top")["items"]
    assert (item["product"], item["last4"], item["license_id"]) == ("~unknown", None, None)
    assert len(item["fingerprint"]) == 23


def test_of_open_days_only_so_many_records_are_looked_at(
    world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.services.license_watch.MOST_FLAGGED", 4)
    for number in range(6):
        world.keep({"license_key": f"{NOBODYS}-{number}", "user_identifier": f"u{number}"}, ago(0, minute=number))
    world.keep({"license_key": GOOD}, ago(1, 23))
    world.deliver()
    told = world.given("licenses/top", range="7d")
    assert {each["last4"] for each in told["items"]} == {"BO-5", "BO-4", "BO-3", "BO-2"}
    assert sum(each["flagged"] for each in told["items"]) == 4


def test_the_three_lists_in_one_answer(world: AnalyticsWorld) -> None:
    pirates(world)
    for window in ({"range": "24h"}, {"range": "7d"}, {"from": "2026-11-20", "to": "2026-11-20"}):
        for scope in ({}, {"product": "acme-desktop"}):
            asked = window | scope
            assert world.given("licenses", **asked, limit="2", threshold="5") == {
                "top": world.given("licenses/top", **asked, limit="2"),
                "devices": world.given("devices/excess", **asked, threshold="5"),
                "mismatches": world.given("mismatches", **asked),
            }


def test_what_is_shown_of_a_licence_is_never_remembered(deployment: Deployment, mailbox: Mailbox) -> None:
    """Only whether one that is not shown has come over its limit may be told some minutes late."""
    clock = FakeClock(NOW)
    world = AnalyticsWorld(deployment, mailbox, clock)
    leaked, store = pirates(world)[0], LicenseStore(deployment.tables.registry, deployment.keyring)

    def shown() -> list[tuple[str, int | None]]:
        told = world.given("licenses", range="7d")
        (state,) = (each["state"] for each in told["top"]["items"] if each["license_id"] == leaked.id)
        return [(state, each["limit"]) for each in told["devices"]["items"]]

    assert shown() == [("assigned", 3)]
    leaked = store.change(replace(leaked, state=LicenseState.REVOKED, activation_limit=4))
    assert shown() == [("revoked", 4)]
    leaked = store.change(replace(leaked, activation_limit=5))
    assert shown() == []
    store.change(replace(leaked, activation_limit=1))
    clock.advance(ABOUT_SECONDS + 1)
    assert shown() == [("revoked", 1)]


def test_an_issued_licence_is_known_also_without_a_record_that_tells_its_key(world: AnalyticsWorld) -> None:
    leaked = issue(world.deployment, LEAKED, product_id=None)
    world.keep({"license_key": LEAKED, "product_id": "typo"}, ago(0))
    world.deliver()
    (item,) = world.given("licenses/top")["items"]
    assert (item["license_id"], item["last4"], item["product"]) == (leaked.id, "LEAK", "~unknown")


# ── answers that have not changed


@pytest.mark.parametrize("path", ["products", *VIEWER_ROUTES, *ADMIN_ROUTES, "records"])
def test_an_answer_that_has_not_changed_is_not_sent_again(deployment: Deployment, mailbox: Mailbox, path: str) -> None:
    clock = FakeClock(NOW)
    world = AnalyticsWorld(deployment, mailbox, clock)
    world.keep({"license_key": NOBODYS}, ago(0))
    world.deliver()
    first = world.answered(path)
    tag = first.headers["etag"]
    clock.advance(30)
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
        again = world.answered(path, known)
        assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
        assert again.headers["cache-control"] == "no-store"
    assert world.answered(path, '"other"').status == 200


def test_an_answer_that_has_changed_has_another_tag(world: AnalyticsWorld) -> None:
    first = world.answered("overview")
    world.keep({}, ago(0))
    world.deliver()
    second = world.answered("overview", first.headers["etag"])
    assert second.status == 200
    assert second.headers["etag"] != first.headers["etag"]


# ── alerts


def test_spikes_that_go_on_and_that_are_over(world: AnalyticsWorld) -> None:
    leaked = issue(world.deployment, LEAKED)
    world.keep({"license_key": NOBODYS}, ago(5, 3), count=25)
    world.keep({"license_key": LEAKED, "hwid": "d"}, ago(0, 5), count=51)
    world.deliver()
    told = world.given("alerts")
    (license_,) = told["items"][0]["so_far"].pop("licenses")
    assert told == {
        "items": [
            {
                "id": "acme-desktop#2026-11-21T05",
                "product": "acme-desktop",
                "opened_at": instant(ago(0, 5)),
                "last_seen": instant(ago(0, 5)),
                "closed_at": None,
                "cause": "flagged_in_an_hour",
                "evidence": {"flagged": 51, "most_expected": 19, "flags": {"BYPASSED_ACTIVATION": 51}},
                "so_far": {"first_day": "2026-11-21", "last_day": "2026-11-21", "days": 1, "records": 51},
                "acknowledged": None,
                "muted": None,
            }
        ]
    }
    assert (license_["license_id"], license_["flagged"], license_["devices"]) == (leaked.id, 51, 1)
    told = world.given("alerts")
    over = {
        "id": "acme-desktop#2026-11-16T03",
        "product": "acme-desktop",
        "opened_at": instant(ago(5, 3)),
        "last_seen": instant(ago(5, 3)),
        "closed_at": instant(ago(5, 3) + QUIET),
        "cause": "flagged_in_an_hour",
        "evidence": {"flagged": 25, "most_expected": 19, "flags": {"INVALID_LICENSE": 25}},
        "so_far": {"first_day": "2026-11-16", "last_day": "2026-11-16", "days": 1, "records": 25, "licenses": []},
        "acknowledged": None,
        "muted": None,
    }
    assert world.given("alerts", state="all")["items"] == [*told["items"], over]
    assert world.given("alerts", state="all", range="24h") == told
    assert world.given("alerts", state="all", **{"from": "2026-11-16", "to": "2026-11-17"}) == {"items": [over]}
    assert world.given("alerts", product="acme-cli", state="all") == {"items": []}
    assert world.given("alerts", state="current", range="24h") == told
    for window in ({"range": "7d"}, {"from": "2026-11-16", "to": "2026-11-17"}):
        assert world.given("alerts", state="current", **window)["items"] == [*told["items"], over]


def test_a_spike_of_one_licence_says_whose_it_is(world: AnalyticsWorld) -> None:
    leaked = issue(world.deployment, LEAKED)
    for hour in range(5):
        world.keep({"license_key": LEAKED, "hwid": "d"}, ago(0, hour), count=11)
    world.deliver()
    (alert,) = world.given("alerts")["items"]
    assert alert["cause"] == "flagged_with_a_license"
    told = alert["evidence"]["license"]
    assert told.pop("fingerprint").startswith("1")
    assert told == {"license_id": leaked.id, "last4": "LEAK"}


def test_a_spike_of_an_api_key_says_which(world: AnalyticsWorld) -> None:
    """What is sent is of two products, and clean."""
    for product in ("acme-cli", "acme-desktop"):
        world.keep({"product_id": product}, ago(0, 2), count=KEY_FLOOR // 2 - 1)
    world.deliver()
    assert world.given("alerts") == {"items": []}
    world.keep({}, ago(0, 2), count=2)
    world.deliver()
    alert = {
        "id": "~key#k1#2026-11-21T02",
        "product": None,
        "opened_at": instant(ago(0, 2)),
        "last_seen": instant(ago(0, 2)),
        "closed_at": None,
        "cause": "events_of_a_key",
        "evidence": {
            "events": KEY_FLOOR,
            "most_expected": KEY_FLOOR - 1,
            "api_key": {"id": "k1", "name": None, "last4": None},
        },
        "so_far": {
            "first_day": "2026-11-21",
            "last_day": "2026-11-21",
            "days": 1,
            "records": KEY_FLOOR,
            "licenses": [],
        },
        "acknowledged": None,
        "muted": None,
    }
    assert world.given("alerts") == {"items": [alert]}
    assert world.given("alerts", product="acme-cli") == {"items": []}
    assert world.given("alerts", environment="staging") == {"items": []}
    key = ApiKey("k1", KeyKind.SDK, "the SDK", "tk_prod_", "a1b2", frozenset({PRODUCTION}))
    world.deployment.api_keys.add(key, bytes(32), None)
    (named,) = world.given("alerts")["items"]
    assert named["evidence"]["api_key"] == {"id": "k1", "name": "the SDK", "last4": "a1b2"}


# ── system logs


def logs(world: AnalyticsWorld) -> None:
    world.keep({}, ago(1))
    close(world, 0)
    store = FailedCallStore(world.deployment.tables.registry)
    for environment, last_four, hour, calls in (
        (PRODUCTION, "a1b2", ago(0), 2),
        (None, "", ago(0), 9),
        (PRODUCTION, "ffff", ago(0, 6), 1),
        (STAGING, "eeee", ago(0), 1),
        (PRODUCTION, "dddd", ago(2), 1),
    ):
        cause = "bad_key" if environment is None else "inactive_key"
        store.add(environment, Caller(cause, last_four, "192.0.2.7"), hour.replace(minute=0), calls)
    audit = AuditLog(world.deployment.tables.registry)
    for number, (action, environment, at) in enumerate(
        [
            ("license.revoke", PRODUCTION, ago(0, 8)),
            ("records.export", PRODUCTION, ago(0, 6)),
            ("product.create", None, ago(0, 5)),
            ("license.revoke", STAGING, ago(0, 5)),
            ("license.revoke", PRODUCTION, ago(3)),
        ]
    ):
        author = Author("k1", "Ann", at, "198.51.100.1", "curl", f"request-{number}")
        audit.add(AuditEntry(f"entry-{number}", author, environment, action, "x", {"a": 1}, {"a": 2}))


def entry(number: int, at: str, action: str, environment: str | None) -> dict[str, Any]:
    return {
        "id": f"entry-{number}",
        "at": at,
        "key_id": "k1",
        "key_name": "Ann",
        "environment": environment,
        "action": action,
        "entity": "x",
        "before": {"a": 1},
        "after": {"a": 2},
        "source_ip": "198.51.100.1",
        "user_agent": "curl",
        "request_id": f"request-{number}",
    }


def call(hour: int, environment: str | None, cause: str, last4: str | None, calls: int) -> dict[str, Any]:
    at = instant(ago(0, hour))
    return {"hour": at, "environment": environment, "cause": cause, "last4": last4, "ip": "192.0.2.7", "calls": calls}


def test_system_logs(world: AnalyticsWorld) -> None:
    logs(world)
    nobody, inactive, other = (
        call(7, None, "bad_key", None, 9),
        call(7, "production", "inactive_key", "a1b2", 2),
        call(6, "production", "inactive_key", "ffff", 1),
    )
    told = world.given("system-logs")
    assert told == {
        "failed_calls": [inactive, nobody, other],
        "staff_actions": [
            entry(0, "2026-11-21T08:00:00Z", "license.revoke", "production"),
            entry(2, "2026-11-21T05:00:00Z", "product.create", None),
        ],
        "exports": [entry(1, "2026-11-21T06:00:00Z", "records.export", "production")],
        "closings": [{"day": "2026-11-20", "closed_at": "2026-11-21T00:50:00.000Z"}],
        "cut": [],
    }
    for query, calls in (
        ({"cause": "bad_key"}, [nobody]),
        ({"last4": "ffff"}, [other]),
        ({"ip": "192.0.2.8"}, []),
        ({"cause": "inactive_key", "last4": "a1b2", "ip": "192.0.2.7"}, [inactive]),
        ({"from": "2026-11-21T06:00:00Z", "to": "2026-11-21T07:00:00Z"}, [other]),
    ):
        assert world.given("system-logs", **query)["failed_calls"] == calls
    assert len(world.given("system-logs", range="7d")["staff_actions"]) == 3
    status, told = world.ask("system-logs", {"last4": "tk_a_whole_key"})
    assert (status, told["errors"][0]["field"]) == (422, "last4")
    assert "whole" not in str(told)


def test_system_logs_say_what_they_leave_out(world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    logs(world)
    monkeypatch.setattr("telemetry.services.system_logs.MOST_FAILED_CALLS", 1)
    monkeypatch.setattr("telemetry.services.system_logs.MOST_ENTRIES", 2)
    told = world.given("system-logs")
    assert told["cut"] == ["failed_calls", "staff_actions"]
    assert (len(told["failed_calls"]), len(told["staff_actions"]), len(told["exports"])) == (1, 1, 1)


# ── who is told what


def test_a_viewer_sees_numbers_and_nothing_of_anybody(world: AnalyticsWorld) -> None:
    leaked, staged = pirates(world)
    logs(world)
    world.keep({"user_identifier": "jane@example.org", "license_key": LEAKED}, ago(0), ip="203.0.113.99")
    world.deliver()
    secret = (
        LEAKED, STAGED, NOBODYS, "LEAK", "STAG", "NOBO", leaked.id, staged.id, leaked.fingerprint.hex(), "lobex",
        "192.0.2", "203.0.113", "198.51.100", "jane", '"d1"', '"d9"', "a1b2", "request-",
    )  # fmt: skip
    for path in VIEWER_ROUTES:
        for range_ in ("24h", "7d"):
            status, body = world.ask(path, {"range": range_}, world.keys[Role.VIEWER])
            assert status == 200
            assert [each for each in secret if each in json.dumps(body)] == []
    for path in ADMIN_ROUTES:
        status, body = world.ask(path, {"range": "7d"}, world.keys[Role.VIEWER])
        assert (status, body["type"]) == (403, "/docs#problem-forbidden")
        assert [each for each in secret if each in json.dumps(body)] == []
    admins = json.dumps([world.given(path, range="7d") for path in ADMIN_ROUTES])
    assert leaked.id in admins  # the test would see it if it came


@pytest.mark.parametrize("path", VIEWER_ROUTES + ADMIN_ROUTES)
def test_only_staff_of_the_environment_are_told(world: AnalyticsWorld, path: str) -> None:
    assert world.ask(path, key="tk_staff_nobody-was-given-this")[0] == 401
    assert world.ask(path, key=world.deployment.keys[PRODUCTION])[0] == 403
    of_staging = world.deployment.staff_key(Role.SUPER_ADMIN, STAGING)
    assert world.ask(path, key=of_staging)[0] == 403
    assert world.ask(path, {"environment": "staging"}, of_staging)[0] == 200


def test_nothing_crosses_environments(world: AnalyticsWorld) -> None:
    marks = {PRODUCTION: "qprodq", STAGING: "qstagq"}
    for environment, mark in marks.items():
        key = f"KEY-0000-0000-{mark}"
        issue(world.deployment, key, environment, customer_id=mark)
        for days in (1, 0):
            body = {"license_key": key, "product_version": mark, "country": mark, "hwid": mark, "user_identifier": mark}
            world.keep(body, ago(days), environment, count=51)
            world.deliver(environment)
            if days:
                world.close(ago(0, 0, 40), environment)
        FailedCallStore(world.deployment.tables.registry).add(environment, Caller(mark, mark, mark), ago(0))
        author = Author("k1", mark, ago(0), mark, mark, mark)
        AuditLog(world.deployment.tables.registry).add(AuditEntry(mark, author, environment, "x.y", mark, {}, {}))
    for environment, mark in marks.items():
        (other,) = set(marks.values()) - {mark}
        for path in VIEWER_ROUTES + ADMIN_ROUTES:
            text = json.dumps(world.given(path, environment=environment, range="7d"))
            assert other not in text
            assert mark in text or path in {"mismatches", "alerts", "devices/excess"}
        assert world.given("overview", environment=environment)["stats"]["total_records"] == 102


# ── what goes wrong


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"environment": "qa"}, "environment"),
        ({"range": "12h"}, "range"),
        ({"range": "7d", "from": "2026-11-01", "to": "2026-11-02"}, "range"),
        ({"from": "2026-11-01"}, "range"),
        ({"from": "2026-11-20T00:00:00", "to": "2026-11-21"}, "from"),
        ({"from": "yesterday", "to": "2026-11-21"}, "from"),
        ({"from": "2026-11-20", "to": "2026-11-19"}, "from"),
        ({"from": "2026-11-22", "to": "2026-11-23"}, "from"),
        ({"from": "2026-11-20T08:30:00Z", "to": "2026-11-20T09:00:00Z"}, "from"),
        ({"from": "2026-11-01T01:00:00Z", "to": "2026-11-20T09:00:00Z"}, "from"),
        ({"from": "2025-11-01", "to": "2026-11-20"}, "from"),
        ({"product": ""}, "product"),
        ({"produkt": "acme-cli"}, "produkt"),
    ],
)
def test_what_cannot_be_asked(world: AnalyticsWorld, query: Mapping[str, str], field: str) -> None:
    status, body = world.ask("overview", query)
    if query.get("environment") == "qa":
        assert (status, body["type"]) == (403, "/docs#problem-forbidden")
        return
    assert (status, body["type"]) == (422, "/docs#problem-invalid-fields")
    assert [each["field"] for each in body["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("licenses/top", {"limit": "0"}, "limit"),
        ("licenses/top", {"limit": "201"}, "limit"),
        ("devices/excess", {"threshold": "0"}, "threshold"),
        ("licenses", {"limit": "201"}, "limit"),
        ("licenses", {"threshold": "0"}, "threshold"),
        ("alerts", {"state": "closed"}, "state"),
        ("system-logs", {"from": "2026-11-22", "to": "2026-11-23"}, "from"),
    ],
)
def test_what_cannot_be_asked_of_lists(world: AnalyticsWorld, path: str, query: Mapping[str, str], field: str) -> None:
    status, body = world.ask(path, query)
    assert (status, [each["field"] for each in body["errors"]]) == (422, [field])


def test_there_is_no_such_route(world: AnalyticsWorld) -> None:
    assert world.ask("nothing")[0] == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "store", "method"),
    [
        ("overview", DayReportStore, "totals"),
        ("overview", SummaryStore, "read"),
        ("overview", HourlyCountStore, "hours"),
        ("overview", LedgerStore, "ledger"),
        ("overview", LicensingCounters, "by_hour"),
        ("licenses/top", DayReportStore, "details_between"),
        ("licenses/top", DayRecordStore, "newest_flagged"),
        ("licenses/top", RecordStore, "one_of_each"),
        ("devices/excess", LicenseStore, "known"),
        ("licenses", CustomerStore, "many"),
        ("mismatches", CustomerStore, "many"),
        ("alerts", EpisodeStore, "all"),
        ("system-logs", FailedCallStore, "hours"),
        ("system-logs", AuditLog, "page"),
    ],
)
def test_storage_that_does_not_answer_is_503(
    world: AnalyticsWorld, path: str, store: type, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise StoreUnavailable(method)

    pirates(world)
    monkeypatch.setattr(store, method, unavailable)
    status, body = world.ask(path, {"range": "7d"})
    assert (status, body["type"]) == (503, "/docs#problem-unavailable")
    assert method not in json.dumps(body)


# ── summaries of closed days


def test_summaries_are_read_as_they_were_written(deployment: Deployment) -> None:
    store = SummaryStore(deployment.tables.aggregates(PRODUCTION))
    days = [date(2026, 11, day) for day in (19, 20, 21)]
    calls = Counter({(DeviceAction.VERIFY, 200): 3})
    written = [DaySummary(scope, day, {"1.0": day.day}, calls) for scope in ("acme-cli", "*") for day in days]
    for _ in range(2):
        store.put(written)
    assert store.read("acme-cli", days[0], days[1]) == written[:2]
    assert store.read("*", days[1], days[1]) == [written[4]]
    assert store.read("acme-desktop", days[0], days[2]) == []


def test_a_day_is_summed_up_before_it_counts_as_closed(world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise StoreUnavailable("summaries")

    world.keep({"product_version": "1.0"}, ago(1))
    world.deliver()
    with monkeypatch.context() as patch:
        patch.setattr(SummaryStore, "put", unavailable)
        with pytest.raises(StoreUnavailable):
            world.close(ago(0, 0, 40))
    assert world.close(ago(0, 1, 40)) == ["2026-11-20"]
    assert world.given("overview", range="7d")["versions"] == [{"version": "1.0", "records": 1, "percent": 100.0}]
