"""Memory for profiles is bounded, whatever clients make up; and what there is room for is right."""

from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256

from telemetry.domain.attribution import Attribution, AttributionKind, AttributionSource
from telemetry.domain.hourly_counts import OTHER
from telemetry.domain.profiles.cards import CompanyName, Order
from telemetry.domain.profiles.ranking import Ranking, ranked_companies, ranked_developers
from telemetry.domain.profiles.rows import MOST_ACTIVITIES, MOST_DEVICES, MOST_VERSIONS, Folding, Row
from telemetry.domain.sighting import Sighting
from tests.observations import observe

DAY = date(2026, 11, 21)


def fingerprint(name: str) -> bytes:
    return sha256(name.encode()).digest()[:16]


def by_domain(hint: str | None, _address: str | None) -> Attribution:
    return Attribution(AttributionKind.COMPANY, hint, hint, AttributionSource.DOMAIN, 3)


def test_one_developer_who_makes_everything_up_takes_little_room() -> None:
    folding, me, home = Folding(DAY, by_domain), fingerprint("me"), 3_000
    usual = replace(observe(Sighting("acme-cli", DAY, me, None, billable=True)), uses=1)
    versions = [f"v{number:05d}" for number in range(5_000)]
    devices = [fingerprint(f"device {number}") for number in range(5_000)]
    for number in range(5_000):
        folding.add(
            replace(
                usual,
                sighting=replace(usual.sighting, device=devices[number]),
                version=versions[number],
                company="home.example" if number < home else f"c{number}.example",
                group="primary" if number < home else f"g{number}",
            )
        )
    (doing,) = (doing for _, doing in folding._developers())
    assert max(len(doing.versions), len(doing.devices), len(doing.uses), len(doing.behind)) <= 1_001
    (row,) = folding.rows({})
    assert (row.company.id if row.company else None) == "home.example"
    assert (row.records, sum(row.uses.values()), row.uses["primary"]) == (5_000, 5_000, home)
    assert (len(row.uses), OTHER in row.uses) == (MOST_ACTIVITIES + 1, True)
    assert row.versions == tuple(versions[-MOST_VERSIONS:])
    assert row.devices == tuple(sorted(devices)[:MOST_DEVICES])


def row(who: str, company: str, day: date, activity: str = "primary") -> Row:
    name = CompanyName(company, company, "domain", 3)
    return Row(fingerprint(who), name, day, day, 1, {activity: 1})


def usual_rows(day: date) -> list[Row]:
    """Ten developers at five companies, every day."""
    return [row(f"usual {number}", f"usual{number % 5}.example", day) for number in range(10)]


def made_up_rows(day: date) -> list[Row]:
    """A hundred whom nobody has seen before, at as many companies, and with as many activities."""
    return [row(f"{day} {number}", f"{day}-{number}.example", day, f"{day} {number}") for number in range(100)]


def ranking(most: int) -> Ranking:
    found = Ranking(DAY, most)
    for age in reversed(range(40)):
        day = DAY - timedelta(days=age)
        found.add(day, [*made_up_rows(day)[:50], *usual_rows(day), *made_up_rows(day)[50:]])
    return found


def test_lists_of_crowds_that_were_made_up_have_those_who_come_every_day() -> None:
    """Whoever is left out is counted all the same."""
    bounded, exact = ranking(most=200), ranking(most=1_000_000)
    assert max(len(bounded._developers), len(bounded._companies)) <= 400 < len(exact._developers)
    assert (bounded.totals.developers, bounded.totals.companies) == (3_010, 3_005)
    assert bounded.totals.uses["primary"] == exact.totals.uses["primary"] == 300
    assert sum(bounded.totals.uses.values()) == sum(exact.totals.uses.values()) == 3_300
    developers = [ranked_developers(each.developers(), Order.ACTIVE, DAY)[:10] for each in (bounded, exact)]
    companies = [ranked_companies(each.companies(), Order.ACTIVE, DAY)[:5] for each in (bounded, exact)]
    assert developers[0] == developers[1]
    assert companies[0] == companies[1]
    assert [card.developers for card in companies[0]] == [2] * 5


def test_a_company_counts_developers_whom_it_has_no_room_for() -> None:
    found = Ranking(DAY, most=20)
    for number in range(300):
        found.add(DAY - timedelta(days=number // 100), [row(f"user {number}", "acme.example", DAY)])
    (card,) = found.companies()
    assert card.developers == 300
    assert found.totals.developers == 300
    assert len(found._companies["acme.example"].developers) <= 41
