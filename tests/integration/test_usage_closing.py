"""Usage from the event to the company: ingest, rollup, both closings, by the functions that do it."""

import json
import urllib.request
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from reo_census_mcp import ReoProductUsageLogger

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity
from telemetry.domain.profiles.cards import Order
from telemetry.domain.profiles.views import CompanyView, DeveloperView
from telemetry.services.profiles.close import UsageBehind
from telemetry.services.profiles.reader import ProfileReader
from telemetry.storage.network_files import NetworkFileDamaged, NetworkFileMissing
from telemetry.storage.profiles.forgotten import ForgottenStore
from telemetry.storage.profiles.today import TodayStore
from tests.clock import FakeClock
from tests.lambdas import Context, load_function
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.network_files import write_network_file
from tests.worlds.profile_days import reader as reader_of

DAY = date(2026, 11, 18)
MORNING = datetime(2026, 11, 18, 8, tzinfo=UTC)
PRODUCT = "acme-cli"
BUSINESS, PROVIDER, CGNAT, PRIVATE = "81.2.69.160", "89.160.20.112", "100.64.1.2", "10.1.2.3"
FILE = {
    "81.2.69.0/24": {"name": "Globex Ltd", "domain": "globex.co.uk", "type": "business", "country": "GB"},
    "89.160.20.0/24": {"name": "Some Telecom", "domain": "telecom.se", "type": "isp", "asn": "AS64500"},
}
ANOTHER = {"81.2.69.0/24": {"name": "Initech", "domain": "initech.com", "type": "business", "country": "US"}}


@pytest.fixture
def network_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "networks" / "company.mmdb"
    path.parent.mkdir()
    write_network_file(path, FILE)
    monkeypatch.setenv("NETWORK_FILE", str(path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return path


@pytest.fixture
def world(deployment: Deployment, mailbox: Mailbox, request: pytest.FixtureRequest) -> AnalyticsWorld:
    if "network_file" in request.fixturenames:
        request.getfixturevalue("network_file")
    product = deployment.products.all()[PRODUCT]
    deployment.products.put(replace(product, profiles=True))
    return AnalyticsWorld(deployment, mailbox, MORNING)


def after(day: date) -> datetime:
    """When a day is over and drained, and the next one is under way."""
    return datetime.combine(day + timedelta(days=1), time(0, 40), UTC)


def closed(world: AnalyticsWorld, day: date, **event: Any) -> dict[str, Any]:  # noqa: ANN401
    """Finance closes the day, then usage is closed."""
    world.deliver()
    world.close(after(day))
    return close_usage(day, **event)


def close_usage(day: date, **event: Any) -> dict[str, Any]:  # noqa: ANN401
    function = load_function("close_usage", FakeClock(after(day)))
    answer: dict[str, Any] = function.handler({"environment": "production", **event}, Context())
    return answer


def reader(deployment: Deployment) -> ProfileReader:
    forgotten = ForgottenStore(deployment.tables.registry, Environment.PRODUCTION).all()
    return reader_of(deployment.tables.aggregates(Environment.PRODUCTION), forgotten)


def companies(deployment: Deployment) -> dict[str, dict[str, int]]:
    """Uses of each company, by activity type."""
    listing = reader(deployment).companies(PRODUCT, Order.ACTIVE, 0, 100, DAY)
    return {row.company.id: dict(row.card.activity.uses) for row in listing.rows if row.card}


def company(deployment: Deployment, id_: str) -> CompanyView:
    found = reader(deployment).company(PRODUCT, id_, None, 25, DAY)
    assert found
    return found


def developer(deployment: Deployment, user: str) -> DeveloperView:
    fingerprint = deployment.keyring.fingerprint(Identity.USER, user)
    found = reader(deployment).developer(PRODUCT, fingerprint, DAY)
    assert found
    return found


def company_of(deployment: Deployment, user: str) -> tuple[str, int] | None:
    (at,) = developer(deployment, user).at
    return (at.company.id, at.company.confidence) if at.company else None


def test_usage_that_lags_behind_fails_the_run(world: AnalyticsWorld) -> None:
    """Until it has caught up; what was closed stays closed."""
    days = [DAY + timedelta(days=number) for number in range(4)]
    for day in days:
        world.use({"user_id": "jane@acme.com"}, datetime.combine(day, time(8), UTC))
    world.deliver()
    for day in days[:3]:
        world.close(after(day))
    function = load_function("close_usage", FakeClock(after(days[2])))
    hurried = Context(milliseconds_left=1_000)
    with pytest.raises(UsageBehind, match="acme-cli by 3 days"):
        function.handler({"environment": "production"}, hurried)
    assert close_usage(days[2])["closed"] == {PRODUCT: [day.isoformat() for day in days[:3]]}
    world.close(after(days[3]))
    assert function.handler({"environment": "production"}, hurried)["closed"] == {}  # a day is no reason


def test_the_documented_examples_land_on_their_developers_and_companies(
    network_file: Path, world: AnalyticsWorld
) -> None:
    del network_file
    uses: list[dict[str, Any]] = [
        {"user_id": "Jane@Acme.com", "user_id_type": "EMAIL"},
        {"user_id": "jane@acme.com", "user_id_type": "EMAIL", "activity_type": "secondary1"},
        {"user_id": "https://linkedin.com/in/jo", "user_id_type": "LINKEDIN", "ip_addr": BUSINESS},
        {"user_id": "octocat", "user_id_type": "GITHUB", "ip_addr": PROVIDER},
        {"user_id": "ann@gmail.com", "user_id_type": "EMAIL", "ip_addr": f"::ffff:{BUSINESS}"},
        {"user_id": "1@users.noreply.github.com", "user_id_type": "EMAIL", "ip_addr": CGNAT},
        {"user_id": "bob@hey.com", "user_id_type": "EMAIL", "ip_addr": PRIVATE},
        {"user_id": "eve@tenant.onmicrosoft.com", "user_id_type": "EMAIL"},
        {"user_id": "anonymous-7", "user_id_type": "ANONYMOUS", "ip_addr": BUSINESS},
        {"user_id": "", "user_agent": "orbit/1", "ip_addr": BUSINESS},
        {"count": 250, "mode": "DOMAIN", "domain": "www.acme.com"},
        {"count": 40, "mode": "DOMAIN", "ip_addr": BUSINESS},
        {"activity_type": "LOGIN_ACTIVITY", "user_id": "jane@acme.com"},
    ]
    for number, payload in enumerate(uses):
        world.use(payload, MORNING + timedelta(minutes=number), ip="8.8.8.8")
    assert closed(world, DAY)["closed"] == {PRODUCT: [DAY.isoformat()]}
    deployment = world.deployment
    assert companies(deployment) == {
        "acme.com": {"primary": 251, "secondary1": 1, "LOGIN_ACTIVITY": 1},
        "globex.co.uk": {"primary": 1 + 1 + 1 + 1 + 40},
        "tenant.onmicrosoft.com": {"primary": 1},
    }
    jane = developer(deployment, "jane@acme.com")
    assert (jane.name, jane.id_type, company_of(deployment, "jane@acme.com")) == (
        "jane@acme.com",
        "EMAIL",
        ("acme.com", 3),
    )
    assert company_of(deployment, "https://linkedin.com/in/jo") == ("globex.co.uk", 2)
    assert company_of(deployment, "ann@gmail.com") == ("globex.co.uk", 2)
    for nowhere in ("octocat", "1@users.noreply.github.com", "bob@hey.com"):
        assert company_of(deployment, nowhere) is None
    acme, globex = company(deployment, "acme.com"), company(deployment, "globex.co.uk")
    assert [each.name for each in acme.developers] == ["jane@acme.com"]
    assert acme.anonymous is not None
    assert acme.anonymous.uses == {"primary": 250}
    assert globex.anonymous is not None
    assert globex.anonymous.uses == {"primary": 41}
    assert globex.card is not None
    assert (globex.card.developers, globex.card.countries) == (3, ("GB",))
    totals = reader(deployment).closed(PRODUCT)
    assert totals is not None
    assert totals.totals.unattributed == {"primary": 3}
    assert sum(totals.totals.uses.values()) == sum(payload.get("count", 1) for payload in uses)


def test_a_server_of_the_vendor_is_nobodys_address(network_file: Path, world: AnalyticsWorld) -> None:
    del network_file
    world.use({"user_id": "relayed"}, MORNING, ip=BUSINESS)
    world.use({"user_id": "direct", "source": "TELEMETRY"}, MORNING + timedelta(minutes=1), ip=BUSINESS)
    closed(world, DAY)
    assert company_of(world.deployment, "relayed") is None
    assert company_of(world.deployment, "direct") == ("globex.co.uk", 2)


def test_a_day_is_attributed_with_the_file_that_it_is_pinned_to(
    network_file: Path, world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is replaced when the day is pinned and not yet read: what comes after takes the copy."""
    world.use({"user_id": "jo", "ip_addr": BUSINESS}, MORNING)
    from telemetry.services.profiles.close import ProfileCloser

    with monkeypatch.context() as cut:
        cut.setattr(ProfileCloser, "_fold", lambda *_: (_ for _ in ()).throw(RuntimeError("cut off")))
        with pytest.raises(RuntimeError):
            closed(world, DAY)
    write_network_file(network_file, ANOTHER)
    close_usage(DAY)
    assert company_of(world.deployment, "jo") == ("globex.co.uk", 2)
    world.use({"user_id": "jo", "ip_addr": BUSINESS}, MORNING + timedelta(days=1))
    closed(world, DAY + timedelta(days=1))
    found = developer(world.deployment, "jo")
    assert [each.company.id for each in found.at if each.company] == ["initech.com", "globex.co.uk"]


def test_a_day_whose_file_is_gone_waits_and_reports_do_not(
    network_file: Path, world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    from telemetry.services.profiles.close import ProfileCloser

    world.use({"user_id": "jo", "ip_addr": BUSINESS}, MORNING)
    world.use({"user_id": "jane@acme.com"}, MORNING)
    with monkeypatch.context() as cut:
        cut.setattr(ProfileCloser, "_fold", lambda *_: (_ for _ in ()).throw(RuntimeError("cut off")))
        with pytest.raises(RuntimeError):
            closed(world, DAY)
    for file in network_file.parent.parent.rglob("*.mmdb"):
        file.unlink()
    assert world.close(after(DAY + timedelta(days=1))) != [], "finance goes on"
    with pytest.raises(NetworkFileMissing):
        close_usage(DAY)
    assert reader(world.deployment).closed(PRODUCT) is None
    close_usage(DAY, without_network_file=True)
    assert company_of(world.deployment, "jo") is None
    assert company_of(world.deployment, "jane@acme.com") == ("acme.com", 3)


@pytest.mark.parametrize("content", [b"", b"no such file", None])
def test_a_file_that_cannot_be_opened_keeps_the_day_waiting(
    network_file: Path, world: AnalyticsWorld, content: bytes | None
) -> None:
    whole = network_file.read_bytes()
    network_file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    world.use({"user_id": "jo", "ip_addr": BUSINESS}, MORNING)
    with pytest.raises(Exception, match="cannot be opened"):
        closed(world, DAY)
    network_file.write_bytes(whole)
    close_usage(DAY)
    assert company_of(world.deployment, "jo") == ("globex.co.uk", 2)


def test_going_on_without_a_file_gives_up_no_file_that_is_there(network_file: Path, world: AnalyticsWorld) -> None:
    del network_file
    world.use({"user_id": "jo", "ip_addr": BUSINESS}, MORNING)
    closed(world, DAY, without_network_file=True)
    assert company_of(world.deployment, "jo") == ("globex.co.uk", 2)


def test_a_file_damaged_in_the_middle_tells_less_and_an_alarm_rings(network_file: Path, world: AnalyticsWorld) -> None:
    content = bytearray(network_file.read_bytes())
    start = content.index(b"globex.co.uk")
    content[start - 1] = 0xFF  # of what type the domain is
    network_file.write_bytes(content)
    world.use({"user_id": "jo", "ip_addr": BUSINESS}, MORNING)
    world.use({"user_id": "jane@acme.com"}, MORNING)
    with pytest.raises(NetworkFileDamaged, match="is damaged: 1 look-ups told nothing"):
        closed(world, DAY)
    assert close_usage(DAY)["closed"] == {}, "the day is closed, and what is closed rings no more"
    assert company_of(world.deployment, "jane@acme.com") == ("acme.com", 3)
    assert company_of(world.deployment, "jo") is None


def test_a_new_file_that_cannot_be_opened_leaves_the_one_before_and_an_alarm_rings(
    network_file: Path, world: AnalyticsWorld
) -> None:
    """In a process that has it: any other waits."""
    function = load_function("close_usage", FakeClock(after(DAY + timedelta(days=1))))
    for day in (DAY, DAY + timedelta(days=1)):
        world.use({"user_id": "jo", "ip_addr": BUSINESS}, MORNING + (day - DAY))
    world.deliver()
    world.close(after(DAY))
    function.handler({"environment": "production"}, Context())
    network_file.write_bytes(network_file.read_bytes()[:-10])
    world.close(after(DAY + timedelta(days=1)))
    with pytest.raises(NetworkFileDamaged, match="cannot be opened"):
        function.handler({"environment": "production"}, Context())
    found = reader(world.deployment).closed(PRODUCT)
    assert found is not None
    assert found.day == DAY + timedelta(days=1)
    assert company_of(world.deployment, "jo") == ("globex.co.uk", 2)


def test_a_product_without_profiles_writes_nothing(world: AnalyticsWorld) -> None:
    deployment = world.deployment
    deployment.products.put(replace(deployment.products.all()[PRODUCT], profiles=False))
    world.use({"user_id": "jane@acme.com"}, MORNING)
    assert closed(world, DAY)["closed"] == {}
    from telemetry.storage.tables import dynamodb_client

    table = deployment.tables.aggregates(Environment.PRODUCTION)
    items = dynamodb_client().scan(TableName=table)["Items"]
    assert not [item for item in items if item["pk"]["S"].startswith("profiles#")]


def test_days_before_profiles_were_turned_on_are_closed_too(world: AnalyticsWorld) -> None:
    deployment = world.deployment
    product = deployment.products.all()[PRODUCT]
    deployment.products.put(replace(product, profiles=False))
    world.use({"user_id": "jane@acme.com"}, MORNING)
    closed(world, DAY)
    deployment.products.put(replace(product, profiles=True))
    assert close_usage(DAY)["closed"] == {PRODUCT: [DAY.isoformat()]}
    assert company_of(deployment, "jane@acme.com") == ("acme.com", 3)


def test_the_type_of_an_id_is_told_by_product_usage(world: AnalyticsWorld) -> None:
    """Whichever comes first: a record of an SDK says of a user no type."""
    for number, user in enumerate(("jane", "octocat")):
        sdk = {"product_id": PRODUCT, "user_identifier": user}
        world.keep(sdk, MORNING + timedelta(minutes=10 * number))
        world.use({"user_id": user, "user_id_type": "GITHUB"}, MORNING + timedelta(minutes=5))
    world.deliver()
    table = world.deployment.tables.aggregates(Environment.PRODUCTION)
    today = TodayStore(table).new_developers(PRODUCT, DAY, 10)
    assert {(each.name, each.id_type) for each in today} == {("jane", "GITHUB"), ("octocat", "GITHUB")}
    closed(world, DAY)
    assert [developer(world.deployment, user).id_type for user in ("jane", "octocat")] == ["GITHUB", "GITHUB"]


def test_a_person_with_two_names_on_a_device(world: AnalyticsWorld) -> None:
    """What one event ties together is shown as links; a device of many links nobody."""
    for number, user in enumerate(("ann@acme.com", "ann@home.example")):
        body = {"product_id": PRODUCT, "user_identifier": user, "hwid": "laptop-1"}
        world.keep(body, MORNING + timedelta(minutes=number))
    for number in range(4):
        body = {"product_id": PRODUCT, "user_identifier": f"dev{number}@acme.com", "hwid": "build-server"}
        world.keep(body, MORNING + timedelta(minutes=10 + number))
    closed(world, DAY)
    ann = developer(world.deployment, "ann@acme.com")
    assert "ann@home.example" in {link.name for link in ann.links}
    assert ann.shared_devices == 0
    one = developer(world.deployment, "dev1@acme.com")
    assert one.links == []
    assert one.shared_devices == 1


def test_the_published_client(world: AnalyticsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """reo-census-mcp, as it is published: what it sends lands on its developer and company."""
    bodies: list[bytes] = []

    def urlopen(request: urllib.request.Request, **_: object) -> BytesIO:
        assert isinstance(request.data, bytes)
        bodies.append(request.data)
        return BytesIO(b"{}")

    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    client = ReoProductUsageLogger(
        "key", "https://telemetry.example/api/product/usage", activity_type="primary", source="PRODUCT_CLOUD",
        product_id=PRODUCT, user_id="jane@acme.com", user_id_type="EMAIL", blocking=True,
    )  # fmt: skip
    client.log_usage()
    client.log_usage()
    for number, body in enumerate(bodies):
        world.use(json.loads(body)["payload"], MORNING + timedelta(minutes=number))
    closed(world, DAY)
    assert company_of(world.deployment, "jane@acme.com") == ("acme.com", 3)
    assert developer(world.deployment, "jane@acme.com").at[0].uses == {"primary": 2}


# ── as staff sees it


def test_staff_sees_developers_and_companies(network_file: Path, world: AnalyticsWorld) -> None:
    """All routes, on what the functions made themselves; the client holds each answer against the description."""
    del network_file
    world.use({"user_id": "jane@acme.com", "user_id_type": "EMAIL"}, MORNING)
    world.use({"user_id": "octocat", "user_id_type": "GITHUB", "ip_addr": BUSINESS}, MORNING + timedelta(minutes=1))
    world.use({"count": 40, "ip_addr": BUSINESS}, MORNING + timedelta(minutes=2))
    closed(world, DAY)
    tomorrow = MORNING + timedelta(days=1)
    world.use({"user_id": "octocat", "ip_addr": BUSINESS}, tomorrow)
    world.use({"user_id": "new@initech.com"}, tomorrow + timedelta(minutes=1))
    world.deliver()
    staff = AnalyticsWorld(world.deployment, Mailbox(), tomorrow + timedelta(minutes=2))
    listed = staff.given("companies", product=PRODUCT)
    assert (listed["closed_day"], listed["missing"]) == (DAY.isoformat(), None)
    assert {each["id"]: (each["developers"], each["active_today"]) for each in listed["items"] + listed["new"]} == {
        "acme.com": (1, False),
        "globex.co.uk": (1, True),
        "initech.com": (None, True),
    }
    told = staff.given("developers", product=PRODUCT)
    people = {each["name"]: each for each in told["items"] + told["new"]}
    assert {name: each["active_today"] for name, each in people.items()} == {
        "jane@acme.com": False,
        "octocat": True,
        "new@initech.com": True,
    }
    globex = staff.given("companies/globex.co.uk", product=PRODUCT)
    assert [each["developer"]["name"] for each in globex["items"]] == ["octocat"]
    octocat = staff.given(f"developers/{people['octocat']['id']}", product=PRODUCT)
    assert octocat["id_type"] == "GITHUB"
    assert [each["company"]["id"] for each in octocat["at"]] == ["globex.co.uk"]
    assert staff.given("companies", product=PRODUCT, name="glob")["items"][0]["id"] == "globex.co.uk"
    status, seen = staff.ask("companies", {"product": PRODUCT}, staff.keys[Role.VIEWER])
    assert (status, seen["items"], seen["totals"]["companies"]) == (200, [], 2)
    assert staff.ask("companies/globex.co.uk", {"product": PRODUCT}, staff.keys[Role.VIEWER])[0] == 403
    abroad = world.deployment.staff_key(Role.ADMIN, Environment.STAGING)
    for path in ("companies", "developers", "companies/globex.co.uk", f"developers/{people['octocat']['id']}"):
        assert staff.ask(path, {"product": PRODUCT}, abroad)[0] == 403
        assert staff.ask(path, {"product": PRODUCT, "environment": "staging"})[0] in {200, 404}
    assert staff.given("companies", product=PRODUCT, environment="staging")["items"] == []


@pytest.mark.parametrize(("length", "name"), [(1_000_000, "jo@acme.com"), (1_100_000, None), (6_000_000, None)])
def test_a_body_that_takes_long_to_understand_names_nobody(
    world: AnalyticsWorld, length: int, name: str | None
) -> None:
    """However well it deflates: a thousand of them would take all of a run. Who it was is counted all the same."""
    world.use({"user_id": "jo@acme.com", "meta": {"a": "b" * length}}, MORNING)
    assert closed(world, DAY)["closed"] == {PRODUCT: [DAY.isoformat()]}
    assert developer(world.deployment, "jo@acme.com").name == name
    assert companies(world.deployment) == {"acme.com": {"primary": 1}}
