"""What lists show of a developer or company: its last 13 weeks, up to the last closed day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

WINDOW_DAYS = 30
"""Of the numbers that lists go by."""

LONGEST_SHOWN = 200
"""Bytes of UTF-8 of a name: an item then takes one write unit, whatever clients call themselves."""

WEEKS = 13
"""Of a trend: from Monday to Sunday, UTC. The last one is that of the closed day, and may be under way."""


class Order(StrEnum):
    """How a list is sorted. `new` and `quiet` leave out whom they do not mean."""

    ACTIVE = "active"
    """Companies by developers, developers by active days, in the last 30 days."""
    NEW = "new"
    """First seen in the last 30 days, the latest first."""
    GROWING = "growing"
    """More in the last 30 days than in the 30 days before, by how much."""
    QUIET = "quiet"
    """Active in two of the four weeks before, and not at all for 14 days; those that were more active first."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What somebody did, up to a closed day.

    `uses` are those of the last 30 days by activity type; `weeks` all uses of each of 13 weeks, oldest first. `days`
    and `days_before` are active days in the last 30 days, and in the 30 days before.
    """

    first: date
    last: date
    days: int
    days_before: int
    uses: Mapping[str, int]
    weeks: tuple[int, ...]
    is_quiet: bool = False
    """As `Order.QUIET` means it."""


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company as attribution names it, and how surely: `source` is `domain` or `address`, `confidence` 3, 2 or 1."""

    id: str
    name: str
    source: str
    confidence: int


@dataclass(frozen=True, slots=True)
class CompanyCard:
    """A company in a list. `developers` were active in the last 30 days, `developers_before` in the 30 days before."""

    company: CompanyName
    activity: Activity
    developers: int
    developers_before: int
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeveloperCard:
    """A developer in a list. `name` is the id it sends, None where none is known or it is forgotten.

    `id_type` is how the id was called (`EMAIL`, `GITHUB`, …), `device` of a device. `is_carried`: the last day told no
    company, an earlier one did.
    """

    fingerprint: bytes
    name: str | None
    id_type: str | None
    company: CompanyName | None
    is_carried: bool
    activity: Activity


def shown(name: str) -> str:
    """A name as it is kept to be shown: a very long one is cut."""
    encoded = name.encode()
    return name if len(encoded) <= LONGEST_SHOWN else f"{encoded[: LONGEST_SHOWN - 3].decode(errors='ignore')}…"
