"""What a device asks of its licence, and what stands in the way (docs/protocols.md)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto

from telemetry.domain.license import License, LicenseState
from telemetry.domain.product import Product


class DeviceAction(StrEnum):
    """What a device asks."""

    VERIFY = "verify"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


class LicensingOutcome(Enum):
    """The answer to a device."""

    VALID = auto()
    ACTIVATED = auto()
    ALREADY_ACTIVE = auto()
    DEACTIVATED = auto()
    ALREADY_INACTIVE = auto()
    INVALID_KEY = auto()
    IDENTIFIER_REQUIRED = auto()
    BLOCKED = auto()
    PRODUCT_INACTIVE = auto()
    EXPIRED = auto()
    NOT_ASSIGNED = auto()
    NOT_ACTIVATED = auto()
    LIMIT_REACHED = auto()


GRANTED = frozenset(
    {
        LicensingOutcome.VALID,
        LicensingOutcome.ACTIVATED,
        LicensingOutcome.ALREADY_ACTIVE,
        LicensingOutcome.DEACTIVATED,
        LicensingOutcome.ALREADY_INACTIVE,
    }
)
"""Answers that refuse nothing; all others are blocked attempts."""

RUNNING = frozenset({LicensingOutcome.VALID, LicensingOutcome.ACTIVATED, LicensingOutcome.ALREADY_ACTIVE})
"""Answers after which the device may run."""

Calls = Counter[tuple[DeviceAction, int]]
"""Calls by the action that was asked for and the code of the answer."""


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """What was asked. Absent texts are None; `product_id` is the product the caller takes the licence to be for."""

    action: DeviceAction
    license_key: str | None
    identifier: str | None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """The activation that the device holds: its id, which never changes, and the time since when it is active."""

    id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome, and what it is about.

    `license` is None where the key is not good here, `product` where the licence's is not registered; `seat` is what
    was asked for by activating.
    """

    outcome: LicensingOutcome
    license: License | None = None
    product: Product | None = None
    seat: Seat | None = None


def obstacle(license_: License, product: Product | None, now: datetime) -> LicensingOutcome | None:
    """Why a licence gives no right to run at present, if it does not.

    What was done to this licence comes first, then its product, then what passes with time or its owner can change.
    """
    state = license_.state_at(now)
    if state in {LicenseState.SUSPENDED, LicenseState.REVOKED}:
        return LicensingOutcome.BLOCKED
    if product is not None and not product.is_active:
        return LicensingOutcome.PRODUCT_INACTIVE
    if state is LicenseState.EXPIRED:
        return LicensingOutcome.EXPIRED
    if state is LicenseState.AVAILABLE:
        return LicensingOutcome.NOT_ASSIGNED
    return None
