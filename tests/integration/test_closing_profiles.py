"""Closing product usage: what is kept of developers and companies is what another count of the same records gives."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from telemetry.domain.closing import Closing
from telemetry.domain.environment import Environment
from telemetry.domain.profiles.cards import Order
from telemetry.domain.profiles.closing import Range
from telemetry.domain.profiles.ranking import ranked_companies, ranked_developers
from telemetry.domain.profiles.rows import NOBODY, Row
from telemetry.services.profiles.close import ProfileCloser
from telemetry.services.profiles.reader import ProfileReader
from telemetry.services.recount import Allowance
from telemetry.settings import TableNames
from tests.integration.test_chaos import Crashed, Fault
from tests.worlds.profile_days import (
    FIRST,
    NOW,
    PRODUCT,
    SHARDS,
    Attributes,
    Records,
    Use,
    closer,
    random_uses,
    recounted,
    recounted_nobody,
)
from tests.worlds.profile_days import (
    reader as reader_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAYS = 45
TODAY = FIRST + timedelta(days=DAYS)
MOST = 60 if os.environ.get("SOAK") else 4
"""Random histories."""


@pytest.fixture
def table(tables: TableNames) -> str:
    return tables.aggregates(Environment.PRODUCTION)


def reader(closing: ProfileCloser) -> ProfileReader:
    return reader_of(closing.stores.rows.table)


def close(closing: ProfileCloser, last: date) -> list[date]:
    return closing.close(PRODUCT, FIRST, last, NOW)


def all_days(last: date) -> Iterator[date]:
    return (FIRST + timedelta(days=number) for number in range((last - FIRST).days + 1))


def check(closing: ProfileCloser, uses: list[Use], last: date, view: int = 0) -> None:
    """All that is kept, against what was sent up to the last day; `view` is the one that is shown."""
    uses = [use for use in uses if use.day <= last]
    developers, nobody = recounted(uses), recounted_nobody(uses)
    kept: dict[tuple[date, bytes], Row] = {}
    for day in all_days(last):
        rows = list(closing.stores.rows.read(view, PRODUCT, day))
        kept |= {(day, row.fingerprint): row for row in rows if row.fingerprint != NOBODY}
        found = Counter[tuple[str | None, str]]()
        for row in rows:
            if row.fingerprint == NOBODY:
                found.update({(row.company.id if row.company else None, name): n for name, n in row.uses.items()})
        assert found == {
            (company, name): count
            for (on, company), counts in nobody.items()
            if on == day
            for name, count in counts.items()
        }
    assert {key: (row.company.id if row.company else None, dict(row.uses)) for key, row in kept.items()} == {
        key: (did.company, dict(did.uses)) for key, did in developers.items()
    }
    _check_views(closing, uses, last)
    _check_lists(closing, uses, last)


def _check_views(closing: ProfileCloser, uses: list[Use], last: date) -> None:
    """What is said of each developer and company."""
    developers = recounted(uses)
    for actor in {actor for _, actor in developers}:
        view = reader(closing).developer(PRODUCT, actor, TODAY)
        assert view is not None
        assert view.first == min(day for day, who in developers if who == actor)
        assert view.name
        assert view.id_type == "EMAIL"
        assert Counter(each.company.id if each.company else None for each in view.at).most_common(1)[0][1] == 1
        for each in view.at:
            company = each.company.id if each.company else None
            mine = {day: did for (day, who), did in developers.items() if who == actor and did.company == company}
            assert each.uses == sum((did.uses for did in mine.values()), Counter())
            assert (each.activity.first, each.activity.last) == (min(mine), max(mine))
            assert each.activity.days == sum(0 <= (last - day).days < 30 for day in mine)
            assert each.activity.days_before == sum(30 <= (last - day).days < 60 for day in mine)
            assert sum(each.activity.weeks) == sum(sum(did.uses.values()) for did in mine.values())
        assert {each.company.id if each.company else None for each in view.at} == {
            did.company for (_, who), did in developers.items() if who == actor
        }
    for company in {did.company for did in developers.values() if did.company}:
        found = reader(closing).company(PRODUCT, company, None, 100, TODAY)
        assert found is not None
        assert {each.fingerprint for each in found.developers} == {
            who for (_, who), did in developers.items() if did.company == company
        }
        days = {day for (day, _), did in developers.items() if did.company == company}
        days |= {day for day, name in recounted_nobody(uses) if name == company}
        assert (found.first, found.last) == (min(days), max(days))


def _check_lists(closing: ProfileCloser, uses: list[Use], last: date) -> None:
    """Lists hold what cards of the whole say, and these what was sent."""
    developers, nobody, read = recounted(uses), recounted_nobody(uses), reader(closing)
    cards = {card.fingerprint: card for card in read.all_developers(PRODUCT)}
    assert cards.keys() == {actor for _, actor in developers}
    for actor, card in cards.items():
        mine = {day: did for (day, who), did in developers.items() if who == actor}
        window = {day: did for day, did in mine.items() if (last - day).days < 30}
        assert card.activity.uses == sum((did.uses for did in window.values()), Counter())
        assert (card.activity.days, card.activity.last) == (len(window), max(mine))
        assert (card.company.id if card.company else None) == mine[max(mine)].company
    companies = {card.company.id: card for card in read.all_companies(PRODUCT)}
    assert companies.keys() == {each.company for each in developers.values() if each.company} | {
        company for _, company in nobody if company
    }
    for id_, company in companies.items():
        did = [(day, who, each) for (day, who), each in developers.items() if each.company == id_]
        window_uses = [each.uses for day, _, each in did if (last - day).days < 30]
        window_uses += [each for (day, name), each in nobody.items() if name == id_ and (last - day).days < 30]
        assert company.developers == len({who for day, who, _ in did if (last - day).days < 30})
        assert company.developers_before == len({who for day, who, _ in did if 30 <= (last - day).days < 60})
        assert company.activity.uses == sum(window_uses, Counter())
    for order in Order:
        listing = read.companies(PRODUCT, order, 0, 100, TODAY)
        assert [row.card for row in listing.rows] == ranked_companies(companies.values(), order, last)
        people = read.developers(PRODUCT, order, 0, 100, TODAY)
        assert [row.card for row in people.rows] == ranked_developers(cards.values(), order, last)
        assert people.closed is not None
        assert people.closed.day == last
        assert people.closed.totals.developers == sum(card.activity.days > 0 for card in cards.values())


@pytest.mark.parametrize("seed", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in range(1, MOST))])
def test_what_is_kept_is_what_was_sent(table: str, seed: int) -> None:
    random = Random(seed)
    uses = random_uses(random, DAYS)
    closing, closed = closer(table, Records(uses), Attributes()), list[date]()
    while not closed or closed[-1] < TODAY:
        closed += close(closing, (closed[-1] if closed else FIRST) + timedelta(days=random.choice((1, 2, 9, 20))))
    assert closed == list(all_days(closed[-1]))
    check(closing, uses, closed[-1])


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 2])
def test_a_day_that_memory_cannot_hold_is_closed_in_parts(table: str, most: int) -> None:
    """With the same result, also when each run has time for one part only, and attributed anew."""
    uses, last = random_uses(Random(5), 15), FIRST + timedelta(days=14)
    records, attributes = Records(uses), Attributes()
    usual = replace(closer(table, records, attributes), most=most)
    while (shown := reader(usual).closed(PRODUCT)) is None or shown.day < last:
        close(replace(usual, allowance=Allowance(lambda: 0.0)), last)
    check(usual, uses, last)
    kept = [usual.stores.rows.kept(0, PRODUCT, day, range(SHARDS)) for day in all_days(last)]
    assert max(each.parts for day in kept for each in day.values()) > 1
    usual.attribute_anew(PRODUCT, Range(last, last), NOW)
    close(usual, last)
    check(usual, uses, last, view=1)


@pytest.mark.parametrize("seed", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in range(1, MOST))])
def test_runs_that_are_cut_off_anywhere_and_come_again(table: str, seed: int) -> None:
    random = Random(seed)
    most = random.choice((1, 100))
    uses, last = random_uses(random, 12), FIRST + timedelta(days=11)
    records, attributes = Records(uses), Attributes()
    survived = 0
    while survived < 2:  # the second time it comes for nothing
        closing = replace(closer(table, records, attributes), most=most)
        try:
            with Fault(at_call=random.randint(1, 60), after=random.random() < 0.5).planted():
                close(closing, last)
        except Crashed:
            continue
        survived += 1
    check(closing, uses, last)


def test_who_is_in_any_list_is_shown_with_what_the_list_says(table: str) -> None:
    """Also who has been quiet for more than the 30 days of those active."""
    quiet, user = "gone.example", b"gone" * 4
    uses = [Use(FIRST + timedelta(days=day), user, None, quiet, 3, "primary", 2) for day in (0, 8, 10)]
    last = FIRST + timedelta(days=41)
    uses.append(Use(last, b"here" * 4, None, "acme.com", 3, "primary", 1))
    closing = closer(table, Records(uses), Attributes())
    close(closing, last)
    read = reader(closing)
    (company,) = (row.card for row in read.companies(PRODUCT, Order.QUIET, 0, 25, TODAY).rows)
    (person,) = (row.card for row in read.developers(PRODUCT, Order.QUIET, 0, 25, TODAY).rows)
    assert company is not None
    assert (company.activity.days, sum(company.activity.weeks)) == (0, 6)
    of_company, of_person = read.company(PRODUCT, quiet, None, 25, TODAY), read.developer(PRODUCT, user, TODAY)
    assert of_company is not None
    assert of_person is not None
    assert (of_company.card, of_person.card) == (company, person)


class Late(ProfileCloser):
    """A run that falls asleep when it has kept a day's rows, while others close that day and more."""

    __slots__ = ()

    def _add(self, product: str, view: int, day: date) -> bool:
        others = ProfileCloser(*(getattr(self, each.name) for each in fields(ProfileCloser)))
        others.close(product, FIRST, day + timedelta(days=5), NOW)
        return super()._add(product, view, day)


def test_a_run_that_wakes_up_days_later_changes_nothing(table: str) -> None:
    uses, last = random_uses(Random(7), 15), FIRST + timedelta(days=14)
    usual = closer(table, Records(uses), Attributes())
    late = Late(*(getattr(usual, each.name) for each in fields(ProfileCloser)))
    while (shown := reader(usual).closed(PRODUCT)) is None or shown.day < last - timedelta(days=5):
        close(late, last)  # it finds days closed that it has just read
    close(usual, last)
    check(usual, uses, last)


@pytest.mark.slow
def test_days_attributed_anew_are_another_view_and_the_old_one_stays(table: str) -> None:
    uses, last = random_uses(Random(3), 30), FIRST + timedelta(days=29)
    attributes = Attributes()
    closing = closer(table, Records(uses), attributes)
    close(closing, last)
    before = reader(closing).closed(PRODUCT)
    attributes.merged["acme.com"] = "bolt.io"
    anew = Range(FIRST + timedelta(days=10), last + timedelta(days=3))
    assert closing.attribute_anew(PRODUCT, anew, NOW).number == 1
    assert reader(closing).closed(PRODUCT) == before, "shown when it is done"
    close(closing, last)
    shown = reader(closing).closed(PRODUCT)
    assert shown is not None
    assert shown.attributed.view == 1
    assert reader(closing).closed(PRODUCT, view=0) == before
    for day in all_days(last):
        old = list(closing.stores.rows.read(0, PRODUCT, day))
        new = list(closing.stores.rows.read(1, PRODUCT, day))
        assert sum(sum(row.uses.values()) for row in old) == sum(sum(row.uses.values()) for row in new)
        if day < anew.first:
            assert sorted(map(repr, old)) == sorted(map(repr, new))
        if day in anew:
            assert "acme.com" not in {row.company.id for row in new if row.company and row.told_on == day}
    uses += [use for use in random_uses(Random(4), 40) if use.day > last]
    later = last + timedelta(days=10)
    assert close(closing, later) == list(all_days(later))[-10:], "and goes on"
    told_anew = [
        use._replace(company="bolt.io") if use.company == "acme.com" and use.day >= anew.first else use for use in uses
    ]
    check(closing, told_anew, later, view=1)


def test_runs_that_have_no_time_get_further_all_the_same(table: str) -> None:
    uses, last = random_uses(Random(11), 12), FIRST + timedelta(days=11)
    usual = closer(table, Records(uses), Attributes())
    runs, closed = 0, list[date]()
    while not closed or closed[-1] < last or reader(usual).closed(PRODUCT) is None:
        hurried = replace(usual, allowance=Allowance(lambda: 0.0))
        closed += close(hurried, last)
        runs += 1
    assert runs > 12
    check(usual, uses, last)


def test_no_product_keeps_all_others_waiting_for_ever(table: str) -> None:
    """Not even one that uses up each run in which it has its turn."""
    asked: list[list[str]] = []

    class Hungry(ProfileCloser):
        __slots__ = ()

        def close(self, product: str, first: date, last: date, now: datetime) -> list[date]:
            del first, last, now
            asked[-1].append(product)
            if product == "b":
                raise InterruptedError
            return []

    usual = closer(table, Records(), Attributes())
    hungry = Hungry(*(getattr(usual, each.name) for each in fields(ProfileCloser)))
    for hour in range(4):
        asked.append([])
        with pytest.raises(InterruptedError):
            hungry.close_all(["a", "b", "c", "d"], Closing(1, 2), NOW + timedelta(hours=hour))
    assert {products[0] for products in asked} == {"a", "b", "c", "d"}
    assert all(sorted(products) == ["a", "b", "c", "d"] for products in asked)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_each_call_fails_before_and_after_it_did_its_work(
    tables: TableNames,
    engine_client: "DynamoDBClient",
    after: bool,  # noqa: FBT001
) -> None:
    uses, last = random_uses(Random(2), 4), FIRST + timedelta(days=3)
    table, number = tables.aggregates(Environment.PRODUCTION), 0
    while True:
        number += 1
        empty(table, engine_client)
        try:
            with Fault(at_call=number, after=after).planted():
                close(closer(table, Records(uses), Attributes()), last)
        except Crashed:
            close(closer(table, Records(uses), Attributes()), last)
            check(closer(table, Records(uses), Attributes()), uses, last)
        else:
            break
    assert number > 40


def empty(table: str, client: "DynamoDBClient") -> None:
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
