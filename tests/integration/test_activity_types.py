"""Activity types over HTTP: what arrived, configured or not, is listed as it was sent; configuring classifies it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.domain.api_key import Role
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.environment import Environment
from telemetry.domain.hourly_counts import LONGEST_NAME, MOST_ACTIVITIES, MOST_NAMES
from telemetry.domain.product import ActivityLevel, ActivityType, by_key
from telemetry.storage.day_summaries import SummaryStore
from tests.benchmarks.capacity import metered
from tests.worlds.analytics import PRODUCTION, AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
BUILD = {"configured": True, "label": "Ran a build", "level": "primary"}
DOCS = {"activity_type": "secondary1", "configured": True, "label": "Opened the docs", "level": "secondary"}
UNCONFIGURED = {"configured": False, "label": None, "level": None}
NEVER = {"uses": 0, "first_day": None, "last_day": None}
MOST_REQUESTS = 10


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> AnalyticsWorld:
    monkeypatch.setenv("RECORD_SHARDS", "2")
    return AnalyticsWorld(deployment, mailbox, NOW)


def ago(days: int, hour: int = 7, minute: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute) - timedelta(days=days)


def day(days: int) -> str:
    return ago(days).date().isoformat()


def close(world: AnalyticsWorld, *days_ago: int) -> None:
    """The days before these close, in the night after them."""
    for days in days_ago:
        world.deliver()
        world.close(ago(days, hour=0, minute=40))


def listed(world: AnalyticsWorld, product: str = "acme-cli") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.given("activity-types", product=product)["items"]
    return items


def configure(world: AnalyticsWorld, product: str, *types: ActivityType) -> None:
    products = world.deployment.products
    found = products.get(product)
    products.put(replace(found, activity_types={**found.activity_types, **by_key(*types)}))


def flags(world: AnalyticsWorld, product: str) -> dict[str, list[str]]:
    """Those of stored records, by activity type."""
    rows = world.given("records", product=product, range="7d")["items"]
    return {row["group"]: row["flags"] for row in rows}


def test_what_arrived_beside_what_is_configured(world: AnalyticsWorld) -> None:
    """Two days closed, and this morning. What sums up many uses counts as many."""
    world.use({"activity_type": "lint"}, ago(2))
    world.use({"activity_type": "primary", "count": 120, "domain": "globex.example"}, ago(1))
    close(world, 1, 0)
    for name in ("lint", "primary", "CALL HOME"):
        world.use({"activity_type": name}, ago(0))
    world.use({"activity_type": "lint", "count": 40, "domain": "globex.example"}, ago(0, 8))
    world.deliver()
    assert world.given("activity-types", product="acme-cli") == {
        "environment": "production",
        "product": "acme-cli",
        "from": "2026-08-24T00:00:00.000Z",
        "to": "2026-11-22T00:00:00.000Z",
        "items": [
            {"activity_type": "primary", **BUILD, "uses": 121, "first_day": day(1), "last_day": day(0)},
            {"activity_type": "lint", **UNCONFIGURED, "uses": 42, "first_day": day(2), "last_day": day(0)},
            {"activity_type": "CALL_HOME", **UNCONFIGURED, "uses": 1, "first_day": day(0), "last_day": day(0)},
            DOCS | NEVER,
        ],
    }


def test_a_type_that_is_not_configured_is_stored_and_flagged(world: AnalyticsWorld) -> None:
    for name in ("primary", "lint", "CALL HOME"):
        world.use({"activity_type": name}, ago(0))
    assert flags(world, "acme-cli") == {"primary": [], "lint": ["UNKNOWN_ACTIVITY_TYPE"], "CALL_HOME": []}
    world.use({"activity_type": "CALL_HOME"}, ago(0, 8))
    assert flags(world, "acme-cli")["CALL_HOME"] == []


def test_a_product_without_a_list_takes_every_type(world: AnalyticsWorld) -> None:
    for name in ("primary", "lint", "CALL HOME"):
        world.use({"activity_type": name, "product_id": "acme-desktop"}, ago(0))
    world.deliver()
    assert flags(world, "acme-desktop") == {"primary": [], "lint": [], "CALL_HOME": []}
    once = {**UNCONFIGURED, "uses": 1, "first_day": day(0), "last_day": day(0)}
    assert listed(world, "acme-desktop") == [{"activity_type": t, **once} for t in ("CALL_HOME", "lint", "primary")]


@pytest.mark.parametrize("name", ["lint", "a type of more than thirty-two bytes: " + "x" * 26])
def test_a_type_that_is_configured_later_is_classified_from_its_beginning(world: AnalyticsWorld, name: str) -> None:
    for days in (2, 1):
        world.use({"activity_type": name, "count": 10, "domain": "globex.example"}, ago(days))
    close(world, 1, 0)
    world.use({"activity_type": name}, ago(0))
    world.deliver()
    seen = {"activity_type": name, "uses": 21, "first_day": day(2), "last_day": day(0)}
    assert listed(world)[0] == seen | UNCONFIGURED
    before = world.given("records", product="acme-cli", range="7d")
    assert [row["flags"] for row in before["items"]] == [["UNKNOWN_ACTIVITY_TYPE"]] * 3
    configure(world, "acme-cli", ActivityType(name, "Looked for mistakes", ActivityLevel.SECONDARY))
    assert listed(world)[0] == seen | {"configured": True, "label": "Looked for mistakes", "level": "secondary"}
    (told,) = world.given("overview", product="acme-cli", range="7d")["activities"]
    assert (told["uses"], told["level"]) == (21, "secondary")
    assert world.given("records", product="acme-cli", range="7d") == before


def test_it_looks_back_for_90_days(world: AnalyticsWorld) -> None:
    for days in (90, 89):
        world.use({"activity_type": f"{days} days ago"}, ago(days, hour=0))
    world.use({"activity_type": "at the end"}, ago(90, 23, 59))
    world.deliver()
    assert [each["activity_type"] for each in listed(world)] == ["89 days ago", "primary", "secondary1"]


def test_it_looks_back_for_90_days_where_they_are_closed(world: AnalyticsWorld) -> None:
    close(world, 1, 0)
    summaries = SummaryStore(world.deployment.tables.aggregates(PRODUCTION))
    summaries.put([DaySummary("acme-cli", ago(n).date(), {}, Counter(), {f"{n} days ago": n}) for n in (90, 89)])
    seen = {"uses": 89, "first_day": day(89), "last_day": day(89)}
    assert listed(world)[0] == {"activity_type": "89 days ago", **UNCONFIGURED, **seen}
    assert [each["activity_type"] for each in listed(world)[1:]] == ["primary", "secondary1"]


def test_types_without_room_are_other(world: AnalyticsWorld) -> None:
    """Of an hour, and of a closed day: a type that has a name in one of them is named with what is known of it."""
    for number in range(MOST_ACTIVITIES + 4):
        world.use({"activity_type": f"type {number:02}", "count": 100 - number, "domain": "globex.example"}, ago(1))
    world.use({"activity_type": "of more than 64 bytes: " + "x" * 42}, ago(1))
    close(world, 0)
    world.use({"activity_type": "type 19"}, ago(0))
    world.deliver()
    found = listed(world)
    rest = sum(100 - number for number in range(MOST_ACTIVITIES, MOST_ACTIVITIES + 4)) + 1
    assert found[-1] == {"activity_type": "~other", **UNCONFIGURED} | {
        "uses": rest,
        "first_day": day(1),
        "last_day": day(1),
    }
    seen = {each["activity_type"]: each["uses"] for each in found if each["uses"]}
    assert seen == {
        **{f"type {number:02}": 100 - number for number in range(MOST_ACTIVITIES)},
        "type 19": 1,
        "~other": rest,
    }


def test_counts_are_what_was_sent(world: AnalyticsWorld) -> None:
    """At random over closed days and today, one by one and summed up."""
    random, uses, days_of = Random(7), Counter[str](), dict[str, set[str]]()
    for days in (3, 2, 1, 0):
        for _ in range(25):
            name = random.choice(("primary", "secondary1", "lint", "format", "CALL HOME"))
            count = random.choice((None, None, 1, 7, 1_000_000))
            summed = {} if count is None else {"count": count, "domain": "globex.example"}
            world.use({"activity_type": name, **summed}, ago(days, random.randrange(8), random.randrange(60)))
            uses[name.replace(" ", "_")] += count or 1
            days_of.setdefault(name.replace(" ", "_"), set()).add(day(days))
        if days:
            close(world, days - 1)
    world.deliver()
    found = listed(world)
    assert {each["activity_type"]: each["uses"] for each in found} == uses
    assert [each["uses"] for each in found] == sorted(uses.values(), reverse=True)
    for each in found:
        days_with = days_of[each["activity_type"]]
        assert (each["first_day"], each["last_day"]) == (min(days_with), max(days_with))


def test_it_is_few_requests(world: AnalyticsWorld) -> None:
    """Of 90 closed days with as many names as there may be, as long as they may be. Again: what is closed is known."""
    for days in (3, 2, 1):
        world.use({"activity_type": "lint"}, ago(days))
        close(world, days - 1)
    world.use({"activity_type": "lint"}, ago(0))
    world.deliver()
    random = Random(3)
    full = [
        DaySummary("acme-cli", ago(days).date(), names(random, MOST_NAMES), Counter(), names(random, MOST_ACTIVITIES))
        for days in range(4, 90)
    ]
    SummaryStore(world.deployment.tables.aggregates(PRODUCTION)).put(full)
    with metered() as first:
        assert len(listed(world)) == 86 * MOST_ACTIVITIES + 3
    # key, product, latest closed day, closed days, hours since
    assert [operation for operation, _ in first] == ["GetItem", "BatchGetItem", "Query", "Query", "Query"]
    assert len(first) <= MOST_REQUESTS
    with metered() as again:
        listed(world)
    assert [operation for operation, _ in again] == ["BatchGetItem", "Query", "Query"]


def names(random: Random, most: int) -> dict[str, int]:
    return {random.randbytes(LONGEST_NAME // 2).hex(): 1 for _ in range(most)}


# ── who is told what


def test_a_viewer_of_the_environment_is_told(world: AnalyticsWorld) -> None:
    world.use({"activity_type": "lint"}, ago(0))
    world.deliver()
    query = {"product": "acme-cli"}
    status, told = world.ask("activity-types", query, world.keys[Role.VIEWER])
    assert (status, told) == (200, world.given("activity-types", **query))
    assert world.ask("activity-types", query, world.deployment.keys[PRODUCTION])[0] == 403
    of_staging = world.deployment.staff_key(Role.SUPER_ADMIN, Environment.STAGING)
    assert world.ask("activity-types", query, of_staging)[0] == 403
    status, told = world.ask("activity-types", query | {"environment": "staging"}, of_staging)
    assert (status, told["items"]) == (200, [{"activity_type": "primary", **BUILD, **NEVER}, DOCS | NEVER])


def test_what_is_no_product_lists_nothing(world: AnalyticsWorld) -> None:
    world.use({"activity_type": "lint", "product_id": "typo"}, ago(0))
    world.deliver()
    assert listed(world, "never-heard-of") == listed(world, "typo") == []
    (found,) = listed(world, "~unknown")
    assert found == {"activity_type": "lint", **UNCONFIGURED, "uses": 1, "first_day": day(0), "last_day": day(0)}


@pytest.mark.parametrize(
    ("query", "field"),
    [({}, "product"), ({"product": ""}, "product"), ({"product": "acme-cli", "range": "7d"}, "range")],
)
def test_what_cannot_be_asked(world: AnalyticsWorld, query: Mapping[str, str], field: str) -> None:
    status, body = world.ask("activity-types", query)
    assert (status, [each["field"] for each in body["errors"]]) == (422, [field])
