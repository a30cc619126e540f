"""A vendor whose past is drawn from a seed, where the demo has its own. The rest of the service is that of `make run`.

`python -m tests.worlds.random_vendor <seed> run --port 0 --state <folder>`: records are taken in, counted and closed by
the code that does so in a deployment, with a clock that is told the time. For a few days rollup comes after closing.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import NamedTuple

from local import Json, demo
from local.command_line import main
from local.demo_closing import Closing
from local.demo_licenses import Seat
from telemetry.dialects import getkeymanager, reo
from telemetry.dialects.getkeymanager.licensing import code_of
from telemetry.domain.api_key import Access, Capability, Role
from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.license import LicenseState
from telemetry.domain.licensing import DeviceAction, DeviceRequest
from telemetry.domain.product import ActivityLevel, ActivityType, Product, by_key
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.retry import Deadline
from telemetry.services.ingest import Ingest, Status
from telemetry.settings import IngestSettings
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.customers import CustomerStore
from telemetry.storage.products import ProductStore
from telemetry.wiring.ingest import IngestWiring
from telemetry.wiring.licensing import LicensingWiring
from tests.worlds import random_events as events
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import activation_store, issue

DAYS = 45
"""Closed days; today up to now comes on top."""

PLAIN, STRICT, USED = "plain-1", "strict <b>«2»</b> & söhne", "used-3"
PRODUCTS = (
    Product(PLAIN, "Plain"),
    Product(STRICT, "Strict " + "and so on " * 12, requires_license=True, versions=frozenset(events.VERSIONS[:3])),
    Product(
        USED,
        "Used <i>ü</i>",
        activity_types=by_key(
            ActivityType("primary", "Ran it", ActivityLevel.PRIMARY),
            ActivityType("secondary1", "<b>Looked</b> at it", ActivityLevel.SECONDARY),
            ActivityType("LOGIN_ACTIVITY", "Came in", ActivityLevel.SECONDARY),
            ActivityType(events.LONG_ACTIVITY, "Went on", ActivityLevel.PRIMARY),
        ),
        profiles=True,
    ),
)
LATE = range(5, 8)
"""The days, counted from the first, that are closed before rollup has seen anything of them."""

_PEOPLE = {Environment.PRODUCTION: 48, Environment.STAGING: 4, Environment.DEVELOPMENT: 0}
_LICENSES = {Environment.PRODUCTION: 30, Environment.STAGING: 5, Environment.DEVELOPMENT: 1}
_CROWDS = 4


def load(seed: str, site: demo.Site, *, history: bool) -> dict[str, Json]:
    """Takes the place of `local.demo.load`."""
    random, now = Random(seed), datetime.now(UTC)
    there = Deployment(site.tables, site.keyring, {})
    for product in PRODUCTS:
        ProductStore(site.tables.registry).put(product)
    licenses = {environment: issue_licenses(there, environment, random) for environment in Environment}
    api_keys = ApiKeyStore(site.tables.registry)
    issued = {environment: demo.sdk_keys(site, api_keys, environment, now) for environment in Environment}
    if history:
        access = {name: Access(of[Capability.INGEST].key, name) for name, of in issued.items()}
        replay(site, access, licenses, now, random)
    seats = {environment: Seat(of.keys[0], "a device") for environment, of in licenses.items()}
    return {
        "admin_key": demo.staff_key(site, api_keys, Role.SUPER_ADMIN, now),
        "viewer_key": demo.staff_key(site, api_keys, Role.VIEWER, now),
        "products": [product.id for product in PRODUCTS],
        "environments": {each.value: demo.shown(issued[each], seats[each]) for each in Environment},
    }


class Issued(NamedTuple):
    """The licence keys of an environment, and the devices that were activated under some of them."""

    keys: list[str]
    seats: list[Seat]


def issue_licenses(there: Deployment, environment: Environment, random: Random) -> Issued:
    """Licences in any state, of customers with any name, some of them with activated devices."""
    customers = CustomerStore(there.tables.registry)
    issued = Issued([], [])
    for number in range(_LICENSES[environment]):
        customer = Customer(
            f"{environment[:4]}-{number // 2}",
            f"{random.choice(events.ODD_TEXTS[:14])} {number // 2}",
            None,
            datetime(2024, 1, 1, tzinfo=UTC),
        )
        if number % 2 == 0:
            customers.add(customer)
        state = random.choice([LicenseState.ACTIVE] * 5 + list(LicenseState))
        key = f"{environment[:4].upper()}-{number:04}-{random.randbytes(4).hex().upper()}"
        license_ = issue(
            there,
            key,
            environment,
            product_id=random.choice((PLAIN, STRICT, STRICT, USED, None)),
            customer_id=None if state is LicenseState.AVAILABLE else customer.id,
            state=state,
            activation_limit=random.choice((1, 2, 5)),
        )
        issued.keys.append(key)
        if state is LicenseState.ACTIVE and random.random() < 0.7:
            seat = Seat(key, f"device {number}")
            activation_store(there).activate(license_, seat.device, license_.created_at, Deadline(60))
            issued.seats.append(seat)
    return issued


def replay(
    site: demo.Site,
    access: Mapping[Environment, Access],
    licenses: Mapping[Environment, Issued],
    now: datetime,
    random: Random,
) -> None:
    """Keeps, counts and closes all that was sent up to `now`."""
    settings = IngestSettings.from_env({**site.settings, "TABLE_PREFIX": site.tables.prefix})
    ingest, first = IngestWiring(settings, demo.StoppedClock()).ingest, now.date() - timedelta(days=DAYS)
    ask(LicensingWiring(settings, demo.StoppedClock()), licenses, first, random)
    sent = {environment: requests(environment, licenses, first, random) for environment in Environment}
    variables = {"TABLE_PREFIX": site.tables.prefix, "RECORD_SHARDS": site.settings["RECORD_SHARDS"]}
    kept, late = 0, [first + timedelta(days=number) for number in LATE]
    with Closing(variables | {"NETWORK_FILE": str(site.network_file)}, now) as closing:
        with demo.Settling(site.settle) as settling:
            for day in (first + timedelta(days=number) for number in range(DAYS + 1)):
                for environment, of_day in sent.items():
                    kept += sum(keep(ingest, access[environment], each) for each in of_day[day] if each.moment < now)
                if day == late[-1]:
                    settling.wait()
                    closing.begin(Environment.PRODUCTION, day)
                    closing.wait()
                if day not in late[:-1]:
                    settling.begin()
        for environment in Environment:
            closing.begin(environment, now.date() - timedelta(days=1))
        closing.wait()
    site.say(f"  {kept} events kept")


def requests(
    environment: Environment, licenses: Mapping[Environment, Issued], first: date, random: Random
) -> Mapping[date, list[events.Sent]]:
    """What is sent to an environment, by day and in the order in which it comes."""
    known = [*licenses[environment].keys, *(key for of in licenses.values() for key in of.keys[:1])]
    everybody = events.people(PRODUCTS, licenses[environment].seats, known, _PEOPLE[environment], random)
    is_main = environment is Environment.PRODUCTION
    using = events.developers(12, random) if is_main else []
    crowds = random.sample(range(DAYS + 1), _CROWDS) if is_main else []
    sent = list[events.Sent]()
    for number in range(DAYS + 1):
        day = first + timedelta(days=number)
        sent += events.telemetry_of_day(everybody, day, random)
        sent += events.usage_of_day(using, USED, day, random)
        if number in crowds:
            sent += events.crowd(random.choice((PLAIN, STRICT)), random.choice(known), day, random)
    by_day = defaultdict[date, list[events.Sent]](list)
    for each in sorted(sent, key=lambda each: each.moment):
        by_day[each.moment.date()].append(each)
    return by_day


def keep(ingest: Ingest, access: Access, sent: events.Sent) -> int:
    """Keeps the events of a request. Gives their number."""
    said = [reo.parse(sent.body)] if sent.is_usage else getkeymanager.parse(sent.body, "application/json").events
    outcomes = ingest.keep(said, access, sent.address, sent.moment, Deadline(60))
    assert all(outcome.status is not Status.FAILED for outcome in outcomes)
    return len(outcomes)


def ask(wiring: LicensingWiring, licenses: Mapping[Environment, Issued], first: date, random: Random) -> None:
    """What devices asked of licences, on any day: most of them may not run."""
    for environment in Environment:
        counters = wiring.counters(environment)
        for moment, question in questions(licenses[environment], first, random):
            found = wiring.licensing.answer(question, environment, moment, Deadline(60))
            product = (found.license and found.license.product_id) or UNKNOWN_PRODUCT
            counters.add(product, question.action, code_of(found.outcome), moment)


def questions(licenses: Issued, first: date, random: Random) -> Iterator[tuple[datetime, DeviceRequest]]:
    """In the order of time."""
    days = sorted(random.randrange(DAYS) for _ in range(3 * len(licenses.keys)))
    for number in days:
        key = random.choice((*licenses.keys, "NOBODY-ISSUED-THIS", None))
        device = random.choice((f"device {random.randrange(30)}", "new", None))
        question = DeviceRequest(random.choice(list(DeviceAction)), key, device)
        yield events.moment_of(first + timedelta(days=number), random), question


if __name__ == "__main__":
    vars(demo)["load"] = partial(load, sys.argv.pop(1))
    sys.exit(main())
