"""What each developer did at each company, as items of the company's partition."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from telemetry.domain.active_users import Outdated
from telemetry.domain.profiles.cards import CompanyName
from telemetry.domain.profiles.rows import NOBODY
from telemetry.domain.profiles.tenure import Tenure
from telemetry.storage.batches import batch_get
from telemetry.storage.deflated_json import deflated_json, inflated_json
from telemetry.storage.errors import conditions, store
from telemetry.storage.profiles.keys import NOBODYS, at_key, fingerprint_of, fingerprint_text
from telemetry.storage.tables import KeyedItem, bind


class TenureKey(NamedTuple):
    """Whose, and at which company; None where no company is known."""

    company: str | None
    fingerprint: bytes


class TenureItem(KeyedItem):
    """A tenure. `through` is the ordinal of the last day that was added; `body` is deflated JSON, about 200 bytes."""

    through = NumberAttribute(attr_name="t")
    body = BinaryAttribute(attr_name="b", legacy_encoding=False)


@store("profiles")
@dataclass(frozen=True, slots=True)
class TenureStore:
    """Tenures of a view, in an environment's aggregates. Raises StoreUnavailable."""

    table: str

    def get(
        self, view: int, product: str, keys: Collection[TenureKey], *, consistent: bool = True
    ) -> dict[TenureKey, Tenure]:
        """Those that are there."""
        by_key = {(at_key(view, product, *each), fingerprint_text(each.fingerprint)): each for each in keys}
        found = batch_get(bind(TenureItem, self.table), by_key, consistent_read=consistent)
        return {by_key[item.pk, item.sk]: _tenure(item) for item in found}

    def put(self, view: int, product: str, key: TenureKey, tenure: Tenure, before: Tenure | None) -> None:
        """Stores a tenure that was `before`. Raises Outdated where it is another by now."""
        model = bind(TenureItem, self.table)
        unchanged = model.pk.does_not_exist() if before is None else model.through == before.through.toordinal()
        item = model(
            at_key(view, product, *key),
            fingerprint_text(key.fingerprint),
            through=tenure.through.toordinal(),
            body=_body(tenure),
        )
        with conditions(Outdated("The tenure is another")):
            item.save(condition=unchanged)

    def at(
        self, view: int, product: str, company: str, after: bytes | None, limit: int
    ) -> tuple[list[tuple[bytes, Tenure]], bytes | None]:
        """A page of the developers of a company, by fingerprint, and where the next page begins."""
        model = bind(TenureItem, self.table)
        beyond = None if after is None else model.sk > fingerprint_text(after)
        found = list(model.query(at_key(view, product, company, NOBODY), beyond, limit=limit + 2))
        people = [(fingerprint_of(item.sk), _tenure(item)) for item in found if item.sk != NOBODYS]
        return people[:limit], people[limit - 1][0] if len(people) > limit else None

    def nobodys(
        self, view: int, product: str, companies: Collection[str], *, consistent: bool = True
    ) -> dict[str, Tenure]:
        """Of companies, what nobody did by name: there for each that was ever seen."""
        found = self.get(view, product, [TenureKey(each, NOBODY) for each in companies], consistent=consistent)
        return {key.company: tenure for key, tenure in found.items() if key.company}

    def forget(self, view: int, product: str, key: TenureKey) -> None:
        """Takes the name out, whatever day has been added."""
        while (before := self.get(view, product, [key]).get(key)) and before.name:
            with suppress(Outdated):
                self.put(view, product, key, replace(before, name=None, id_type=None), before)


def _body(tenure: Tenure) -> bytes:
    company = tenure.company
    said = {
        "c": [company.id, company.name, company.source, company.confidence] if company else None,
        "f": tenure.first.toordinal(),
        "l": tenure.last.toordinal(),
        "o": tenure.told_on.toordinal() if tenure.told_on else None,
        "d": f"{tenure.days:x}",
        "w": {str(week): count for week, count in tenure.weeks.items()},
        "u": dict(tenure.uses),
        "v": tenure.versions,
        "n": tenure.countries,
        "i": [tenure.name, tenure.id_type],
    }
    return deflated_json(said)


def _tenure(item: TenureItem) -> Tenure:
    said: Any = inflated_json(item.body)
    return Tenure(
        company=CompanyName(*said["c"]) if said["c"] else None,
        through=date.fromordinal(int(item.through)),
        first=date.fromordinal(said["f"]),
        last=date.fromordinal(said["l"]),
        told_on=date.fromordinal(said["o"]) if said["o"] else None,
        days=int(said["d"], 16),
        weeks={int(week): count for week, count in said["w"].items()},
        uses=said["u"],
        versions=tuple(said["v"]),
        countries=tuple(said["n"]),
        name=said["i"][0],
        id_type=said["i"][1],
    )
