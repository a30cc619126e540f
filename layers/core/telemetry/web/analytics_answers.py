"""What the analytics routes answer, as JSON, except those about single records.

`analytics` makes it; the API's description shows it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from pydantic import GetPydanticSchema

from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.json_strings import Day, Instant
from telemetry.domain.license import LicenseState
from telemetry.domain.licensing import DeviceAction
from telemetry.domain.product import ActivityLevel
from telemetry.domain.spikes import Cause
from telemetry.web.administration.audit_entry import AuditEntry

Count = Mapping[str, int]
"""Numbers by name. Names are what clients sent: a program must not take them for members of its objects."""

AuditEntryJson = Annotated[dict[str, Any], GetPydanticSchema(lambda _, handler: handler(AuditEntry))]
"""An AuditEntry as it is dumped."""


class ProductName(TypedDict):
    """A product that records can be of. `~unknown` stands for all products that are not registered."""

    id: str
    name: str


class ProductNames(TypedDict):
    """Registered products by id, and `~unknown` if it ever had records."""

    items: list[ProductName]


# ── overview


Window = TypedDict("Window", {"from": Instant, "to": Instant})
"""From an instant, which is in it, to another one, which is not."""


class OverviewStats(TypedDict):
    """Numbers of all time (`total_…`, `flagged_…`, `clean_…`), and of the window."""

    total_records: int
    flagged_records: int
    flagged_percent: float
    clean_records: int
    clean_percent: float
    recent_activity: int
    """All records of the window."""
    range_flagged: int
    range_clean: int
    unique_users: int
    unique_devices: int
    unique_users_days: int
    """The number of UTC days, at least partly in the window, over which users and devices are counted."""
    uses: int
    """Of product usage in the window: a record stands for one, or for as many as it sums up. Not records."""


class FlagCount(TypedDict):
    """Records with a flag in the window, and in the one before it; null where there is no window before."""

    flag: Flag
    records: int
    before: int | None
    change: int | None


class TrendBucket(TypedDict):
    """The records of an hour or a UTC day. `closed`: the numbers are final."""

    start: Instant
    clean: int
    flagged: int
    closed: bool


class VersionShare(TypedDict):
    """The records of a product version. `~other` is all versions without a name here, `~unknown` is none."""

    version: str
    records: int
    percent: float


class UsedActivity(TypedDict):
    """The uses of an activity type in the window. `~other` is all types without a name here, `~unknown` is none."""

    activity_type: str
    label: str | None
    level: ActivityLevel | None
    """As the product has them; null where it does not list the type, and where no product is asked for."""
    uses: int
    first_seen: Instant
    last_seen: Instant
    """The beginning of the first and the last hour or UTC day of the window in which there were any."""


class VersionBucket(TypedDict):
    """The records of an hour or a UTC day, by version."""

    start: Instant
    versions: Count


class ActiveUsersOfDay(TypedDict):
    """Distinct users and devices of a UTC day, and distinct users of the 7 and 30 days that end with it."""

    day: Day
    users: int
    devices: int
    users_7: int
    users_30: int
    closed: bool


class LicensingCalls(TypedDict):
    """Licence calls by the code they were answered with."""

    action: DeviceAction
    code: int
    calls: int


class Activations(TypedDict):
    """Licence calls of the window. `granted`: those that were refused nothing."""

    granted: int
    blocked: int
    codes: list[LicensingCalls]


class Before(Window):
    """The window that the window is compared with: as long, and ending where it begins.

    Of `today` it is the same hours of yesterday; of `this_month` the same days of the month before, as far as it has
    them; of `last_month` the whole month before. Fields are those of the window.
    """

    users_window: Window
    recent_activity: int
    range_flagged: int
    range_clean: int
    unique_users: int
    unique_devices: int
    unique_users_days: int
    trend: list[TrendBucket]
    active_users: list[ActiveUsersOfDay]


class Overview(Window):
    """What happened in a window of time."""

    environment: Environment
    product: str | None
    """Null: all products."""
    bucket: Literal["hour", "day"]
    as_of: Instant
    users_window: Window
    """Of what the distinct users and devices are: the whole UTC days that the window touches."""
    stats: OverviewStats
    alerts: list[FlagCount]
    trend: list[TrendBucket]
    versions: list[VersionShare]
    version_trend: list[VersionBucket]
    active_users: list[ActiveUsersOfDay]
    activations: Activations
    activities: list[UsedActivity]
    before: Before | None
    """Null where the product was not there, or not counted, when that window began."""


class ActivityTypeUses(TypedDict):
    """The uses of an activity type in the window. `~other` is all types without a name here, `~unknown` is none."""

    activity_type: str
    configured: bool
    """Whether the product lists the type now. `CALL_HOME` needs no listing."""
    label: str | None
    level: ActivityLevel | None
    """As the product has them; null where it does not list the type."""
    uses: int
    first_day: Day | None
    last_day: Day | None
    """The first and the last UTC day of the window with any; null for a listed type that never arrived in it."""


class ActivityTypes(Window):
    """Activity types of a product's usage in the last 90 UTC days, today included, and those that it lists."""

    environment: Environment
    product: str
    items: list[ActivityTypeUses]


# ── licences and devices


class CustomerName(TypedDict):
    """A customer. `name` is null for one that was imported and never registered."""

    id: str
    name: str | None


class CustomerElsewhere(CustomerName):
    """A customer, and the environment of the licence."""

    environment: Environment


class TopLicense(TypedDict):
    """A licence with flagged records. Devices and addresses are the highest number of one UTC day."""

    license_id: str | None
    """Null: the key was never issued, or no record with it is left."""
    fingerprint: str
    last4: str | None
    customer: CustomerName | None
    product: str
    state: LicenseState | None
    records: int
    flagged: int
    flags: Count
    devices: int
    ips: int
    countries: list[str]
    first_seen: Instant
    last_seen: Instant


class Counted(TypedDict):
    """What the numbers of a list are worth."""

    window: Window
    """Of what the numbers are: the whole UTC days that the window touches."""
    exact: bool
    """False: for days that are not closed, only the newest flagged records were looked at."""
    note: str
    """What the numbers count."""


class TopLicenses(Counted):
    """The licences with the most flagged records."""

    items: list[TopLicense]


class ExcessItem(TypedDict):
    """A licence or a customer with many devices on one UTC day."""

    kind: Literal["license", "customer"]
    license_id: str | None
    customer_id: str | None
    name: str
    last4: str | None
    devices: int
    limit: int | None
    """The activation limit; null: none."""
    over: bool


class DeviceExcess(Counted):
    """Licences and customers with many devices."""

    items: list[ExcessItem]


class Mismatch(TypedDict):
    """A licence key of another environment. `customer` is null unless the staff key opens that environment too."""

    fingerprint: str
    last4: str | None
    records: int
    first_seen: Instant
    last_seen: Instant
    customer: CustomerElsewhere | None


class Mismatches(Counted):
    """Licence keys of other environments."""

    items: list[Mismatch]


class NotableLicenses(TypedDict):
    """Which licences to look at."""

    top: TopLicenses
    devices: DeviceExcess
    mismatches: Mismatches


# ── alerts


class ApiKeyName(TypedDict):
    """An API key. `name` and `last4` are null for a key that is not known any more."""

    id: str
    name: str | None
    last4: str | None


class LicenseName(TypedDict):
    """A licence, as far as it is known."""

    fingerprint: str
    license_id: str | None
    last4: str | None


class _FlaggedNumbers(TypedDict):
    flagged: int
    most_expected: int


class FlaggedEvidence(_FlaggedNumbers, total=False):
    """How many flagged records there were, and at most were to be expected; of which flags and which licence."""

    flags: Count
    license: LicenseName


class KeyEvidence(TypedDict):
    """How many events came with an API key, and at most were to be expected."""

    events: int
    most_expected: int
    api_key: ApiKeyName


class SpikeLicense(LicenseName):
    """A licence of an episode, and what flags point at it with: records, and distinct devices."""

    customer: CustomerName | None
    state: LicenseState | None
    limit: int | None
    """The activation limit; null: none."""
    flagged: int
    devices: int
    devices_at_least: bool
    """There may be more devices: of a licence, a day tells about a thousand apart."""


class SpikeSoFar(TypedDict):
    """What an episode has come to over whole UTC days: from the one on which it began to today, or to its last spike.

    Of a longer one, over the last 31 days.
    """

    first_day: Day
    last_day: Day
    days: int
    records: int
    """Records with a piracy or licence flag; of an API key all its events."""
    licenses: list[SpikeLicense]
    """Up to ten that had 50 flagged records in a day, the most flagged first."""


class SpikeSaid(TypedDict):
    """Which staff key said something of an episode, and when."""

    key_id: str
    key_name: str
    at: Instant


class SpikeMuted(SpikeSaid):
    """For how long it is muted; null: until it ends."""

    until: Instant | None


class Spike(TypedDict):
    """An episode of spikes. `opened_at` and `last_seen` are the beginnings of hours."""

    id: str
    """What the admin API calls it by."""
    product: str | None
    """Null for a spike of an API key: its events may be of any product."""
    opened_at: Instant
    last_seen: Instant
    closed_at: Instant | None
    cause: Cause
    evidence: FlaggedEvidence | KeyEvidence
    """What opened it."""
    so_far: SpikeSoFar | None
    """Null of one of which nothing is left, and beyond the first 20 of an answer."""
    acknowledged: SpikeSaid | None
    muted: SpikeMuted | None
    """Null also where its time is over, or the episode has ended."""


class Spikes(TypedDict):
    """Episodes of spikes, the latest first."""

    items: list[Spike]


# ── system logs


class FailedCall(TypedDict):
    """Calls of one caller in an hour from which nothing was stored, or in which nothing could be read."""

    hour: Instant
    environment: Environment | None
    """Null for an unknown key."""
    cause: str
    """A FailedCallCause, or `~other`."""
    last4: str | None
    ip: str
    calls: int


class ClosedDay(TypedDict):
    """A day that was closed, and when."""

    day: Day
    closed_at: Instant


class SystemLogs(TypedDict):
    """Failed calls, what staff did, exports, closed days; the newest first."""

    failed_calls: list[FailedCall]
    staff_actions: list[AuditEntryJson]
    exports: list[AuditEntryJson]
    closings: list[ClosedDay]
    cut: list[str]
    """The names of the lists of which there is more than is shown."""
