"""What is shown of developers and companies (services.profiles.reader makes it)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from telemetry.domain.profiles.cards import Activity, CompanyCard, CompanyName, DeveloperCard

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the last 30 days, up to a closed day; uses by activity type. `unattributed` uses are no company's."""

    developers: int
    companies: int
    uses: Mapping[str, int]
    unattributed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Attributed:
    """How days were attributed. `network_file` is the SHA-256 (hex) of the file, None where there was none.

    `view` is 0 for what closing made, and grows with each time that days were attributed anew.
    """

    view: int
    made_at: datetime
    network_file: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """The last closed day of a product's profiles. `listed`: how many are in each list at most; more are not listed."""

    day: date
    closed_at: datetime
    totals: Totals
    attributed: Attributed
    listed: int


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company in a list. `is_new`: it came after the last closed day, and `card` is None."""

    company: CompanyName
    card: CompanyCard | None
    is_active_today: bool
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class DeveloperRow:
    """A developer in a list. `is_new`: it came after the last closed day, and has no card."""

    fingerprint: bytes
    name: str | None
    id_type: str | None
    company: CompanyName | None
    card: DeveloperCard | None
    is_active_today: bool
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Listing(Generic[C]):
    """A page of a list, and where the next one begins. `new` are those of today, on the first page only.

    `total` is how many the list has. `closed` is None as long as no day is closed.
    """

    closed: Closed | None
    rows: Sequence[C]
    new: Sequence[C]
    total: int
    rest: int | None


@dataclass(frozen=True, slots=True)
class AtCompany:
    """What a developer did at one company (None: at none that is known). `uses` are all there ever were.

    So are `activity.uses` here: what a developer did is not kept by day and type.
    """

    company: CompanyName | None
    fingerprint: bytes
    name: str | None
    id_type: str | None
    activity: Activity
    uses: Mapping[str, int]
    versions: tuple[str, ...]
    countries: tuple[str, ...]
    is_forgotten: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Two ids that one event tied together: this developer, and another one (or a device) of this fingerprint.

    `device` is the device that both were seen with. `is_undone`: staff has said that it is not so.
    """

    fingerprint: bytes
    name: str | None
    id_type: str | None
    device: bytes
    seen_on: date
    is_undone: bool


@dataclass(frozen=True, slots=True)
class DeveloperView:
    """One developer of a product."""

    closed: Closed | None
    fingerprint: bytes
    name: str | None
    id_type: str | None
    first: date
    at: Sequence[AtCompany]
    """The latest first."""
    links: Sequence[Link]
    shared_devices: int
    """Devices that were seen with more than three users: they link nobody."""
    is_active_today: bool
    is_forgotten: bool
    card: DeveloperCard | None = None
    """As in lists; None for one that is in none."""


@dataclass(frozen=True, slots=True)
class CompanyView:
    """One company among a product's users. `anonymous` is what nobody did by name.

    `developers` is a page of those who ever were with it, by fingerprint; `rest` is where the next page begins.
    `card` is None for one that is in no list: `developers` tell what it did then.
    """

    closed: Closed | None
    company: CompanyName
    card: CompanyCard | None
    first: date
    last: date
    anonymous: AtCompany | None
    developers: Sequence[AtCompany]
    rest: bytes | None
    is_active_today: bool
