"""The report of a closed day: what it holds, and the digests that make any later change of it visible."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from struct import pack
from typing import Any

from telemetry.domain.active_users import Audience, Balance, LedgerBroken
from telemetry.domain.activity import largest
from telemetry.domain.recount import HOURS, MOST_COUNTRIES, MOST_VERSIONS, TOP_LICENSES, LicenseCount, Recount

WINDOWS = (1, 7, 30, 90, 365)
"""Days, ending with the report's own, over which active users are told."""

GENESIS = bytes(32)
"""What the chain of a scope begins with."""


@dataclass(frozen=True, slots=True)
class LicenseActivity:
    """A licence among the most flagged of a day, or among those with the most devices.

    `license` is its fingerprint as record keys carry it. All counts are of the day; `ips` counts distinct addresses.
    """

    license: str
    product: str
    records: int
    flagged: int
    flags: Mapping[str, int]
    devices: int
    ips: int
    countries: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The numbers of a closed day that views over many days read.

    `flags` are by flag code. `active[audience]` holds the distinct actors over each of WINDOWS. Lifetime counts include
    the day. `expires_at`: when the first of the day's records goes, None without any. `closed_at` is when the report
    was written, `computed_at` when its records were counted; the digest covers all but these two.
    """

    scope: str
    day: date
    records: int
    flagged: int
    flags: Mapping[str, int]
    active: Mapping[Audience, tuple[int, ...]]
    lifetime_records: int
    lifetime_flagged: int
    expires_at: datetime | None
    digest: bytes
    chain: bytes
    closed_at: datetime
    computed_at: datetime

    def users(self, days: int, audience: Audience = Audience.USERS) -> int:
        """Distinct actors over one of WINDOWS."""
        return self.active[audience][WINDOWS.index(days)]


@dataclass(frozen=True, slots=True)
class DayDetails:
    """What else is known of a closed day. `hours[h]` is (records, flagged) of the UTC hour.

    `evidence` are the SHA-256 (hex) that the digest is over: of a product's index partitions, or, for the catalogue,
    of the products' reports.
    """

    scope: str
    day: date
    versions: Mapping[str, int]
    hours: tuple[tuple[int, int], ...]
    licenses: tuple[LicenseActivity, ...]
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DayReport:
    """All three parts. `balance` is who was last active when: users over any window."""

    totals: DayTotals
    details: DayDetails
    balance: Balance


@dataclass(frozen=True, slots=True)
class Moments:
    """When a report was computed, and when it was written."""

    computed_at: datetime
    closed_at: datetime


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A first count of a day: records and digest (hex) by product. `attempt` counts those before it that failed."""

    day: date
    attempt: int
    counted_at: datetime
    records: Mapping[str, int]
    digests: Mapping[str, str]


def product_report(
    product: str, day: date, recount: Recount, balance: Balance, before: DayTotals | None, moments: Moments
) -> DayReport:
    """The report of a product from its day's records. `before` is the day before's, None where nothing is before."""
    licenses, evidence = _licenses(product, recount), recount.shard_digests()
    return _report(product, day, recount, licenses, evidence, balance, before, moments)


def catalogue_report(
    scope: str,
    day: date,
    products: Mapping[str, tuple[Recount, DayReport]],
    balance: Balance,
    before: DayTotals | None,
    moments: Moments,
) -> DayReport:
    """The report of all products together. A licence used with two products is listed once for each."""
    whole = Recount()
    for recount, _ in products.values():
        whole.merge(_without_licenses(recount))
    licenses = _top([each for _, report in products.values() for each in report.details.licenses])
    evidence = {product: report.totals.digest.hex() for product, (_, report) in products.items()}
    return _report(scope, day, whole, licenses, evidence, balance, before, moments)


def digest_of(totals: DayTotals, details: DayDetails, balance: Balance) -> bytes:
    """SHA-256 over everything a report says, but for its digests and the two moments."""
    said = {
        "scope": totals.scope,
        "day": totals.day.isoformat(),
        "records": totals.records,
        "flagged": totals.flagged,
        "flags": dict(totals.flags),
        "active": {audience.value: list(totals.active[audience]) for audience in Audience},
        "lifetime": [totals.lifetime_records, totals.lifetime_flagged],
        "expires_at": totals.expires_at and int(totals.expires_at.timestamp()),
        "versions": dict(details.versions),
        "hours": [list(hour) for hour in details.hours],
        "licenses": [_plain(each) for each in details.licenses],
        "evidence": dict(details.evidence),
        "balance": {audience.value: _hash_of(balance.counters[audience]).hex() for audience in Audience},
    }
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).digest()


def chain_of(before: bytes, digest: bytes) -> bytes:
    """A day's link: whoever changes a day would have to change all that follow."""
    return sha256(before + digest).digest()


def before_of(day: date, latest: DayTotals | None) -> DayTotals | None:
    """The totals of the day before, given the latest ones before a day; raises LedgerBroken over a gap."""
    if latest is not None and latest.day != day - timedelta(days=1):
        raise LedgerBroken(f"{latest.scope}: there is no report between {latest.day} and {day}")
    return latest


def check_chain(days: Sequence[DayTotals], first: date) -> None:
    """Raises LedgerBroken unless each of a scope's days follows from the one before it.

    The earliest may be a later one than `first` only where the chain begins with it: then there is nothing before.
    """
    for before, after in pairwise(days):
        if chain_of(before.chain, after.digest) != after.chain:
            raise LedgerBroken(f"{after.scope}: the report of {after.day} does not follow from that of {before.day}")
    if days and days[0].day != first and chain_of(GENESIS, days[0].digest) != days[0].chain:
        raise LedgerBroken(f"{days[0].scope}: there is no report of the day before {days[0].day}")


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
        ("digest", kept.totals.digest.hex(), found.totals.digest.hex()),
        ("chain", kept.totals.chain.hex(), found.totals.chain.hex()),
    )
    for name, said, is_now in pairs:
        if said != is_now:
            return f"{name}: the report says {said}, its records {is_now}"[:500]
    return None


def _shards(kept: Mapping[str, str], found: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    return ((f"digest of {name}", kept.get(name, "-"), found.get(name, "-")) for name in sorted({*kept, *found}))


def _report(
    scope: str,
    day: date,
    recount: Recount,
    licenses: tuple[LicenseActivity, ...],
    evidence: Mapping[str, str],
    balance: Balance,
    before: DayTotals | None,
    moments: Moments,
) -> DayReport:
    details = DayDetails(
        scope=scope,
        day=day,
        versions=largest(recount.versions, MOST_VERSIONS),
        hours=tuple(
            (recount.hours[hour, False] + recount.hours[hour, True], recount.hours[hour, True]) for hour in range(HOURS)
        ),
        licenses=licenses,
        evidence=dict(sorted(evidence.items())),
    )
    totals = DayTotals(
        scope=scope,
        day=day,
        records=recount.records,
        flagged=recount.flagged,
        flags={code: count for code, count in sorted(recount.flags.items()) if count},
        active={each: tuple(sum(balance.counters[each][:days]) for days in WINDOWS) for each in Audience},
        lifetime_records=recount.records + (before.lifetime_records if before else 0),
        lifetime_flagged=recount.flagged + (before.lifetime_flagged if before else 0),
        expires_at=recount.expires_at,
        digest=b"",
        chain=b"",
        closed_at=moments.closed_at,
        computed_at=moments.computed_at,
    )
    digest = digest_of(totals, details, balance)
    chain = chain_of(before.chain if before else GENESIS, digest)
    return DayReport(replace(totals, digest=digest, chain=chain), details, balance)


def _without_licenses(recount: Recount) -> Recount:
    return replace(recount, segments={}, licenses={})


def _licenses(product: str, recount: Recount) -> tuple[LicenseActivity, ...]:
    return tuple(activity_of(product, name, count) for name, count in recount.top_licenses().items())


def activity_of(product: str, name: str, count: LicenseCount) -> LicenseActivity:
    """What was counted of a licence, as a report tells it."""
    return LicenseActivity(
        license=name,
        product=product,
        records=count.records,
        flagged=count.flagged,
        flags=dict(sorted(count.flags.items())),
        devices=len(count.devices),
        ips=len(count.ips),
        countries=tuple(sorted(count.countries)[:MOST_COUNTRIES]),
        first_seen=count.first_seen,
        last_seen=count.last_seen,
    )


def _top(licenses: Sequence[LicenseActivity]) -> tuple[LicenseActivity, ...]:
    by_flagged = sorted(licenses, key=lambda each: (-each.flagged, -each.records, each.license, each.product))
    by_devices = sorted(licenses, key=lambda each: (-each.devices, each.license, each.product))
    chosen = [each for each in by_flagged[:TOP_LICENSES] if each.flagged] + by_devices[:TOP_LICENSES]
    return tuple(each for each in by_flagged if each in chosen)


def _hash_of(counters: Sequence[int]) -> bytes:
    """SHA-256 of the counters, each as 8 bytes, most significant first."""
    return sha256(pack(f">{len(counters)}q", *counters)).digest()


def _plain(each: LicenseActivity) -> dict[str, Any]:
    return {
        "license": each.license,
        "product": each.product,
        "records": each.records,
        "flagged": each.flagged,
        "flags": dict(each.flags),
        "devices": each.devices,
        "ips": each.ips,
        "countries": list(each.countries),
        "first_seen": _milliseconds(each.first_seen),
        "last_seen": _milliseconds(each.last_seen),
    }


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
