"""The demo's months before its last one: few users, on weekdays, in each month, and some of them to this day."""

from datetime import date, timedelta
from random import Random

import pytest

from local.demo_history import DAYS, Person, population
from local.demo_licenses import Fleet, Seat
from local.demo_licensing import questions
from local.demo_year import MONTHS, first_day, months_before
from telemetry.domain.environment import Environment
from telemetry.domain.licensing import DeviceAction
from telemetry.domain.months import Month

SEATS = tuple(Seat(f"KEY-{number:04}", f"device{number}") for number in range(200))
FLEET = Fleet(SEATS, (Seat("NOBODYS", "odd"),), SEATS[0].license_key, ())
DATES = [date(2026, 11, 26), date(2026, 12, 31), date(2027, 1, 1), date(2028, 2, 29)]


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return population(Environment.PRODUCTION, FLEET, Random(20))


@pytest.mark.parametrize("today", DATES)
def test_each_month_has_users_up_to_the_day_before_the_last_month(people: list[Person], today: date) -> None:
    sent = dict(months_before(people, today))
    assert min(sent) == Month.of(first_day(today)) == Month.of(today).plus(-MONTHS)
    days = {request.moment.date() for requests in sent.values() for request in requests}
    assert min(days) >= first_day(today)
    assert max(days) < today - timedelta(days=DAYS)
    assert {day.weekday() for day in days} == {0, 1, 2, 3, 4}
    whole = [len(requests) for month, requests in sent.items() if month.last < today - timedelta(days=DAYS)]
    assert len(whole) >= MONTHS - 2
    assert min(whole) >= 5
    assert max(whole) > 3 * min(whole)


def test_some_stay_to_this_day_and_others_are_former_users(people: list[Person]) -> None:
    users = {
        str(event.user_id)
        for _, requests in months_before(people, DATES[0])
        for request in requests
        for event in request.events
    }
    stayed = {person.user for person in people if not person.joined}
    assert len(users & stayed) > 30
    assert len([user for user in users if user.startswith("former")]) > 10


def test_what_is_taken_is_given_back() -> None:
    """So the seats of licences are the same afterwards; a licence that was full refuses the last of those who ask."""
    days = (questions(FLEET, Environment.PRODUCTION, number, Random(number)) for number in range(DAYS))
    asked = [question for day in days for question in day]
    by_action = {action: [each for each in asked if each.action is action] for action in DeviceAction}
    assert all(by_action.values())
    taken, given = (by_action[action] for action in (DeviceAction.ACTIVATE, DeviceAction.DEACTIVATE))
    assert [(each.license_key, each.identifier) for each in taken] == [
        (each.license_key, each.identifier) for each in given
    ]
    assert not {each.identifier for each in taken} & {seat.device for seat in SEATS}
    assert FLEET.leaked not in {each.license_key for each in taken}
