"""The demo vendor: what a fresh state begins with."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Self

from local import Json
from local.demo_closing import Closing
from local.demo_companies import DAYS as USAGE_DAYS
from local.demo_history import DAYS, DESKTOP, keep, population, replay
from local.demo_licenses import CUSTOMERS, Fleet, Seat, issue_licenses
from local.demo_licensing import ask
from local.demo_usage import CLI
from local.demo_year import first_day, months_before
from telemetry.clock import SystemClock
from telemetry.domain.api_key import Access, Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Keyring
from telemetry.domain.product import ActivityLevel, ActivityType, Product, by_key
from telemetry.services.api_keys import IssuedKey, issue_sdk_key, issue_staff_key
from telemetry.settings import IngestSettings, TableNames
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.customers import CustomerStore
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import ProductStore
from telemetry.wiring.ingest import IngestWiring
from telemetry.wiring.licensing import LicensingWiring

PRIMARY, SECONDARY = ActivityLevel.PRIMARY, ActivityLevel.SECONDARY
PRODUCTS = (
    Product(DESKTOP, "Orbit Desktop"),
    Product(
        CLI,
        "Orbit CLI",
        activity_types=by_key(
            ActivityType("primary", "Ran a build", PRIMARY),
            ActivityType("secondary1", "Opened the docs", SECONDARY),
            ActivityType("LOGIN_ACTIVITY", "Signed in", SECONDARY),
        ),
        profiles=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where to load the demo. AWS clients made without arguments reach its database, and SECRET_FILE names its secret.

    `settings` are the ingest function's variables, `network_file` the path of the demo's own. `settle` takes all
    that the record streams hold to rollup, and returns when it is counted. `say` tells progress to people,
    `show` the latest of it to whoever asks.
    """

    tables: TableNames
    keyring: Keyring
    settings: Mapping[str, str]
    network_file: str | None
    settle: Callable[[], None]
    say: Callable[[str], None]
    show: Callable[[str], None]

    def tell(self, step: str) -> None:
        """Says what begins now, and shows it."""
        self.say(f"  {step}")
        self.show(step)


def load(site: Site, *, history: bool) -> dict[str, Json]:
    """Makes products, keys and, if wanted, their `history`; gives the content of demo-keys.json, except its url."""
    products, api_keys, now = ProductStore(site.tables.registry), ApiKeyStore(site.tables.registry), datetime.now(UTC)
    for product in PRODUCTS:
        products.put(product)
    issued = {environment: sdk_keys(site, api_keys, environment, now) for environment in Environment}
    store = LicenseStore(site.tables.registry, site.keyring)
    site.tell("customers, licences and activations")
    for customer in CUSTOMERS:
        CustomerStore(site.tables.registry).add(customer)
    fleets = issue_licenses(DESKTOP, store, site.keyring, now - timedelta(days=DAYS), Random(7))
    if history:
        access = {environment: Access(keys[Capability.INGEST].key, environment) for environment, keys in issued.items()}
        _replay(site, access, fleets, now)
    return {
        "admin_key": staff_key(site, api_keys, Role.SUPER_ADMIN, now),
        "viewer_key": staff_key(site, api_keys, Role.VIEWER, now),
        "products": [product.id for product in PRODUCTS],
        "environments": {
            environment.value: shown(issued[environment], fleets[environment].seats[-1]) for environment in Environment
        },
    }


def _replay(
    site: Site, access: Mapping[Environment, Access], fleets: Mapping[Environment, Fleet], now: datetime
) -> None:
    settings = IngestSettings.from_env({**site.settings, "TABLE_PREFIX": site.tables.prefix})
    ingest, random, today = IngestWiring(settings, StoppedClock()).ingest, Random(20), now.date()
    people = {environment: population(environment, fleets[environment], random) for environment in Environment}
    variables = {"TABLE_PREFIX": site.tables.prefix, "RECORD_SHARDS": site.settings["RECORD_SHARDS"]}
    if site.network_file:
        variables["NETWORK_FILE"] = site.network_file
    before, yesterday = (today - timedelta(days=days) for days in (USAGE_DAYS + 1, 1))

    def progress(day: int) -> None:
        (site.tell if day % 10 == 0 else site.show)(f"day {day} of {USAGE_DAYS}")

    with Closing(variables, now) as closing:
        with Settling(site.settle) as settling:
            site.tell("the year before")
            kept = sum(
                keep(ingest, access[Environment.PRODUCTION], sent)
                for _, sent in months_before(people[Environment.PRODUCTION], today)
            )
            settling.begin()
            site.tell("licence checks")
            calls = ask(LicensingWiring(settings, StoppedClock()), fleets, today)
            settling.wait()
            closing.begin(Environment.PRODUCTION, before)
            kept += replay(ingest, access, fleets, people, now, random, settling.begin, progress)
        site.tell("closing days")
        closing.wait()
        for environment in Environment:
            closing.begin(environment, yesterday)
        closing.wait()
    days = (today - first_day(today)).days
    site.say(f"  {kept} events kept, {calls} licensing calls answered, {days} days closed")


class StoppedClock(SystemClock):
    """No registry changes while history is kept: what was read of it once is recent enough to the end."""

    def seconds(self) -> float:
        return 0.0


class Settling:
    """Settles one day while the next is being kept; use it as a context manager, which waits for the last."""

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle
        self._thread = ThreadPoolExecutor(1, "settling")
        self._last: Future[None] | None = None

    def begin(self) -> None:
        """Settles what is there now, in the background, after what is being settled. Raises what that raises."""
        self.wait()
        self._last = self._thread.submit(self._settle)

    def wait(self) -> None:
        """Returns when all is settled that was begun. Raises what that raises."""
        if self._last:
            self._last.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown(wait=kind is None)
        if kind is None:
            self.wait()


def staff_key(site: Site, api_keys: ApiKeyStore, role: Role, now: datetime) -> str:
    """A new key of a role, for all environments."""
    return issue_staff_key(f"demo {role}", frozenset(Environment), role, site.keyring, api_keys, now).secret


def sdk_keys(site: Site, api_keys: ApiKeyStore, environment: Environment, now: datetime) -> dict[Capability, IssuedKey]:
    """A new key of an environment for each capability."""
    return {
        capability: issue_sdk_key(
            f"demo {capability}", environment, frozenset({capability}), None, site.keyring, api_keys, now
        )
        for capability in Capability
    }


def shown(keys: Mapping[Capability, IssuedKey], seat: Seat) -> dict[str, str]:
    """What demo-keys.json says of an environment.

    `client_id` is the user name that goes with the report key in HTTP Basic; the licence is active on the device.
    """
    secrets = {f"{capability}_key": issued.secret for capability, issued in keys.items()}
    return {
        **secrets,
        "client_id": keys[Capability.REPORT].key.id,
        "license_key": seat.license_key,
        "hwid": seat.device,
    }
