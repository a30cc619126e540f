"""Who is active today: companies, and developers who never were before.

One mark each, written once a day, tells that; who is new has an item more, by which the newest are found without
reading all others.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute

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

_COMPANY, _DEVELOPER = "c#", "d#"
_NEW = "new#"
_LAST_SECOND = 9_999_999_999
_SPARE = 2
"""Times what is asked for: two processes at once may note somebody as new twice."""

Key = tuple[str, str]
T = TypeVar("T")


class TodayItem(KeyedItem):
    """That somebody is active. pk `profiles#today#acme-cli#2026-11-21`; sk `c#globex.example` of a company, `d#AQIDBA`
    of a developer with the fingerprint 01 02 03 04, who was never seen before.
    """

    expires_at = NumberAttribute()


class NewCompanyItem(KeyedItem):
    """A company that no closed day has seen. sk `new#c#8204750184#globex.example`: the number falls with time."""

    name = UnicodeAttribute()
    source = UnicodeAttribute()
    confidence = NumberAttribute()
    expires_at = NumberAttribute()


class NewDeveloperItem(KeyedItem):
    """A developer whom nobody had seen before. sk as a new company's, `new#d#8204750184#AQIDBA`.

    `company` is `[id, name, source, confidence]`.
    """

    name = UnicodeAttribute(null=True)
    id_type = UnicodeAttribute(null=True)
    company = ListAttribute[Any](null=True)  # not JSON, which takes up to three times the room
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
        company, key = noted.company, today_key(product, day)
        if noted.is_new:
            bind(NewCompanyItem, self.table)(
                key,
                _new(_COMPANY, noted.first, company.id),
                name=company.name,
                source=company.source,
                confidence=company.confidence,
                expires_at=_end(day),
            ).save()
        return self._mark(key, f"{_COMPANY}{company.id}", day)

    def note_developer(self, product: str, day: date, noted: DeveloperToday) -> bool:
        """Notes a developer who is new on a day, for good: False if it is noted already."""
        company, key, name = noted.company, today_key(product, day), fingerprint_text(noted.fingerprint)
        bind(NewDeveloperItem, self.table)(
            key,
            _new(_DEVELOPER, noted.first, name),
            name=noted.name,
            id_type=noted.id_type,
            company=company and [company.id, company.name, company.source, company.confidence],
            expires_at=_end(day),
        ).save()
        return self._mark(key, f"{_DEVELOPER}{name}", day)

    # ── reading

    def active_companies(self, product: str, day: date, ids: Collection[str]) -> set[str]:
        """Which of these companies are active on a day: one request for each hundred."""
        return {each.company for each in self.noted_companies([CompanyDay(product, day, id_) for id_ in ids])}

    def new_companies(self, product: str, day: date, limit: int) -> list[CompanyToday]:
        """Companies that no closed day has seen, the newest first.

        One that came yesterday is new on both days, until yesterday's usage is closed.
        """
        model, found = bind(NewCompanyItem, self.table), dict[str, CompanyToday]()
        key, beginning = today_key(product, day), f"{_NEW}{_COMPANY}"
        for item in model.query(key, model.sk.startswith(beginning), limit=limit * _SPARE):
            first, id_ = _seen(item.sk)
            name = CompanyName(id_, item.name, item.source, int(item.confidence))
            found[id_] = CompanyToday(name, first, is_new=True)
        return sorted(found.values(), key=lambda each: (-each.first.timestamp(), each.company.id))[:limit]

    def new_developers(self, product: str, day: date, limit: int) -> list[DeveloperToday]:
        """Developers whom nobody had seen before the day, the newest first."""
        model, found = bind(NewDeveloperItem, self.table), dict[str, DeveloperToday]()
        key, beginning = today_key(product, day), f"{_NEW}{_DEVELOPER}"
        for item in model.query(key, model.sk.startswith(beginning), limit=limit * _SPARE):
            first, id_ = _seen(item.sk)
            company = CompanyName(*item.company) if item.company else None
            found[id_] = DeveloperToday(fingerprint_of(id_), item.name, item.id_type, company, first)
        return sorted(found.values(), key=lambda each: (-each.first.timestamp(), each.fingerprint))[:limit]

    def _mark(self, partition: str, sort: str, day: date) -> bool:
        """False if it is there already."""
        model = bind(TodayItem, self.table)
        try:
            with conditions():
                model(partition, sort, expires_at=_end(day)).save(condition=model.pk.does_not_exist())
        except ConditionFailed:
            return False
        return True

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


def _end(day: date) -> int:
    return to_seconds(midnight(day) + RETENTION)


def _new(kind: str, first: datetime, id_: str) -> str:
    """The sort key of somebody new: the later, the smaller."""
    return f"{_NEW}{kind}{_LAST_SECOND - to_seconds(first):010d}#{id_}"


def _seen(sort: str) -> tuple[datetime, str]:
    """When somebody new was seen first, and its id."""
    _, _, left, id_ = sort.split("#", 3)
    return from_seconds(_LAST_SECOND - int(left)), id_
