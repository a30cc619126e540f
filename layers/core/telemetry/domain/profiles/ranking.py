"""Lists: everybody's last weeks, summed up from the rows of closed days, and put in order.

Memory is bounded, whatever clients make up: of more than MOST_RANKED developers, or companies, those that were active
on the fewest days are counted, and not listed; who of them comes again is counted again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from telemetry.domain.hourly_counts import largest
from telemetry.domain.profiles.cards import WINDOW_DAYS, Activity, CompanyCard, CompanyName, DeveloperCard, Order
from telemetry.domain.profiles.rows import MOST_ACTIVITIES, MOST_COUNTRIES, NOBODY, Row
from telemetry.domain.profiles.tenure import active_days, trend, week_of
from telemetry.domain.profiles.views import Totals

DAYS = 91
"""Of rows that lists are made of: 13 weeks."""

FEWEST_LISTED, MOST_LISTED = 100, 1_000
"""How many the lists of a product hold: as many as were active on the day, but at least and at most so many."""

MOST_RANKED = 200_000
"""On the way there are twice as many."""

_MOST_NAMED = 1_000
"""Activity types that are told apart in memory."""

_QUIET_DAYS = 14
_WEEKS_BEFORE, _ACTIVE_WEEKS = 4, 2

C = TypeVar("C", CompanyCard, DeveloperCard)
D = TypeVar("D", bound="_Doing")
K = TypeVar("K", bytes, str)


@dataclass(slots=True)
class _Doing:
    first: date
    days: int = 0
    weeks: Counter[int] = field(default_factory=Counter)
    uses: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, first: date, age: int, week: int) -> None:
        self.first = min(self.first, first)
        self.days |= 1 << age
        if row.uses:
            self.weeks[week] += sum(row.uses.values())
            if age < WINDOW_DAYS:
                self.uses = _with(self.uses, row.uses)

    @property
    def rank(self) -> tuple[int, int]:
        """The least are left out first: by active days, then those that were active long ago."""
        return self.days.bit_count(), -(self.days & -self.days)

    def activity(self, day: date) -> Activity:
        return Activity(
            first=self.first,
            last=day - timedelta(days=(self.days & -self.days).bit_length() - 1),
            days=active_days(self.days),
            days_before=active_days(self.days >> WINDOW_DAYS),
            uses=largest(self.uses, MOST_ACTIVITIES),
            weeks=trend(self.weeks, day),
            is_quiet=is_quiet(self.days),
        )


@dataclass(slots=True)
class _Developer(_Doing):
    company: CompanyName | None = None
    is_carried: bool = False


@dataclass(slots=True)
class _Company(_Doing):
    company: CompanyName | None = None
    developers: dict[bytes, int] = field(default_factory=dict)
    """Their active days."""
    countries: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    left_out_before: int = 0
    """Developers who are counted only, by their window."""

    @property
    def active(self) -> int:
        return self.left_out + sum(1 for each in self.developers.values() if active_days(each))

    @property
    def active_before(self) -> int:
        return self.left_out_before + sum(1 for each in self.developers.values() if active_days(each >> WINDOW_DAYS))

    def leave_out(self, fingerprint: bytes) -> None:
        days = self.developers.pop(fingerprint)
        self.left_out += bool(active_days(days))
        self.left_out_before += bool(active_days(days >> WINDOW_DAYS))


class Ranking:
    """Everybody of a product in the 91 days up to a closed day. Days are added in order."""

    def __init__(self, day: date, most: int = MOST_RANKED) -> None:
        self.day = day
        self._most = most
        self._left_out_developers = self._left_out_companies = 0
        self._developers: dict[bytes, _Developer] = {}
        self._companies: dict[str, _Company] = {}
        self._uses: Counter[str] = Counter()
        self._unattributed: Counter[str] = Counter()

    def add(self, day: date, rows: Iterable[Row]) -> None:
        """The rows of a day."""
        age, week = (self.day - day).days, week_of(day)
        for row in rows:
            if age < WINDOW_DAYS:
                self._uses = _with(self._uses, row.uses)
                if row.company is None:
                    self._unattributed = _with(self._unattributed, row.uses)
            if row.fingerprint != NOBODY:
                self._add_developer(row, day, age, week)
            if row.company is not None:
                self._add_company(row, row.company, day, age, week)

    @property
    def totals(self) -> Totals:
        return Totals(
            developers=self._left_out_developers + _active(self._developers.values()),
            companies=self._left_out_companies + _active(self._companies.values()),
            uses=largest(self._uses, MOST_ACTIVITIES),
            unattributed=largest(self._unattributed, MOST_ACTIVITIES),
        )

    @property
    def active_on_the_day(self) -> tuple[int, int]:
        """Companies and developers."""
        return (
            sum(each.days & 1 for each in self._companies.values()),
            sum(each.days & 1 for each in self._developers.values()),
        )

    def companies(self) -> Iterator[CompanyCard]:
        for doing in self._companies.values():
            if doing.company is not None:
                yield CompanyCard(
                    company=doing.company,
                    activity=doing.activity(self.day),
                    developers=doing.active,
                    developers_before=doing.active_before,
                    countries=tuple(largest(doing.countries, MOST_COUNTRIES))[:MOST_COUNTRIES],
                )

    def developers(self) -> Iterator[DeveloperCard]:
        """Without names."""
        for fingerprint, doing in self._developers.items():
            activity = doing.activity(self.day)
            yield DeveloperCard(fingerprint, None, None, doing.company, doing.is_carried, activity)

    def _add_developer(self, row: Row, day: date, age: int, week: int) -> None:
        doing = self._developers.setdefault(row.fingerprint, _Developer(row.first))
        doing.add(row, row.first, age, week)
        doing.company, doing.is_carried = row.company, row.company is not None and row.told_on != day
        if len(self._developers) > 2 * self._most:
            self._leave_out_developers()

    def _add_company(self, row: Row, company: CompanyName, day: date, age: int, week: int) -> None:
        doing = self._companies.setdefault(company.id, _Company(day))
        doing.add(row, row.company_first or day, age, week)
        doing.company = company
        for country in row.countries:
            doing.countries[country] += row.records
        if row.fingerprint != NOBODY:
            doing.developers[row.fingerprint] = doing.developers.get(row.fingerprint, 0) | 1 << age
        if len(self._companies) > 2 * self._most:
            self._leave_out_companies()

    def _leave_out_developers(self) -> None:
        kept, left_out = _parted(self._developers, lambda each: each.rank, self._most)
        self._left_out_developers += _active(left_out)
        self._developers = kept
        for company in self._companies.values():
            for fingerprint in [each for each in company.developers if each not in kept]:
                company.leave_out(fingerprint)

    def _leave_out_companies(self) -> None:
        """Those with the fewest developers first."""
        kept, left_out = _parted(
            self._companies, lambda each: (each.left_out + len(each.developers), *each.rank), self._most
        )
        self._left_out_companies += _active(left_out)
        self._companies = kept


def listed(active: int) -> int:
    """How many a list holds, of a product of which so many were active on the day."""
    return min(max(active, FEWEST_LISTED), MOST_LISTED)


def ranked_companies(cards: Iterable[CompanyCard], order: Order, day: date) -> list[CompanyCard]:
    """Those that an order means, in it."""

    def by_use(card: CompanyCard) -> tuple[int, int, int]:
        return card.developers, card.activity.days, sum(card.activity.uses.values())

    match order:
        case Order.ACTIVE:
            return _sorted((card for card in cards if card.activity.days), by_use)
        case Order.NEW:
            found = (card for card in cards if _is_new(card.activity, day))
            return _sorted(found, lambda card: (card.activity.first.toordinal(), *by_use(card)))
        case Order.GROWING:
            found = (card for card in cards if card.developers > card.developers_before)
            return _sorted(found, lambda card: (card.developers - card.developers_before, *by_use(card)))
        case Order.QUIET:
            found = (card for card in cards if card.activity.is_quiet)
            return _sorted(found, lambda card: (card.developers_before, card.activity.days_before, *by_use(card)))


def ranked_developers(cards: Iterable[DeveloperCard], order: Order, day: date) -> list[DeveloperCard]:
    """Those that an order means, in it."""

    def by_use(card: DeveloperCard) -> tuple[int, int]:
        return card.activity.days, sum(card.activity.uses.values())

    match order:
        case Order.ACTIVE:
            return _sorted((card for card in cards if card.activity.days), by_use)
        case Order.NEW:
            found = (card for card in cards if _is_new(card.activity, day))
            return _sorted(found, lambda card: (card.activity.first.toordinal(), *by_use(card)))
        case Order.GROWING:
            found = (card for card in cards if card.activity.days > card.activity.days_before)
            return _sorted(found, lambda card: (card.activity.days - card.activity.days_before, *by_use(card)))
        case Order.QUIET:
            found = (card for card in cards if card.activity.is_quiet)
            return _sorted(found, lambda card: (card.activity.days_before, *by_use(card)))


def is_quiet(days: int) -> bool:
    """Of active days, bit 0 being the closed day."""
    weeks = (days >> _QUIET_DAYS + 7 * week & 0b1111111 for week in range(_WEEKS_BEFORE))
    return not days & ((1 << _QUIET_DAYS) - 1) and sum(map(bool, weeks)) >= _ACTIVE_WEEKS


def _active(doings: Iterable[_Doing]) -> int:
    return sum(1 for each in doings if active_days(each.days))


def _with(counts: Counter[str], more: Mapping[str, int]) -> Counter[str]:
    counts.update(more)
    return counts if len(counts) <= 2 * _MOST_NAMED else Counter(largest(counts, _MOST_NAMED))


def _parted(found: dict[K, D], rank: Callable[[D], tuple[int, ...]], most: int) -> tuple[dict[K, D], list[D]]:
    """The `most` of the highest rank, in the order they came in, and the others."""
    places = sorted(found, key=lambda key: (rank(found[key]), key), reverse=True)
    kept = frozenset(places[:most])
    return {key: each for key, each in found.items() if key in kept}, [found[key] for key in places[most:]]


def _is_new(activity: Activity, day: date) -> bool:
    return (day - activity.first).days < WINDOW_DAYS


def _sorted(cards: Iterable[C], rank: Callable[[C], tuple[int, ...]]) -> list[C]:
    """The highest rank first; equal ones by name, so that a list is the same each time."""
    return sorted(cards, key=lambda card: (*(-number for number in rank(card)), _named(card)))


def _named(card: Any) -> Any:  # noqa: ANN401 (either card)
    return card.company.id if isinstance(card, CompanyCard) else card.fingerprint
