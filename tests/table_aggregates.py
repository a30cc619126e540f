"""All stores of one aggregates table as one, as the store in memory is."""

from telemetry.storage.active_users import MOST_SCOPES, LedgerStore
from telemetry.storage.candidates import CandidateStore
from telemetry.storage.corrections import CorrectionStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.hourly_counts import HourlyCountStore
from telemetry.storage.recount_parts import PartStore


class TableAggregates:
    """Same interface as `MemoryAggregates`."""

    def __init__(self, table: str, most_scopes: int = MOST_SCOPES) -> None:
        self.most_scopes = most_scopes
        self.users, self.reports = LedgerStore(table), DayReportStore(table)
        self.found, self.pending = CorrectionStore(table), CandidateStore(table)
        self.live, self.counted = HourlyCountStore(table), PartStore(table)
        self.actors, self.commit, self.ledger = self.users.actors, self.users.commit, self.users.ledger
        self.closing, self.open_from = self.users.closing, self.users.open_from
        self.scopes, self.has_scope, self.add_scopes = self.users.scopes, self.users.has_scope, self.users.add_scopes
        self.day, self.openings, self.close = self.users.day, self.users.openings, self.users.close
        self.report, self.totals, self.latest = self.reports.report, self.reports.totals, self.reports.latest
        self.keep, self.keep_all, self.told = self.reports.keep, self.reports.keep_all, self.reports.told
        self.totals_on = self.reports.totals_on
        self.correct, self.corrections = self.found.correct, self.found.corrections
        self.candidates, self.put_candidates = self.pending.candidates, self.pending.put_candidates
        self.position, self.known, self.add = self.live.position, self.live.known, self.live.add
        self.hours, self.suspects = self.live.hours, self.live.suspects
        self.license_counts, self.note_use, self.uses = self.live.license_counts, self.live.note_use, self.live.uses
        self.note_devices, self.flagged_days = self.live.note_devices, self.live.flagged_days
        self.put, self.put_tables = self.counted.put, self.counted.put_tables
        self.summaries, self.tables = self.counted.summaries, self.counted.tables
