"""Companies and developers of a random vendor: as they are shown, answered, and counted from an export."""

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from telemetry.domain.overrides import Overrides
from telemetry.domain.profiles.cards import shown
from telemetry.domain.record import listed
from telemetry.storage.domain_lists import domain_lists
from telemetry.storage.network_files import NetworkFile
from tests.browser.conftest import OpenPage
from tests.browser.random_vendor.conftest import closed_through
from tests.browser.reading import asked, cells, file_of, query_of, stats
from tests.browser.screen import opened
from tests.local_service import LocalService
from tests.recount_profiles import NO_ACTIVITY, Attributor, Figures, Profiles, recount
from tests.recount_records import Records
from tests.worlds.random_vendor import PRODUCTS, USED

pytestmark = pytest.mark.slow

Json = Any

MONTH = timedelta(days=30)


@pytest.fixture(scope="package")
def profiles(vendor: LocalService, kept: Records) -> Profiles:
    """Of all closed days."""
    networks = NetworkFile(vendor.state / "networks.mmdb", "0" * 64).facts
    exported = [each.exported("production") for each in kept.of(USED)]
    attributor = Attributor(Overrides(), domain_lists(), networks)
    (found,) = recount(exported, date.min, closed_through(vendor), attributor).values()
    return found


@pytest.mark.parametrize("kind", ["companies", "developers"])
def test_lists(open_vendor: OpenPage, vendor: LocalService, profiles: Profiles, kind: str) -> None:
    last = closed_through(vendor)
    page = open_vendor(f"?{query_of({'view': kind, 'product': USED})}")
    opened(page, "totals")
    told = asked(vendor, f"analytics/{kind}", product=USED, limit="100")
    check_totals(page, told["totals"], profiles, last)
    while (more := page.get_by_role("button", name="Load more")).count():
        rows_before = page.locator("tbody tr").count()
        more.click()
        expect(page.locator("tbody tr")).not_to_have_count(rows_before)
        expect(page.get_by_role("button", name="Loading…")).to_have_count(0)
    rows = cells(page, kind)[len(told.get("new") or []) :]
    assert len(rows) == len(told["items"]) == told["total"]
    for row, item in zip(rows, told["items"], strict=True):
        activity = item["activity"]
        if kind == "companies":
            assert row[1] == change(item["developers"], item["developers_before"])
        uses = [f"{activity['uses'][level]:,}" for level in ("primary", "secondary")]
        active = change(activity["active_days"], activity["active_days_before"])
        assert row[2 : 2 + 4] == [activity["last_day"], active, *uses]


def change(now: int, before: int) -> str:
    """As the page writes it."""
    difference = now - before
    return f"{now:,} {f'{difference:+,}'.replace('-', '−') if difference else '±0'}"


def check_totals(page: Page, told: Json, profiles: Profiles, last: date) -> None:
    month = [each.within(last - MONTH + timedelta(days=1), last) for each in profiles.developers.values()]
    companies = {id_: each.within(last - MONTH + timedelta(days=1), last) for id_, each in profiles.companies.items()}
    nobodys = companies.pop(None, Figures())
    uses = sum((as_told(each.uses) for each in companies.values()), as_told(nobodys.uses))
    assert told["developers"] == sum(bool(each.days) for each in month)
    assert told["companies"] == sum(bool(each.days) for each in companies.values())
    assert by_type(told["uses"]) == uses
    assert by_type(told["unattributed"]) == as_told(nobodys.uses)
    assert stats(page, "developers", "companies", "uses", "unattributed") == {
        "developers": told["developers"],
        "companies": told["companies"],
        "uses": uses.total(),
        "unattributed": nobodys.uses.total(),
    }


def by_type(uses: Json) -> Counter[str]:
    counts = Counter({each["activity_type"]: each["uses"] for each in uses["activities"]})
    assert uses["total"] == counts.total() == uses["primary"] + uses["secondary"] + uses["unclassified"]
    return counts


def as_told(uses: Counter[str]) -> Counter[str]:
    """Long names that the product does not list go by their hashes."""
    (used,) = (product for product in PRODUCTS if product.id == USED)
    spelled = {*used.activity_types, NO_ACTIVITY}
    return Counter({name if name in spelled else str(listed(name)): count for name, count in uses.items()})


def exported(vendor: LocalService, kind: str) -> Json:
    return [json.loads(line) for line in file_of(vendor, f"{kind}/export", product=USED, format="ndjson").splitlines()]


def test_companies_are_those_of_an_export(vendor: LocalService, profiles: Profiles) -> None:
    last = closed_through(vendor)
    rows = [
        json.loads(line) for line in file_of(vendor, "companies/export", product=USED, format="ndjson").splitlines()
    ]
    assert {row["id"] for row in rows} == profiles.companies.keys() - {None}
    for row in rows:
        true = profiles.companies[row["id"]]
        now, before = true.within(last - MONTH + timedelta(days=1), last), true.within(last - 2 * MONTH, last - MONTH)
        assert (row["developers"], row["developers_before"]) == (len(now.developers), len(before.developers))
        check_activity(row["activity"], true, last)


def test_developers_are_those_of_an_export(vendor: LocalService, profiles: Profiles) -> None:
    last = closed_through(vendor)
    rows = [
        json.loads(line) for line in file_of(vendor, "developers/export", product=USED, format="ndjson").splitlines()
    ]
    told, true = {row["name"]: row for row in rows}, {shown(name): of for name, of in profiles.developers.items()}
    assert len(rows) == len(told)
    assert told.keys() == true.keys()
    for name, row in told.items():
        check_activity(row["activity"], true[name], last)


def check_activity(told: Json, true: Figures, last: date) -> None:
    now, before = true.within(last - MONTH + timedelta(days=1), last), true.within(last - 2 * MONTH, last - MONTH)
    assert (told["active_days"], told["active_days_before"]) == (len(now.days), len(before.days))
    assert (told["first_day"], told["last_day"]) == (f"{min(true.days)}", f"{max(true.days)}")
    assert by_type(told["uses"]) == as_told(now.uses)
    mondays = [last - timedelta(days=last.weekday() + 7 * age) for age in range(13)]
    weeks = [true.within(monday, monday + timedelta(days=6)) for monday in mondays]
    assert told["weeks"] == [each.uses.total() for each in reversed(weeks)]
