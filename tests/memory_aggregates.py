"""An aggregates table in memory, which the contract tests hold against the real one."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime

from telemetry.domain.active_users import (
    Actor,
    ActorKey,
    Balance,
    Closing,
    Ledger,
    LedgerBroken,
    Outdated,
    Tally,
    TallyKey,
)
from telemetry.domain.activity import RECORDS, SUSPECT, Activity, Fold, HourKey, LicenseDay
from telemetry.domain.day_report import Candidate, Correction, DayReport, DayTotals
from telemetry.domain.recount import Recount, Unit
from telemetry.storage.aggregates import MOST_SCOPES


class MemoryAggregates:
    """Same interface as `AggregateStore`, `DayReportStore`, `ActivityStore` and `PartStore` together."""

    def __init__(self, most_scopes: int = MOST_SCOPES) -> None:
        self.most_scopes = most_scopes
        self._actors: dict[ActorKey, Actor] = {}
        self._tallies: dict[str, dict[int, Tally]] = {}
        self._closing = Closing()
        self._reports: dict[str, dict[date, DayReport]] = {}
        self._balances: dict[str, dict[int, Balance]] = {}
        self._candidates: dict[date, Candidate] = {}
        self._corrections: dict[tuple[str, date, bytes], Correction] = {}
        self._positions: dict[str, str] = {}
        self._hours: dict[HourKey, Activity] = {}
        self._licenses: Counter[LicenseDay] = Counter()
        self._uses: dict[str, datetime] = {}
        self._parts: dict[Unit, Recount] = {}

    # ── AggregateStore

    def actors(self, keys: Collection[ActorKey]) -> dict[ActorKey, Actor]:
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

    def ledger(self, scope: str, today: int) -> Ledger:
        balances = self._balances.get(scope, {})
        latest = max((day for day in balances if day < today), default=None)
        tallies = self._tallies.get(scope, {})
        return Ledger(
            None if latest is None else balances[latest],
            {day: tally for day, tally in tallies.items() if (latest or 0) < day <= today},
        )

    def closing(self) -> Closing:
        return self._closing

    def announce(self, scopes: Collection[str], day: int) -> Closing:
        known = self._closing
        earlier = known.closed is None and (known.opened is None or day < known.opened)
        self._closing = Closing(day if earlier else known.opened, known.closed, known.scopes | set(scopes))
        return self._closing

    def day(self, scope: str, day: int) -> tuple[Balance | None, Tally]:
        balances = self._balances.get(scope, {})
        before = balances.get(day - 1)
        if before is None:
            earlier = min((*self._tallies.get(scope, {}), *(each + 1 for each in balances)), default=day)
            if earlier < day:
                raise LedgerBroken
        return before, Counter(self._tallies.get(scope, {}).get(day, Counter()))

    def close(self, day: int) -> None:
        known = self._closing
        if known.is_closed(day):
            return
        if day != (known.opened if known.closed is None else known.closed + 1):
            raise LedgerBroken
        self._closing = Closing(known.opened, day, known.scopes)

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

    def correct(self, correction: Correction, digest: bytes) -> None:
        self._corrections.setdefault((correction.scope, correction.day, digest), correction)

    def corrections(self, scope: str, first: date, last: date) -> list[Correction]:
        return [each for each in self._corrections.values() if each.scope == scope and first <= each.day <= last]

    def candidate(self, day: date) -> Candidate | None:
        return self._candidates.get(day)

    def put_candidate(self, candidate: Candidate) -> None:
        self._candidates[candidate.day] = candidate

    # ── ActivityStore

    def position(self, shard: str) -> str | None:
        return self._positions.get(shard)

    def known(self, hours: Collection[HourKey]) -> dict[HourKey, Activity]:
        return {key: Counter(self._hours[key]) for key in hours if key in self._hours}

    def add(self, shard: str, before: str | None, after: str, fold: Fold, now: datetime) -> None:
        del now
        if self._positions.get(shard) != before:
            raise Outdated
        if any(self._hours.get(key, Counter())[RECORDS] != records for key, records in fold.chosen_at.items()):
            raise Outdated
        self._positions[shard] = after
        for key, activity in fold.hours.items():
            self._hours.setdefault(key, Counter()).update(activity)
        self._licenses.update(fold.licenses)

    def hours(self, scope: str, first: datetime, last: datetime) -> Iterator[tuple[datetime, Activity]]:
        found = [key for key in self._hours if key.scope == scope and first <= key.hour <= last]
        yield from ((key.hour, Counter(self._hours[key])) for key in sorted(found))

    def suspects(self, scope: str, first: datetime, last: datetime) -> dict[datetime, int]:
        return {hour: activity[SUSPECT] for hour, activity in self.hours(scope, first, last)}

    def license_counts(self, licenses: Collection[LicenseDay]) -> dict[LicenseDay, int]:
        return {each: self._licenses[each] for each in licenses if each in self._licenses}

    def license_days(self, product: str, day: date) -> Counter[str]:
        found = {each.license: count for each, count in self._licenses.items() if each[:2] == (product, day)}
        return Counter(found)

    def note_use(self, api_key_id: str, hour: datetime) -> None:
        self._uses[api_key_id] = max(hour, self._uses.get(api_key_id, hour))

    def uses(self, api_key_ids: Collection[str]) -> dict[str, datetime]:
        return {each: self._uses[each] for each in api_key_ids if each in self._uses}

    # ── PartStore

    def put(self, unit: Unit, recount: Recount, now: datetime) -> None:
        del now
        self._parts[unit] = recount

    def summary(self, unit: Unit) -> Recount | None:
        if unit not in self._parts:
            return None
        summary = Recount()
        summary.merge(self._parts[unit])
        summary.licenses = {}
        return summary

    def licenses(self, unit: Unit, bucket: int) -> Recount:
        whole = Recount()
        whole.merge(self._parts[unit].bucket(bucket))
        return whole
