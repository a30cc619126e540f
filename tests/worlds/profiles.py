"""Developers and companies by hand, until a day of them is closed by the functions' own code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from telemetry.domain.profiles.cards import Activity, CompanyCard, CompanyName, DeveloperCard, Order
from telemetry.domain.profiles.ranking import ranked_companies, ranked_developers
from telemetry.domain.profiles.views import (
    AtCompany,
    Attributed,
    Closed,
    CompanyRow,
    CompanyView,
    DeveloperRow,
    DeveloperView,
    Link,
    Listing,
    Totals,
)

DAY = date(2026, 11, 20)
FILE = "ab" * 32

R = TypeVar("R")


def closed(day: date = DAY, view: int = 0, network_file: str | None = FILE) -> Closed:
    """A closed day with some totals."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, minutes=50)
    totals = Totals(5, 3, {"primary": 40, "secondary1": 8, "CALL_HOME": 2}, {"CALL_HOME": 1})
    return Closed(day, at, totals, Attributed(view, at, network_file), 1_000)


def activity(
    days: int = 3, uses: int = 10, last: date = DAY, first: date = date(2026, 9, 1), before: int = 1
) -> Activity:
    """Some uses, most of them primary, all of them in the last week."""
    return Activity(first, last, days, before, {"primary": uses, "secondary1": 2, "x": 1}, (*([0] * 12), uses + 3))


def company(id_: str, name: str | None = None, source: str = "domain", confidence: int = 3) -> CompanyName:
    """By default one that a domain told."""
    return CompanyName(id_, name or id_, source, confidence)


def company_card(name: CompanyName, developers: int = 1, countries: Sequence[str] = (), before: int = 0) -> CompanyCard:
    """A company of so many developers."""
    return CompanyCard(name, activity(), developers, before, tuple(countries))


def fingerprint(number: int) -> bytes:
    """That of a developer."""
    return number.to_bytes(16)


def developer_card(
    number: int, name: str | None, company_: CompanyName | None = None, *, days: int = 3, is_carried: bool = False
) -> DeveloperCard:
    """A developer known by a mail address, unless it has no name."""
    return DeveloperCard(fingerprint(number), name, "EMAIL" if name else None, company_, is_carried, activity(days))


ACME, GLOBEX, INC = company("acme.com"), company("globex.co.uk"), company("~o:acme inc", "ACME, Inc.", "address", 2)
COMPANIES = [
    company_card(ACME, 3, ("DE", "GB"), before=1),
    company_card(GLOBEX, 2, ("GB",), before=5),
    company_card(INC, 1),
]
DEVELOPERS = [
    developer_card(1, "ann@acme.com", ACME, days=9),
    developer_card(2, "bob.acton@globex.co.uk", GLOBEX, days=7, is_carried=True),
    developer_card(3, None, None, days=5),
]


@dataclass
class HandMadeProfiles:
    """What ProfileReader tells, of one product: all that was put here. `asked` are the views that were asked for."""

    day: Closed | None = field(default_factory=closed)
    product: str = "acme-cli"
    companies_: list[CompanyCard] = field(default_factory=lambda: list(COMPANIES))
    developers_: list[DeveloperCard] = field(default_factory=lambda: list(DEVELOPERS))
    asked: list[int | None] = field(default_factory=list)

    def closed(self, product: str, view: int | None = None) -> Closed | None:
        if self.day is None or product != self.product:
            return None
        return self.day if view is None else replace(self.day, attributed=replace(self.day.attributed, view=view))

    def companies(
        self, product: str, order: Order, start: int, limit: int, today: date, view: int | None = None
    ) -> Listing[CompanyRow]:
        del today
        ranked = ranked_companies(self.all_companies(product, view), order, self.day.day) if self.day else []
        rows = [CompanyRow(card.company, card, is_active_today=card.company is ACME) for card in ranked]
        new = CompanyRow(company("new.example"), None, is_active_today=True, is_new=True)
        return self._page(rows, [new], start, limit)

    def developers(
        self, product: str, order: Order, start: int, limit: int, today: date, view: int | None = None
    ) -> Listing[DeveloperRow]:
        del today
        ranked = ranked_developers(self.all_developers(product, view), order, self.day.day) if self.day else []
        rows = [
            DeveloperRow(card.fingerprint, card.name, card.id_type, card.company, card, is_active_today=False)
            for card in ranked
        ]
        new = DeveloperRow(fingerprint(99), "new@new.example", "EMAIL", None, None, is_active_today=True, is_new=True)
        return self._page(rows, [new], start, limit)

    def company(
        self, product: str, company_id: str, after: bytes | None, limit: int, today: date, view: int | None = None
    ) -> CompanyView | None:
        del today
        self.asked.append(view)
        card = next((each for each in self.all_companies(product) if each.company.id == company_id), None)
        if card is None:
            return None
        found = [
            each for each in self.developers_ if each.company == card.company and each.fingerprint > (after or b"")
        ]
        rest = found[limit - 1].fingerprint if len(found) > limit else None
        at = [self._at(each) for each in found[:limit]]
        nobody = AtCompany(card.company, b"", None, None, activity(), {"primary": 7}, (), ())
        return CompanyView(self.day, card.company, card, date(2026, 9, 1), DAY, nobody, at, rest, is_active_today=True)

    def developer(self, product: str, fingerprint: bytes, today: date, view: int | None = None) -> DeveloperView | None:
        del today
        self.asked.append(view)
        card = next((each for each in self.all_developers(product) if each.fingerprint == fingerprint), None)
        if card is None:
            return None
        links = [Link(DEVELOPERS[1].fingerprint, "bob", "GITHUB", b"d" * 16, DAY, is_undone=False)]
        return DeveloperView(
            closed=self.day,
            fingerprint=fingerprint,
            name=card.name,
            id_type=card.id_type,
            first=date(2026, 9, 1),
            at=[self._at(card)],
            links=links,
            shared_devices=1,
            is_active_today=True,
            is_forgotten=card.name is None,
            card=card,
        )

    def all_companies(self, product: str, view: int | None = None) -> Iterator[CompanyCard]:
        self.asked.append(view)
        return iter(self.companies_ if product == self.product else ())

    def all_developers(self, product: str, view: int | None = None) -> Iterator[DeveloperCard]:
        self.asked.append(view)
        return iter(self.developers_ if product == self.product else ())

    def _page(self, rows: Sequence[R], new: Sequence[R], start: int, limit: int) -> Listing[R]:
        end = start + limit
        rest = end if end < len(rows) else None
        return Listing(self.day, rows[start:end], () if start else new, len(rows), rest)

    @staticmethod
    def _at(card: DeveloperCard) -> AtCompany:
        uses = {"primary": 100, "secondary1": 20}
        return AtCompany(
            card.company, card.fingerprint, card.name, card.id_type, card.activity, uses, ("2.0",), ("DE",),
            is_forgotten=card.name is None,
        )  # fmt: skip
