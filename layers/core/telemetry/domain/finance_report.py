"""Finance's reports on closed days, as plain data that any format can carry.

Nothing in a report depends on the time when it is asked for: it never changes, but for the report of a month that is
not over. Days that were closed before an application had its first report are zeros, without a digest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from telemetry.domain.active_users import Audience, Balance
from telemetry.domain.day_report import WINDOWS, DayDetails, DayTotals
from telemetry.domain.environment import Environment
from telemetry.domain.finance import ActiveUsersAsOf, DailyActiveUsers, Period, PiracyCounts, WholeDay
from telemetry.domain.finance_answers import (
    ActiveUsersNumbers,
    DailyNumbers,
    DailyRow,
    DayAsked,
    DayNumbers,
    Definition,
    Evidence,
    FlaggedRecords,
    PeriodAsked,
    PiracyNumbers,
    PiracyRow,
    WindowAsked,
)
from telemetry.domain.flags import Flag, FlagClass, is_billable
from telemetry.domain.recount import HOURS

EXCLUDING = tuple(flag for flag in Flag if not is_billable([flag]))
"""The piracy and licence flags: a record with one does not count towards audience `users`."""

Plain = Mapping[str, Any]
"""Texts, integers, None, and mappings and sequences of these."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FinanceReport:
    """An answer: what was asked, the numbers, and by what definition; `rows` are the numbers as a table.

    `is_final`: the same question has this answer for ever.
    """

    about: Plain
    numbers: Plain
    definition: Plain
    rows: Sequence[Plain]
    is_final: bool = True

    def document(self) -> dict[str, Any]:
        return {**self.about, **self.numbers, "definition": self.definition}

    def table(self) -> list[dict[str, Any]]:
        """Rows that each say what they are about and by what definition, so that the table explains itself."""
        return [{**self.about, **row, **self.definition} for row in self.rows]


def active_users_as_of(
    environment: Environment, asked: ActiveUsersAsOf, closed: tuple[DayTotals, Balance] | None
) -> FinanceReport:
    """Users of a window, from the day it ends with."""
    totals, balance = closed or (None, None)
    numbers: ActiveUsersNumbers = {
        "users": sum(balance.counters[asked.audience][: asked.days]) if balance else 0,
        **evidence_of(totals),
    }
    window = asked.as_of - timedelta(days=asked.days - 1), asked.as_of
    about: WindowAsked = {
        "environment": environment.value,
        "application": asked.application,
        "days": asked.days,
        "as_of": asked.as_of.isoformat(),
        "audience": asked.audience.value,
    }
    return FinanceReport(
        about=about,
        numbers=numbers,
        definition=definition_of(*window, [asked.audience], {"users": f"{WHO[asked.audience]}, in the window"}),
        rows=[numbers],
    )


def daily_active_users(
    environment: Environment, asked: DailyActiveUsers, closed: Mapping[date, DayTotals]
) -> FinanceReport:
    """Users day by day."""
    rows = [_daily(day, closed.get(day)) for day in asked.period.days()]
    counts = {audience.value: f"{WHO[audience]}, on the day" for audience in Audience}
    counts |= {f"users_{days}": f"users over the {days} days that end with the day" for days in WINDOWS[1:]}
    definition = definition_of(asked.period.first, asked.period.last, list(Audience), counts | RECORD_COUNTS | DIGESTS)
    numbers: DailyNumbers = {"rows": rows, **evidence_of_all(closed)}
    return FinanceReport(
        about=_of_period(environment, asked.application, asked.period),
        numbers=numbers,
        definition=definition,
        rows=rows,
    )


def piracy_counts(environment: Environment, asked: PiracyCounts, closed: Mapping[date, DayTotals]) -> FinanceReport:
    """Flagged records day by day, and over all of them."""
    counted = [(day, closed.get(day)) for day in asked.period.days()]
    rows: list[PiracyRow] = [
        {"day": day.isoformat(), **_flagged(totals), **evidence_of(totals)} for day, totals in counted
    ]
    numbers: PiracyNumbers = {"totals": _summed(rows), "rows": rows, **evidence_of_all(closed)}
    counts = {
        "records": RECORD_COUNTS["records"],
        "flagged": RECORD_COUNTS["flagged"],
        "each flag": "records that carry it, whatever else they carry",
        "piracy": f"the sum of {_names(FlagClass.PIRACY)}; not distinct records: one with two of them counts twice",
        "license": f"the sum of {_names(FlagClass.LICENSE)}; not distinct records either",
        **DIGESTS,
    }
    return FinanceReport(
        about=_of_period(environment, asked.application, asked.period),
        numbers=numbers,
        definition=definition_of(asked.period.first, asked.period.last, [], counts),
        rows=rows,
    )


def whole_day(environment: Environment, asked: WholeDay, closed: tuple[DayTotals, DayDetails] | None) -> FinanceReport:
    """All that may be shown of a day's report: no licences."""
    totals, details = closed or (None, None)
    records, flagged = (totals.records, totals.flagged) if totals else (0, 0)
    versions = sorted((details.versions if details else {}).items(), key=lambda item: (-item[1], item[0]))
    hours = details.hours if details else ((0, 0),) * HOURS
    numbers: DayNumbers = {
        "records": records,
        "flagged": flagged,
        "clean": records - flagged,
        "flags": {flag.value: count for flag, count in _flags(totals).items() if count},
        "active": {
            "users": _windows(totals, Audience.USERS),
            "all_users": _windows(totals, Audience.ALL_USERS),
            "devices": _windows(totals, Audience.DEVICES),
        },
        "lifetime_records": totals.lifetime_records if totals else 0,
        "lifetime_flagged": totals.lifetime_flagged if totals else 0,
        "versions": [{"version": version, "records": count} for version, count in versions],
        "hours": [
            {"start": _midnight(asked.day, hour), "records": count, "flagged": bad}
            for hour, (count, bad) in enumerate(hours)
        ],
        **evidence_of(totals),
        "chain": totals.chain.hex() if totals else None,
        "evidence": dict(details.evidence) if details else {},
    }
    about: DayAsked = {
        "environment": environment.value,
        "application": asked.application,
        "day": asked.day.isoformat(),
    }
    return FinanceReport(
        about=about,
        numbers=numbers,
        definition=definition_of(asked.day, asked.day, list(Audience), _DAY_COUNTS),
        rows=_measures(numbers),
    )


WHO = {
    Audience.USERS: "distinct users with a record that carries none of excluding_flags",
    Audience.ALL_USERS: "distinct users with a record, whatever its flags",
    Audience.DEVICES: "distinct devices with a record, whatever its flags",
}
RECORD_COUNTS = {
    "records": "all records received",
    "flagged": "records with at least one flag of any class",
    "clean": "records without any flag",
}
DIGESTS = {"digest": "of a row: SHA-256 over the day's report; of the answer: over its rows' digests, in order"}
_DAY_COUNTS = {
    **{each.value: f"{WHO[each]}, over so many days that end with the day" for each in Audience},
    **RECORD_COUNTS,
    "digest": "SHA-256 over the whole report of the day, also what is not shown here",
    "chain": "SHA-256 over the chain of the day before and the digest",
    "evidence": "SHA-256 over the records of each index partition; "
    "for all applications together, how many there are, and SHA-256 over their names and digests, in order",
}


def definition_of(first: date, last: date, audiences: Sequence[Audience], counts: Mapping[str, str]) -> Definition:
    """By what definition the days from `first` to `last` are counted; `counts` say what each number counts."""
    return {
        "window_start": _midnight(first),
        "window_end": _midnight(last + _ONE_DAY),
        "zone": "UTC",
        "clock": "time of receipt by the server; window_start is included, window_end is not",
        "user": "the user a record names; where it names none, its device",
        "audiences": [audience.value for audience in audiences],
        "excluding_flags": [flag.value for flag in EXCLUDING] if Audience.USERS in audiences else [],
        "counts": dict(counts),
    }


def _of_period(environment: Environment, application: str, period: Period) -> PeriodAsked:
    return {
        "environment": environment.value,
        "application": application,
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
    }


def _daily(day: date, totals: DayTotals | None) -> DailyRow:
    records, flagged = (totals.records, totals.flagged) if totals else (0, 0)
    return {
        "day": day.isoformat(),
        "users": _active(totals, 1, Audience.USERS),
        "all_users": _active(totals, 1, Audience.ALL_USERS),
        "devices": _active(totals, 1, Audience.DEVICES),
        "users_7": _active(totals, 7, Audience.USERS),
        "users_30": _active(totals, 30, Audience.USERS),
        "users_90": _active(totals, 90, Audience.USERS),
        "users_365": _active(totals, 365, Audience.USERS),
        "records": records,
        "flagged": flagged,
        "clean": records - flagged,
        **evidence_of(totals),
    }


def _flagged(totals: DayTotals | None) -> FlaggedRecords:
    found = _flags(totals)
    return {
        "records": totals.records if totals else 0,
        "flagged": totals.flagged if totals else 0,
        "INVALID_LICENSE": found[Flag.INVALID_LICENSE],
        "ENVIRONMENT_MISMATCH": found[Flag.ENVIRONMENT_MISMATCH],
        "REVOKED_LICENSE": found[Flag.REVOKED_LICENSE],
        "BYPASSED_ACTIVATION": found[Flag.BYPASSED_ACTIVATION],
        "EXPIRED_LICENSE": found[Flag.EXPIRED_LICENSE],
        "SUSPENDED_LICENSE": found[Flag.SUSPENDED_LICENSE],
        "UNASSIGNED_LICENSE": found[Flag.UNASSIGNED_LICENSE],
        "PRODUCT_MISMATCH": found[Flag.PRODUCT_MISMATCH],
        "piracy": _sum_of(FlagClass.PIRACY, found),
        "license": _sum_of(FlagClass.LICENSE, found),
    }


def _sum_of(class_: FlagClass, found: Mapping[Flag, int]) -> int:
    return sum(count for flag, count in found.items() if flag.flag_class is class_)


def _summed(rows: Sequence[PiracyRow]) -> FlaggedRecords:
    totals = _flagged(None)
    for row in rows:
        for name in totals:
            totals[name] += row[name]  # type: ignore[literal-required]
    return totals


def _measures(numbers: DayNumbers) -> list[Plain]:
    """The report of a day as a table: one number, or one digest, a row."""
    found: list[tuple[str, str, object]] = [
        (name, "", numbers[name]) for name in ("records", "flagged", "clean", "lifetime_records", "lifetime_flagged")
    ]
    found += [("flag", name, count) for name, count in numbers["flags"].items()]
    for audience in Audience:
        by_days: dict[str, int] = numbers["active"][audience.value]
        found += [(audience.value, days, count) for days, count in by_days.items()]
    found += [("version", each["version"], each["records"]) for each in numbers["versions"]]
    found += [("hour_records", each["start"], each["records"]) for each in numbers["hours"]]
    found += [("hour_flagged", each["start"], each["flagged"]) for each in numbers["hours"]]
    found += [("evidence", name, digest) for name, digest in numbers["evidence"].items()]
    seal = {name: numbers[name] for name in ("closed_at", "computed_at", "digest", "chain")}
    return [{"measure": measure, "name": name, "value": value, **seal} for measure, name, value in found]


def _active(totals: DayTotals | None, days: int, audience: Audience) -> int:
    return totals.users(days, audience) if totals else 0


def _windows(totals: DayTotals | None, audience: Audience) -> dict[str, int]:
    return {str(days): _active(totals, days, audience) for days in WINDOWS}


def _flags(totals: DayTotals | None) -> dict[Flag, int]:
    return {flag: totals.flags.get(flag.code, 0) if totals else 0 for flag in Flag}


def _names(class_: FlagClass) -> str:
    return ", ".join(flag.value for flag in Flag if flag.flag_class is class_)


def evidence_of(totals: DayTotals | None) -> Evidence:
    """When a day was closed and computed, and its digest."""
    if totals is None:
        return {"closed_at": None, "computed_at": None, "digest": None}
    closed_at, computed_at = _instant(totals.closed_at), _instant(totals.computed_at)
    return {"closed_at": closed_at, "computed_at": computed_at, "digest": totals.digest.hex()}


def evidence_of_all(closed: Mapping[date, DayTotals]) -> Evidence:
    """When the last of them was closed and computed, and SHA-256 over their digests in the order of days."""
    if not closed:
        return evidence_of(None)
    days = [closed[day] for day in sorted(closed)]
    return {
        "closed_at": _instant(max(day.closed_at for day in days)),
        "computed_at": _instant(max(day.computed_at for day in days)),
        "digest": sha256(b"".join(day.digest for day in days)).hexdigest(),
    }


def _midnight(day: date, hour: int = 0) -> str:
    return _instant(datetime.combine(day, time(hour), UTC))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
