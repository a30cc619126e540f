"""What several services need of a store. Each has two implementations: that over DynamoDB, and one in memory for tests.

What a method does, the store over DynamoDB says; here is what callers must know beyond that. A service that only ever
works with that store names its class itself.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from telemetry.domain.active_users import Actor, ActorKey, Balance, RunningBalance, Tally, TallyKey
from telemetry.domain.closing import Candidate, Closing
from telemetry.domain.correction import Correction
from telemetry.domain.day_report import DayDetails, DayReport, DayTotals
from telemetry.domain.day_summary import DaySummary
from telemetry.domain.hourly_counts import FlaggedDay, Fold, HourCounts, HourKey, LicenseDay, Measure
from telemetry.domain.licensing import Calls
from telemetry.domain.recount import HOURS
from telemetry.domain.sighting import Observation


class Ledger(Protocol):
    """Users and devices of one environment, and how far its days are closed (storage.active_users.LedgerStore)."""

    @property
    def most_scopes(self) -> int:
        """Products in the first part of an actor."""

    def closing(self) -> Closing: ...
    def scopes(self) -> frozenset[str]: ...
    def has_scope(self, scope: str) -> bool: ...

    def add_scopes(self, scopes: Collection[str]) -> None:
        """Notes that these scopes have traffic; to be called before it is counted. Asks nothing of those it knows."""

    def open_from(self, day: int) -> Closing:
        """Notes that there is traffic on a day; to be called before it is counted, if days open with it."""

    def actors(self, keys: Collection[ActorKey], *, consistent: bool = True) -> dict[ActorKey, Actor]: ...

    def commit(self, moved: Mapping[ActorKey, Actor], tallies: Mapping[TallyKey, Tally], salt: int) -> None:
        """Stores moved actors and adds to tallies, all or nothing.

        Raises Outdated when an actor's stored version is not the one before the given one, and StoreUnavailable, after
        which it may or may not have happened. `salt` spreads concurrent writers over the parts of a tally.
        """

    def ledger(self, scope: str, today: int) -> RunningBalance: ...
    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]: ...
    def openings(self, scopes: Collection[str], day: int) -> dict[str, Balance]: ...
    def close(self, day: int) -> None: ...


class DayReports(Protocol):
    """The reports of one environment's closed days (storage.day_reports.DayReportStore)."""

    def report(self, scope: str, day: date, *, consistent: bool = False) -> DayReport | None: ...
    def totals(self, scope: str, first: date, last: date) -> list[DayTotals]: ...
    def latest(self, scope: str, last: date, *, consistent: bool = False) -> DayTotals | None: ...
    def keep(self, report: DayReport) -> DayReport: ...
    def keep_all(self, reports: Sequence[DayReport]) -> bool: ...
    def totals_on(self, scopes: Sequence[str], day: date) -> dict[str, DayTotals]: ...
    def told(self, scopes: Sequence[str], day: date) -> Iterator[tuple[DayTotals, DayDetails]]: ...


class Corrections(Protocol):
    """What contradicts the reports of one environment (storage.corrections.CorrectionStore)."""

    def correct(self, correction: Correction, digest: bytes) -> None: ...


class Candidates(Protocol):
    """How far the closing of one environment's days has come (storage.candidates.CandidateStore)."""

    def candidates(self, day: date) -> Mapping[str, Candidate]: ...
    def put_candidates(self, candidates: Iterable[Candidate], now: datetime) -> None: ...


class HourlyCounters(Protocol):
    """What rollup has counted in one environment, and how far it has come (storage.hourly_counts.HourlyCountStore)."""

    def position(self, shard: str) -> str | None: ...
    def known(self, hours: Sequence[HourKey]) -> Mapping[HourKey, HourCounts]: ...
    def add(self, shard: str, before: str | None, after: str, fold: Fold, now: datetime) -> None: ...
    def note_use(self, api_key_id: str, hour: datetime) -> None: ...
    def hours(
        self, scope: str, first: datetime, last: datetime, only: Collection[Measure] = ()
    ) -> Iterator[tuple[datetime, HourCounts]]: ...
    def suspects(self, scope: str, first: datetime, last: datetime) -> Mapping[datetime, int]: ...
    def license_counts(self, licenses: Sequence[LicenseDay]) -> Mapping[LicenseDay, int]: ...
    def note_devices(self, of: LicenseDay, devices: Collection[bytes]) -> bool: ...
    def flagged_days(self, licenses: Sequence[LicenseDay]) -> Mapping[LicenseDay, FlaggedDay]: ...


class DayRecords(Protocol):
    """The records of one environment, day by day (storage.day_records.DayRecordStore)."""

    def observations(
        self, product: str, day: date, shards: Iterable[int] | None = None, hours: range = range(HOURS)
    ) -> Iterator[Observation]: ...
    def shard_count(self, day: date) -> int: ...
    def products(self, day: date) -> frozenset[str]: ...
    def has_any(self, product: str, day: date) -> bool: ...


class LicensingCalls(Protocol):
    """What licensing was asked in one environment (storage.licensing_counters.LicensingCounters)."""

    def calls(self, first: datetime, last: datetime) -> Mapping[str, Calls]: ...


class DaySummaries(Protocol):
    """Summaries of one environment's closed days (storage.day_summaries.SummaryStore)."""

    def put(self, summaries: Sequence[DaySummary]) -> None: ...
    def read(self, scope: str, first: date, last: date) -> list[DaySummary]: ...
