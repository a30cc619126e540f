"""The demo vendor's licences, the honest users of them, and the others."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from telemetry.domain.customer import Customer
from telemetry.domain.environment import Environment
from telemetry.domain.keyring import Identity, Keyring
from telemetry.domain.license import License, LicenseState, last_four, license_id
from telemetry.retry import Deadline
from telemetry.storage.activations import ActivationStore
from telemetry.storage.licenses import LicenseStore

SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_BEGINNINGS = ("Aurora", "Bluepeak", "Cobalt", "Dune", "Everfield", "Fjord", "Granite", "Harbour", "Indigo", "Juniper")
_ENDINGS = ("Labs", "Systems", "Works", "Energy")
CUSTOMERS = tuple(
    Customer(f"{first}-{second}".lower(), f"{first} {second}", f"it@{first}-{second}.example".lower(), SINCE)
    for second in _ENDINGS
    for first in _BEGINNINGS
)
"""Forty of them, the same in all environments."""

OUTBREAK = (17, 18, 19)
"""The days, counted from the first, on which a leaked key goes round."""

_LICENSES = {Environment.PRODUCTION: 300, Environment.STAGING: 24, Environment.DEVELOPMENT: 8}
SEATS = 3
_PIRATES = 260
# of a hundred licences, how many are not simply active
_ODD = {LicenseState.REVOKED: 3, LicenseState.SUSPENDED: 2, LicenseState.EXPIRED: 3, LicenseState.AVAILABLE: 8}
_NEVER_ACTIVATED = 4


@dataclass(frozen=True, slots=True)
class Seat:
    """A device that runs under a licence key, rightly or not."""

    license_key: str
    device: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who runs what in one environment.

    `seats` are honest; `odd` are a few that turn up now and then with a licence that is revoked, suspended, expired or
    was never activated, with a key of another environment, or with one nobody issued. `leaked` belongs to somebody.
    """

    seats: tuple[Seat, ...]
    odd: tuple[Seat, ...]
    leaked: str
    pirates: tuple[str, ...]


def issue_licenses(
    product_id: str, store: LicenseStore, keyring: Keyring, began_at: datetime, random: Random
) -> dict[Environment, Fleet]:
    """Makes all licences and activations, as they were on the first day."""
    keys = {
        environment: _issue(environment, product_id, store, keyring, began_at, random) for environment in Environment
    }
    foreign = {environment: keys[_neighbour(environment)][LicenseState.ACTIVE][1] for environment in Environment}
    return {environment: _fleet(keys[environment], foreign[environment], random) for environment in Environment}


_Keys = dict[LicenseState, list[Seat]]


def _issue(
    environment: Environment,
    product_id: str,
    store: LicenseStore,
    keyring: Keyring,
    began_at: datetime,
    random: Random,
) -> _Keys:
    seats: _Keys = {state: [] for state in LicenseState}
    states = [state for state, share in _ODD.items() for _ in range(max(1, _LICENSES[environment] * share // 100))]
    never_activated = max(1, _LICENSES[environment] * _NEVER_ACTIVATED // 100)
    for number in range(_LICENSES[environment]):
        state = states[number] if number < len(states) else LicenseState.ACTIVE
        key = "-".join(["ORBIT", *(random.randbytes(2).hex().upper() for _ in range(4))])
        license_ = License(
            id=license_id(environment, key, keyring),
            environment=environment,
            fingerprint=keyring.fingerprint(Identity.LICENSE, key),
            last_four=last_four(key),
            product_id=product_id,
            customer_id=None if state is LicenseState.AVAILABLE else CUSTOMERS[number % len(CUSTOMERS)].id,
            state=state,
            expires_at=began_at - timedelta(days=1) if state is LicenseState.EXPIRED else None,
            activation_limit=SEATS,
            active_activations=0,
            created_at=began_at - timedelta(days=random.randrange(1, 400)),
        )
        store.add(license_, key)
        seat = Seat(key, random.randbytes(16).hex())
        if len(states) <= number < len(states) + never_activated:
            seats[LicenseState.ASSIGNED].append(seat)  # in use, but never activated
            continue
        seats[state].append(seat)
        if state is LicenseState.ACTIVE:
            ActivationStore(store.table, keyring).activate(license_, seat.device, began_at, Deadline(60))
    return seats


def _fleet(seats: _Keys, foreign: Seat, random: Random) -> Fleet:
    states = (LicenseState.REVOKED, LicenseState.SUSPENDED, LicenseState.EXPIRED, LicenseState.ASSIGNED)
    odd = [seat for state in states for seat in seats[state][:3]]
    invented = [Seat(f"KEYGEN-{random.randbytes(4).hex().upper()}", random.randbytes(16).hex()) for _ in range(3)]
    return Fleet(
        seats=tuple(seats[LicenseState.ACTIVE]),
        odd=(*odd, *invented, foreign),
        leaked=seats[LicenseState.ACTIVE][0].license_key,
        pirates=tuple(random.randbytes(16).hex() for _ in range(_PIRATES)),
    )


def _neighbour(environment: Environment) -> Environment:
    """Whose keys turn up here: staging's in production, and the other way round."""
    if environment is Environment.STAGING:
        return Environment.PRODUCTION
    return Environment.STAGING
