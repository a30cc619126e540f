"""Values from records to answers, through the handlers on a real engine; and what that does to counting: nothing."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zlib import crc32

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.instant import hours_of
from telemetry.domain.keyring import Identity
from telemetry.domain.product import Product
from telemetry.domain.values.summary import MOST_GROUPS, Values, merged
from telemetry.domain.values.texts import MOST_TEXTS
from telemetry.domain.values.written import written
from telemetry.services.rollup import Batch
from telemetry.services.values import closing
from telemetry.services.values.keeping import ValueKeeper
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.profiles.keys import fingerprint_text
from telemetry.storage.tables import dynamodb_client
from telemetry.storage.values import ValueStore
from tests.benchmarks.capacity import metered
from tests.client import Client, bearer
from tests.clock import FakeClock
from tests.integration.test_metrics import emitted
from tests.lambdas import Context, load_function, restart
from tests.recount_values import check_series, recounts
from tests.stream_events import deadline, in_batches, stored_items, stream_batch, stream_event, stream_record
from tests.worlds.analytics import PRODUCTION, AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
TODAY, YESTERDAY = NOW.date(), NOW.date() - timedelta(days=1)
PRODUCT = "acme-desktop"
NUMBER = {"data_type": "numeric-single-value", "data_group": "ms"}
SHARDS = 3


class World(AnalyticsWorld):
    """Values of one product; streams hand over to a rollup whose clock is set."""

    def __init__(self, deployment: Deployment, mailbox: Mailbox) -> None:
        super().__init__(deployment, mailbox, NOW)
        self.rollup = load_function("rollup", FakeClock(NOW))
        self.aggregates = deployment.tables.aggregates(PRODUCTION)
        self.records_table = deployment.tables.records(PRODUCTION)
        self.store = ValueStore(self.aggregates)
        self.delivered: dict[str, int] = {}

    def number(self, number: float, moment: datetime = NOW, **more: Any) -> None:  # noqa: ANN401
        self.keep({**NUMBER, "numeric_data_single_value": number, **more}, moment)

    def all_again(self) -> None:
        """The stream hands over all there is, in one batch."""
        self.rollup.handler(stream_batch(self.deployment), Context())

    def deliver_shard(self, shard: int, size: int, again: int = 0) -> None:
        """The next records of a shard, of which some have been delivered before."""
        name = f"shard-{shard}"
        items = [each for each in stored_items(self.deployment) if crc32(each["p"]["S"].encode()) % SHARDS == shard]
        records = [stream_record(self.records_table, item, number) for number, item in enumerate(items, 1)]
        done = self.delivered.get(name, 0)
        batch = records[max(0, done - again) : done + size]
        if batch:
            self.rollup.handler(stream_event(batch, self.records_table, name), Context())
        self.delivered[name] = min(len(records), done + size)

    def kept(self, day: date = TODAY, product: str = PRODUCT) -> Values:
        """What is kept of a day by the hour."""
        return merged(values for _, values in self.store.hours(product, *hours_of(day), consistent=True))

    def told(self, **query: str) -> dict[str, Any]:
        return self.given("values", **{"product": PRODUCT, **query})

    def rows(self, **query: str) -> list[dict[str, str]]:
        """The export as CSV."""
        analytics = Client(self._analytics, bearer(self.keys[Role.ADMIN]))
        following: Mapping[str, str] | None = {"environment": "production", "format": "csv", **query}
        text = ""
        while following:
            answer = analytics.get("/api/v1/analytics/export", following)
            assert answer.status == 200
            text, following = text + answer.text, answer.next
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def items(self, *prefixes: str) -> list[dict[str, Any]]:
        pages = dynamodb_client().get_paginator("scan").paginate(TableName=self.aggregates)
        found = (item for page in pages for item in page["Items"])
        return [item for item in found if f"{item['pk']['S']} {item['sk']['S']}".startswith(prefixes)]

    def counts(self) -> dict[str, Any]:
        """All that is kept but values."""
        ours = [f"{item['pk']['S']} {item['sk']['S']}" for item in self.values()]
        found = {f"{item['pk']['S']} {item['sk']['S']}": item for item in self.items("")}
        return {key: item for key, item in found.items() if key not in ours}

    def values(self) -> list[dict[str, Any]]:
        """All items of values."""
        return self.items("value_")

    def forget_values(self) -> None:
        for item in self.values():
            key: Any = {name: item[name] for name in ("pk", "sk")}
            dynamodb_client().delete_item(TableName=self.aggregates, Key=key)


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox) -> World:
    return World(deployment, mailbox)


# ── against a recount of the export


def random_day(world: World, random: Random, day: date, last_hour: int, count: int) -> None:
    """Values of all types, also odd and malformed ones, in order of time."""
    hours = sorted(random.choices(range(last_hour + 1), k=count))
    for number, hour in enumerate(hours):
        moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC) + timedelta(milliseconds=number * 1_000)
        body: dict[str, Any] = {"product_version": random.choice(("1.0", "1.1", "2.0", None))}
        body |= {"user_identifier": random.choice(("ann", "bob", "cy"))}
        body |= {"license_key": random.choice(("NOBODYS-KEY", "unknown"))}
        match random.randrange(7):
            case 0 | 1 | 2:
                spread = random.choice((0.3, 6))
                sent: Any = random.lognormvariate(5, spread) * random.choice((1, 1, 1, -1, 0))
                body |= {**NUMBER, "numeric_data_single_value": random.choice((sent, str(sent), round(sent)))}
            case 3:
                body |= {"data_type": "numeric-xy-axis", "data_group": random.choice(("size", "ms"))}
                body |= {"numeric_data_x": random.randrange(-9, 9), "numeric_data_y": random.random()}
            case 4:
                body |= {**NUMBER, "numeric_data_single_value": random.choice(("x", None, 1e308, -0.0))}
            case 5:
                body |= {"data_type": "text", "data_group": "words", "text_data": f"w{random.randrange(25)}"}
            case _:
                body |= {"data_type": "text", "data_group": "few", "text_data": random.choice(("yes", "no"))}
        if random.random() < 0.1:
            body |= {"product_id": "acme-cli"}
        if random.random() < 0.1:
            world.use({}, moment)
        world.keep({name: value for name, value in body.items() if value is not None}, moment)


def check_against_the_export(world: World, **window: str) -> None:
    rows = world.rows(**window)
    for product in ("acme-desktop", "acme-cli"):
        true = recounts(rows, product)
        listed = world.given("values", product=product, **window)
        assert {(each["group"], each["type"]): each["values"] for each in listed["groups"]} == {
            key: len(each.rows) for key, each in true.items()
        }
        for each in listed["groups"]:
            of_group = true[each["group"], each["type"]].rows
            assert each["last_seen"] == max(at for at, *_ in of_group)
            assert each["versions"] == len({version for _, version, _ in of_group})
        days = {each["day"]: each["records"] for each in listed["days"]}
        starts = [*(at for at in window_starts(listed)), listed["to"]]
        if listed["bucket"] == "day":
            assert days == {
                day: sum(row["product"] == product and row["received_at"].startswith(day) for row in rows)
                for day in days
            }
        step_of = dict(pairwise(starts))
        for group in {group for group, _ in true}:
            told = world.given("values", product=product, group=group, **window)
            assert {each["type"] for each in told["series"]} == {type_ for name, type_ in true if name == group}
            for series in told["series"]:
                check_series(series, true[group, series["type"]], step_of)
            told = world.given("values", product=product, group=group, version="1.1", **window)
            for series in told["series"]:
                check_series(series, true[group, series["type"]].of_version("1.1"), step_of)


def window_starts(told: dict[str, Any]) -> list[str]:
    since, until = (datetime.fromisoformat(told[name]) for name in ("from", "to"))
    step = timedelta(hours=1) if told["bucket"] == "hour" else timedelta(days=1)
    count = int((until - since) / step)
    return [(since + at * step).isoformat(timespec="milliseconds").replace("+00:00", "Z") for at in range(count)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_all_that_is_told_is_what_the_export_says(world: World, seed: int) -> None:
    """Whatever way batches are cut, shards are ahead of each other, and records come again."""
    random = Random(seed)
    for days_ago in (2, 1, 0):
        day = TODAY - timedelta(days=days_ago)
        random_day(world, random, day, 23 if days_ago else NOW.hour, 60)
        for _ in range(12):
            world.deliver_shard(random.randrange(SHARDS), random.randint(1, 12), random.randint(0, 9))
        for shard in range(SHARDS):
            world.deliver_shard(shard, 1_000, random.randint(0, 40))
        if days_ago:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
            assert world.close(midnight + timedelta(minutes=40))
    check_against_the_export(world, **{"from": "2026-11-19", "to": "2026-11-21"})
    check_against_the_export(world, range="24h")
    days = world.told(**{"from": "2026-11-19", "to": "2026-11-21"})["days"]
    assert [(each["closed"], each["complete"], each["missing"], each["unread"]) for each in days] == [
        (True, True, 0, 0), (True, True, 0, 0), (False, None, None, 0),
    ]  # fmt: skip


def test_names_have_a_bound_from_records_to_answers(world: World) -> None:
    for at in range(MOST_GROUPS + 3):
        world.number(at, NOW + timedelta(milliseconds=at), data_group=f"g{at:02d}")
    for at in range(MOST_TEXTS + 3):
        world.keep({"text_data": f"t{at:02d}"}, NOW + timedelta(seconds=at + 1))
    world.keep({"text_data": "x" * 500}, NOW + timedelta(seconds=50))
    world.all_again()
    groups = world.told()["groups"]
    assert [(each["group"], each["values"]) for each in groups] == [
        *((f"g{at:02d}", 1) for at in range(MOST_GROUPS)), ("~other", 3), ("~other", MOST_TEXTS + 4),
    ]  # fmt: skip
    (others,) = (each for each in world.told(group="~other")["series"] if each["type"] == "text")
    assert [(each["text"], each["values"]) for each in others["texts"]] == [
        *((f"t{at:02d}", 1) for at in range(MOST_TEXTS)), ("~other", 4),
    ]  # fmt: skip


# ── exactly once, and beside counting


def busy(world: World) -> None:
    for at in range(9):
        world.number(1.5 * at, NOW + timedelta(milliseconds=at), product_version=f"1.{at % 2}", hwid=f"pc{at % 4}")
        world.keep({"text_data": f"t{at % 3}", "product_id": "acme-cli"}, NOW + timedelta(milliseconds=at))
    pair = {"data_type": "numeric-xy-axis", "numeric_data_x": 1, "numeric_data_y": 2}
    world.keep(pair, NOW + timedelta(hours=1))


def fresh(world: World) -> None:
    world.rollup = load_function("rollup", FakeClock(NOW))


def test_records_that_come_again_add_nothing(world: World) -> None:
    busy(world)
    world.all_again()
    once = written(world.kept())
    records = stream_batch(world.deployment)["Records"]
    for sizes in ([3] * 6, [7, 1, 9], [19]):
        fresh(world)
        for batch in in_batches(records, sizes):
            if batch:
                world.rollup.handler(stream_event(batch, world.records_table), Context())
    assert written(world.kept()) == once
    assert (world.kept().records, world.kept().count) == (10, 10)


def test_shards_that_write_the_same_hour_at_once_lose_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have read before one writes."""
    monkeypatch.setattr("telemetry.storage.values.PARTS", 1)
    busy(world)
    items = stored_items(world.deployment)
    halves = [
        [stream_record(world.records_table, item, number) for number, item in enumerate(half, 1)]
        for half in (items[::2], items[1::2])
    ]
    original, interrupted = ValueStore.keep, list[bool]()

    def keep(self: ValueStore, *arguments: Any) -> None:  # noqa: ANN401
        if not interrupted:
            interrupted.append(True)
            load_function("rollup").handler(stream_event(halves[1], world.records_table, "other"), Context())
        original(self, *arguments)

    monkeypatch.setattr(ValueStore, "keep", keep)
    world.rollup.handler(stream_event(halves[0], world.records_table, "one"), Context())
    whole = merged([world.kept(), world.kept(product="acme-cli")])
    assert (whole.records, whole.count) == (19, 19)


@pytest.mark.slow
def test_each_call_fails_once_before_and_after_it_did_its_work(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of keeping values, one after the other: values are exact when the batch comes again, counts as they were."""
    original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]
    state = {"keeping": False, "number": 0, "failing": 0, "after": False}
    failures: list[Exception] = [
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "Any"),
    ]

    def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        if state["keeping"]:
            state["number"] += 1
            if state["number"] == state["failing"]:
                if state["after"]:
                    original(client, operation, arguments)
                raise failures[state["which"]]
        return original(client, operation, arguments)

    keep = ValueKeeper.keep

    def keeping_now(self: ValueKeeper, *arguments: Any) -> Any:  # noqa: ANN401
        state.update(keeping=True, number=0)
        try:
            return keep(self, *arguments)
        finally:
            state["keeping"] = False

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    monkeypatch.setattr(ValueKeeper, "keep", keeping_now)
    busy(world)
    world.all_again()
    exact, counted = written(world.kept()), world.counts()
    left_out = 0
    for which in (0, 1):
        for after in (False, True):
            for failing in range(1, 40):
                world.forget_values()
                fresh(world)
                state.update(failing=failing, after=after, which=which)
                capsys.readouterr()
                world.all_again()
                left_out += capsys.readouterr().out.count('"ValuesNotKept":[1.0]')
                if state["number"] < failing:
                    break
                state["failing"] = 0
                world.all_again()
                assert written(world.kept()) == exact
                assert world.counts() == counted
    assert left_out > 5


@contextmanager
def refusing(what: str, code: str = "ThrottlingException") -> Iterator[None]:
    """Whatever writes this is refused."""

    def refuse(params: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        if what in str(params["body"]) and model.name in {"PutItem", "TransactWriteItems"}:
            raise ClientError({"Error": {"Code": code}}, "Any")

    events = dynamodb_client().meta.events
    events.register("before-call.dynamodb", refuse)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", refuse)


def test_a_batch_that_storage_refuses_comes_again_but_not_for_long(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("telemetry.retry.ATTEMPTS", 2)
    world.number(1, NOW - timedelta(minutes=10))
    world.number(2, NOW - timedelta(minutes=5))
    with refusing("value_hours#"):
        with pytest.raises(StoreUnavailable):
            world.all_again()
        assert world.counts()  # counted all the same
        world.rollup.wired.clock.advance(11 * 60)
        capsys.readouterr()
        world.all_again()
    assert {name for _, name, _ in emitted(capsys.readouterr().out)} == {"ValuesNotKept"}
    assert world.kept().records == 0
    world.number(3, NOW)
    records = stream_batch(world.deployment)["Records"]
    world.rollup.handler(stream_event(records[2:], world.records_table), Context())
    assert (world.kept().records, world.kept().count) == (1, 1)
    world.close(deadline(TODAY))
    (day,) = (each for each in world.told(range="7d")["days"] if each["day"] == TODAY.isoformat())
    assert (day["records"], day["missing"], day["complete"]) == (1, 2, False)


def test_values_that_are_left_out_because_storage_denies_them_ring(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.number(1)
    with refusing("value_hours#", "AccessDeniedException"):
        world.all_again()
    assert {name for _, name, _ in emitted(capsys.readouterr().out)} == {"StorageFaults", "ValuesNotKept"}
    assert world.counts()


def test_what_cannot_be_kept_is_left_out_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.number(1)
    with monkeypatch.context() as patch:
        patch.setattr(Values, "add", lambda *_: 1 / 0)
        world.all_again()
    assert {name for _, name, _ in emitted(capsys.readouterr().out)} == {"ValuesNotKept"}
    assert world.given("overview", product=PRODUCT)["stats"]["total_records"] == 1
    assert world.kept().records == 0


def test_a_body_that_is_not_at_hand_is_told_as_unread(world: World) -> None:
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(250_000))
    world.keep({"text_data": noise}, NOW - timedelta(days=1))
    world.number(2, NOW - timedelta(days=1))
    world.all_again()
    world.close(NOW.replace(hour=0, minute=40))
    (day,) = (each for each in world.told(range="7d")["days"] if each["day"] == YESTERDAY.isoformat())
    assert (day["records"], day["unread"], day["missing"], day["complete"]) == (2, 1, 0, False)


# ── closing


def closed_yesterday(world: World) -> None:
    for at in range(5):
        world.number(at, NOW - timedelta(days=1, minutes=at))
    world.all_again()
    assert world.close(NOW.replace(hour=0, minute=40))[-1] == YESTERDAY.isoformat()


def test_a_closed_day_stays_what_it_was(world: World) -> None:
    closed_yesterday(world)
    before = world.told(range="7d", group="ms")
    day = world.items("value_days#")
    world.number(99, NOW - timedelta(days=1) + timedelta(minutes=1))  # a stream that is late
    world.all_again()
    assert world.kept(YESTERDAY).count == 6
    for _ in range(2):
        world.close(NOW)
    assert world.told(range="7d", group="ms") == before
    assert world.items("value_days#") == day


def test_values_change_nothing_of_finance(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its report is byte for byte what it is where nothing keeps values."""
    busy(world)
    with monkeypatch.context() as patch:
        patch.setattr(ValueKeeper, "keep", lambda *_: None)
        world.all_again()
    without = world.counts()
    assert world.values() == []
    world.all_again()
    assert len(world.values()) == 3
    assert world.counts() == without
    world.close(deadline(TODAY))
    verify = load_function("close_day", FakeClock(deadline(TODAY))).handler
    verdicts = verify({"environment": "production", "day": TODAY.isoformat()}, Context())["verdicts"]
    assert {each["outcome"] for each in verdicts} == {"holds"}


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_day_waits_for_its_values_while_storage_refuses(world: World, code: str) -> None:
    """Reports are written by then, and may be read. What storage denies is a fault, and rings."""
    for at in range(5):
        world.number(at, NOW - timedelta(days=1, minutes=at))
    world.all_again()
    with refusing("value_days#", code), pytest.raises((StoreUnavailable, PynamoDBException)):
        world.close(NOW.replace(hour=0, minute=40))
    (report,) = DayReportStore(world.aggregates).totals(PRODUCT, YESTERDAY, YESTERDAY)
    assert world.close(NOW.replace(hour=1, minute=40))[-1] == YESTERDAY.isoformat()
    assert DayReportStore(world.aggregates).totals(PRODUCT, YESTERDAY, YESTERDAY) == [report]
    (day,) = (each for each in world.told(range="7d")["days"] if each["day"] == YESTERDAY.isoformat())
    assert day["complete"] is True


def test_what_cannot_be_put_together_keeps_no_day_open(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for at in range(5):
        world.number(at, NOW - timedelta(days=1, minutes=at))
    world.all_again()
    for item in world.items("value_hours#"):
        dynamodb_client().put_item(TableName=world.aggregates, Item=item | {"b": {"B": b"damaged"}})
    function = load_function("close_day", FakeClock(NOW.replace(hour=0, minute=40)))
    function.handler({"environment": "production"}, Context())
    function.wired.clock.set(NOW.replace(hour=0, minute=55))
    assert function.handler({"environment": "production"}, Context())["closed"] == [YESTERDAY.isoformat()]
    assert "Values of a day cannot be put together" in [each.message for each in caplog.records]
    (day,) = (each for each in world.told(range="7d")["days"] if each["day"] == YESTERDAY.isoformat())
    assert (day["closed"], day["complete"], day["records"], day["missing"]) == (True, False, 0, 5)


def test_a_run_without_time_goes_on_with_the_next_product() -> None:
    class Store:
        def __init__(self) -> None:
            self.days: list[str] = []

        def hours(self, *_: object, **__: object) -> Iterator[tuple[datetime, Values]]:
            return iter(())

        def closed(self, *_: object) -> set[str]:
            return set(self.days)

        def close(self, values: Any) -> None:  # noqa: ANN401
            self.days.append(values.product)

    store, left = Store(), [True, False]
    closer = closing.ValueCloser(store)
    assert closer.close(TODAY, {"b": 1, "a": 2, "quiet": 0}, lambda: left.pop(0), again=False) is False
    assert store.days == ["a"]
    assert closer.close(TODAY, {"b": 1, "a": 2, "quiet": 0}, lambda: True, again=True) is True
    assert store.days == ["a", "b"]


# ── who is told what


def test_a_viewer_is_told_numbers_and_no_texts(world: World) -> None:
    world.number(1)
    world.keep({"text_data": "Ann's laptop"}, NOW)
    world.all_again()
    viewer = world.keys[Role.VIEWER]
    for group in ("ms", "primary"):
        status, body = world.ask("values", {"product": PRODUCT, "group": group}, viewer)
        assert status == 200
        assert "laptop" not in json.dumps(body)
        assert body["groups"] == world.told()["groups"]
        if group == "ms":
            assert body == world.told(group="ms")
        else:
            assert body["series"][0]["texts"] is None
    assert world.told(group="primary")["series"][0]["texts"] == [{"text": "Ann's laptop", "values": 1}]


def test_another_environments_key_is_told_nothing(world: World) -> None:
    key = world.deployment.staff_key(Role.ADMIN, Environment.STAGING)
    assert world.ask("values", {"product": PRODUCT}, key)[0] == 403
    assert world.ask("values", {"product": PRODUCT}, "tk_staff_nobodys")[0] == 401


def test_a_text_that_is_the_id_of_somebody_forgotten_is_not_told(world: World) -> None:
    for text in ("Ann@Globex.example", "my-laptop", "else"):
        world.keep({"text_data": text}, NOW)
    world.all_again()
    admin, keyring = Client(load_function("admin"), bearer(world.keys[Role.ADMIN])), world.deployment.keyring
    world.deployment.products.put(Product(PRODUCT, "Acme Desktop", profiles=True))
    for identity, name in ((Identity.USER, "ann@globex.example"), (Identity.DEVICE, "MY-LAPTOP")):
        id_ = fingerprint_text(keyring.fingerprint(identity, name))
        path = f"/api/v1/admin/developers/{id_}/forget"
        answer = admin.request("POST", path, None, {"environment": "production"})
        assert answer.status < 300, answer.text
    restart(world._analytics)
    assert world.told(group="primary")["series"][0]["texts"] == [
        {"text": "else", "values": 1}, {"text": "~other", "values": 2},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "product"),
        ({"product": ""}, "product"),
        ({"product": PRODUCT, "group": ""}, "group"),
        ({"product": PRODUCT, "group": "x" * 257}, "group"),
        ({"product": PRODUCT, "versions": "1"}, "versions"),
        ({"product": PRODUCT, "range": "12h"}, "range"),
        ({"product": PRODUCT, "from": "2027-01-01", "to": "2027-01-02"}, "from"),
    ],
)
def test_a_bad_question_is_named(world: World, query: dict[str, str], field: str) -> None:
    status, body = world.ask("values", query)
    assert status == 422
    assert field in json.dumps(body["errors"])


def test_what_there_is_not_is_empty(world: World) -> None:
    for query in ({"product": "nobodys"}, {"product": PRODUCT, "group": "none"}):
        told = world.given("values", **query)
        assert (told["groups"], told["series"]) == ([], [])
        assert [each["records"] for each in told["days"]] == [0, 0]


def test_an_answer_is_three_requests_and_a_batch_one_and_one_for_each_hour(world: World) -> None:
    for at in range(40):
        world.number(at, NOW - timedelta(days=at % 2, milliseconds=at), product_version=f"{at % 4}")
    world.deliver()
    world.close(NOW.replace(hour=0, minute=40))
    world.told(range="30d", group="ms")
    with metered() as calls:
        world.told(range="30d", group="ms")
    assert [name for name, _ in calls if name != "GetItem"] == ["Query", "Query"]
    assert len(calls) <= 4  # the key, and how far days are closed
    assert sum(units for _, units in calls) <= 5
    batch = Batch(PRODUCTION, "another", stream_batch(world.deployment)["Records"])
    seen = world.rollup.wired().rollups[PRODUCTION].count(batch, NOW)
    with metered() as calls:
        world.rollup.wired().value_keepers[PRODUCTION].keep(batch, seen)
    assert calls == [("BatchGetItem", 2), ("PutItem", 1), ("PutItem", 1)]  # two hours of less than a kilobyte
