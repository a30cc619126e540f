"""The audit log in the registry: added to, never changed."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from telemetry.domain.environment import Environment
from telemetry.domain.instant import from_milliseconds, to_milliseconds
from telemetry.domain.page import Page
from telemetry.domain.staff import AuditEntry, Author
from telemetry.storage.errors import store
from telemetry.storage.tables import KeyedItem, bind

_PAGE_SIZE = 200


class FactsAttribute(JSONAttribute):
    """Fields by name, as JSON with its characters as they are: spelled out they take up to three times as much."""

    def serialize(self, value: Any) -> str | None:  # noqa: ANN401 (JSON)
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class ByKind(GlobalSecondaryIndex["AuditItem"]):  # type: ignore[no-untyped-call]
    """The history of one thing, in order of time."""

    class Meta:
        """Written once, in template.yaml; here for reading."""

        index_name = "by_kind"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    listed = UnicodeAttribute(range_key=True)


class AuditItem(KeyedItem):
    """An entry. pk `audit#2026-11`, sk `<epoch ms>#<uuid>`; kind `audit#license#3f2b…`; listed as sk."""

    kind = UnicodeAttribute()
    listed = UnicodeAttribute()
    environment = UnicodeAttribute(null=True)
    action = UnicodeAttribute()
    entity = UnicodeAttribute()
    before = FactsAttribute()
    after = FactsAttribute()
    key_id = UnicodeAttribute()
    key_name = UnicodeAttribute()
    source_ip = UnicodeAttribute()
    user_agent = UnicodeAttribute()
    request_id = UnicodeAttribute()

    by_kind = ByKind()


def audit_item(entry: AuditEntry, table: str) -> AuditItem:
    """The item of an entry, not yet stored."""
    author = entry.author
    sort = f"{_sort_time(author.at)}#{entry.id}"
    return bind(AuditItem, table)(
        f"audit#{author.at:%Y-%m}",
        sort,
        kind=_history(entry.kind, entry.entity),
        listed=sort,
        environment=entry.environment.value if entry.environment else None,
        action=entry.action,
        entity=entry.entity,
        before=dict(entry.before),
        after=dict(entry.after),
        key_id=author.key_id,
        key_name=author.key_name,
        source_ip=author.source_ip,
        user_agent=author.user_agent,
        request_id=author.request_id,
    )


@store("audit log")
@dataclass(frozen=True, slots=True)
class AuditLog:
    """Reads the log, and adds what is no change of an item. Raises StoreUnavailable."""

    table: str

    def add(self, entry: AuditEntry) -> None:
        """Adds an entry by itself."""
        item = audit_item(entry, self.table)
        item.save(condition=type(item).pk.does_not_exist())

    def page(
        self, environment: Environment, since: datetime, until: datetime, limit: int, after: str | None
    ) -> Page[AuditEntry]:
        """Entries of an environment, and those that belong to all, newest first; `until` itself is not in it."""
        return _page(self._items(environment, since, after or _sort_time(until)), limit)

    def history(
        self, kind: str, entity: str, environment: Environment, limit: int, after: str | None
    ) -> Page[AuditEntry]:
        """All that was ever done to one thing, newest first, as far as an environment may know it.

        An entry is there a moment after its change.
        """
        model = bind(AuditItem, self.table)
        found = model.query(
            _history(kind, entity),
            model.listed < after if after else None,
            _seen_in(environment),
            index_name=ByKind.Meta.index_name,
            scan_index_forward=False,
            page_size=_PAGE_SIZE,
        )
        return _page(found, limit)

    def _items(self, environment: Environment, since: datetime, before: str) -> Iterator[AuditItem]:
        model = bind(AuditItem, self.table)
        ours = _seen_in(environment)
        first = _sort_time(since)
        month = from_milliseconds(int(before[:13]))
        while f"{month:%Y-%m}" >= f"{since:%Y-%m}":
            found = model.query(
                f"audit#{month:%Y-%m}", model.sk < before, ours, scan_index_forward=False, page_size=_PAGE_SIZE
            )
            yield from takewhile(lambda item: item.sk >= first, found)
            month = month.replace(day=1) - timedelta(days=1)


def _page(found: Iterable[AuditItem], limit: int) -> Page[AuditEntry]:
    items = list(islice(found, limit + 1))
    return Page(tuple(map(_entry, items[:limit])), items[limit - 1].sk if len(items) > limit else None)


def _seen_in(environment: Environment) -> Condition:
    """The condition for entries of an environment, and those that belong to all."""
    ours: Condition = AuditItem.environment.does_not_exist()
    ours |= AuditItem.environment == environment.value
    return ours


def _history(kind: str, entity: str) -> str:
    """`audit#license#3f2b…`: what the index by kind lists together."""
    return f"audit#{kind}#{entity}"


def _entry(item: AuditItem) -> AuditEntry:
    milliseconds, _, id_ = item.sk.partition("#")
    return AuditEntry(
        id=id_,
        author=Author(
            key_id=item.key_id,
            key_name=item.key_name,
            at=from_milliseconds(int(milliseconds)),
            source_ip=item.source_ip,
            user_agent=item.user_agent,
            request_id=item.request_id,
        ),
        environment=Environment(item.environment) if item.environment else None,
        action=item.action,
        entity=item.entity,
        before=item.before,
        after=item.after,
    )


def _sort_time(moment: datetime) -> str:
    """Epoch milliseconds, as text in the order of time."""
    return f"{to_milliseconds(moment):013d}"
