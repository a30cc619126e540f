"""What happened around the records: calls that failed, what staff did, days that closed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from telemetry.domain.day_report import DayTotals
from telemetry.domain.environment import Environment
from telemetry.domain.failed_call import Caller, FailedCalls
from telemetry.domain.sighting import CATALOGUE
from telemetry.domain.staff import AuditEntry
from telemetry.domain.window import Window
from telemetry.storage.audit import AuditLog
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.failed_calls import FailedCallStore

MOST_FAILED_CALLS = 1_000
MOST_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class CallerFilter:
    """Which callers are looked for; None where any will do."""

    cause: str | None = None
    last_four: str | None = None
    source_ip: str | None = None

    def fit(self, caller: Caller) -> bool:
        return all(wanted in {None, each} for wanted, each in zip(_asked(self), caller, strict=True))


class CallerHour(NamedTuple):
    """The calls of a caller in an hour. The environment of a bad key is not known: None."""

    hour: datetime
    environment: Environment | None
    caller: Caller
    calls: int


@dataclass(frozen=True, slots=True)
class SystemLogs:
    """What there is of a window, newest first. `cut` names the lists that are not complete."""

    failed_calls: Sequence[CallerHour]
    staff_actions: Sequence[AuditEntry]
    exports: Sequence[AuditEntry]
    closings: Sequence[DayTotals]
    cut: Sequence[str]


@dataclass(frozen=True, slots=True)
class SystemLogReader:
    """The logs of one environment. Raises StoreUnavailable."""

    environment: Environment
    calls: FailedCallStore
    audit: AuditLog
    reports: DayReportStore

    def read(self, window: Window, days: Sequence[date], callers: CallerFilter) -> SystemLogs:
        """The logs of a window that touches these days; `callers` filters the failed calls."""
        found = list(islice(self._failed_calls(window, callers), MOST_FAILED_CALLS + 1))
        entries = self.audit.page(self.environment, window.since, window.until, MOST_ENTRIES, None)
        cut = (("failed_calls", len(found) > MOST_FAILED_CALLS), ("staff_actions", entries.next is not None))
        return SystemLogs(
            failed_calls=found[:MOST_FAILED_CALLS],
            staff_actions=[each for each in entries.items if not _is_export(each)],
            exports=[each for each in entries.items if _is_export(each)],
            closings=self.reports.totals(CATALOGUE, days[0], days[-1])[::-1],
            cut=[name for name, is_cut in cut if is_cut],
        )

    def _failed_calls(self, window: Window, callers: CallerFilter) -> Iterator[CallerHour]:
        last = window.until - timedelta(hours=1)
        ours, of_nobody = (self.calls.hours(each, window.since, last) for each in (self.environment, None))
        hours = sorted((*ours, *of_nobody), key=lambda each: each.hour, reverse=True)
        for each in hours:
            yield from (
                CallerHour(each.hour, each.environment, caller, calls)
                for caller, calls in _most_first(each)
                if callers.fit(caller)
            )


def _most_first(hour: FailedCalls) -> Iterable[tuple[Caller, int]]:
    return sorted(hour.calls.items(), key=lambda item: (-item[1], item[0]))


def _asked(wanted: CallerFilter) -> tuple[str | None, str | None, str | None]:
    return wanted.cause, wanted.last_four, wanted.source_ip


def _is_export(entry: AuditEntry) -> bool:
    return "export" in entry.action.split(".")
