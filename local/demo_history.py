"""The demo vendor's past: users who come, stay, and move from one version to the next. A month of Orbit Desktop, and
two of Orbit CLI (`local.demo_usage`). What was before that is in `local.demo_year`.

Made by the code that serves requests, with a clock that is told the time: the records, moves and closed days are real.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import IPv4Address
from itertools import groupby
from random import Random
from typing import Any, NamedTuple

from local.demo_companies import DAYS as USAGE_DAYS
from local.demo_companies import developers as usage_developers
from local.demo_licenses import OUTBREAK, Fleet, Seat
from local.demo_usage import usage
from local.demo_values import measured
from telemetry.dialects import getkeymanager, reo
from telemetry.domain.api_key import Access
from telemetry.domain.environment import Environment
from telemetry.domain.event import Event
from telemetry.retry import Deadline
from telemetry.services.ingest import Ingest, Status

DAYS = 30
"""Closed days of history of Orbit Desktop; today up to now comes on top."""

DESKTOP = "orbit-desktop"

_PEOPLE = {Environment.PRODUCTION: 140, Environment.STAGING: 12, Environment.DEVELOPMENT: 6}
_RELEASES = ((-99, "4.11.0"), (2, "4.12.0"), (16, "5.0.0"), (23, "5.0.1"))  # by days, counted from the first one
_COMPANIES = ("aurora-labs.example", "bluepeak.example", "cobalt.example", "dunes.example", "everfield.example")
_COUNTRIES = ("DE", "US", "FR", "GB", "IN", "JP", "BR")
_SYSTEMS = (("windows", "10.0.22631"), ("macos", "15.1"), ("linux", "6.8"))
_FIRST_ADDRESS = int(IPv4Address("198.51.100.0"))  # a range kept for documentation


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses Orbit Desktop, from `joined` (days from the first) on."""

    number: int
    user: str
    device: str
    joined: int
    diligence: float
    update_lag: int
    country: str
    system: tuple[str, str]
    address: str
    license_key: str = "unknown"


class Request(NamedTuple):
    """What comes in one request."""

    moment: datetime
    address: str
    events: list[Event]


def population(environment: Environment, fleet: Fleet, random: Random) -> list[Person]:
    """The same people for the same random seed. Some of them use Orbit CLI too."""
    people = []
    developers = [each.user_id for each in usage_developers(environment) if each.has_company_mail]
    for number in range(_PEOPLE[environment]):
        name = f"{random.choice(('kim', 'alex', 'sam', 'robin', 'jo', 'max'))}{number}"
        user = f"{name}@{random.choice(_COMPANIES)}" if random.random() < 0.8 else name
        seat = fleet.seats[number] if number < len(fleet.seats) else None
        person = Person(
            number=number,
            user=random.choice(developers) if random.random() < 0.1 else user,
            device=seat.device if seat else random.randbytes(16).hex(),
            joined=max(0, random.randrange(-DAYS, DAYS)),
            diligence=random.choice((0.1, 0.3, 0.6, 0.9)),
            update_lag=random.randrange(10),
            country=random.choice(_COUNTRIES),
            system=random.choice(_SYSTEMS),
            address=address_of(random),
            license_key=seat.license_key if seat else "unknown",
        )
        people.append(person)
    return people


def address_of(random: Random) -> str:
    """An address of somebody."""
    return str(IPv4Address(_FIRST_ADDRESS + random.randrange(256)))


def replay(
    ingest: Ingest,
    access: Mapping[Environment, Access],
    fleets: Mapping[Environment, Fleet],
    people: Mapping[Environment, Sequence[Person]],
    now: datetime,
    random: Random,
    day_over: Callable[[], None],
    progress: Callable[[int], None],
) -> int:
    """Keeps all events up to `now`; `day_over` is called after each day. Gives their number."""
    today = now.astimezone(UTC).date()
    kept = 0
    for number in range(USAGE_DAYS + 1):
        day, desktop_number = today - timedelta(days=USAGE_DAYS - number), number - (USAGE_DAYS - DAYS)
        for environment in Environment:
            sent = [*_usage(environment, number, today)]
            if desktop_number >= 0:
                sent += _day(people[environment], day, desktop_number, random)
                sent += _odd_day(fleets[environment], environment, day, desktop_number, random)
            kept += keep(ingest, access[environment], (each for each in sent if each.moment < now))
        day_over()
        progress(number)
    return kept


def keep(ingest: Ingest, access: Access, requests: Iterable[Request]) -> int:
    """Keeps what is sent. Gives the number of events."""
    kept = 0
    for moment, address, events in requests:
        outcomes = ingest.keep(events, access, address, moment, Deadline(60))
        if failed := sum(outcome.status is Status.FAILED for outcome in outcomes):
            raise RuntimeError(f"{failed} demo events could not be stored")
        kept += len(events)
    return kept


def _usage(environment: Environment, number: int, today: date) -> Iterator[Request]:
    """What comes from Orbit CLI on a day: all events of a sitting in one request."""
    uses = (use for use in usage(environment) if use.day == number)
    for (moment, caller), sitting in groupby(uses, lambda use: (use.moment(today), use.caller)):
        yield Request(moment, caller, [reo.parse(_encoded({"payload": use.payload(today)})) for use in sitting])


def _day(people: Iterable[Person], day: date, number: int, random: Random) -> Iterator[Request]:
    """What each active person sends: one session a day, all its events in one request."""
    weekend = day.weekday() >= 5
    for person in people:
        if person.joined > number or random.random() > person.diligence * (0.3 if weekend else 1):
            continue
        moment = moment_of(day, random)
        version = next(name for since, name in reversed(_RELEASES) if since + person.update_lag <= number)
        times = random.choice((1, 1, 2, 3))
        yield session(person, version, times, moment, random)


def session(person: Person, version: str, times: int, moment: datetime, random: Random) -> Request:
    """So many events of somebody, in one request."""
    bodies = [_encoded(_telemetry(person, version, random)) for _ in range(times)]
    return Request(moment, person.address, [getkeymanager.parse_one(body) for body in bodies])


def _odd_day(fleet: Fleet, environment: Environment, day: date, number: int, random: Random) -> Iterator[Request]:
    """What comes from devices that should not run: a little every day, and the outbreak of a leaked key."""
    seats = [seat for seat in fleet.odd if random.random() < 0.6]
    if environment is Environment.PRODUCTION and number in OUTBREAK:
        pirates = [Seat(fleet.leaked, device) for device in fleet.pirates if random.random() < 0.5]
        seats += [seat for seat in pirates for _ in range(random.choice((1, 2, 3, 4)))]
    for seat in seats:
        body = {
            "data_type": "text",
            "data_group": "lifecycle",
            "text_data": "started",
            "license_key": seat.license_key,
            "hwid": seat.device,
            "product_id": DESKTOP,
            "product_version": "4.12.0",
            "country": random.choice(_COUNTRIES),
        }
        yield Request(moment_of(day, random), address_of(random), [getkeymanager.parse_one(_encoded(body))])


def moment_of(day: date, random: Random) -> datetime:
    """A time of the day, rather at noon than at night."""
    return datetime.combine(day, time(), UTC) + timedelta(seconds=random.triangular(0, 86_399, 50_000))


def _telemetry(person: Person, version: str, random: Random) -> dict[str, Any]:
    return {
        **measured(version, person.system[0], random),
        "license_key": person.license_key,
        "hwid": person.device,
        "user_identifier": person.user,
        "product_id": DESKTOP,
        "product_version": version,
        "country": person.country,
        "flags": [],
        "metadata": {"os": person.system[0], "os_version": person.system[1]},
    }


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
