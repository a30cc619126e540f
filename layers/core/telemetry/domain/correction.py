"""What is written down beside the report of a closed day when another count of its records contradicts it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from telemetry.domain.active_users import Audience
from telemetry.domain.day_report import DayReport


@dataclass(frozen=True, slots=True)
class Correction:
    """A later count of a closed day, and the first thing in which the report differs from it."""

    scope: str
    day: date
    difference: str
    records: int
    flagged: int
    users: int
    found_at: datetime


def correction_of(kept: DayReport, found: DayReport, now: datetime) -> Correction:
    """The correction of a report that was kept, from one that was computed later."""
    return Correction(
        scope=kept.totals.scope,
        day=kept.totals.day,
        difference=first_difference(kept, found) or "-",
        records=found.totals.records,
        flagged=found.totals.flagged,
        users=found.totals.users(1),
        found_at=now,
    )


def first_difference(kept: DayReport, found: DayReport) -> str | None:
    """The first thing in which a recomputed report differs from the one that was kept, in words."""
    pairs = (
        ("records", kept.totals.records, found.totals.records),
        *_shards(kept.details.evidence, found.details.evidence),
        ("flagged", kept.totals.flagged, found.totals.flagged),
        ("flags", dict(kept.totals.flags), dict(found.totals.flags)),
        ("first expiry", kept.totals.expires_at, found.totals.expires_at),
        *((f"active {each}", kept.totals.active[each], found.totals.active[each]) for each in Audience),
        *((f"balance of {each}", kept.balance.counters[each], found.balance.counters[each]) for each in Audience),
        ("lifetime records", kept.totals.lifetime_records, found.totals.lifetime_records),
        ("lifetime flagged", kept.totals.lifetime_flagged, found.totals.lifetime_flagged),
        ("versions", dict(kept.details.versions), dict(found.details.versions)),
        ("hours", kept.details.hours, found.details.hours),
        ("licences", kept.details.licenses, found.details.licenses),
        ("rules", kept.details.rules, found.details.rules),
        ("digest", kept.totals.digest.hex(), found.totals.digest.hex()),
        ("chain", kept.totals.chain.hex(), found.totals.chain.hex()),
    )
    for name, said, is_now in pairs:
        if said != is_now:
            return f"{name}: the report says {said}, its records {is_now}"[:500]
    return None


def _shards(kept: Mapping[str, str], found: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    return ((f"digest of {name}", kept.get(name, "-"), found.get(name, "-")) for name in sorted({*kept, *found}))
