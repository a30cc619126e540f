"""Companies and developers counted from the records themselves, in the plainest way: what profiles are compared with.

Of the service it takes how an event is read, and the rules of attribution. All else is written down here once more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypedDict

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.attribution import (
    Attribution,
    DayCompany,
    Networks,
    attribute,
    company_of_day,
)
from telemetry.domain.company_domains import DomainLists
from telemetry.domain.event import Dialect, Event, attributed_address
from telemetry.domain.overrides import Overrides

NO_ACTIVITY = "~unknown"
"""The activity type of usage that names none."""


class Exported(TypedDict):
    """A record as `python -m local records` prints it, with its environment. Of `received_at` only the day is read."""

    environment: str
    product: str
    received_at: str
    dialect: str
    body: str
    source_ip: str


class Scope(NamedTuple):
    """What is counted by itself."""

    environment: str
    product: str


@dataclass
class Figures:
    """What there is of a company, or of a developer."""

    uses: Counter[str] = field(default_factory=Counter)
    """By activity type."""
    days: set[date] = field(default_factory=set)
    developers: set[str] = field(default_factory=set)
    """Of a company: who was active for it, by the ids that count."""
    companies: dict[date, DayCompany] = field(default_factory=dict)
    """Of a developer: the company of each active day that has one."""
    uses_of: defaultdict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter), compare=False)
    """The uses of each day."""
    developers_of: defaultdict[date, set[str]] = field(default_factory=lambda: defaultdict(set), compare=False)
    """Of a company: the developers of each day."""

    def within(self, first: date, last: date) -> "Figures":
        """What there is of some of the days."""
        days = {day for day in self.days if first <= day <= last}
        uses, developers = Counter[str](), set[str]()
        for day in days:
            uses.update(self.uses_of[day])
            developers |= self.developers_of[day]
        return Figures(uses, days, developers)


@dataclass
class Profiles:
    """By a company's id, and by a developer's; None is the company of what nothing tells."""

    companies: defaultdict[str | None, Figures] = field(default_factory=lambda: defaultdict(Figures))
    developers: defaultdict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))


class _Seen(NamedTuple):
    developer: str | None
    behind: Attribution
    activity: str | None
    uses: int


class Attributor(NamedTuple):
    """What attribution needs beside an event."""

    overrides: Overrides
    lists: DomainLists
    networks: Networks

    def behind(self, event: Event, source_ip: str) -> Attribution:
        address = attributed_address(event.dialect, event.source, event.address, source_ip)
        return attribute(event.company, address, self.overrides, self.lists, self.networks)


def recount(records: Iterable[Exported], first: date, last: date, attributor: Attributor) -> dict[Scope, Profiles]:
    """The profiles of each environment and product, from the records of the days from `first` to `last`."""
    by_day: defaultdict[tuple[Scope, date], list[_Seen]] = defaultdict(list)
    for record in records:
        day = date.fromisoformat(record["received_at"][:10])
        if first <= day <= last:
            by_day[Scope(record["environment"], record["product"]), day].append(_seen(record, attributor))
    found: defaultdict[Scope, Profiles] = defaultdict(Profiles)
    for (scope, day), seen in sorted(by_day.items(), key=lambda each: each[0]):
        _count(found[scope], day, seen)
    return dict(found)


def _seen(record: Exported, attributor: Attributor) -> _Seen:
    event = _event_in(record)
    is_usage = event.dialect is Dialect.REO
    developer = event.counted_user or event.counted_device
    activity = (event.group or NO_ACTIVITY) if is_usage else None
    return _Seen(developer, attributor.behind(event, record["source_ip"]), activity, event.count or 1)


def _event_in(record: Exported) -> Event:
    body = record["body"].encode()
    return reo.parse(body) if record["dialect"] == Dialect.REO else getkeymanager.parse_one(body)


def _count(profiles: Profiles, day: date, seen: list[_Seen]) -> None:
    """Adds a day, which is later than those before."""
    of_developer: defaultdict[str, list[_Seen]] = defaultdict(list)
    for each in seen:
        if each.developer is None:
            _add(profiles.companies[each.behind.id if each.behind.is_company else None], day, [each])
        else:
            of_developer[each.developer].append(each)
    for developer, theirs in of_developer.items():
        own = profiles.developers[developer]
        told = [each for each in own.companies.values() if not each.is_carried]
        company = company_of_day(day, [(each.behind, each.uses) for each in theirs], told)
        of_company = profiles.companies[company.company.id if company else None]
        for figures in (own, of_company):
            _add(figures, day, theirs)
        of_company.developers.add(developer)
        of_company.developers_of[day].add(developer)
        if company:
            own.companies[day] = company


def _add(figures: Figures, day: date, seen: list[_Seen]) -> None:
    figures.days.add(day)
    for each in seen:
        if each.activity:
            figures.uses[each.activity] += each.uses
            figures.uses_of[day][each.activity] += each.uses
