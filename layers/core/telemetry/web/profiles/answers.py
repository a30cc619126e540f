"""What the routes about developers and companies answer, as JSON. `bodies` makes it; the API's description shows it."""

from typing import Annotated, Literal, TypedDict

from telemetry.domain.attribution import AttributionSource
from telemetry.domain.environment import Environment
from telemetry.domain.json_strings import Day, Digest, Form, Instant
from telemetry.domain.profiles.cards import Order

DeveloperId = Annotated[str, Form(pattern="^[A-Za-z0-9_-]{22}$")]
"""A fingerprint of 16 bytes in base64url."""


class ActivityUses(TypedDict):
    """Uses of an activity type. `label` is null, and `level` `unclassified`, for one that the product does not list.

    Such a one of more than 32 bytes goes by its hash, behind `~`.
    """

    activity_type: str
    label: str | None
    level: Literal["primary", "secondary", "unclassified"]
    uses: int


class ProfileUses(TypedDict):
    """Uses of a product, not records: a record may sum up many. Levels are those that the product is set to now."""

    total: int
    primary: int
    secondary: int
    unclassified: int
    """Of activity types that the product does not list: `CALL_HOME`, which needs no listing, among them."""
    activities: list[ActivityUses]
    """The same by activity type, the most used first."""


class ProfileTotals(TypedDict):
    """Of the 30 days that end with the closed day."""

    developers: int
    companies: int
    uses: ProfileUses
    unattributed: ProfileUses
    """Uses that are no company's."""


class ProfilesAbout(TypedDict):
    """What an answer tells of, and as of when."""

    environment: Environment
    product: str
    profiles: bool
    """False for a product whose developers and companies are not listed, and for one that is not registered."""
    closed_day: Day | None
    """The last closed day, with which all numbers end; null before the first."""
    closed_at: Instant | None
    view: int | None
    """How days were attributed: 0 when they were closed, more each time that it was done anew."""
    network_file: Digest | None
    """The SHA-256 of the network file that days were attributed with; null if there was none."""
    missing: str | None
    """What is missing because there was no network file."""


class ProfileActivity(TypedDict):
    """What somebody did up to the closed day."""

    first_day: Day
    last_day: Day
    active_days: int
    """Days with a use among the last 30."""
    active_days_before: int
    """Among the 30 before these."""
    uses: ProfileUses
    """Of the last 30 days in lists and exports; all there ever were where it is said who did what at which company."""
    weeks: list[int]
    """All uses of each of 13 weeks from Monday to Sunday, oldest first; the last one goes up to the closed day."""


class ProfileCompany(TypedDict):
    """A company, and what told that it is this one."""

    id: str
    """Its domain, or `~o:` and its name where no domain is known."""
    name: str
    source: AttributionSource
    confidence: int
    """3: told by a domain; 2 and 1: by an address."""


class CompanyItem(ProfileCompany):
    """A company in a list."""

    developers: int | None
    """Who were active in the last 30 days; null for a company that came after the closed day."""
    developers_before: int | None
    """Who were active in the 30 days before these."""
    activity: ProfileActivity | None
    """Null for a company that came after the closed day."""
    countries: list[str]
    active_today: bool | None
    """Whether it has been active on this UTC day; null where that is not looked up: with a filter, in an export."""
    new_today: bool


class DeveloperName(TypedDict):
    """A developer. `name` is the id it sends, null where none is known any more."""

    id: DeveloperId
    name: str | None
    id_type: str | None
    """How the id was called: `EMAIL`, `GITHUB`, …; `device` for a device that no user is known of."""


class DeveloperItem(DeveloperName):
    """A developer in a list."""

    company: ProfileCompany | None
    carried: bool
    """The last active day told no company, an earlier one did."""
    activity: ProfileActivity | None
    """Null for a developer that came after the closed day."""
    active_today: bool | None
    """Whether it has been active on this UTC day; null where that is not looked up: with a filter, in an export."""
    new_today: bool


class ProfileList(ProfilesAbout):
    """What all lists say."""

    order: Order
    listed: int | None
    """How many the list has at most: those beyond are only exported, or found by a filter."""
    total: int | None
    """How many this list has; null for a viewer."""
    totals: ProfileTotals | None
    """Null before the first closed day."""
    next: str | None
    """The `cursor` of the next page; null at the end. It is good until the next day is closed."""


class CompanyList(ProfileList):
    """Some companies that use a product. A viewer gets totals alone."""

    items: list[CompanyItem]
    new: list[CompanyItem]
    """Those that came after the closed day; on the first page only, and not counted in `total`."""


class DeveloperList(ProfileList):
    """Some developers who use a product. A viewer gets totals alone."""

    items: list[DeveloperItem]
    new: list[DeveloperItem]
    """Those that came after the closed day; on the first page only, and not counted in `total`."""


class UseAtCompany(TypedDict):
    """What one developer did at one company, or what nobody did by name (`developer` is null)."""

    developer: DeveloperName | None
    forgotten: bool
    """The developer asked to be forgotten: numbers stay, the name does not."""
    company: ProfileCompany | None
    """Null for uses that are no company's."""
    activity: ProfileActivity
    uses: ProfileUses
    """All there ever were."""
    versions: list[str]
    countries: list[str]


class CompanyDetail(ProfilesAbout):
    """A company, and a page of the developers who ever were with it."""

    company: ProfileCompany
    first_day: Day
    last_day: Day
    """Of a company that is in no list, of the developers of this page."""
    active_today: bool
    developers: int | None
    """Who were active in the last 30 days; null for a company that is in no list."""
    developers_before: int | None
    """Who were active in the 30 days before these."""
    activity: ProfileActivity | None
    """As in lists; null for a company that is in none."""
    countries: list[str]
    anonymous: UseAtCompany | None
    """Uses that nobody did by name, as sums that the vendor's servers send."""
    items: list[UseAtCompany]
    next: str | None
    """The `cursor` of the next page; null at the end."""


class ProfileLink(DeveloperName):
    """Another developer that was seen on the same device."""

    device: str
    """The fingerprint of that device, in base64url."""
    seen_on: Day
    undone: bool
    """Staff has said that it is not so."""


class DeveloperDetail(ProfilesAbout, DeveloperName):
    """A developer of a product."""

    forgotten: bool
    """The developer asked to be forgotten: numbers stay, the name does not."""
    first_day: Day
    active_today: bool
    company: ProfileCompany | None
    """As in lists; null for a developer that is in none."""
    carried: bool
    """The last active day told no company, an earlier one did."""
    activity: ProfileActivity | None
    """As in lists; null for a developer that is in none."""
    at: list[UseAtCompany]
    """By company, the latest first."""
    links: list[ProfileLink]
    shared_devices: int
    """Devices that more than three users were seen on: they link nobody."""
