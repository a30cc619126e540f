"""What several services need of a store. Each has two implementations: that over DynamoDB, and one in memory for tests.

A service that only ever works with the store over DynamoDB names that class itself.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from telemetry.domain.active_users import Actor, ActorKey, Balance, RunningBalance, Tally, TallyKey
from telemetry.domain.closing import Candidate, Closing
from telemetry.domain.correction import Correction
from telemetry.domain.day_report import DayDetails, DayReport, DayTotals
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.hourly_counts import Fold, HourCounts, HourKey, LicenseDay
from telemetry.domain.licensing import Calls
from telemetry.domain.recount import HOURS
from telemetry.domain.sighting import Observation


class Ledger(Protocol):
    """Users and devices of one environment, and how far its days are closed (storage.active_users.LedgerStore)."""

    @property
    def most_scopes(self) -> int:
        """Products in the first part of an actor."""
        ...

    def closing(self) -> Closing: ...

    def scopes(self) -> frozenset[str]:
        """All that ever had traffic."""
        ...

    def has_scope(self, scope: str) -> bool:
        """Whether it ever had traffic."""
        ...

    def add_scopes(self, scopes: Collection[str]) -> None:
        """Notes that these scopes have traffic; to be called before it is counted. Asks nothing of those it knows."""
        ...

    def open_from(self, day: int) -> Closing:
        """Notes that there is traffic on a day; to be called before it is counted, if days open with it."""
        ...

    def actors(self, keys: Collection[ActorKey]) -> dict[ActorKey, Actor]:
        """The actors known, by their parts; strongly consistent."""
        ...

    def commit(self, moved: Mapping[ActorKey, Actor], tallies: Mapping[TallyKey, Tally], salt: int) -> None:
        """Stores moved actors and adds to tallies, all or nothing.

        Raises Outdated when an actor's stored version is not the one before the given one, and StoreUnavailable, after
        which it may or may not have happened. `salt` spreads concurrent writers over the parts of a tally.
        """
        ...

    def ledger(self, scope: str, today: int) -> RunningBalance:
        """The latest balance before today, and the tallies since."""
        ...

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        """The balance before a day (None: no traffic ever before) and what happened on it; strongly consistent."""
        ...

    def close(self, day: int) -> None:
        """Marks a day closed; nothing happens when it is. Days close in order."""
        ...


class DayReports(Protocol):
    """The reports of one environment's closed days (storage.day_reports.DayReportStore)."""

    def report(self, scope: str, day: date, *, consistent: bool = False) -> DayReport | None: ...

    def totals(self, scope: str, first: date, last: date) -> list[DayTotals]: ...

    def latest(self, scope: str, last: date, *, consistent: bool = False) -> DayTotals | None: ...

    def keep(self, report: DayReport) -> DayReport:
        """Writes a report, once and for all; gives the one that is kept, which may be an earlier one."""
        ...

    def reported(self, scopes: Sequence[str], day: date) -> set[str]:
        """Those that have a report of a day."""
        ...

    def told(self, scopes: Sequence[str], day: date) -> Iterator[tuple[DayTotals, DayDetails]]:
        """What happened on a day, of those scopes that have a report of it, in their order."""
        ...


class Corrections(Protocol):
    """What contradicts the reports of one environment (storage.corrections.CorrectionStore)."""

    def correct(self, correction: Correction, digest: bytes) -> None:
        """Keeps a correction beside the report; `digest` is that of the report which was found instead."""
        ...


class Candidates(Protocol):
    """How far the closing of one environment's days has come (storage.candidates.CandidateStore)."""

    def candidates(self, day: date) -> Mapping[str, Candidate]:
        """How far the closing of a day is, by product."""
        ...

    def put_candidates(self, candidates: Iterable[Candidate], now: datetime) -> None:
        """Keeps them, each until another takes its place."""
        ...


class HourlyCounters(Protocol):
    """What rollup has counted in one environment, and how far it has come (storage.hourly_counts.HourlyCountStore)."""

    def position(self, shard: str) -> str | None:
        """The last sequence number counted of a stream shard."""
        ...

    def known(self, hours: Sequence[HourKey]) -> Mapping[HourKey, HourCounts]:
        """What is counted of these hours."""
        ...

    def add(self, shard: str, before: str | None, after: str, fold: Fold, now: datetime) -> None:
        """Adds a fold and moves the position on, all or nothing.

        Raises Outdated when it is no longer `before`, or an hour no longer as it was when its names were chosen.
        """
        ...

    def note_use(self, api_key_id: str, hour: datetime) -> None:
        """Notes that an API key was used in an hour."""
        ...

    def hours(self, scope: str, first: datetime, last: datetime) -> Iterator[tuple[datetime, HourCounts]]:
        """The hours with records from `first` to `last`, each by its beginning, in order."""
        ...

    def suspects(self, scope: str, first: datetime, last: datetime) -> Mapping[datetime, int]:
        """Of the same hours, the records with a piracy or licence flag."""
        ...

    def license_counts(self, licenses: Sequence[LicenseDay]) -> Mapping[LicenseDay, int]:
        """Of licences on a day, the records with a flag that points at them."""
        ...


class DayRecords(Protocol):
    """The records of one environment, day by day (storage.day_records.DayRecordStore)."""

    def observations(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = range(HOURS)
    ) -> Iterator[Observation]:
        """Partition by partition, each in order of receipt."""
        ...

    def shard_count(self, day: date) -> int:
        """Into how many shards the index spreads a day."""
        ...

    def has_any(self, product: str, day: date) -> bool: ...


class LicensingCalls(Protocol):
    """What licensing was asked in one environment (storage.licensing_counters.LicensingCounters)."""

    def calls(self, first: datetime, last: datetime) -> Mapping[str, Calls]:
        """By product, of the hours from `first`'s to `last`'s."""
        ...


class DaySummaries(Protocol):
    """Summaries of one environment's closed days (storage.day_summaries.SummaryStore)."""

    def put(self, summaries: Sequence[DaySummary]) -> None: ...

    def read(self, scope: str, first: date, last: date) -> list[DaySummary]: ...
