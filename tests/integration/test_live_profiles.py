"""Who is active today, noted by rollup and read again; and what that does to counting: nothing."""

import json
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event as Gate
from types import ModuleType
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.domain.product import Product
from telemetry.domain.profiles.cards import LONGEST_SHOWN, CompanyName
from telemetry.domain.profiles.today import CompanyToday, DeveloperToday
from telemetry.services.profiles.live import LiveProfiles, active_developers
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.network_file_places import LocalPlace
from telemetry.storage.profiles.today import TodayStore
from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.capacity import Call, metered
from tests.client import Client, bearer
from tests.clock import FakeClock
from tests.integration.test_metrics import emitted
from tests.item_sizes import item_bytes
from tests.lambdas import Context, load_function, restart
from tests.stream_events import in_batches, stream_batch, stream_event
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.network_files import write_network_file

NOW = datetime(2026, 11, 21, 8, 30, 15, 250_000, tzinfo=UTC)
MINUTE, SECOND = NOW.replace(second=0, microsecond=0), NOW.replace(microsecond=0)
DAY = NOW.date()
BUSINESS = "81.2.69.160"
FILE = {"81.2.69.0/24": {"name": "Globex Ltd", "domain": "globex.co.uk", "type": "business", "country": "GB"}}
GLOBEX = CompanyName("globex.co.uk", "globex.co.uk", "domain", 3)
GLOBEX_BY_ADDRESS = CompanyName("globex.co.uk", "Globex Ltd", "address", 2)
INITECH = CompanyName("initech.example", "initech.example", "domain", 3)
WRITES = {"PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem"}


class World(AnalyticsWorld):
    """Products with profiles; streams hand over to a rollup whose clock is set."""

    def __init__(self, deployment: Deployment, mailbox: Mailbox) -> None:
        super().__init__(deployment, mailbox, NOW)
        self.clock = FakeClock(NOW)
        self.rollup = load_function("rollup", self.clock)
        self.aggregates = deployment.tables.aggregates(Environment.PRODUCTION)
        self.today = TodayStore(self.aggregates)
        for product in deployment.products.all().values():
            self.turn(product.id, on=True)

    def turn(self, product: str, *, on: bool) -> None:
        found = self.deployment.products.get(product)
        known = found.activity_types
        self.deployment.products.put(Product(found.id, found.name, activity_types=known, profiles=on))

    def all_again(self) -> None:
        """The stream hands over all there is, to whoever counts now."""
        self.rollup.handler(stream_batch(self.deployment), Context())

    def new(self, product: str = "acme-cli", day: date = DAY) -> tuple[list[CompanyToday], list[DeveloperToday]]:
        return self.today.new_companies(product, day, 100), self.today.new_developers(product, day, 100)

    def names(self, product: str = "acme-cli", day: date = DAY) -> tuple[set[str], set[str | None]]:
        companies, developers = self.new(product, day)
        return {each.company.id for each in companies}, {each.name for each in developers}

    def user(self, name: str) -> bytes:
        return self.deployment.keyring.fingerprint(Identity.USER, name)

    def device(self, name: str) -> bytes:
        return self.deployment.keyring.fingerprint(Identity.DEVICE, name)

    def items(self) -> list[dict[str, Any]]:
        """All that is noted."""
        pages = dynamodb_client().get_paginator("scan").paginate(TableName=self.aggregates)
        found: list[dict[str, Any]] = [item for page in pages for item in page["Items"]]
        return [item for item in found if item["pk"]["S"].startswith("profiles#today#")]

    def put(self, pk: str, sk: str, **attributes: dict[str, Any]) -> None:
        item = {"pk": {"S": pk}, "sk": {"S": sk}, **attributes}
        dynamodb_client().put_item(TableName=self.aggregates, Item=item)

    def counts(self) -> dict[str, Any]:
        """All that finance and overviews are made of."""
        pages = dynamodb_client().get_paginator("scan").paginate(TableName=self.aggregates)
        found: list[dict[str, Any]] = [item for page in pages for item in page["Items"]]
        return {
            f"{item['pk']['S']} {item['sk']['S']}": item
            for item in found
            if not item["pk"]["S"].startswith("profiles#")
        }


def text_of(fingerprint: bytes) -> str:
    return urlsafe_b64encode(fingerprint).rstrip(b"=").decode()


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox) -> World:
    return World(deployment, mailbox)


@pytest.fixture
def network_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "networks.mmdb"
    write_network_file(path, FILE)
    monkeypatch.setenv("NETWORK_FILE", str(path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return path


def test_companies_and_developers_are_there_at_once(world: World) -> None:
    world.use({"user_id": "Ann@Globex.co.uk", "user_id_type": "email"}, NOW)
    world.use({"user_id": "octocat", "user_id_type": "GITHUB"}, NOW + timedelta(seconds=90))
    world.use({"count": 3, "domain": "Initech.Example."}, NOW)
    world.keep({"user_identifier": "bob@initech.example", "product_id": "acme-cli"}, NOW)
    world.keep({"hwid": "pc-7", "product_id": "acme-cli"}, NOW + timedelta(minutes=5))
    world.keep({"user_identifier": "who@globex.co.uk", "product_id": "nobody's"}, NOW)
    world.all_again()
    companies, developers = world.new()
    assert companies == [CompanyToday(GLOBEX, MINUTE, is_new=True), CompanyToday(INITECH, MINUTE, is_new=True)]
    assert developers[:2] == [
        DeveloperToday(world.device("pc-7"), "pc-7", "device", None, SECOND + timedelta(minutes=5)),
        DeveloperToday(world.user("octocat"), "octocat", "GITHUB", None, SECOND + timedelta(seconds=90)),
    ]
    assert sorted(developers[2:], key=lambda each: each.name or "") == [
        DeveloperToday(world.user("ann@globex.co.uk"), "ann@globex.co.uk", "EMAIL", GLOBEX, SECOND),
        DeveloperToday(world.user("bob@initech.example"), "bob@initech.example", None, INITECH, SECOND),
    ]
    ids = {"globex.co.uk", "initech.example", "acme.com"}
    assert world.today.active_companies("acme-cli", DAY, ids) == ids - {"acme.com"}
    assert world.today.active_companies("acme-cli", DAY + timedelta(days=1), ids) == set()
    assert world.today.active_companies("acme-desktop", DAY, ids) == set()
    assert world.today.new_companies("acme-cli", DAY, 1) == companies[:1]
    assert world.today.new_developers("acme-cli", DAY, 1) == developers[:1]
    assert {int(each["expires_at"]["N"]) for each in world.items()} == {
        int(datetime(2026, 11, 25, tzinfo=UTC).timestamp())
    }


def test_a_product_without_profiles_costs_a_look_at_the_product_each_minute(world: World) -> None:
    world.turn("acme-cli", on=False)
    world.use({"user_id": "ann@globex.co.uk"}, NOW)
    world.all_again()
    assert world.items() == []
    with metered() as calls:
        world.all_again()
    assert not any(operation in WRITES for operation, _ in calls)
    without = len(calls)
    world.clock.advance(61)
    with metered() as calls:
        world.all_again()
    assert len(calls) == without + 1
    assert (
        sum(units for operation, units in calls if operation == "BatchGetItem")
        <= sum(units for operation, units in calls[:without] if operation == "BatchGetItem") + 1
    )


def test_profiles_are_turned_on_while_rollup_runs(world: World) -> None:
    world.turn("acme-cli", on=False)
    world.use({"user_id": "ann@globex.co.uk"}, NOW)
    world.all_again()
    world.turn("acme-cli", on=True)
    world.clock.advance(61)
    world.all_again()
    assert world.names() == ({"globex.co.uk"}, {"ann@globex.co.uk"})


def writes(calls: list[Call]) -> list[float]:
    return [units for operation, units in calls if operation == "PutItem"]


def test_an_active_day_of_a_company_costs_a_write_unit_and_again_nothing(world: World) -> None:
    """Two while it is new; and so does a developer's first day. Those that are known cost half a read unit, once for
    each process.
    """
    users = [f"ann{number}@globex{number}.example" for number in range(20)]
    for user in users:
        world.use({"user_id": user, "user_id_type": "EMAIL"}, NOW)
    world.clock.advance(61)
    fresh(world)
    with metered(on_profiles) as calls:
        world.all_again()
    assert (len(writes(calls)), sum(writes(calls))) == (80, 80)
    reads = sum(units for operation, units in calls if operation == "BatchGetItem")
    with metered(on_profiles) as calls:
        world.all_again()
    assert calls == []
    fresh(world)
    with metered(on_profiles) as calls:
        world.all_again()
    assert writes(calls) == []
    again = sum(units for operation, units in calls if operation == "BatchGetItem")
    for user in users:  # as closing leaves them
        world.put(f"profiles#developer#acme-cli#{text_of(world.user(user))}", "profile")
    fresh(world)
    with metered(on_profiles) as calls:
        world.all_again()
    known = sum(units for operation, units in calls if operation == "BatchGetItem")
    assert (reads / 20, again / 20, known / 20) == (2.525, 2.0, 1.0)
    assert max(map(item_bytes, world.items())) < 300


def on_profiles(arguments: dict[str, Any], _answer: dict[str, Any]) -> bool:
    return "profiles#" in json.dumps(arguments, default=str)


def fresh(world: World) -> None:
    """Another process counts from now on."""
    restart(world.rollup)


def test_only_what_nobody_had_seen_is_new(world: World) -> None:
    """By the view of closed days that the product shows now."""
    world.put("profiles#state#acme-cli", "current", view={"N": "2"})
    world.put("profiles#at#2#acme-cli#globex.co.uk", "~")
    world.put("profiles#at#0#acme-cli#initech.example", "~")
    for name in ("known@globex.co.uk", "forgotten@globex.co.uk"):
        forgotten = {"forgotten": {"BOOL": True}} if name.startswith("forgotten") else {}
        world.put(f"profiles#developer#acme-cli#{text_of(world.user(name))}", "profile", **forgotten)
    for name in ("known@globex.co.uk", "forgotten@globex.co.uk", "ann@globex.co.uk", "bob@initech.example"):
        world.use({"user_id": name}, NOW)
    world.all_again()
    assert world.names() == ({"initech.example"}, {"ann@globex.co.uk", "bob@initech.example"})
    assert world.today.active_companies("acme-cli", DAY, ["globex.co.uk"]) == {"globex.co.uk"}
    assert b"forgotten" not in json.dumps(world.items()).encode()


def test_days_follow_each_other(world: World) -> None:
    """Nobody is new twice, though yesterday's usage is not closed yet. A company is, until it is."""
    tomorrow = NOW + timedelta(days=1)
    world.use({"user_id": "ann@globex.co.uk"}, NOW)
    world.all_again()
    world.use({"user_id": "ann@globex.co.uk"}, tomorrow)
    world.use({"user_id": "bob@globex.co.uk"}, tomorrow)
    for _ in range(2):
        world.all_again()
        fresh(world)
    assert world.names() == ({"globex.co.uk"}, {"ann@globex.co.uk"})
    assert world.names(day=tomorrow.date()) == ({"globex.co.uk"}, {"bob@globex.co.uk"})


def test_two_processes_at_once_note_once(world: World) -> None:
    world.use({"user_id": "ann@globex.co.uk"}, NOW)
    live: LiveProfiles = world.rollup.wired().live_profiles[Environment.PRODUCTION]
    seen = CompanyToday(GLOBEX, MINUTE, is_new=True)
    assert [live.today.note_company("acme-cli", DAY, seen) for _ in range(2)] == [True, False]
    person = DeveloperToday(world.user("ann@globex.co.uk"), None, None, None, SECOND)
    assert [live.today.note_developer("acme-cli", DAY, person) for _ in range(2)] == [True, False]
    world.all_again()
    assert world.new() == ([seen], [person])


def test_a_body_that_is_too_large_for_the_stream_names_nobody(world: World) -> None:
    """Nor does a long name need a second write unit."""
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(250_000))
    world.keep({"user_identifier": "ann@globex.co.uk", "product_id": "acme-cli", "text_data": noise}, NOW)
    world.use({"user_id": f"{'ä' * 300}@globex.co.uk", "user_id_type": "EMAIL"}, NOW)
    batch = stream_batch(world.deployment)
    large = next(each["dynamodb"]["NewImage"] for each in batch["Records"] if "u" in each["dynamodb"]["NewImage"])
    large.pop("b", None)
    world.rollup.handler(batch, Context())
    names = sorted((each.name or "", each.company) for each in world.new()[1])
    assert names[0] == ("", GLOBEX)
    assert names[1][0].endswith("ä…")
    assert len(names[1][0].encode()) <= LONGEST_SHOWN


# ── addresses


def test_addresses_tell_with_a_file(network_file: Path, world: World) -> None:
    del network_file
    world.use({"user_id": "octocat", "ip_addr": BUSINESS}, NOW)
    world.use({"count": 5, "ip_addr": BUSINESS}, NOW)
    world.all_again()
    companies, (octocat,) = world.new()
    assert companies == [CompanyToday(GLOBEX_BY_ADDRESS, MINUTE, is_new=True)]
    assert octocat.company == GLOBEX_BY_ADDRESS


@pytest.mark.parametrize("wrong", ["missing", "cut off", "no network file", "a folder"])
def test_a_broken_file_keeps_domains_from_nothing(
    network_file: Path, world: World, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = network_file.read_bytes()
    network_file.unlink()
    if wrong == "a folder":
        network_file.mkdir()
    elif wrong != "missing":
        network_file.write_bytes(content[:-200] if wrong == "cut off" else b"no network file")
    world.use({"user_id": "octocat", "ip_addr": BUSINESS}, NOW)
    world.use({"user_id": "ann@initech.example", "ip_addr": BUSINESS}, NOW)
    for _ in range(2):
        world.all_again()
    assert world.names() == ({"initech.example"}, {"octocat", "ann@initech.example"})
    assert "ProfilesNotNoted" not in capsys.readouterr().out
    if network_file.is_dir():
        network_file.rmdir()
    network_file.write_bytes(content)
    world.clock.advance(301)
    world.all_again()
    assert world.names()[0] == {"initech.example", "globex.co.uk"}


def test_nobody_waits_for_a_slow_file(network_file: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it is there it tells."""
    del network_file
    gate, fetch = Gate(), LocalPlace.fetch

    def slow(self: LocalPlace, *arguments: Any) -> Any:  # noqa: ANN401
        gate.wait()
        return fetch(self, *arguments)

    monkeypatch.setattr(LocalPlace, "fetch", slow)
    networks = world.rollup.wired().networks
    networks._wait = 0.01
    world.use({"user_id": "octocat", "ip_addr": BUSINESS}, NOW)
    world.use({"user_id": "ann@initech.example"}, NOW)
    world.all_again()
    assert world.names() == ({"initech.example"}, {"octocat", "ann@initech.example"})
    gate.set()
    networks._fetching.join()
    world.all_again()
    assert world.names()[0] == {"initech.example", "globex.co.uk"}


def test_the_vendors_word_is_known_within_a_minute(world: World) -> None:
    world.use({"user_id": "ann@initech.example"}, NOW)
    world.all_again()
    admin = Client(load_function("admin"), bearer(world.keys[Role.ADMIN]))
    path, said = "/api/v1/admin/company-overrides", {"merged": {"initech.example": "globex.co.uk"}}
    assert admin.request("PUT", path, said, headers={"if-match": admin.get(path).headers["etag"]}).status == 200
    world.use({"user_id": "bob@initech.example"}, NOW)
    world.clock.advance(61)
    world.all_again()
    companies, developers = world.new()
    assert {each.company.id for each in companies} == {"initech.example", "globex.co.uk"}
    assert {each.name: each.company and each.company.id for each in developers} == {
        "ann@initech.example": "initech.example",
        "bob@initech.example": "globex.co.uk",
    }


# ── faults


def busy(world: World) -> None:
    for number in range(12):
        world.use({"user_id": f"user{number}@company{number % 4}.example", "user_id_type": "EMAIL"}, NOW)
    world.keep({"hwid": "pc"}, NOW, count=3)
    world.keep({"user_identifier": "pirate", "license_key": "LEAKED"}, NOW)


@pytest.fixture
def counted(world: World) -> dict[str, Any]:
    """What is counted of a busy hour where no product has profiles."""
    busy(world)
    for product in world.products:
        world.turn(product, on=False)
    fresh(world)
    world.all_again()
    found = world.counts()
    for key in world.counts():
        pk, sk = key.split(" ", 1)
        dynamodb_client().delete_item(TableName=world.aggregates, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    for product in world.products:
        world.turn(product, on=True)
    fresh(world)
    return found


def numbers(items: dict[str, Any]) -> dict[str, Any]:
    """What was counted, however it was cut: tallies have parts, and actors as many versions as batches showed them; so
    have hours of values.
    """
    found: dict[str, Any] = {}
    for key, item in items.items():
        name = re.sub(r"(?<=#1)#\d$", "", key) if key.startswith("uniques#") else key
        counters = {
            name: int(each["N"])
            for name, each in item.items()
            if "N" in each and name not in ("n" if key.startswith("value_hours#") else "v", "expires_at")
        }
        found[name] = Counter(found.get(name)) + Counter(counters)
        if key.startswith("actor#"):
            found[name] = item["h"]
    return found


@pytest.mark.slow
def test_each_call_fails_once_before_and_after_it_did_its_work(
    world: World, counted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of noting, one after the other. The batch counts, and is noted when it comes again."""
    original: Any = BaseClient._make_api_call  # type: ignore[attr-defined]
    state = {"noting": False, "number": 0, "failing": 0, "after": False}
    failures: list[Exception] = [
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "Any"),
    ]

    def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401
        if state["noting"]:
            state["number"] += 1
            if state["number"] == state["failing"]:
                if state["after"]:
                    original(client, operation, arguments)
                raise failures[state["number"] % 2]
        return original(client, operation, arguments)

    note = LiveProfiles.note

    def noting(self: LiveProfiles, *arguments: Any) -> Any:  # noqa: ANN401
        state.update(noting=True, number=0)
        try:
            return note(self, *arguments)
        finally:
            state["noting"] = False

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    monkeypatch.setattr(LiveProfiles, "note", noting)
    failed = 0
    for after in (False, True):
        for failing in range(1, 60):
            for item in world.items():
                key: Any = {name: item[name] for name in ("pk", "sk")}
                dynamodb_client().delete_item(TableName=world.aggregates, Key=key)
            fresh(world)
            state.update(failing=failing, after=after)
            world.all_again()
            printed = capsys.readouterr().out
            if state["number"] < failing:
                break
            failed += printed.count('"ProfilesNotNoted":[1.0]')
            state["failing"] = 0
            world.clock.advance(31)
            world.all_again()
            assert world.names() == ({f"company{n}.example" for n in range(4)}, names_of_busy())
    assert failed > 40
    assert numbers(world.counts()) == numbers(counted)


def names_of_busy() -> set[str | None]:
    return {f"user{number}@company{number % 4}.example" for number in range(12)}


@pytest.mark.slow
def test_storage_that_refuses_for_minutes_changes_no_count(
    world: World, counted: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Batches come one after the other, some again; all that is noted fails."""
    records, table = stream_batch(world.deployment)["Records"], world.deployment.tables.records(Environment.PRODUCTION)
    with refusing():
        for batch in in_batches(records, [3] * 5):
            for _ in range(2):
                deliver(world.rollup, batch, table)
            world.clock.advance(20)
    assert world.items() == []
    # a try takes seconds here, and there is one in half a minute
    assert len(tried := [each for each in caplog.records if each.message == "Who is active today is not noted"]) == 3
    assert all(each.exc_info for each in tried)
    assert numbers(world.counts()) == numbers(counted)
    world.clock.advance(31)
    deliver(world.rollup, records, table)
    assert world.names() == ({f"company{n}.example" for n in range(4)}, names_of_busy())


def deliver(rollup: ModuleType, records: list[dict[str, Any]], table: str) -> None:
    if records:
        assert rollup.handler(stream_event(records, table), Context()) == {"state": {}}


@contextmanager
def refusing(code: str = "ThrottlingException") -> Iterator[None]:
    """Whatever has to do with profiles is refused, and so is the registry."""

    def refuse(params: dict[str, Any], **_: object) -> None:
        if "profiles#" in str(params["body"]) or "-registry" in str(params["body"]):
            raise ClientError({"Error": {"Code": code}}, "Any")

    events = dynamodb_client().meta.events
    events.register("before-call.dynamodb", refuse)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", refuse)


def test_what_storage_denies_rings(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    busy(world)
    with refusing("AccessDeniedException"):
        world.all_again()
    assert {name for _, name, _ in emitted(capsys.readouterr().out)} == {"ProfilesNotNoted", "StorageFaults"}


def test_what_a_batch_has_no_room_for_comes_when_it_is_seen_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    busy(world)
    lives = world.rollup.wired().live_profiles
    vars(world.rollup.wired())["live_profiles"] = {each: replace(live, most_new=6) for each, live in lives.items()}
    noted = []
    for _ in range(4):
        world.all_again()
        noted.append(len([item for item in world.items() if not item["sk"]["S"].startswith("new#")]))
    assert noted == [6, 12, 18, 18]
    assert [record.message for record in caplog.records].count("Some are not noted yet") == 2
    assert world.names() == ({f"company{n}.example" for n in range(4)}, names_of_busy())


# ── reading


def test_which_developers_are_active_today(world: World) -> None:
    ledger = LedgerStore(world.aggregates)
    for number in range(18):
        world.deployment.products.put(Product(f"p{number:02d}", "P"))
    world.keep({"hwid": "laptop", "product_id": "p00"}, NOW - timedelta(days=1))
    for number in range(18):
        world.keep({"user_identifier": "busy", "hwid": "pc", "product_id": f"p{number:02d}"}, NOW)
        world.all_again()
    world.keep({"hwid": "laptop", "product_id": "p17"}, NOW + timedelta(seconds=1))
    world.all_again()
    named = {name: world.user(name) for name in ("busy", "nobody")} | {
        name: world.device(name) for name in ("pc", "laptop")
    }
    found = {}
    for product, day in (("p00", DAY), ("p17", DAY), ("p00", DAY - timedelta(days=1))):
        active = active_developers(ledger, product, day, list(named.values()))
        found[product, day] = {name for name, each in named.items() if each in active}
    assert found == {
        ("p00", DAY): {"busy"},
        ("p17", DAY): {"busy", "laptop"},
        ("p00", DAY - timedelta(days=1)): {"laptop"},
    }
    with metered() as calls:
        active_developers(ledger, "p00", DAY, [bytes([each]) * 16 for each in range(100)])
    assert len(calls) == 1


def test_counting_is_what_it_is_without(world: World, counted: dict[str, Any]) -> None:
    for _ in range(2):
        world.all_again()
    assert numbers(world.counts()) == numbers(counted)
