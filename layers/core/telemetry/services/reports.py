"""Finance's questions, answered from the aggregates."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeVar

from telemetry.domain.active_users import Audience, Balance, LedgerBroken, count_active
from telemetry.domain.closing import wait_until_closed
from telemetry.domain.day_report import DayTotals, check_chain
from telemetry.domain.environment import Environment
from telemetry.domain.finance import (
    ActiveUsersAsOf,
    DailyActiveUsers,
    DayNotClosed,
    MonthlyUsers,
    Period,
    PiracyCounts,
    ReportQuestion,
    UnknownApplication,
    WholeDay,
)
from telemetry.domain.finance_report import (
    FinanceReport,
    active_users_as_of,
    daily_active_users,
    piracy_counts,
    whole_day,
)
from telemetry.domain.monthly_report import monthly_users
from telemetry.domain.product import Product
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT, could_be_scope
from telemetry.services.ports import Ledger
from telemetry.storage.day_reports import DayReportStore

T = TypeVar("T")


def active_users(scope: str, days: int, today: date, audience: Audience, ledger: Ledger) -> int:
    """Unique actors of `audience` active in `scope` on at least one of the `days` (1–365) UTC days up to `today`.

    `scope` is a product id, UNKNOWN_PRODUCT or CATALOGUE; one that never had traffic has 0. One Query, whatever the
    number of users, as long as yesterday is closed.
    """
    if not could_be_scope(scope):
        return 0
    ordinal = today.toordinal()
    return count_active(ledger.ledger(scope, ordinal), audience, days, ordinal)


class Application(NamedTuple):
    """What reports can be asked of. It is not registered (any more) when it only had traffic."""

    id: str
    name: str
    is_registered: bool


def applications(products: Mapping[str, Product], scopes: Collection[str]) -> list[Application]:
    """All applications together, the registered ones by id, those that only had traffic, and what nobody registered.

    `scopes` are all that ever had traffic.
    """
    former = sorted({*scopes} - products.keys() - {CATALOGUE, UNKNOWN_PRODUCT})
    return [
        Application(CATALOGUE, "All applications", is_registered=True),
        *(Application(id_, products[id_].name, is_registered=True) for id_ in sorted(products)),
        *(Application(id_, id_, is_registered=False) for id_ in former),
        Application(UNKNOWN_PRODUCT, "Products that are not registered", is_registered=False),
    ]


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The closed days of one environment, as finance asks for them: each answer is one request to storage.

    It takes two more where it depends on how far days are closed: for months, and to say why there is no report.
    `is_known` tells applications that had no traffic yet from those that do not exist; `now` only how long to wait.
    """

    environment: Environment
    reports: DayReportStore
    ledger: Ledger
    is_known: Callable[[str], bool]
    now: datetime

    def answer(self, asked: ReportQuestion) -> FinanceReport:
        """Raises DayNotClosed, UnknownApplication, LedgerBroken, StoreUnavailable."""
        environment, scope = self.environment, asked.application
        match asked:
            case ActiveUsersAsOf():
                return active_users_as_of(environment, asked, self._day(scope, asked.as_of, self.reports.users))
            case DailyActiveUsers():
                return daily_active_users(environment, asked, self._days(scope, asked.period))
            case MonthlyUsers():
                through = self._check_closed(scope, Period(asked.months.last.first, asked.months.last.first))
                return monthly_users(environment, asked, through, self._told(scope, asked.months.told_by(through)))
            case PiracyCounts():
                return piracy_counts(environment, asked, self._days(scope, asked.period))
            case WholeDay():
                return whole_day(environment, asked, self._day(scope, asked.day, self.reports.details))

    def _day(self, scope: str, day: date, read: Callable[..., T | None]) -> T | None:
        """What `read` finds of a day; None when it was closed before the scope had its first report."""
        found = read(scope, day)
        if found is None:
            self._check_closed(scope, Period(day, day))
            # the copy that was read may have been behind
            found = read(scope, day, consistent=True)
            if found is None:
                self._check_empty(scope, day)
        return found

    def _days(self, scope: str, period: Period) -> dict[date, DayTotals]:
        """The days that have a report: all but those closed before the scope had its first one."""
        found = self._read_days(scope, period)
        if period.last not in found:
            self._check_closed(scope, period)
            found = self._read_days(scope, period, consistent=True)
            if period.last not in found:
                self._check_empty(scope, period.last)
        check_chain(list(found.values()), period.first)
        return found

    def _told(self, scope: str, days: Sequence[date]) -> dict[date, tuple[DayTotals, Balance]]:
        """Those of these closed days that have a report: all but those closed before the scope had its first one."""
        found = self.reports.users_on(scope, days)
        if days[-1] not in found or _gap(days, found):
            found = self.reports.users_on(scope, days, consistent=True)
            if days[-1] not in found:
                self._check_empty(scope, days[-1])
            if missing := _gap(days, found):
                raise LedgerBroken(f"{scope}: the report of {missing} is missing, or a part of it")
        return found

    def _read_days(self, scope: str, period: Period, *, consistent: bool = False) -> dict[date, DayTotals]:
        found = self.reports.totals(scope, period.first, period.last, consistent=consistent)
        return {totals.day: totals for totals in found}

    def _check_closed(self, scope: str, period: Period) -> date:
        """The last closed day. Raises UnknownApplication, DayNotClosed with the first day that is not closed."""
        if scope not in {CATALOGUE, UNKNOWN_PRODUCT} and not self.ledger.has_scope(scope) and not self.is_known(scope):
            raise UnknownApplication(f"application {scope}")
        closing = self.ledger.closing()
        last = date.fromordinal(closing.closed) if closing.closed else None
        if last is None or last < period.last:
            day = max(period.first, last + timedelta(days=1)) if last else period.first
            is_future = day > self.now.astimezone(UTC).date()
            raise DayNotClosed(day, wait_until_closed(day, self.now), last, is_future=is_future)
        return last

    def _check_empty(self, scope: str, day: date) -> None:
        """Raises LedgerBroken when a closed day has no whole report although its scope had its first one by then."""
        before = self.reports.latest(scope, day, consistent=True)
        if before is not None:
            raise LedgerBroken(f"{scope}: the report of {day} is missing, or a part of it")


def _gap(days: Sequence[date], found: Collection[date]) -> date | None:
    """The first of these days that is missing after one that was found."""
    begun = False
    for day in days:
        begun = begun or day in found
        if begun and day not in found:
            return day
    return None
