"""Lists of licences: which are wanted, and in which order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telemetry.domain.environment import Environment
from telemetry.domain.license import License, LicenseState

MOST_SORTED = 2_000
"""Licences of a list in another order than that of their issue: it is read whole for each page."""

_NEVER = "~"  # after every time
_STATES = list(LicenseState)


class Seats(StrEnum):
    """How many of the devices that a licence allows are active. Licences without a limit are neither."""

    FULL = "full"
    """As many as it allows, or more."""
    OVER = "over"
    """More: its limit was lowered, or more were imported."""


class LicenseOrder(StrEnum):
    """How a list is ordered; with `-` the other way round."""

    ISSUED = "issued"
    NEWEST = "-issued"
    EXPIRY = "expires"
    LAST_EXPIRY = "-expires"
    SEATS = "seats"
    MOST_SEATS = "-seats"
    CUSTOMER = "customer"
    LAST_CUSTOMER = "-customer"
    PRODUCT = "product"
    LAST_PRODUCT = "-product"
    STATE = "state"
    LAST_STATE = "-state"

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")

    @property
    def is_of_issue(self) -> bool:
        """Whether storage has them in this order: such a list may have any length."""
        return self in {LicenseOrder.ISSUED, LicenseOrder.NEWEST}


@dataclass(frozen=True, slots=True)
class LicenseFilter:
    """Which licences of an environment match; None matches any value.

    `state` is the one at the time of asking. `ends_by`: it ends between then and this time.
    """

    environment: Environment
    product_id: str | None = None
    customer_id: str | None = None
    state: LicenseState | None = None
    seats: Seats | None = None
    ends_by: datetime | None = None


def sort_key(order: LicenseOrder, names: Mapping[str, str], now: datetime) -> Callable[[License], tuple[str, str]]:
    """What a list is sorted by: a text, and the id, so that no two are equal. `names` are customers' names by id."""
    by: Mapping[str, Callable[[License], str]] = {
        "issued": lambda each: each.created_at.isoformat(),
        "expires": lambda each: each.expires_at.isoformat() if each.expires_at else _NEVER,
        "seats": lambda each: f"{each.active_activations:09d}",
        "customer": lambda each: names.get(each.customer_id or "", each.customer_id or "").casefold(),
        "product": lambda each: (each.product_id or "").casefold(),
        "state": lambda each: str(_STATES.index(each.state_at(now))),
    }
    of = by[order.value.removeprefix("-")]
    return lambda each: (of(each), each.id)
