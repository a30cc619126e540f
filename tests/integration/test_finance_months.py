"""Finance's months, from events received on some days: who came, stayed and went, and what is final."""

from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest

from telemetry.domain.active_users import Audience
from telemetry.domain.environment import Environment
from telemetry.domain.product import Product
from telemetry.domain.sighting import CATALOGUE
from telemetry.storage.tables import dynamodb_client
from tests.integration.test_finance_reports import FOR_EVER, PIRATE, Finance, assert_table, event, kept, not_closed
from tests.integration.test_finance_reports import problem as problem_of
from tests.worlds.closed_days import Site
from tests.worlds.deployment import Deployment

pytestmark = pytest.mark.days

ASKED = {"application": "acme-desktop", "from": "2026-09", "to": "2026-11"}
OCTOBER = ASKED | {"from": "2026-10", "to": "2026-10"}
LAST = date(2026, 11, 3)
NUMBERS = ("month", "through", "final", "users", "new", "returning", "back", "lost", "records", "flagged")


@pytest.fixture
def finance(deployment: Deployment) -> Finance:
    return Finance(deployment)


@pytest.fixture
def site(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Closed from 28 September to 3 November."""
    monkeypatch.setenv("RECORD_SHARDS", "1")
    site = Site(deployment)
    site.receive([event("jane"), event("jane"), event("john")], date(2026, 9, 28))
    site.close_through(date(2026, 9, 28))  # days begin here
    site.receive([event("jane"), event("crook", license_key=PIRATE)], date(2026, 10, 1))
    site.receive([event("mary"), event("joe", product_id="acme-cli")], date(2026, 10, 31))
    site.receive([event("john"), event("mary"), event("mary")], date(2026, 11, 2))
    site.close_through(LAST)
    return site


def test_months(site: Site, finance: Finance) -> None:
    digests = [
        kept(site.deployment, "acme-desktop", day).totals.digest
        for day in (date(2026, 9, 30), date(2026, 10, 31), LAST)
    ]
    found = finance.json("months", ASKED)
    assert {name: found[name] for name in ("environment", "application", "from", "to", "audience")} == {
        "environment": "production", **ASKED, "audience": "users",
    }  # fmt: skip
    assert [tuple(row[name] for name in NUMBERS) for row in found["rows"]] == [
        ("2026-09", "2026-09-30", True, 2, 2, 0, 0, 0, 3, 0),
        ("2026-10", "2026-10-31", True, 2, 1, 1, 0, 1, 3, 1),
        ("2026-11", "2026-11-03", False, 2, 0, 1, 1, None, 3, 0),
    ]
    assert [row["digest"] for row in found["rows"]] == [digest.hex() for digest in digests]
    assert {row["closed_at"] for row in found["rows"]} == {"2026-11-05T02:00:00Z"} == {found["closed_at"]}
    assert found["digest"] == sha256(b"".join(digests)).hexdigest()
    definition = found["definition"]
    assert (definition["window_start"], definition["window_end"]) == ("2026-09-01T00:00:00Z", "2026-11-04T00:00:00Z")
    assert {*NUMBERS[3:], "digest"} == definition["counts"].keys()


@pytest.mark.slow
def test_they_agree_with_all_other_reports_and_as_a_table(site: Site, finance: Finance) -> None:
    del site
    for application in ("acme-desktop", CATALOGUE):
        for audience in Audience:
            asked = ASKED | {"application": application, "audience": audience.value}
            found = finance.json("months", asked)
            assert_like_other_reports(finance, found)
    for row in found["rows"]:
        row["final"] = str(row["final"]).lower()
    for each in (table := finance.csv("months", asked)):
        assert each.pop("audience") == asked["audience"]
    assert_table(table, found)


def assert_like_other_reports(finance: Finance, found: dict[str, Any]) -> None:
    asked = {"application": found["application"], "audience": found["audience"]}
    for row in found["rows"]:
        window = {"month": row["month"]} if row["final"] else {"days": row["through"][-2:], "as_of": row["through"]}
        assert row["users"] == finance.json("active-users", asked | window)["users"]
        assert row["users"] == row["new"] + row["returning"] + row["back"]
        days = {"from": f"{row['month']}-01", "to": row["through"], "application": found["application"]}
        daily = finance.json("daily", days)["rows"]
        for name in ("records", "flagged"):
            assert row[name] == sum(day[name] for day in daily)


def test_what_is_final_is_answered_for_ever(site: Site, finance: Finance) -> None:
    final, open_ = finance.get("months", OCTOBER), finance.get("months", ASKED)
    assert (final.headers["cache-control"], open_.headers["cache-control"]) == (FOR_EVER, "private, no-cache")
    tag = open_.headers["etag"]
    assert finance.get("months", ASKED, if_none_match=tag).status == 304
    site.receive([event("ann"), event("jane")], date(2026, 11, 30))
    site.close_through(date(2026, 12, 1))
    assert finance.get("months", OCTOBER) == final
    again = finance.get("months", ASKED, if_none_match=tag)
    assert (again.status, again.headers["cache-control"]) == (200, FOR_EVER)
    before, after = open_.body["rows"], again.body["rows"]
    assert after[:2] == before[:2]
    assert tuple(after[2][name] for name in NUMBERS) == ("2026-11", "2026-11-30", True, 4, 1, 2, 1, 0, 5, 0)


def test_before_anything_was_closed(finance: Finance) -> None:
    assert not_closed(finance.get("months", OCTOBER), "2026-10-01", None)


def test_months_without_a_closed_day_and_products_without_a_report(
    site: Site, finance: Finance, deployment: Deployment
) -> None:
    finance.clock.set(datetime(2026, 11, 29, 12, tzinfo=UTC))
    answer = finance.get("months", ASKED | {"to": "2026-12"})
    assert not_closed(answer, "2026-12-01", LAST.isoformat(), is_future=True)
    unknown = finance.get("months", ASKED | {"to": "2026-12", "application": "acme-clu"})
    assert problem_of(unknown)[0] == 404

    deployment.products.put(Product("acme-new", "Acme New"))
    asked = ASKED | {"application": "acme-new"}

    def rows() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = finance.json("months", asked)["rows"]
        return found

    assert {(row["users"], row["records"], row["digest"], row["closed_at"]) for row in rows()} == {(0, 0, None, None)}
    site.receive([event("jane", product_id="acme-new")], date(2026, 11, 4))
    site.close_through(date(2026, 11, 4))
    assert [(row["users"], row["new"], row["digest"] is None) for row in rows()] == [
        (0, 0, True), (0, 0, True), (1, 1, False),
    ]  # fmt: skip


def test_a_report_that_is_missing_is_no_zero(site: Site, finance: Finance) -> None:
    table = site.deployment.tables.aggregates(Environment.PRODUCTION)
    key = {"pk": {"S": "uniques#acme-desktop"}, "sk": {"S": "2026-11-01#0"}}
    assert dynamodb_client().delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD")["Attributes"]
    for asked in (OCTOBER, ASKED):  # it is the last of those asked for, and one before it
        answer = finance.get("months", asked)
        assert (answer.status, "users" in answer.text) == (500, False)
