"""Finance's report on users month by month, as plain data."""

from collections.abc import Mapping
from datetime import date, timedelta

from telemetry.domain.active_users import Balance
from telemetry.domain.day_report import DayTotals
from telemetry.domain.environment import Environment
from telemetry.domain.finance import MonthlyUsers
from telemetry.domain.finance_answers import MonthRow, MonthsAsked, MonthsNumbers
from telemetry.domain.finance_report import (
    DIGESTS,
    RECORD_COUNTS,
    WHO,
    FinanceReport,
    definition_of,
    evidence_of,
    evidence_of_all,
)
from telemetry.domain.months import Month, turnover

Closed = Mapping[date, tuple[DayTotals, Balance]]

_ONE_DAY = timedelta(days=1)


def monthly_users(environment: Environment, asked: MonthlyUsers, through: date, closed: Closed) -> FinanceReport:
    """Users month by month. `through` is the last closed day, `closed` are the reports of `asked.months.told_by` it.

    Raises LedgerBroken when they contradict each other.
    """
    rows = [_row(month, min(month.last, through), asked, closed) for month in asked.months.all()]
    last = min(asked.months.last.last, through)
    totals = {day: closed[day][0] for day in asked.months.told_by(through)[1:] if day in closed}
    numbers: MonthsNumbers = {"rows": rows, **evidence_of_all(totals)}
    about: MonthsAsked = {
        "environment": environment.value,
        "application": asked.application,
        "from": str(asked.months.first),
        "to": str(asked.months.last),
        "audience": asked.audience.value,
    }
    counts = {"users": f"{WHO[asked.audience]}, from the month's first day through `through`"} | _COUNTS
    return FinanceReport(
        about=about,
        numbers=numbers,
        definition=definition_of(asked.months.first.first, last, [asked.audience], counts),
        rows=rows,
        is_final=last == asked.months.last.last,
    )


def _row(month: Month, through: date, asked: MonthlyUsers, closed: Closed) -> MonthRow:
    totals, after = closed.get(through, (None, None))
    totals_before, before = closed.get(month.first - _ONE_DAY, (None, None))
    found, is_final = turnover(month, before, after, asked.audience), through == month.last
    records, flagged = (totals.lifetime_records, totals.lifetime_flagged) if totals else (0, 0)
    if totals_before:
        records, flagged = records - totals_before.lifetime_records, flagged - totals_before.lifetime_flagged
    return {
        "month": str(month),
        "through": through.isoformat(),
        "final": is_final,
        "users": found.users,
        "new": found.new,
        "returning": found.returning,
        "back": found.back,
        "lost": found.lost if is_final else None,
        "records": records,
        "flagged": flagged,
        **evidence_of(totals),
    }


_COUNTS = {
    "new": "those who were not active in the eleven months before",
    "returning": "those who were active in the month before, too",
    "back": "those who were not active in the month before, but in one of the ten before that",
    "lost": "those who were active in the month before, and not in this one; null while that may change",
    **{name: said for name, said in RECORD_COUNTS.items() if name != "clean"},
    **DIGESTS,
    "digest": "of a row: SHA-256 over the report of the day `through`; of the answer: over its rows' digests, in order",
}
