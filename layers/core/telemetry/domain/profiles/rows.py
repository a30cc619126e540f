"""What each developer did on a day, from its records; and what nobody by name did.

A developer's uses of a day are all one company's (`attribution.company_of_day`); uses without user and device are of
the company that each is attributed to.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from telemetry.domain.attribution import Attribution, AttributionKind, AttributionSource, DayCompany, company_of_day
from telemetry.domain.hourly_counts import UNNAMED, largest, name_of
from telemetry.domain.profiles.cards import CompanyName, shown
from telemetry.domain.profiles.span import MOST_AT_ONCE, Span
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

_MOST_OF_ONE = 500
"""Companies, and activity types, of one developer's day that are told apart in memory; those of least use go first."""

_DEVELOPER, _NOBODY = b"d", b"n"
"""Begin a place in a span: developers by fingerprint, then what nobody did by company."""

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
    company: CompanyName | None = None
    """Of NOBODY."""

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
        self._make_room()

    def _make_room(self) -> None:
        """Clients choose all of this: whatever they make up, one developer takes little memory."""
        if len(self.versions) > 2 * MOST_VERSIONS:
            self.versions = set(_last(self.versions))
        if len(self.devices) > 2 * MOST_DEVICES:
            self.devices = set(_first(self.devices))
        if len(self.uses) > 2 * _MOST_OF_ONE:
            self.uses = Counter(largest(self.uses, _MOST_OF_ONE))
        if len(self.behind) > 2 * _MOST_OF_ONE:
            self.behind = Counter(dict(sorted(self.behind.items(), key=_least_last)[:_MOST_OF_ONE]))

    @property
    def countries(self) -> tuple[str, ...]:
        found: Counter[str] = Counter()
        for attribution, weight in self.behind.items():
            if attribution.country:
                found[attribution.country] += weight
        return tuple(sorted(found, key=lambda each: (-found[each], each))[:MOST_COUNTRIES])


class Folding:
    """Folds the records of a product and day, or of some shards of it: no developer is in two of them.

    It holds `most` developers or so: the first ones in order of fingerprints, from the place `start` on. Where there
    are more, `rest` is where another folding of the same records starts.
    """

    def __init__(self, day: date, attribute: Attribute, start: bytes = b"", most: int = MOST_AT_ONCE) -> None:
        self._day = day
        self._attribute = attribute
        self._span = Span(_Doing, start, most)

    def add(self, seen: Observation) -> None:
        attribution = self._attribute(seen.company, seen.address)
        actor = seen.sighting.actor
        company = company_named(attribution) if actor is None else None
        if doing := self._span.at(_NOBODY + _spelled(company) if actor is None else _DEVELOPER + actor):
            doing.company = company
            doing.add(seen, attribution)

    @property
    def rest(self) -> bytes | None:
        return self._span.end

    @property
    def developers(self) -> list[bytes]:
        return [fingerprint for fingerprint, _ in self._developers()]

    @property
    def untold(self) -> list[bytes]:
        """Developers whose records tell no company: one of an earlier day may be carried."""
        return [each for each, doing in self._developers() if not any(who.is_company for who in doing.behind)]

    def rows(self, known: Mapping[bytes, Known]) -> Iterator[Row]:
        """In order of fingerprints; then those of NOBODY. `known` is everyone seen on an earlier day."""
        for fingerprint, doing in self._developers():
            before = known.get(fingerprint, Known(self._day))
            found = company_of_day(self._day, doing.behind.items(), before.told)
            company = company_named(found.company) if found else None
            yield self._row(fingerprint, doing, company, found.told_on if found else None, min(before.first, self._day))
        for place, doing in self._span.items():
            if place.startswith(_NOBODY):
                yield self._row(NOBODY, doing, doing.company, self._day if doing.company else None, self._day)

    def _developers(self) -> Iterator[tuple[bytes, _Doing]]:
        return ((place[1:], doing) for place, doing in self._span.items() if place.startswith(_DEVELOPER))

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
            versions=tuple(_last(doing.versions)),
            countries=doing.countries,
            devices=tuple(_first(doing.devices)),
            key=doing.named_by[1] if doing.named_by else None,
        )


def _last(versions: Iterable[str]) -> list[str]:
    return sorted(versions)[-MOST_VERSIONS:]


def _first(devices: Iterable[bytes]) -> list[bytes]:
    return sorted(devices)[:MOST_DEVICES]


def _least_last(item: tuple[Attribution, int]) -> tuple[int, int, str]:
    """As `company_of_day` looks at them."""
    attribution, uses = item
    return -attribution.confidence, -uses, attribution.id or ""


def _spelled(company: CompanyName | None) -> bytes:
    """For order; each company once, however it was told."""
    if company is None:
        return b""
    return f"{company.id}\0{company.name}\0{company.source}\0{company.confidence}".encode()


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
