"""Who is active today: companies, and developers who never were before. One item each, written once a day."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.instant import from_seconds, midnight, to_seconds
from telemetry.domain.keys import key_text
from telemetry.domain.profiles.cards import CompanyName
from telemetry.domain.profiles.today import CompanyDay, CompanyToday, DeveloperOf, DeveloperToday
from telemetry.storage.batches import read_items
from telemetry.storage.errors import ConditionFailed, conditions, store
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
        keys = {(f"profiles#state#{key_text(product)}", "current"): product for product in products}
        found = {keys[key]: int(item.get("view", {"N": "0"})["N"]) for key, item in self._read(keys).items()}
        return dict.fromkeys(products, 0) | found

    def noted_companies(self, companies: Collection[CompanyDay]) -> set[CompanyDay]:
        """Those that are noted for their day."""
        return self._there({(_today(each.product, each.day), f"{_COMPANY}{each.company}"): each for each in companies})

    def known_companies(self, companies: Collection[CompanyDay], views: Mapping[str, int]) -> set[CompanyDay]:
        """Those that a closed day has seen, in the view of their product."""
        keys = {
            (f"profiles#at#{views[each.product]}#{key_text(each.product)}#{each.company}", "~"): each
            for each in companies
        }
        # one company may be there on two days
        found = {(each.product, each.company) for each in self._there(keys)}
        return {each for each in companies if (each.product, each.company) in found}

    def known_developers(self, developers: Collection[DeveloperOf]) -> set[DeveloperOf]:
        """Those that a closed day has seen; who is forgotten is known too."""
        return self._there(
            {
                (f"profiles#developer#{key_text(each.product)}#{_text(each.fingerprint)}", "profile"): each
                for each in developers
            }
        )

    def noted_developers(self, developers: Collection[DeveloperOf], days: Iterable[date]) -> set[DeveloperOf]:
        """Those that are noted as new for any of these days."""
        return self._there(
            {
                (_today(each.product, day), f"{_DEVELOPER}{_text(each.fingerprint)}"): each
                for day in days
                for each in developers
            }
        )

    def note_company(self, product: str, day: date, noted: CompanyToday) -> bool:
        """Notes a company of a day, for good: False if it is noted already."""
        company = noted.company
        return _put(
            bind(CompanyTodayItem, self.table)(
                _today(product, day),
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
                _today(product, day),
                f"{_DEVELOPER}{_text(noted.fingerprint)}",
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

    def new_today(self, product: str, day: date, limit: int) -> tuple[list[CompanyToday], list[DeveloperToday]]:
        """Companies that no closed day has seen, and developers whom nobody had seen; the newest first.

        A day of which more than MOST_READ companies, or new developers, are noted shows the newest of some of them:
        those that come first by id, or by fingerprint. A developer who came yesterday is new on that day alone, a
        company on both, until yesterday's usage is closed.
        """
        company, developer = bind(CompanyTodayItem, self.table), bind(DeveloperTodayItem, self.table)
        pk = _today(product, day)
        # not a filter of the query: it would read as much, and could not be bounded
        companies = [
            _company_of(item)
            for item in company.query(pk, company.sk.startswith(_COMPANY), limit=MOST_READ)
            if item.is_new
        ]
        developers = [
            _developer_of(item) for item in developer.query(pk, developer.sk.startswith(_DEVELOPER), limit=MOST_READ)
        ]
        companies.sort(key=lambda each: (-each.first.timestamp(), each.company.id))
        developers.sort(key=lambda each: (-each.first.timestamp(), each.fingerprint))
        return companies[:limit], developers[:limit]

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
    fingerprint = urlsafe_b64decode(f"{item.sk.removeprefix(_DEVELOPER)}==")
    return DeveloperToday(fingerprint, item.name, item.id_type, company, from_seconds(item.first))


def _today(product: str, day: date) -> str:
    return f"profiles#today#{key_text(product)}#{day}"


def _text(fingerprint: bytes) -> str:
    return urlsafe_b64encode(fingerprint).rstrip(b"=").decode()
