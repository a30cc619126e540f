"""Users and devices whom staff has had forgotten, by environment: in the registry, with the audit log."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from telemetry.domain.environment import Environment
from telemetry.domain.instant import to_seconds
from telemetry.domain.staff import AuditEntry
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.profiles.keys import fingerprint_of, fingerprint_text
from telemetry.storage.tables import KeyedItem, bind

REMEMBERED_SECONDS = 30


class ForgottenItem(KeyedItem):
    """Somebody who is forgotten. pk `forgotten#production`, sk a fingerprint."""

    at = NumberAttribute()
    by = UnicodeAttribute()


@store("forgotten")
@dataclass(frozen=True, slots=True)
class ForgottenStore:
    """Those who are forgotten in an environment, in the registry table. Raises StoreUnavailable."""

    table: str
    environment: Environment

    def all(self) -> frozenset[bytes]:
        """Their fingerprints; strongly consistent."""
        found = bind(ForgottenItem, self.table).query(self._partition, consistent_read=True)
        return frozenset(fingerprint_of(item.sk) for item in found)

    def add(self, fingerprint: bytes, entry: AuditEntry) -> bool:
        """Notes one; False where it was noted before."""
        author = entry.author
        item = bind(ForgottenItem, self.table)(
            self._partition, fingerprint_text(fingerprint), at=to_seconds(author.at), by=author.key_id
        )
        return commit(self.table, [Write(item, ForgottenItem.pk.does_not_exist())], entry)

    @property
    def _partition(self) -> str:
        return f"forgotten#{self.environment}"


class RememberedForgotten:
    """Those who are forgotten in an environment, read at most every half a minute."""

    def __init__(self, store: ForgottenStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known = frozenset[bytes]()
        self._good_until = float("-inf")

    def all(self) -> frozenset[bytes]:
        """As of at most 30 seconds ago. Raises StoreUnavailable: nothing is shown that might be forgotten."""
        if self._clock() >= self._good_until:
            self._known = self._store.all()
            self._good_until = self._clock() + REMEMBERED_SECONDS
        return self._known
