"""Who is active today: companies, and developers who never were before. One item each, written once a day."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.instant import from_seconds, midnight, to_seconds
from telemetry.domain.profiles.cards import CompanyName
from telemetry.domain.profiles.rows import NOBODY
from telemetry.domain.profiles.today import CompanyDay, CompanyToday, DeveloperOf, DeveloperToday
from telemetry.storage.batches import read_items
from telemetry.storage.errors import ConditionFailed, conditions, store
from telemetry.storage.profiles.keys import (
    CURRENT,
    NOBODYS,
    PROFILE,
    at_key,
    developer_key,
    fingerprint_of,
    fingerprint_text,
    state_key,
    today_key,
)
from telemetry.storage.tables import KeyedItem, bind, dynamodb_client

RETENTION = timedelta(days=4)
"""From the beginning of a day: three days after its end its usage is closed, or somebody has been told."""

MOST_READ = 2_000
"""Companies, and developers, of a day that are looked through: at most some 100 read units, whatever happened."""

_COMPANY, _DEVELOPER = "c#", "d#"

Key = tuple[str, str]
T = TypeVar("T")


class CompanyTodayItem(KeyedItem):
    """A company on a day. pk `profiles#today#acme-cli#2026-11-21`, sk `c#globex.example`; `first` in epoch seconds."""

    name = UnicodeAttribute()
    source = UnicodeAttribute()
    confidence = NumberAttribute()
    first = NumberAttribute()
    is_new = BooleanAttribute(attr_name="new", null=True)
    expires_at = NumberAttribute()


class DeveloperTodayItem(KeyedItem):
    """A new developer. pk as a company's, sk `d#AQIDBA` of the fingerprint 01 02 03 04; `first` in epoch seconds.

    `company` is `[id, name, source, confidence]`.
    """

    name = UnicodeAttribute(null=True)
    id_type = UnicodeAttribute(null=True)
    company = ListAttribute[Any](null=True)  # not JSON, which takes up to three times the room
    first = NumberAttribute()
    expires_at = NumberAttribute()


@store("profiles of today")
@dataclass(frozen=True, slots=True)
class TodayStore:
    """The aggregates table of one environment. Reads are eventually consistent. Raises StoreUnavailable."""

    table: str

    # ── noting

    def views(self, products: Collection[str]) -> dict[str, int]:
        """Which view of closed days each product shows (profiles.views.Attributed)."""
        keys = {(state_key(product), CURRENT): product for product in products}
        found = {keys[key]: int(item.get("view", {"N": "0"})["N"]) for key, item in self._read(keys).items()}
        return dict.fromkeys(products, 0) | found

    def noted_companies(self, companies: Collection[CompanyDay]) -> set[CompanyDay]:
        """Those that are noted for their day."""
        return self._there(
            {(today_key(each.product, each.day), f"{_COMPANY}{each.company}"): each for each in companies}
        )

    def known_companies(self, companies: Collection[CompanyDay], views: Mapping[str, int]) -> set[CompanyDay]:
        """Those that a closed day has seen, in the view of their product."""
        keys = {(at_key(views[each.product], each.product, each.company, NOBODY), NOBODYS): each for each in companies}
        # one company may be there on two days
        found = {(each.product, each.company) for each in self._there(keys)}
        return {each for each in companies if (each.product, each.company) in found}

    def known_developers(self, developers: Collection[DeveloperOf]) -> set[DeveloperOf]:
        """Those that a closed day has seen; who is forgotten is known too."""
        return self._there({(developer_key(each.product, each.fingerprint), PROFILE): each for each in developers})

    def noted_developers(self, developers: Collection[DeveloperOf], days: Iterable[date]) -> set[DeveloperOf]:
        """Those that are noted as new for any of these days."""
        return self._there(
            {
                (today_key(each.product, day), f"{_DEVELOPER}{fingerprint_text(each.fingerprint)}"): each
                for day in days
                for each in developers
            }
        )

    def note_company(self, product: str, day: date, noted: CompanyToday) -> bool:
        """Notes a company of a day, for good: False if it is noted already."""
        company = noted.company
        return _put(
            bind(CompanyTodayItem, self.table)(
                today_key(product, day),
                f"{_COMPANY}{company.id}",
                name=company.name,
                source=company.source,
                confidence=company.confidence,
                first=to_seconds(noted.first),
                is_new=noted.is_new or None,
                expires_at=to_seconds(midnight(day) + RETENTION),
            )
        )

    def note_developer(self, product: str, day: date, noted: DeveloperToday) -> bool:
        """Notes a developer who is new on a day, for good: False if it is noted already."""
        company = noted.company
        return _put(
            bind(DeveloperTodayItem, self.table)(
                today_key(product, day),
                f"{_DEVELOPER}{fingerprint_text(noted.fingerprint)}",
                name=noted.name,
                id_type=noted.id_type,
                company=company and [company.id, company.name, company.source, company.confidence],
                first=to_seconds(noted.first),
                expires_at=to_seconds(midnight(day) + RETENTION),
            )
        )

    # ── reading

    def active_companies(self, product: str, day: date, ids: Collection[str]) -> set[str]:
        """Which of these companies are active on a day: one request for each hundred."""
        return {each.company for each in self.noted_companies([CompanyDay(product, day, id_) for id_ in ids])}

    def new_companies(self, product: str, day: date, limit: int) -> list[CompanyToday]:
        """Companies that no closed day has seen, the newest first.

        Of a day for which more than MOST_READ companies are noted these are the newest of some: of those that come
        first by id. One that came yesterday is new on both days, until yesterday's usage is closed.
        """
        model = bind(CompanyTodayItem, self.table)
        # not a filter of the query: it would read as much, and could not be bounded
        of_day = model.query(today_key(product, day), model.sk.startswith(_COMPANY), limit=MOST_READ)
        found = [_company_of(item) for item in of_day if item.is_new]
        return sorted(found, key=lambda each: (-each.first.timestamp(), each.company.id))[:limit]

    def new_developers(self, product: str, day: date, limit: int) -> list[DeveloperToday]:
        """Developers whom nobody had seen before the day, the newest first; of a busy day some, as `new_companies`."""
        model = bind(DeveloperTodayItem, self.table)
        of_day = model.query(today_key(product, day), model.sk.startswith(_DEVELOPER), limit=MOST_READ)
        return sorted(map(_developer_of, of_day), key=lambda each: (-each.first.timestamp(), each.fingerprint))[:limit]

    def _there(self, keys: Mapping[Key, T]) -> set[T]:
        return {keys[key] for key in self._read(keys)}

    def _read(self, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        """Which items there are; of their attributes `view` alone."""
        wanted = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
        names = {"#pk": "pk", "#sk": "sk", "#view": "view"}
        found = read_items(
            dynamodb_client, self.table, wanted, ProjectionExpression=", ".join(names), ExpressionAttributeNames=names
        )
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in found}


def _put(item: KeyedItem) -> bool:
    try:
        with conditions():
            item.save(condition=type(item).pk.does_not_exist())
    except ConditionFailed:
        return False
    return True


def _company_of(item: CompanyTodayItem) -> CompanyToday:
    company = CompanyName(item.sk.removeprefix(_COMPANY), item.name, item.source, int(item.confidence))
    return CompanyToday(company, from_seconds(item.first), bool(item.is_new))


def _developer_of(item: DeveloperTodayItem) -> DeveloperToday:
    company = CompanyName(*item.company) if item.company else None
    fingerprint = fingerprint_of(item.sk.removeprefix(_DEVELOPER))
    return DeveloperToday(fingerprint, item.name, item.id_type, company, from_seconds(item.first))
