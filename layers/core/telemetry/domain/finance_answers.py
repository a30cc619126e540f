"""The documents of finance's reports, as JSON. `finance_report` makes them; the API's description describes them."""

from typing import TypedDict

from telemetry.domain.json_strings import Day, Digest, Instant, MonthName

_Period = TypedDict("_Period", {"from": Day, "to": Day})
_Months = TypedDict("_Months", {"from": MonthName, "to": MonthName})


class Evidence(TypedDict):
    """When what is told was closed and computed, and its digest; all null for days before the first report."""

    closed_at: Instant | None
    computed_at: Instant | None
    digest: Digest | None


class Definition(TypedDict):
    """What the numbers count, so that an answer explains itself."""

    window_start: Instant
    window_end: Instant
    """Not included."""
    zone: str
    clock: str
    user: str
    audiences: list[str]
    excluding_flags: list[str]
    """Flags that keep a record from counting towards audience `users`."""
    counts: dict[str, str]
    """What each number counts, by its name."""


class WindowAsked(TypedDict):
    """The window that was asked for."""

    environment: str
    application: str
    days: int
    as_of: Day
    audience: str


class PeriodAsked(_Period):
    """The days that were asked for, both included."""

    environment: str
    application: str


class MonthsAsked(_Months):
    """The months that were asked for, both included."""

    environment: str
    application: str
    audience: str


class DayAsked(TypedDict):
    """The day that was asked for."""

    environment: str
    application: str
    day: Day


class ActiveUsersNumbers(Evidence):
    """The users of a window, and the evidence of the day it ends with."""

    users: int


class ActiveUsersReport(WindowAsked, ActiveUsersNumbers):
    """Distinct users of a window that ends with a closed day."""

    definition: Definition


class DailyRow(Evidence):
    """The users of a day, and of the windows that end with it."""

    day: Day
    users: int
    all_users: int
    devices: int
    users_7: int
    users_30: int
    users_90: int
    users_365: int
    records: int
    flagged: int
    clean: int


class DailyNumbers(Evidence):
    """The days, and the evidence of all of them."""

    rows: list[DailyRow]


class DailyReport(PeriodAsked, DailyNumbers):
    """Users day by day."""

    definition: Definition


class MonthRow(Evidence):
    """The users of a month, and the evidence of the day `through`."""

    month: MonthName
    through: Day
    """The last closed day of the month."""
    final: bool
    """Whether that is its last day: then nothing of the row ever changes."""
    users: int
    """Distinct ones; `new`, `returning` and `back` together."""
    new: int
    """Not active in the eleven months before."""
    returning: int
    """Active in the month before, too."""
    back: int
    """Not active in the month before, but in one of the ten before that."""
    lost: int | None
    """Active in the month before, and not in this one; null as long as it is not final."""
    records: int
    flagged: int


class MonthsNumbers(Evidence):
    """The months, and the evidence of all of them."""

    rows: list[MonthRow]


class MonthsReport(MonthsAsked, MonthsNumbers):
    """Users month by month."""

    definition: Definition


class FlaggedRecords(TypedDict):
    """Records by piracy and licence flag. A record with several flags is counted for each of them."""

    records: int
    flagged: int
    """Records with at least one flag of any class."""
    INVALID_LICENSE: int
    ENVIRONMENT_MISMATCH: int
    REVOKED_LICENSE: int
    BYPASSED_ACTIVATION: int
    EXPIRED_LICENSE: int
    SUSPENDED_LICENSE: int
    UNASSIGNED_LICENSE: int
    PRODUCT_MISMATCH: int
    piracy: int
    """The sum of the piracy flags."""
    license: int
    """The sum of the licence flags."""


class PiracyRow(FlaggedRecords, Evidence):
    """The flagged records of a day."""

    day: Day


class PiracyNumbers(Evidence):
    """The days, their sums, and the evidence of all of them."""

    totals: FlaggedRecords
    rows: list[PiracyRow]


class PiracyReport(PeriodAsked, PiracyNumbers):
    """Flagged records day by day."""

    definition: Definition


class ActiveCounts(TypedDict):
    """Distinct users and devices of each audience, by the number of days that end with the day (1, 7, 30, 90, 365)."""

    users: dict[str, int]
    all_users: dict[str, int]
    devices: dict[str, int]


class VersionRecords(TypedDict):
    """The records of a product version."""

    version: str
    records: int


class HourRecords(TypedDict):
    """The records of an hour."""

    start: Instant
    records: int
    flagged: int


class DayNumbers(Evidence):
    """All that is shown of the report of a day: no licences."""

    records: int
    flagged: int
    clean: int
    flags: dict[str, int]
    """Records by flag; flags without records are left out."""
    active: ActiveCounts
    lifetime_records: int
    lifetime_flagged: int
    versions: list[VersionRecords]
    hours: list[HourRecords]
    chain: Digest | None
    """SHA-256 over the chain of the day before and the digest."""
    evidence: dict[str, str]
    """Digests of the index partitions; for all applications together, of the applications' reports."""


class WholeDayReport(DayAsked, DayNumbers):
    """The report of a day."""

    definition: Definition


class ApplicationItem(TypedDict):
    """An application that reports can be asked of. `registered` is false if it only had records."""

    application: str
    name: str
    registered: bool


class ApplicationsAbout(TypedDict):
    """Whose applications these are, and the last closed day."""

    environment: str
    closed_through: Day | None


class Applications(ApplicationsAbout):
    """The applications that have reports."""

    items: list[ApplicationItem]
