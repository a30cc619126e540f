"""How long the environments keep their records: a setting in the registry, and what ingest remembers of it."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ChangedMeanwhile, StoreUnavailable
from telemetry.domain.instant import from_milliseconds, to_milliseconds
from telemetry.domain.retention import DEPLOYED_VERSION, Retention
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.products import CACHE_SECONDS, REREAD_SECONDS
from telemetry.storage.tables import KeyedItem, bind, found_item

if TYPE_CHECKING:
    from telemetry.domain.staff import AuditEntry

_RETENTION = "retention"


class RetentionItem(KeyedItem):
    """A changed setting. pk `settings#production`, sk `retention`; `changed_at` in epoch milliseconds."""

    sk = UnicodeAttribute(range_key=True, default=_RETENTION)
    days = NumberAttribute()
    version = NumberAttribute()
    changed_at = NumberAttribute()
    changed_by = UnicodeAttribute()


@store("retention")
@dataclass(frozen=True, slots=True)
class RetentionStore:
    """Retention by environment, `default_days` where nobody has changed it. Raises StoreUnavailable."""

    table: str
    default_days: int

    def get(self, environment: Environment) -> Retention:
        """The setting as it is now, strongly consistent."""
        item = found_item(bind(RetentionItem, self.table), _partition(environment), _RETENTION)
        return _retention(item) if item else Retention(self.default_days)

    def change(self, environment: Environment, retention: Retention, entry: "AuditEntry") -> Retention:
        """Stores a setting that was read at this version; gives it with the next. Raises ChangedMeanwhile."""
        changed = replace(retention, version=retention.version + 1)
        item = bind(RetentionItem, self.table)(
            _partition(environment),
            days=changed.days,
            version=changed.version,
            changed_at=to_milliseconds(entry.author.at),
            changed_by=entry.author.key_id,
        )
        unchanged = (
            RetentionItem.pk.does_not_exist()
            if retention.version == DEPLOYED_VERSION
            else RetentionItem.version == retention.version
        )
        if not commit(self.table, [Write(item, unchanged)], entry):
            raise ChangedMeanwhile(f"retention of {environment}")
        return _retention(item)


class RememberedRetention:
    """Days by environment, read once a minute, and without fail: no event is refused because a setting is not there."""

    def __init__(self, store: RetentionStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._days: dict[Environment, int] = {}
        self._good_until: dict[Environment, float] = {}

    def days(self, environment: Environment) -> int:
        """The days as they were at most a minute ago; while they cannot be read, as last known, else the default."""
        if self._clock() >= self._good_until.get(environment, float("-inf")):
            with suppress(StoreUnavailable):
                self._days[environment] = self._store.get(environment).days
            seconds = CACHE_SECONDS if environment in self._days else REREAD_SECONDS
            self._good_until[environment] = self._clock() + seconds
        return self._days.get(environment, self._store.default_days)


def _partition(environment: Environment) -> str:
    return f"settings#{environment}"


def _retention(item: RetentionItem) -> Retention:
    return Retention(
        days=int(item.days),
        version=int(item.version),
        changed_at=from_milliseconds(item.changed_at),
        changed_by=item.changed_by,
    )
