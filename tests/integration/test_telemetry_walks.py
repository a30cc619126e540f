"""Lists of telemetry from page to page: any filters, any effort, records arriving meanwhile; and what they cost."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product as combinations
from math import inf
from random import Random
from types import ModuleType
from typing import Any

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.event import CALL_HOME, normalise_group
from tests.benchmarks.capacity import counted_calls
from tests.client import Client
from tests.lambdas import load_function, restart
from tests.worlds.deployment import Deployment
from tests.worlds.records import KEYS, PRODUCTS, Kept, World, populate, random_body

pytestmark = [pytest.mark.slow, pytest.mark.days]

GROUPS = ("runs", CALL_HOME, "CALL HOME", "g" * 33, "g" * 34, None)
TYPES = ("text", "numeric-single-value", "odd")
KEY = next(iter(KEYS))
DAYS = 10

Get = Callable[..., dict[str, Any]]
Query = dict[str, str]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch, deployment: Deployment) -> ModuleType:
    del deployment
    monkeypatch.setenv("RECORD_SHARDS", "2")
    monkeypatch.setenv("RETENTION_DAYS", str(DAYS + 2))
    return load_function("analytics")


@pytest.fixture
def get(function: ModuleType, deployment: Deployment) -> Get:
    """Asks with the production key unless told; gives the response."""

    def get(
        environment: Environment = Environment.PRODUCTION, path: str = "/api/v1/telemetry", **query: str
    ) -> dict[str, Any]:
        analytics = Client(function, {"x-api-key": deployment.keys[environment]})
        answer = analytics.get(path, query)
        response: dict[str, Any] = answer.body["response"]
        assert (answer.status, response["code"]) in {(200, 970), (400, 422)}
        return response

    return get


@pytest.fixture
def world(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> World:
    """Its records are of any type and group."""
    random = Random(6)

    def varied(random_: Random, now: datetime) -> dict[str, Any]:
        body = random_body(random_, now)
        if "payload" in body:
            return body
        return body | {"data_type": random.choice(TYPES), "data_group": random.choice(GROUPS)}

    monkeypatch.setattr("tests.worlds.records.random_body", varied)
    world = World(deployment)
    world.issue()
    return world


def pages(get: Get, query: Query) -> Iterator[dict[str, Any]]:
    """From the first to the last."""
    page = get(**query)
    for _ in range(1_000):
        assert page["has_more"] == (page["next"] is not None)
        yield page
        if page["next"] is None:
            return
        page = get(**query, next=page["next"])
    raise AssertionError("it does not end")


def expected(kept: list[Kept], query: Query) -> list[str]:
    """The telemetry ids that must be found, in order."""

    def fits(one: Kept) -> bool:
        body = json.loads(one.raw)
        usage = body.get("payload", {})
        group = normalise_group(usage.get("activity_type") or body.get("data_group"))
        product_id, user, key = query.get("product_id"), query.get("user_identifier"), query.get("license_key")
        product = one.product if product_id in PRODUCTS else one.sent_as
        return (
            query.get("data_type") in {None, body.get("data_type")}
            and normalise_group(query.get("data_group")) in {None, group}
            and product_id in {None, product}
            and (user.lower() if user and "@" in user else user) in {None, one.user}
            and (one.license_key is None if key == "unknown" else key in {None, one.license_key})
            and query.get("has_red_flags") in {None, "1" if one.flags else "0"}
        )

    found = [one for one in kept if fits(one)]
    if query.get("license_key") not in {None, "unknown"}:
        # partitions cannot be listed: of a licence, those of registered products, of none and of the one asked for
        found = [one for one in found if one.sent_as in {None, *PRODUCTS, query.get("product_id")}]
        return [one.id for one in sorted(found, key=lambda one: (one.key.sort, one.key.partition), reverse=True)]
    return [one.id for one in sorted(found, key=lambda one: (one.milliseconds, *one.key), reverse=True)]


def random_query(random: Random) -> Query:
    choices = {
        "data_type": random.choice((*TYPES, "never")),
        "data_group": random.choice(("runs", "CALL_HOME", "CALL HOME", "g" * 33, "primary", "never")),
        "product_id": random.choice((*PRODUCTS, "wrong", "never")),
        "user_identifier": random.choice(("ANN@x.example", "ann@x.example", "bob", "u" * 300, "never")),
        "license_key": random.choice((*KEYS, "unknown", "never-issued")),
        "has_red_flags": random.choice("01"),
    }
    return {name: choices[name] for name in random.sample(list(choices), random.choice((0, 1, 1, 2, 2, 3)))}


@pytest.mark.parametrize(("seed", "is_large"), [(1, False), (2, True)])
def test_a_list_is_what_it_must_be_whatever_a_search_may_cost(
    world: World, get: Get, function: ModuleType, seed: int, *, is_large: bool
) -> None:
    random, now = Random(seed), datetime.now(UTC)
    other = World(world.deployment, Environment.STAGING)
    populate(world, random, now, 200)
    populate(other, random, now, 30)
    if is_large:
        function.wired().index_sizes.note(world.store.table, inf)
    found = 0
    for _ in range(16):
        restart(
            function,
            index_sizes=function.wired().index_sizes,
            most_records=random.choice((3, 40, 20_000, 20_000)),
            most_requests=random.choice((1, 20, 200)),
        )
        query, per_page, page = random_query(random), random.choice((3, 20, 100)), random.choice((1, 1, 2, 5))
        listed = list(pages(get, query | {"per_page": str(per_page), "page": str(page)}))
        ids = [row["id"] for each in listed for row in each["data"]]
        assert ids == expected(world.kept, query)[(page - 1) * per_page :], query
        assert max(len(each["data"]) for each in listed) <= per_page
        found += len(ids)
    assert found > 100


@pytest.mark.parametrize("is_large", [False, True])
def test_nothing_comes_twice_or_is_missed_while_others_arrive(
    world: World, get: Get, function: ModuleType, *, is_large: bool
) -> None:
    random, now = Random(3), datetime.now(UTC)
    populate(world, random, now, 80)
    restart(function, most_requests=30)
    if is_large:
        function.wired().index_sizes.note(world.store.table, inf)
    queries: tuple[Query, ...] = ({}, {"has_red_flags": "1"}, {"data_type": "text"}, {"license_key": KEY})
    for query in queries:
        before, seen = list(world.kept), list[str]()
        for page in pages(get, query | {"per_page": "9"}):
            seen += [row["id"] for row in page["data"]]
            new = {"data_type": "text", "text_data": "new", "hwid": f"d{random.random()}", "license_key": KEY}
            world.keep([new], random.choice(world.kept).received_at)
            world.keep([new | {"event_id": f"n{random.random()}", "event_at": 1_900_000_000}], datetime.now(UTC))
        assert len(seen) == len(set(seen))
        there = {one.id for one in before}
        assert [id_ for id_ in seen if id_ in there] == expected(before, query)


def test_a_next_is_good_for_its_search_alone(world: World, get: Get) -> None:
    staging = World(world.deployment, Environment.STAGING)
    body = {
        "data_type": "text",
        "text_data": "x",
        "data_group": "runs",
        "flags": ["odd"],
        "user_identifier": "Ann@x.io",
    }
    for one in (world, staging):
        one.keep([body] * 5, datetime.now(UTC))
    query = {"data_type": "text", "has_red_flags": "1", "user_identifier": "ann@x.io"}
    first = get(**query, per_page="2")
    rest = [one.id for one in world.kept if one.id not in {row["id"] for row in first["data"]}]
    same: tuple[dict[str, Any], ...] = (
        query,
        query | {"has_red_flags": "true", "user_identifier": "ANN@x.io", "surprise": "x", "page": "7"},
        query | {"path": "/v1/get-telemetry-data"},
    )
    for asked in same:
        assert {row["id"] for row in get(**asked, next=first["next"])["data"]} == set(rest)
    other: tuple[dict[str, Any], ...] = (
        {},
        query | {"has_red_flags": "0"},
        query | {"data_group": "runs"},
        query | {"environment": Environment.STAGING},
    )
    for asked in other:
        assert list(get(**asked, next=first["next"])["errors"]) == ["next"]
    for forged in ("x", "é", "A" * 40, first["next"][:-2], "B" + first["next"][1:]):
        refused = get(**query, next=forged)
        assert refused["errors"] == {"next": ["The next is not of an answer to the same search."]}


def test_no_search_of_a_month_makes_many_requests(
    world: World, get: Get, function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "90")
    restart(function)
    random, now = Random(5), datetime.now(UTC)
    for day in range(31):
        for _ in range(4):
            when = now - timedelta(days=day, minutes=random.randrange(300))
            world.keep([random_body(random, when) | {"data_group": "usual"} for _ in range(12)], when)
    world.keep([{"data_type": "odd", "data_group": "rare", "product_id": PRODUCTS[0]}], now - timedelta(days=29))
    values: dict[str, tuple[str | None, ...]] = {
        "data_type": (None, "odd"),
        "data_group": (None, "rare"),
        "product_id": (None, PRODUCTS[0], "wrong"),
        "user_identifier": (None, "never"),
        "license_key": (None, KEY, "unknown"),
        "has_red_flags": (None, "1"),
    }
    most = 0
    for chosen in combinations(*values.values()):
        query = {name: value for name, value in zip(values, chosen, strict=True) if value}
        with counted_calls() as calls:
            page = get(**query)
        assert len(page["data"]) == 25 or not page["has_more"], query
        most = max(most, len(calls))
    for number in ("2", "40", "100"):
        with counted_calls() as calls:
            get(page=number)
        most = max(most, len(calls))
    assert most <= 80


def test_only_bodies_of_the_page_are_read(world: World, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    populate(world, Random(8), datetime.now(UTC), 100)
    read: list[int] = []
    store = type(world.store)
    many = store.many

    def counting(self: Any, keys: Any) -> Any:  # noqa: ANN401
        read.append(len(keys))
        return many(self, keys)

    monkeypatch.setattr(store, "many", counting)
    for query in ({"data_type": "odd"}, {"data_group": "runs"}, {"product_id": "wrong"}, {"license_key": "unknown"}):
        page = get(**query, per_page="3", page="2")
        assert len(page["data"]) == 3
        assert read.pop() == 3
        assert read == []


def test_what_an_index_holds_beyond_memory_is_read_day_by_day(
    world: World, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan that finds too much, or sees too much, gives way; the answer is the same."""
    populate(world, Random(9), datetime.now(UTC), 120)
    for limits in ({"_MOST_SCANNED": 5}, {"_FEW": 1, "_TIMES_WANTED": 0}, {"_MOST_HELD": 2}):
        with monkeypatch.context() as patch:
            for name, value in limits.items():
                patch.setattr(f"telemetry.storage.record_browser.{name}", value)
            for query in ({}, {"data_type": "text"}, {"has_red_flags": "0"}):
                ids = [row["id"] for page in pages(get, {**query, "per_page": "20"}) for row in page["data"]]
                assert ids == expected(world.kept, query)
