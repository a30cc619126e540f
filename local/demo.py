"""The demo vendor: what a fresh state begins with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local import Json
from telemetry.domain.api_key import Capability, Role
from telemetry.domain.environment import Environment
from telemetry.domain.judge import Product
from telemetry.domain.keyring import Keyring
from telemetry.services.api_keys import issue_sdk_key, issue_staff_key
from telemetry.settings import TableNames
from telemetry.storage.registry import RegistryStore

PRODUCTS = (
    Product("orbit-cli", "Orbit CLI"),
    Product("orbit-desktop", "Orbit Desktop"),
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
    registry = RegistryStore(site.tables.registry)
    for product in PRODUCTS:
        registry.put_product(product)
    if history:
        site.say("there is no demo history yet")
    return {
        "admin_key": _staff_key(site, registry, Role.SUPER_ADMIN),
        "viewer_key": _staff_key(site, registry, Role.VIEWER),
        "products": [product.id for product in PRODUCTS],
        "environments": {environment.value: _sdk_keys(site, registry, environment) for environment in Environment},
    }


def _staff_key(site: Site, registry: RegistryStore, role: Role) -> str:
    return issue_staff_key(f"demo {role}", frozenset(Environment), role, site.keyring, registry).secret


def _sdk_keys(site: Site, registry: RegistryStore, environment: Environment) -> dict[str, str]:
    keys = {}
    for capability in Capability:
        issued = issue_sdk_key(f"demo {capability}", environment, frozenset({capability}), None, site.keyring, registry)
        keys[f"{capability}_key"] = issued.secret
        if capability is Capability.REPORT:
            keys["client_id"] = issued.key.id
    return keys
