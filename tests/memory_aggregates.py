"""An aggregates table in memory, which the contract tests hold against the real one."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime

from telemetry.domain.active_users import (
    Actor,
    ActorKey,
    Balance,
    LedgerBroken,
    Outdated,
    RunningBalance,
    Tally,
    TallyKey,
)
from telemetry.domain.closing import Candidate, Closing
from telemetry.domain.correction import Correction
from telemetry.domain.day_report import DayDetails, DayReport, DayTotals
from telemetry.domain.hourly_counts import (
    MOST_DEVICES,
    RECORDS,
    SUSPECT,
    FlaggedDay,
    Fold,
    HourCounts,
    HourKey,
    LicenseDay,
    Measure,
)
from telemetry.domain.recount import Recount, Unit
from telemetry.storage.active_users import MOST_SCOPES
from telemetry.storage.day_reports import REPORTS_AT_ONCE


class MemoryAggregates:
    """Same interface as the stores of `TableAggregates` together."""

    def __init__(self, most_scopes: int = MOST_SCOPES) -> None:
        self.most_scopes = most_scopes
        self._actors: dict[ActorKey, Actor] = {}
        self._tallies: dict[str, dict[int, Tally]] = {}
        self._closing = Closing()
        self._scopes: set[str] = set()
        self._reports: dict[str, dict[date, DayReport]] = {}
        self._balances: dict[str, dict[int, Balance]] = {}
        self._candidates: dict[date, dict[str, Candidate]] = {}
        self._corrections: dict[tuple[str, date, bytes], Correction] = {}
        self._positions: dict[str, str] = {}
        self._hours: dict[HourKey, HourCounts] = {}
        self._licenses: Counter[LicenseDay] = Counter()
        self._devices: dict[LicenseDay, set[bytes]] = {}
        self._uses: dict[str, datetime] = {}
        self._parts: dict[Unit, tuple[str, Recount]] = {}
        self._tables: dict[tuple[Unit, str], dict[tuple[int, int], Recount]] = {}

    # ── LedgerStore

    def actors(self, keys: Collection[ActorKey], *, consistent: bool = True) -> dict[ActorKey, Actor]:
        del consistent
        return {each: self._actors[each] for each in keys if each in self._actors}

    def commit(self, moved: Mapping[ActorKey, Actor], tallies: Mapping[TallyKey, Tally], salt: int) -> None:
        del salt
        assert len(moved) + len(tallies) <= 100
        for key, actor in moved.items():
            if self._actors.get(key, Actor()).version != actor.version - 1:
                raise Outdated
        self._actors.update(moved)
        for (scope, day), tally in tallies.items():
            if any(tally.values()):
                self._tallies.setdefault(scope, {}).setdefault(day, Counter()).update(tally)

    def ledger(self, scope: str, today: int) -> RunningBalance:
        balances = self._balances.get(scope, {})
        latest = max((day for day in balances if day < today), default=None)
        tallies = self._tallies.get(scope, {})
        return RunningBalance(
            None if latest is None else balances[latest],
            {day: tally for day, tally in tallies.items() if (latest or 0) < day <= today},
        )

    def closing(self) -> Closing:
        return self._closing

    def open_from(self, day: int) -> Closing:
        if self._closing.opens_with(day):
            self._closing = Closing(day)
        return self._closing

    def scopes(self) -> frozenset[str]:
        return frozenset(self._scopes)

    def has_scope(self, scope: str) -> bool:
        return scope in self._scopes

    def add_scopes(self, scopes: Collection[str]) -> None:
        self._scopes.update(scopes)

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        balances = self._balances.get(scope, {})
        before = balances.get(day - 1)
        if before is None:
            earlier = min((*self._tallies.get(scope, {}), *(each + 1 for each in balances)), default=day)
            if earlier < day:
                raise LedgerBroken
        return before, Counter(self._tallies.get(scope, {}).get(day, Counter()))

    def openings(self, scopes: Collection[str], day: int) -> dict[str, Balance]:
        found = ((scope, self._balances.get(scope, {}).get(day - 1)) for scope in scopes)
        return {scope: balance for scope, balance in found if balance}

    def close(self, day: int) -> None:
        known = self._closing
        if known.is_closed(day):
            return
        if day != (known.opened if known.closed is None else known.closed + 1):
            raise LedgerBroken
        self._closing = Closing(known.opened, day)

    # ── DayReportStore

    def report(self, scope: str, day: date, *, consistent: bool = False) -> DayReport | None:
        del consistent
        return self._reports.get(scope, {}).get(day)

    def totals(self, scope: str, first: date, last: date) -> list[DayTotals]:
        reports = self._reports.get(scope, {})
        return [reports[day].totals for day in sorted(reports) if first <= day <= last]

    def latest(self, scope: str, last: date, *, consistent: bool = False) -> DayTotals | None:
        del consistent
        reports = self._reports.get(scope, {})  # in order: days close one after the other
        day = next((day for day in reversed(reports) if day <= last), None)
        return None if day is None else reports[day].totals

    def keep(self, report: DayReport) -> DayReport:
        scope, day = report.totals.scope, report.totals.day
        kept = self._reports.setdefault(scope, {}).setdefault(day, report)
        self._balances.setdefault(scope, {})[day.toordinal()] = kept.balance
        return kept

    def keep_all(self, reports: Collection[DayReport]) -> bool:
        assert len(reports) <= REPORTS_AT_ONCE
        if any(self.report(report.totals.scope, report.totals.day) for report in reports):
            return False
        for report in reports:
            self.keep(report)
        return True

    def totals_on(self, scopes: Collection[str], day: date) -> dict[str, DayTotals]:
        found = ((scope, self.report(scope, day)) for scope in scopes)
        return {scope: report.totals for scope, report in found if report}

    def told(self, scopes: Collection[str], day: date) -> Iterator[tuple[DayTotals, DayDetails]]:
        found = (self.report(scope, day) for scope in scopes)
        return ((report.totals, report.details) for report in found if report)

    # ── CorrectionStore

    def correct(self, correction: Correction, digest: bytes) -> None:
        self._corrections.setdefault((correction.scope, correction.day, digest), correction)

    def corrections(self, scope: str, first: date, last: date) -> list[Correction]:
        return [each for each in self._corrections.values() if each.scope == scope and first <= each.day <= last]

    # ── CandidateStore

    def candidates(self, day: date) -> dict[str, Candidate]:
        return dict(self._candidates.get(day, {}))

    def put_candidates(self, candidates: Iterable[Candidate], now: datetime) -> None:
        del now
        for each in candidates:
            self._candidates.setdefault(each.day, {})[each.product] = each

    # ── HourlyCountStore

    def position(self, shard: str) -> str | None:
        return self._positions.get(shard)

    def known(self, hours: Collection[HourKey]) -> dict[HourKey, HourCounts]:
        return {key: Counter(self._hours[key]) for key in hours if key in self._hours}

    def add(self, shard: str, before: str | None, after: str, fold: Fold, now: datetime) -> None:
        del now
        if self._positions.get(shard) != before:
            raise Outdated
        if any(self._hours.get(key, Counter())[RECORDS] != records for key, records in fold.chosen_at.items()):
            raise Outdated
        self._positions[shard] = after
        for key, counts in fold.hours.items():
            self._hours.setdefault(key, Counter()).update(counts)
        self._licenses.update(fold.licenses)

    def hours(
        self, scope: str, first: datetime, last: datetime, only: Collection[Measure] = ()
    ) -> Iterator[tuple[datetime, HourCounts]]:
        for key in sorted(key for key in self._hours if key.scope == scope and first <= key.hour <= last):
            counts = self._hours[key]
            yield key.hour, Counter({each: counts[each] for each in only or counts if each in counts})

    def suspects(self, scope: str, first: datetime, last: datetime) -> dict[datetime, int]:
        return {hour: counts[SUSPECT] for hour, counts in self.hours(scope, first, last)}

    def license_counts(self, licenses: Collection[LicenseDay]) -> dict[LicenseDay, int]:
        return {each: self._licenses[each] for each in licenses if each in self._licenses}

    def note_devices(self, of: LicenseDay, devices: Collection[bytes]) -> bool:
        known = self._devices.setdefault(of, set())
        if len(known) >= MOST_DEVICES:
            return False
        known |= set(devices)
        return True

    def flagged_days(self, licenses: Collection[LicenseDay]) -> dict[LicenseDay, FlaggedDay]:
        return {
            each: FlaggedDay(count, frozenset(self._devices.get(each, ())))
            for each, count in self.license_counts(licenses).items()
        }

    def note_use(self, api_key_id: str, hour: datetime) -> None:
        self._uses[api_key_id] = max(hour, self._uses.get(api_key_id, hour))

    def uses(self, api_key_ids: Collection[str]) -> dict[str, datetime]:
        return {each: self._uses[each] for each in api_key_ids if each in self._uses}

    # ── PartStore

    def put_tables(self, unit: Unit, copy: str, number: int, tables: Recount, now: datetime) -> None:
        del now
        for bucket in range(unit.buckets):
            self._tables.setdefault((unit, copy), {})[bucket, number] = tables.bucket(bucket, unit.buckets)

    def put(self, unit: Unit, copy: str, summary: Recount, now: datetime) -> None:
        del now
        kept = Recount()
        kept.merge(summary)
        self._parts[unit] = copy, kept

    def summaries(self, units: Collection[Unit]) -> dict[Unit, Recount]:
        return {unit: self._parts[unit][1] for unit in units if unit in self._parts}

    def tables(self, unit: Unit, bucket: int) -> Recount:
        copy, _ = self._parts[unit]
        found = Recount()
        for (of, _), tables in sorted(self._tables.get((unit, copy), {}).items(), key=lambda item: item[0]):
            if of == bucket:
                found.merge(tables)
        return found
