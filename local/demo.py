"""The demo vendor: what a fresh state begins with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from local import Json
from local.demo_history import CLI, DAYS, DESKTOP, replay
from local.demo_licenses import CUSTOMERS, Fleet, issue_licenses
from telemetry.domain.api_key import Access, Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Keyring
from telemetry.domain.product import Product
from telemetry.domain.recount import Unit
from telemetry.domain.shards import ShardPlan
from telemetry.services.api_keys import IssuedKey, issue_sdk_key, issue_staff_key
from telemetry.services.close_day import BETWEEN_COUNTS, DayCloser
from telemetry.services.ingest import Ingest
from telemetry.settings import TableNames
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.customers import CustomerStore
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.license_lookup import LicenseLookup
from telemetry.storage.licenses import LicenseStore
from telemetry.storage.products import Catalogue, ProductStore
from telemetry.storage.records import RecordStore

PRODUCTS = (
    Product(DESKTOP, "Orbit Desktop"),
    Product(CLI, "Orbit CLI", activity_types=frozenset({"primary", "secondary1"})),
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where to load the demo. AWS clients made without arguments reach its database.

    `settings` are the ingest function's variables; `settle` takes all that the record streams hold to rollup, and
    returns when it is counted; `say` tells progress.
    """

    tables: TableNames
    keyring: Keyring
    settings: Mapping[str, str]
    settle: Callable[[], None]
    say: Callable[[str], None]


def load(site: Site, *, history: bool) -> dict[str, Json]:
    """Makes products, keys and, if wanted, their `history`; gives the content of demo-keys.json, except its url."""
    products, api_keys, now = ProductStore(site.tables.registry), ApiKeyStore(site.tables.registry), datetime.now(UTC)
    for product in PRODUCTS:
        products.put(product)
    issued = {environment: _sdk_keys(site, api_keys, environment, now) for environment in Environment}
    store = LicenseStore(site.tables.registry, site.keyring)
    site.say("  customers, licences and activations")
    for customer in CUSTOMERS:
        CustomerStore(site.tables.registry).add(customer)
    fleets = issue_licenses(DESKTOP, store, site.keyring, now - timedelta(days=DAYS), Random(7))
    if history:
        access = {environment: Access(keys[Capability.INGEST].key, environment) for environment, keys in issued.items()}
        _replay(site, access, fleets, now)
    return {
        "admin_key": _staff_key(site, api_keys, Role.SUPER_ADMIN, now),
        "viewer_key": _staff_key(site, api_keys, Role.VIEWER, now),
        "products": [product.id for product in PRODUCTS],
        "environments": {
            environment.value: _shown(issued[environment], fleets[environment]) for environment in Environment
        },
    }


def _replay(
    site: Site, access: Mapping[Environment, Access], fleets: Mapping[Environment, Fleet], now: datetime
) -> None:
    shards = ShardPlan.parse(site.settings["RECORD_SHARDS"])
    records = {environment: RecordStore(site.tables.records(environment), shards) for environment in Environment}
    products, licenses = ProductStore(site.tables.registry), LicenseStore(site.tables.registry, site.keyring)
    ingest = Ingest(
        records=records.__getitem__,
        products=Catalogue(products).find_all,
        licenses=LicenseLookup(licenses, site.keyring).views,
        keyring=site.keyring,
        retention_days=lambda _: int(site.settings["RETENTION_DAYS"]),
    )

    def close(moment: datetime) -> None:
        for environment in Environment:
            aggregates = site.tables.aggregates(environment)
            of_days = DayRecordStore(records[environment])
            DayCloser.of(aggregates, of_days, [product.id for product in PRODUCTS], _no_part).close(moment)

    def progress(day: int) -> None:
        if day % 5 == 0:
            site.say(f"  day {day} of {DAYS}")

    kept = replay(ingest, access, fleets, now, site.settle, progress)
    site.say("  closing days")
    for moment in (now - BETWEEN_COUNTS, now):
        close(moment)
    site.say(f"  {kept} events kept, {DAYS} days closed")


def _no_part(unit: Unit) -> None:
    raise AssertionError(f"a demo's day is never counted in parts: {unit}")


def _staff_key(site: Site, api_keys: ApiKeyStore, role: Role, now: datetime) -> str:
    return issue_staff_key(f"demo {role}", frozenset(Environment), role, site.keyring, api_keys, now).secret


def _sdk_keys(
    site: Site, api_keys: ApiKeyStore, environment: Environment, now: datetime
) -> dict[Capability, IssuedKey]:
    return {
        capability: issue_sdk_key(
            f"demo {capability}", environment, frozenset({capability}), None, site.keyring, api_keys, now
        )
        for capability in Capability
    }


def _shown(keys: Mapping[Capability, IssuedKey], fleet: Fleet) -> dict[str, str]:
    """`client_id` is the user name that goes with the report key in HTTP Basic; the licence is active on the device."""
    secrets = {f"{capability}_key": issued.secret for capability, issued in keys.items()}
    seat = fleet.seats[-1]
    return {
        **secrets,
        "client_id": keys[Capability.REPORT].key.id,
        "license_key": seat.license_key,
        "hwid": seat.device,
    }
