"""What happened in a window of time, made of closed days' numbers and of the hours counted since.

A closed day's numbers are those of its report, and final; a day that is not closed yet has what rollup has counted so
far. Hours are always as rollup counted them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from telemetry.domain.active_users import LONGEST_WINDOW, Audience, RunningBalance, count_active
from telemetry.domain.day_report import WINDOWS, DayTotals
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.errors import InvalidField
from telemetry.domain.flags import Flag
from telemetry.domain.hourly_counts import FLAGGED, OTHER, RECORDS, HourCounts, Kind, largest, total, uses_by_activity
from telemetry.domain.instant import hour_of, midnight
from telemetry.domain.licensing import Calls
from telemetry.domain.window import Range, Window, compared

ALERTS = (Flag.INVALID_LICENSE, Flag.BYPASSED_ACTIVATION, Flag.REVOKED_LICENSE, Flag.ENVIRONMENT_MISMATCH)
"""The flags that have a number of their own."""

MOST_HOURS = 7 * 24
"""The most hours into which a window may be cut."""

MOST_VERSIONS = MOST_ACTIVITIES = 20
"""The most versions, and activity types, that are shown by name; the rest is OTHER."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A window, cut into hours or UTC days. `range` is its name, if it has one."""

    window: Window
    is_hourly: bool
    range: Range | None = None

    @property
    def step(self) -> timedelta:
        return _HOUR if self.is_hourly else _DAY

    @property
    def starts(self) -> list[datetime]:
        """The beginning of each bucket."""
        return list(_steps(self.window.since, self.window.until, self.step))

    @property
    def before(self) -> "Timeline":
        """The window that this one is compared with."""
        return Timeline(compared(self.window, self.range), self.is_hourly)

    @property
    def days(self) -> list[date]:
        """The UTC days it touches."""
        return [moment.date() for moment in _steps(midnight(self.window.since.date()), self.window.until, _DAY)]


def timeline(window: Window, now: datetime, *, is_hourly: bool, range_: Range | None = None) -> Timeline:
    """The window, at most to the end of this hour or day. Raises InvalidField."""
    this_hour = hour_of(now)
    end = this_hour + _HOUR if is_hourly else this_hour.replace(hour=0) + _DAY
    cut = Timeline(Window(window.since, min(window.until, end)), is_hourly, range_)
    if window.since >= end:
        raise InvalidField("from", "Must not be in the future")
    if is_hourly and any(hour_of(moment) != moment for moment in (window.since, window.until)):
        raise InvalidField("from", "Must be a full hour, and so must `to`")
    if is_hourly and cut.window.until - cut.window.since > MOST_HOURS * _HOUR:
        raise InvalidField("from", "By the hour, a window has at most seven days; for a longer one give UTC days")
    if len(cut.days) > LONGEST_WINDOW:
        raise InvalidField("from", f"A window has at most {LONGEST_WINDOW} days")
    return cut


@dataclass(frozen=True, slots=True)
class Bucket:
    """An hour or a UTC day. `flags` are by flag code; `versions` sum to `records`. `uses` are by activity type."""

    start: datetime
    records: int
    flagged: int
    flags: Mapping[str, int]
    versions: Mapping[str, int]
    uses: Mapping[str, int]
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of a product or the catalogue.

    `totals` and `summaries` are of closed days, `latest` is of the last one that has a report, and `closed` is the last
    closed day, which is another one where a product was registered after it. `hours` are all hours after that, and
    others where they are needed.
    """

    totals: Mapping[date, DayTotals]
    latest: DayTotals | None
    summaries: Mapping[date, DaySummary]
    hours: Mapping[datetime, HourCounts]
    closed: date | None

    def is_closed(self, day: date) -> bool:
        return self.closed is not None and day <= self.closed

    def lifetime(self) -> tuple[int, int]:
        """The number of all records ever received, and of the flagged ones among them."""
        since = total(hour for start, hour in self.hours.items() if not self.is_closed(start.date()))
        closed = (self.latest.lifetime_records, self.latest.lifetime_flagged) if self.latest else (0, 0)
        return closed[0] + since[RECORDS], closed[1] + since[FLAGGED]

    def has_all(self, cut: Timeline) -> bool:
        """Whether the product was there, and counted, when this window began."""
        first = cut.days[0]
        if self.is_closed(first):
            return first in self.totals
        return self.latest is not None or any(hour.date() <= first for hour in self.hours)

    def buckets(self, cut: Timeline) -> list[Bucket]:
        """One for each hour or day; none is missing."""
        of = self._hour if cut.is_hourly else self._day
        return [of(start) for start in cut.starts]

    def _hour(self, start: datetime) -> Bucket:
        return _live(start, self.hours.get(start, Counter()), is_closed=self.is_closed(start.date()))

    def _day(self, start: datetime) -> Bucket:
        day = start.date()
        if not self.is_closed(day):
            return _live(start, total(hour for at, hour in self.hours.items() if at.date() == day), is_closed=False)
        totals, summary = self.totals.get(day), self.summaries.get(day)
        if totals is None:  # the product was not known yet
            return Bucket(start, 0, 0, {}, {}, {}, is_closed=True)
        versions = summary.versions if summary else {OTHER: totals.records}
        uses = summary.uses if summary else {}
        return Bucket(start, totals.records, totals.flagged, totals.flags, versions, uses, is_closed=True)


@dataclass(frozen=True, slots=True)
class ActiveDay:
    """Distinct users on a UTC day, and over the 7 and 30 days that end with it; distinct devices on the day."""

    day: date
    users: int
    devices: int
    users_7: int
    users_30: int
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Alert:
    """Records with a flag in the window, and in the one before it, if there is one."""

    flag: Flag
    records: int
    before: int | None


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity type that was used: how often, and the first and the last hour or day in the window."""

    name: str
    uses: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Distinct:
    """Distinct users and devices over some UTC days."""

    users: int
    devices: int


@dataclass(frozen=True, slots=True)
class Before:
    """The window that a window is compared with. `distinct` are over the UTC days it touches."""

    timeline: Timeline
    distinct: Distinct
    buckets: Sequence[Bucket]
    active: Sequence[ActiveDay]


@dataclass(frozen=True, slots=True)
class Overview:
    """All that is shown of a window. `users` and `devices` are distinct ones over the UTC days it touches.

    `versions` sum to `records`, the most frequent first; each bucket's are by the same names. There is no `before`
    where the product was not there, or not counted, when that window began.
    """

    timeline: Timeline
    before: Before | None
    lifetime_records: int
    lifetime_flagged: int
    records: int
    flagged: int
    users: int
    devices: int
    alerts: Sequence[Alert]
    buckets: Sequence[Bucket]
    versions: Mapping[str, int]
    version_trend: Sequence[Mapping[str, int]]
    active: Sequence[ActiveDay]
    calls: Calls
    activities: Sequence[Activity]
    """The most used first. Their uses sum to all."""


def overview(
    cut: Timeline, counted: Counted, ledger: RunningBalance, calls: Calls, distinct_before: Distinct | None = None
) -> Overview:
    """`ledger` is of the last day the window touches, `calls` are those of licensing in the window.

    Without `distinct_before` there is no window before it.
    """
    buckets = counted.buckets(cut)
    before = _before(cut.before, counted, ledger, distinct_before) if distinct_before else None
    versions = largest(total(bucket.versions for bucket in buckets), MOST_VERSIONS)
    flags = total(bucket.flags for bucket in buckets)
    flags_before = total(bucket.flags for bucket in before.buckets) if before else None
    records, flagged = counted.lifetime()
    distinct = distinct_over(cut, ledger)
    return Overview(
        timeline=cut,
        before=before,
        lifetime_records=records,
        lifetime_flagged=flagged,
        records=sum(bucket.records for bucket in buckets),
        flagged=sum(bucket.flagged for bucket in buckets),
        users=distinct.users,
        devices=distinct.devices,
        alerts=[
            Alert(flag, flags[flag.code], None if flags_before is None else flags_before[flag.code]) for flag in ALERTS
        ],
        buckets=buckets,
        versions=versions,
        version_trend=[_by_names(bucket.versions, versions) for bucket in buckets],
        active=[_active_day(day, counted, ledger) for day in cut.days],
        calls=calls,
        activities=_activities(buckets),
    )


def distinct_over(cut: Timeline, ledger: RunningBalance) -> Distinct:
    """Those of the UTC days that a window touches; `ledger` is of the last one, or of a later one if that is open."""
    last, days = cut.days[-1], len(cut.days)
    return Distinct(_active(ledger, last, Audience.USERS, days), _active(ledger, last, Audience.DEVICES, days))


def reported_over(cut: Timeline, totals: Mapping[date, DayTotals]) -> Distinct | None:
    """The same from the report of the last day; None where that does not tell of so many days, or is not there."""
    told, days = totals.get(cut.days[-1]), len(cut.days)
    return Distinct(told.users(days), told.users(days, Audience.DEVICES)) if told and days in WINDOWS else None


def _before(cut: Timeline, counted: Counted, ledger: RunningBalance, distinct: Distinct) -> Before:
    active = [_active_day(day, counted, ledger) for day in cut.days]
    return Before(cut, distinct, counted.buckets(cut), active)


def _live(start: datetime, counts: HourCounts, *, is_closed: bool) -> Bucket:
    flags, versions = (
        {measure.name: count for measure, count in counts.items() if measure.kind is kind}
        for kind in (Kind.FLAG, Kind.VERSION)
    )
    return Bucket(start, counts[RECORDS], counts[FLAGGED], flags, versions, uses_by_activity(counts), is_closed)


def _active_day(day: date, counted: Counted, ledger: RunningBalance) -> ActiveDay:
    totals = counted.totals.get(day)
    if totals:
        devices = totals.users(1, Audience.DEVICES)
        return ActiveDay(day, totals.users(1), devices, totals.users(7), totals.users(30), is_closed=True)
    if counted.is_closed(day):
        return ActiveDay(day, 0, 0, 0, 0, is_closed=True)
    users, users_7, users_30 = (_active(ledger, day, Audience.USERS, days) for days in (1, 7, 30))
    return ActiveDay(day, users, _active(ledger, day, Audience.DEVICES, 1), users_7, users_30, is_closed=False)


def _active(ledger: RunningBalance, day: date, audience: Audience, days: int) -> int:
    """As of a day that is not before the ledger's balance."""
    ordinal = day.toordinal()
    known = RunningBalance(ledger.balance, {each: tally for each, tally in ledger.tallies.items() if each <= ordinal})
    return count_active(known, audience, days, ordinal)


def _activities(buckets: Sequence[Bucket]) -> list[Activity]:
    used = largest(total(bucket.uses for bucket in buckets), MOST_ACTIVITIES)
    trend = [(bucket.start, _by_names(bucket.uses, used)) for bucket in buckets]
    seen = {name: [start for start, uses in trend if uses[name]] for name in used}
    return [Activity(name, uses, min(seen[name]), max(seen[name])) for name, uses in used.items()]


def _by_names(versions: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    """The counts by these names, what has another one under OTHER."""
    by_name = dict.fromkeys(names, 0)
    for version, count in versions.items():
        by_name[version if version in by_name else OTHER] += count
    return by_name


def _steps(since: datetime, until: datetime, step: timedelta) -> Iterator[datetime]:
    while since < until:
        yield since
        since += step
