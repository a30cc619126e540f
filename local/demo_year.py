"""The demo vendor's first customers: who used Orbit Desktop now and then in the months before `local.demo_history`.

In production alone, and few: a year is to have something in each month. Their records were stored with the expiry that
they had then, so those that are older than the retention are hidden, and their reports are all that is left of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from local.demo_history import DAYS, Person, Request, address_of, moment_of, session
from telemetry.domain.months import Month

MONTHS = 11
"""Months before the present one."""

_LEAVERS = 24
_STAY_MONTHS = (1, 2, 4, 6)
_MOST_IDLE = 3
"""Of those who leave: the months in which nothing is heard of them before they come back for one."""


def first_day(today: date) -> date:
    """The first day of which anything is known."""
    return Month.of(today).plus(-MONTHS).first


def months_before(people: Sequence[Person], today: date) -> Iterator[tuple[Month, list[Request]]]:
    """What they send, month by month, up to the day before `local.demo_history` begins. People work on weekdays."""
    random = Random("orbit-desktop, the year before")
    last = today - timedelta(days=DAYS + 1)
    users = _users(people, random)
    for number in range(MONTHS + 1):
        month = Month.of(today).plus(number - MONTHS)
        sent = list[Request]()
        for day in (month.first + timedelta(days=each) for each in range(month.last.day)):
            active = [person for person, months in users if number in months and random.random() < 0.09]
            if day.weekday() < 5 and day <= last:
                sent += [_visit(person, day, number, random) for person in active]
        yield month, sorted(sent, key=lambda request: request.moment)


def _users(people: Sequence[Person], random: Random) -> list[tuple[Person, set[int]]]:
    """Each with the numbers of their months. Some of them are there to this day; of the others some come back once."""
    stayed = [person for person in people if not person.joined]
    users = [(each, {*range(place * MONTHS // len(stayed), MONTHS + 1)}) for place, each in enumerate(stayed)]
    for number in range(_LEAVERS):
        came, stay = random.randrange(MONTHS), random.choice(_STAY_MONTHS)
        back = {came + stay + random.randint(1, _MOST_IDLE)} if random.random() < 0.5 else set[int]()
        person = replace(
            random.choice(people), number=-number, user=f"former{number}", device=random.randbytes(16).hex(),
            license_key="unknown", address=address_of(random),
        )  # fmt: skip
        users.append((person, {*range(came, came + stay)} | back))
    return users


def _visit(person: Person, day: date, month: int, random: Random) -> Request:
    moment: datetime = moment_of(day, random)
    return session(person, f"4.{month}.0", 1, moment, random)
