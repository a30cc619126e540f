"""Lists of a closed day: their foremost cards in each order, a hundred to a piece."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from telemetry.domain.instant import midnight, to_seconds
from telemetry.domain.profiles.cards import Activity, CompanyCard, CompanyName, DeveloperCard, Order
from telemetry.storage.batches import batch_get, grouped
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.errors import store
from telemetry.storage.profiles.keys import fingerprint_of, fingerprint_text, lists_key
from telemetry.storage.tables import KeyedItem, bind

RETENTION = timedelta(days=8)
"""Of lists; those of a day go when those of the next days are there. A cursor leads on for so long."""

_COMPANIES, _DEVELOPERS = "companies", "developers"
_CARDS_OF_A_PIECE = 100


class ListItem(KeyedItem):
    """A piece of a list. sk `companies#active#0000`. `total` is how many cards the list has."""

    body = BinaryAttribute(attr_name="b", legacy_encoding=False)
    total = NumberAttribute()
    expires_at = NumberAttribute()


@store("lists of profiles")
@dataclass(frozen=True, slots=True)
class ListStore:
    """Lists of a view and day, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def put_companies(self, view: int, product: str, day: date, order: Order, cards: Sequence[CompanyCard]) -> None:
        """Stores a list; there is always a first piece."""
        self._put(lists_key(view, product, day), f"{_COMPANIES}#{order}", [_of_company(each) for each in cards], day)

    def put_developers(self, view: int, product: str, day: date, order: Order, cards: Sequence[DeveloperCard]) -> None:
        """As `put_companies`."""
        self._put(lists_key(view, product, day), f"{_DEVELOPERS}#{order}", [_of_developer(each) for each in cards], day)

    def companies(
        self, view: int, product: str, day: date, order: Order, start: int, limit: int
    ) -> tuple[list[CompanyCard], int]:
        """Some cards, and how many the list has. One request."""
        found, total = self._read(lists_key(view, product, day), f"{_COMPANIES}#{order}", start, limit)
        return [_company(each) for each in found], total

    def developers(
        self, view: int, product: str, day: date, order: Order, start: int, limit: int
    ) -> tuple[list[DeveloperCard], int]:
        """As `companies`."""
        found, total = self._read(lists_key(view, product, day), f"{_DEVELOPERS}#{order}", start, limit)
        return [_developer(each) for each in found], total

    def company(self, view: int, product: str, day: date, company: str) -> CompanyCard | None:
        """A company's card, where it is in a list. One request if it is among those active, else up to four."""
        found = self._cards(lists_key(view, product, day), _COMPANIES)
        return next((_company(each) for each in found if each[0][0] == company), None)

    def developer(self, view: int, product: str, day: date, fingerprint: bytes) -> DeveloperCard | None:
        """As `company`."""
        found, wanted = self._cards(lists_key(view, product, day), _DEVELOPERS), fingerprint_text(fingerprint)
        return next((_developer(each) for each in found if each[0] == wanted), None)

    def _cards(self, partition: str, name: str) -> Iterator[list[Any]]:
        """Those of one list after the other, as far as somebody goes on: first those active."""
        model = bind(ListItem, self.table)
        for order in Order:
            for item in model.query(partition, model.sk.startswith(f"{name}#{order}#")):
                yield from inflated_json(item.body)

    def _put(self, partition: str, name: str, cards: Sequence[Any], day: date) -> None:
        model, expires_at = bind(ListItem, self.table), to_seconds(midnight(day) + RETENTION)
        pieces = list(grouped(cards, _CARDS_OF_A_PIECE)) or [[]]
        with model.batch_write() as batch:
            for number, piece in enumerate(pieces):
                sort = f"{name}#{number:04d}"
                batch.save(model(partition, sort, body=deflated_json(piece), total=len(cards), expires_at=expires_at))

    def _read(self, partition: str, name: str, start: int, limit: int) -> tuple[list[Any], int]:
        first, last = start // _CARDS_OF_A_PIECE, (start + limit - 1) // _CARDS_OF_A_PIECE
        keys = [(partition, f"{name}#{number:04d}") for number in {0, *range(first, last + 1)}]
        items = {item.sk: item for item in batch_get(bind(ListItem, self.table), keys)}
        total = max((int(item.total) for item in items.values()), default=0)
        found = [
            card
            for number in range(first, last + 1)
            if (item := items.get(f"{name}#{number:04d}"))
            for card in inflated_json(item.body)
        ]
        begin = start - first * _CARDS_OF_A_PIECE
        return found[begin : begin + limit], total


def _of_company(card: CompanyCard) -> list[Any]:
    name = [card.company.id, card.company.name, card.company.source, card.company.confidence]
    return [name, *_activity_to_json(card.activity), card.developers, card.developers_before, card.countries]


def _company(said: list[Any]) -> CompanyCard:
    name, *activity, developers, before, countries = said
    return CompanyCard(CompanyName(*name), _activity(*activity), developers, before, tuple(countries))


def _of_developer(card: DeveloperCard) -> list[Any]:
    company = card.company
    name = [company.id, company.name, company.source, company.confidence] if company else None
    who = [fingerprint_text(card.fingerprint), card.name, card.id_type]
    return [*who, name, card.is_carried, *_activity_to_json(card.activity)]


def _developer(said: list[Any]) -> DeveloperCard:
    fingerprint, name, id_type, company, is_carried, *activity = said
    known = CompanyName(*company) if company else None
    return DeveloperCard(fingerprint_of(fingerprint), name, id_type, known, is_carried, _activity(*activity))


def _activity_to_json(activity: Activity) -> Iterator[Any]:
    yield activity.first.toordinal()
    yield activity.last.toordinal()
    yield activity.days
    yield activity.days_before
    yield dict(activity.uses)
    yield activity.weeks
    yield int(activity.is_quiet)


def _activity(
    first: int, last: int, days: int, days_before: int, uses: dict[str, int], weeks: list[int], is_quiet: int
) -> Activity:
    return Activity(
        date.fromordinal(first), date.fromordinal(last), days, days_before, uses, tuple(weeks), bool(is_quiet)
    )
