"""What each developer did on a day, from its records; and what nobody by name did.

A developer's uses of a day are all one company's (`attribution.company_of_day`); uses without user and device are of
the company that each is attributed to.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from telemetry.domain.attribution import Attribution, AttributionKind, AttributionSource, DayCompany, company_of_day
from telemetry.domain.hourly_counts import UNNAMED, largest, name_of
from telemetry.domain.profiles.cards import CompanyName, shown
from telemetry.domain.record import RecordKey
from telemetry.domain.sighting import Observation

NOBODY = b""
"""The fingerprint of uses that no user and no device did."""

MOST_ACTIVITIES = 16
"""Activity types of a row; the rest is OTHER."""

MOST_VERSIONS = 4
MOST_COUNTRIES = 4
MOST_DEVICES = 8
"""Of a row: the first of them in order. A developer with more of a day has no use for all of them."""

Attribute = Callable[[str | None, str | None], Attribution]
"""Who is behind a use, by its company hint and its address."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a developer (or NOBODY) did on a day, for a company or for none that is known.

    `first` is the day on which the developer was seen for the first time; of NOBODY it is the day itself. `told_on` is
    the day that told the company: an earlier one where it is carried. `uses` are those of product usage, by activity
    type; other records make somebody active, and are no uses. `devices` are those a user was seen with, `key` one of
    its records, `company_first` the day on which the company was seen for the first time.
    """

    fingerprint: bytes
    company: CompanyName | None
    told_on: date | None
    first: date
    records: int
    uses: Mapping[str, int]
    versions: tuple[str, ...] = ()
    """As hours count them (`name_of`)."""

    countries: tuple[str, ...] = ()
    devices: tuple[bytes, ...] = ()
    key: RecordKey | None = None
    company_first: date | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of a developer before a day: when it was first seen, and the companies that days told."""

    first: date
    told: tuple[DayCompany, ...] = ()


@dataclass(slots=True)
class _Doing:
    """What one developer does on the day."""

    records: int = 0
    uses: Counter[str] = field(default_factory=Counter)
    behind: Counter[Attribution] = field(default_factory=Counter)
    versions: set[str] = field(default_factory=set)
    devices: set[bytes] = field(default_factory=set)
    named_by: tuple[bool, RecordKey] | None = None
    """The record that tells how it is called: one of product usage, which also says of what type the id is."""

    def add(self, seen: Observation, attribution: Attribution) -> None:
        self.records += 1
        if seen.uses:
            self.uses[seen.group or UNNAMED] += seen.uses
        self.behind[attribution] += max(1, seen.uses)
        if seen.version:
            self.versions.add(name_of(seen.version))
        if (device := seen.sighting.device) and device != seen.sighting.actor:
            self.devices.add(device)
        if seen.key:
            named = (not seen.uses, seen.key)
            self.named_by = min(self.named_by or named, named)

    @property
    def countries(self) -> tuple[str, ...]:
        found: Counter[str] = Counter()
        for attribution, weight in self.behind.items():
            if attribution.country:
                found[attribution.country] += weight
        return tuple(sorted(found, key=lambda each: (-found[each], each))[:MOST_COUNTRIES])


class Folding:
    """Folds the records of a product and day, or of some shards of it: no developer is in two of them."""

    def __init__(self, day: date, attribute: Attribute) -> None:
        self._day = day
        self._attribute = attribute
        self._developers: defaultdict[bytes, _Doing] = defaultdict(_Doing)
        self._nobody: defaultdict[CompanyName | None, _Doing] = defaultdict(_Doing)

    def add(self, seen: Observation) -> None:
        attribution = self._attribute(seen.company, seen.address)
        actor = seen.sighting.actor
        doing = self._nobody[company_named(attribution)] if actor is None else self._developers[actor]
        doing.add(seen, attribution)

    @property
    def developers(self) -> list[bytes]:
        return sorted(self._developers)

    @property
    def untold(self) -> list[bytes]:
        """Developers whose records tell no company: one of an earlier day may be carried."""
        return [each for each in self.developers if not any(who.is_company for who in self._developers[each].behind)]

    def rows(self, known: Mapping[bytes, Known]) -> Iterator[Row]:
        """In order of fingerprints; then those of NOBODY. `known` is everyone seen on an earlier day."""
        for fingerprint in self.developers:
            doing, before = self._developers[fingerprint], known.get(fingerprint, Known(self._day))
            found = company_of_day(self._day, doing.behind.items(), before.told)
            company = company_named(found.company) if found else None
            yield self._row(fingerprint, doing, company, found.told_on if found else None, min(before.first, self._day))
        for company, doing in sorted(self._nobody.items(), key=lambda each: each[0].id if each[0] else ""):
            yield self._row(NOBODY, doing, company, self._day if company else None, self._day)

    def _row(
        self, fingerprint: bytes, doing: _Doing, company: CompanyName | None, told_on: date | None, first: date
    ) -> Row:
        return Row(
            fingerprint=fingerprint,
            company=company,
            told_on=told_on,
            first=first,
            records=doing.records,
            uses=largest(doing.uses, MOST_ACTIVITIES),
            versions=tuple(sorted(doing.versions)[-MOST_VERSIONS:]),
            countries=doing.countries,
            devices=tuple(sorted(doing.devices)[:MOST_DEVICES]),
            key=doing.named_by[1] if doing.named_by else None,
        )


def company_named(attribution: Attribution) -> CompanyName | None:
    """The company behind a use, None where no company is known."""
    if not attribution.is_company or attribution.id is None or attribution.source is None:
        return None
    name = shown(attribution.name or attribution.id)
    return CompanyName(attribution.id, name, attribution.source, attribution.confidence)


def attribution_of(company: CompanyName) -> Attribution:
    """The inverse of `company_named`, but for the country."""
    return Attribution(
        AttributionKind.COMPANY, company.id, company.name, AttributionSource(company.source), company.confidence
    )


def nobodys_together(rows: Iterable[Row]) -> list[Row]:
    """The rows of NOBODY of several shards, one for each company."""
    found: dict[str | None, list[Row]] = {}
    for row in rows:
        found.setdefault(row.company.id if row.company else None, []).append(row)
    return [_together(found[each]) for each in sorted(found, key=lambda each: each or "")]


def _together(rows: list[Row]) -> Row:
    uses, foremost = Counter[str](), min(rows, key=lambda row: row.company is not None and _strength(row.company))
    for row in rows:
        uses.update(row.uses)
    return Row(
        fingerprint=NOBODY,
        company=foremost.company,
        told_on=foremost.told_on,
        first=foremost.first,
        records=sum(row.records for row in rows),
        uses=largest(uses, MOST_ACTIVITIES),
        versions=tuple(sorted({each for row in rows for each in row.versions})[-MOST_VERSIONS:]),
        countries=tuple(sorted({each for row in rows for each in row.countries})[:MOST_COUNTRIES]),
    )


def _strength(company: CompanyName) -> tuple[int, str]:
    return -company.confidence, company.name
