"""How much is read, counted and never timed: what must not grow with users, days, products or licences."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from os.path import normpath
from pathlib import Path

import pytest

from telemetry.domain.environment import Environment
from telemetry.domain.profiles.cards import Order
from telemetry.domain.profiles.closing import View
from telemetry.domain.profiles.today import CompanyToday, DeveloperToday
from telemetry.domain.profiles.views import Totals
from telemetry.services.profiles.stores import ProfileStores
from telemetry.storage.profiles.today import TodayStore
from tests.benchmarks.capacity import metered, read_units
from tests.benchmarks.read_costs import REFRESH, OpenPage, a_minute_of_ingest, many_devices, register, warm_batch
from tests.clock import FakeClock
from tests.lambdas import ROOT
from tests.worlds.analytics import AnalyticsWorld
from tests.worlds.deployment import Deployment, Mailbox
from tests.worlds.profile_days import PRODUCT
from tests.worlds.profile_days import reader as reader_of
from tests.worlds.profiles import company, company_card, developer_card, fingerprint

pytestmark = pytest.mark.days

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.mark.usefixtures("mailbox")
@pytest.mark.parametrize("users", [2, 20])
def test_users_whom_rollup_has_counted_are_not_read(deployment: Deployment, users: int) -> None:
    """The position, and twice the hours of the product or of all products: to name what they count, and to watch.

    Then the product's hour of values.
    """
    cold, warm = warm_batch(deployment, NOW, events=40, users=users)
    assert [operation for operation, _ in warm] == [
        "BatchGetItem",
        "BatchGetItem",
        "TransactWriteItems",
        "BatchGetItem",
        "BatchGetItem",
        "PutItem",
    ]
    assert read_units(warm) == 5
    assert read_units(cold) <= 11 + users  # each user and device is half a unit


@pytest.mark.parametrize("registered", [3, 30])
def test_ingest_reads_a_product_once_a_minute_however_many_there_are(deployment: Deployment, registered: int) -> None:
    used = register(deployment, registered)[:3]
    assert a_minute_of_ingest(deployment, NOW, used) == [("BatchGetItem", 3.0)]


@pytest.mark.parametrize("licenses", [3, 50])
def test_who_has_many_devices_is_asked_of_all_licences_together(
    deployment: Deployment, mailbox: Mailbox, licenses: int
) -> None:
    many_devices(deployment, NOW, licenses, devices=25)
    world = AnalyticsWorld(deployment, mailbox, NOW)
    with metered() as calls:
        told = world.given("devices/excess", range="90d")
    assert [each["over"] for each in told["items"]] == [True] * licenses + [False] * licenses
    # key, days, products, three products' open day in two shards; licences twice, and customers
    assert len(calls) <= 3 + 3 * 2 + 3


@pytest.mark.parametrize("products", [3, 30])
def test_a_refresh_reads_only_what_can_have_changed(deployment: Deployment, mailbox: Mailbox, products: int) -> None:
    ids = register(deployment, products)
    many_devices(deployment, NOW, licenses=10, devices=3)
    AnalyticsWorld(deployment, mailbox, NOW).keep({"product_id": ids[0], "license_key": "LEAKED"}, NOW, count=5)
    page = OpenPage(deployment, FakeClock(NOW), range="90d")
    page.refresh()
    told = page.refresh()
    assert [status for _, status in told.values()] == [304, 304, 304]
    units = {path: read_units(calls) for path, (calls, _) in told.items()}
    # the session each time; new days, hours, users, calls of this hour; products and one partition of the index
    assert units == {"overview": 1 + 0.5 * 5, "alerts": 1 + 0.5, "licenses": units["licenses"]}
    assert units["licenses"] <= 6
    assert page.refresh() == told


def test_these_are_the_requests_of_the_page() -> None:
    """What the overview asks for again and again. Products and activity types are asked for once, logs elsewhere.

    The other tabs are loaded when they are opened, and ask by themselves (`make bench` has what developers cost).
    """
    source = ROOT / "functions" / "dashboard" / "page" / "src"
    text = "".join(_with_imports(source, "frame/app.tsx", "overview/overview.tsx", "logs/logs.tsx"))
    asked = re.findall(r'useResource<\w+>\(\s*"/api/v1/analytics/([\w/-]+)"([^;]*)\);', text)
    assert text.count("useResource<") == len(asked) == len(REFRESH) + 3
    live = {path for path, rest in asked if not rest.endswith(", false")}
    assert live - {"system-logs"} == {path for path, _ in REFRESH}
    assert {path for path, _ in asked} - live == {"products", "activity-types"}
    for said in ("limit: LIMIT, threshold: THRESHOLD", 'LIMIT = "20"', 'THRESHOLD = "20"', 'state: "current"'):
        assert said in text


def _with_imports(source: Path, *names: str) -> Iterator[str]:
    """The text of these modules with components, and of all that they import; not of what they load later."""
    found, waiting = set[str](), list(names)
    while waiting:
        if (name := waiting.pop()) not in found and (source / name).exists():
            found.add(name)
            text = (source / name).read_text()
            room = Path(name).parent
            waiting += [normpath(room / f"{each}.tsx") for each in re.findall(r'from "(\.[./\w]+)"', text)]
            yield text


@pytest.mark.parametrize("active", [10, 120])
def test_pages_of_companies_and_developers_cost_the_same_however_many_are_active_and_new(
    deployment: Deployment, active: int
) -> None:
    """The shown view, a piece of the list, who of the page is active; the newest, and whether a closed day has them."""
    table, today = deployment.tables.aggregates(Environment.PRODUCTION), NOW.date()
    stores, noted, closed = ProfileStores.of(table), TodayStore(table), today - timedelta(days=1)
    view = View(0, NOW)
    stores.views.begin(PRODUCT, view)
    totals = Totals(100, 100, {}, {})
    stores.views.list_up_to(PRODUCT, stores.views.advance(PRODUCT, view, closed, None), totals, 100, NOW)
    companies = [company(f"company-{number}.example") for number in range(100)]
    people = [developer_card(number, f"dev{number}@{each.id}", each) for number, each in enumerate(companies)]
    stores.lists.put_companies(0, PRODUCT, closed, Order.ACTIVE, [company_card(each, 9) for each in companies])
    stores.lists.put_developers(0, PRODUCT, closed, Order.ACTIVE, people)
    for number in range(active):
        moment = NOW - timedelta(minutes=number)
        fresh = company(f"new-{number}.example", "A company of which nobody has heard before, Ltd")
        for each, is_new in ((companies[number % 100], False), (fresh, True)):
            noted.note_company(PRODUCT, today, CompanyToday(each, moment, is_new))
        person = DeveloperToday(fingerprint(1_000 + number), f"dev@{fresh.id}", "EMAIL", fresh, moment)
        noted.note_developer(PRODUCT, today, person)
    reader = reader_of(table)
    for read in (reader.companies, reader.developers):
        with metered() as calls:
            listing = read(PRODUCT, Order.ACTIVE, 0, 25, today)
        assert (len(listing.rows), len(listing.new)) == (25, 8)
        assert len(calls) <= 5
        assert read_units(calls) <= 20
    newest = [f"new-{number}.example" for number in range(8)]
    assert [row.company.id for row in reader.companies(PRODUCT, Order.ACTIVE, 0, 25, today).new] == newest
    assert [row.name for row in reader.developers(PRODUCT, Order.ACTIVE, 0, 25, today).new] == [
        f"dev@{each}" for each in newest
    ]
