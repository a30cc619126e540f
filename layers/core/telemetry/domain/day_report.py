"""The report of a closed day: what it holds, and the digests that make any later change of it visible."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from struct import pack
from typing import Any

from telemetry.domain.active_users import Audience, Balance, LedgerBroken
from telemetry.domain.hourly_counts import largest
from telemetry.domain.instant import to_seconds
from telemetry.domain.license_activity import LicenseActivity, foremost
from telemetry.domain.recount import HOURS, Recount
from telemetry.domain.report_rules import RULES, RULES_1, Rules

WINDOWS = (1, 7, 30, 90, 365)
"""Numbers of days, ending with the report's own day, over which active users are reported."""

GENESIS = bytes(32)
"""The first link in the chain of a scope."""

MOST_NAMES = 20_000
"""Versions counted by name while the catalogue's are added up: if there are more, the rarer half becomes OTHER."""


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

    `evidence` is what the digest is over: the SHA-256 (hex) of each of a product's index partitions; of the catalogue
    how many `products` there are, and one SHA-256 over their reports' digests. `rules` is the version of the rules.
    """

    scope: str
    day: date
    versions: Mapping[str, int]
    hours: tuple[tuple[int, int], ...]
    licenses: tuple[LicenseActivity, ...]
    evidence: Mapping[str, str]
    rules: int = RULES.version


@dataclass(frozen=True, slots=True)
class DayReport:
    """All three parts. `balance` is who was last active when: users over any window.

    `uses` are those of product usage, by activity type as the index lists it (of the catalogue, as it is called). They
    are for the day's summary and no part of the report: one that is read has none.
    """

    totals: DayTotals
    details: DayDetails
    balance: Balance
    uses: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Moments:
    """When a report was computed, and when it was written."""

    computed_at: datetime
    closed_at: datetime


def product_report(
    product: str,
    day: date,
    recount: Recount,
    balance: Balance,
    before: DayTotals | None,
    moments: Moments,
    rules: Rules = RULES,
) -> DayReport:
    """The report of a product from its day's records. `before` is the day before's, None where nothing is before."""
    return _report(product, day, recount, recount.shard_digests(), balance, before, moments, rules)


@dataclass(slots=True)
class CatalogueSum:
    """All products together, from their reports, one after the other in the order of their ids: none need be in memory.

    A licence used with two products is listed once for each.
    """

    _whole: Recount = field(default_factory=Recount)
    _products: int = 0
    _digests: Any = field(default_factory=sha256)

    def add(self, totals: DayTotals, details: DayDetails) -> None:
        """The next product's report. Nothing more is known of its licences and versions than what it says."""
        hours = Counter({(hour, bad): n for hour, both in enumerate(details.hours) for bad, n in _by_flag(both) if n})
        self._whole.merge(
            Recount(
                records=totals.records,
                flagged=totals.flagged,
                flags=Counter(totals.flags),
                versions=Counter(details.versions),
                hours=hours,
                expires_at=totals.expires_at,
                settled=details.licenses,
            )
        )
        if len(self._whole.versions) > MOST_NAMES:
            self._whole.versions = Counter(largest(self._whole.versions, MOST_NAMES // 2))
        self._products += 1
        self._digests.update(sha256(totals.scope.encode()).digest() + totals.digest)

    @property
    def evidence(self) -> dict[str, str]:
        """How many products there are, and SHA-256 over their names and reports' digests, in order."""
        return {"products": str(self._products), "reports": self._digests.hexdigest()}

    def report(
        self, scope: str, day: date, balance: Balance, before: DayTotals | None, moments: Moments, rules: Rules = RULES
    ) -> DayReport:
        return _report(scope, day, self._whole, self.evidence, balance, before, moments, rules)


def catalogue_report_1(
    scope: str,
    day: date,
    products: Mapping[str, tuple[Recount, DayReport]],
    balance: Balance,
    before: DayTotals | None,
    moments: Moments,
) -> DayReport:
    """The report of all products together by the rules of version 1: from all of their recounts at once."""
    whole = Recount()
    for recount, _ in products.values():
        whole.merge(replace(recount, segments={}, licenses={}))
    whole.settled = foremost(each for _, report in products.values() for each in report.details.licenses)
    evidence = {product: report.totals.digest.hex() for product, (_, report) in products.items()}
    return _report(scope, day, whole, evidence, balance, before, moments, RULES_1)


def digest_of(totals: DayTotals, details: DayDetails, balance: Balance) -> bytes:
    """SHA-256 over everything in a report except its digests and the two moments."""
    said = {
        "scope": totals.scope,
        "day": totals.day.isoformat(),
        "records": totals.records,
        "flagged": totals.flagged,
        "flags": dict(totals.flags),
        "active": {audience.value: list(totals.active[audience]) for audience in Audience},
        "lifetime": [totals.lifetime_records, totals.lifetime_flagged],
        "expires_at": totals.expires_at and to_seconds(totals.expires_at),
        **_said(details),
        "balance": {audience.value: _hash_of(balance.counters[audience]).hex() for audience in Audience},
    }
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).digest()


def chain_of(before: bytes, digest: bytes) -> bytes:
    """A day's link in the chain: a change of one day would need a change of all days that follow."""
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


def _report(
    scope: str,
    day: date,
    recount: Recount,
    evidence: Mapping[str, str],
    balance: Balance,
    before: DayTotals | None,
    moments: Moments,
    rules: Rules,
) -> DayReport:
    details = DayDetails(
        scope=scope,
        day=day,
        versions=recount.top_versions(),
        hours=tuple(
            (recount.hours[hour, False] + recount.hours[hour, True], recount.hours[hour, True]) for hour in range(HOURS)
        ),
        licenses=recount.top_licenses(scope),
        evidence=dict(sorted(evidence.items())),
        rules=rules.version,
    )
    details = _bounded(details, rules.largest_details)
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
    return DayReport(replace(totals, digest=digest, chain=chain), details, balance, recount.uses)


def _by_flag(hour: tuple[int, int]) -> Iterable[tuple[bool, int]]:
    records, flagged = hour
    return (False, records - flagged), (True, flagged)


def _bounded(details: DayDetails, most: int) -> DayDetails:
    """Details of at most `most` bytes: the last licences, which are the least flagged, are left out until it fits.

    The rest always fits: names of versions are short, and there are few shards.
    """
    room = most - _size(_said(replace(details, licenses=())))
    kept = 0
    for each in details.licenses:
        room -= _size(each.plain()) + 1
        if room < 0:
            break
        kept += 1
    return replace(details, licenses=details.licenses[:kept])


def _said(details: DayDetails) -> dict[str, Any]:
    """All that is in the details. The first version of the rules is not named in them."""
    said = {
        "versions": dict(details.versions),
        "hours": [list(hour) for hour in details.hours],
        "licenses": [each.plain() for each in details.licenses],
        "evidence": dict(details.evidence),
    }
    return said if details.rules == RULES_1.version else said | {"rules": details.rules}


def _size(said: object) -> int:
    """Bytes as JSON, in which every character beyond ASCII is escaped."""
    return len(json.dumps(said, separators=(",", ":")))


def _hash_of(counters: Sequence[int]) -> bytes:
    """SHA-256 of the counters, each as 8 bytes, most significant first."""
    return sha256(pack(f">{len(counters)}q", *counters)).digest()
