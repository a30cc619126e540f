"""Sessions of staff, in the registry."""

from dataclasses import dataclass

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.errors import StoreUnavailable
from telemetry.domain.instant import from_seconds, to_seconds
from telemetry.domain.session import Session
from telemetry.domain.staff import AuditEntry
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import store
from telemetry.storage.tables import KeyedItem, bind, found_item

_SESSION = "session"


class SessionItem(KeyedItem):
    """A session. pk `session#<id>`; `key_hash` is the staff key's. TTL deletes at `expires_at`."""

    sk = UnicodeAttribute(range_key=True, default=_SESSION)
    key_hash = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute()


@store("sessions")
@dataclass(frozen=True, slots=True)
class SessionStore:
    """Sessions in the registry. Raises StoreUnavailable."""

    table: str

    def add(self, session: Session, entry: AuditEntry) -> None:
        """Stores a new session, with its entry in the audit log."""
        if not commit(self.table, [Write(self._item(session), SessionItem.pk.does_not_exist())], entry):
            raise StoreUnavailable("sessions")

    def session(self, id_: str) -> Session | None:
        """A session that has not been ended, though its time may be over (TTL deletes late); strongly consistent."""
        item = found_item(bind(SessionItem, self.table), _partition(id_), _SESSION)
        return Session(id_, bytes(item.key_hash), from_seconds(item.expires_at)) if item else None

    def end(self, session: Session, entry: AuditEntry) -> None:
        """Deletes a session, with an entry in the audit log; of one that has ended already neither."""
        write = Write(self._item(session), SessionItem.pk.exists(), deletes=True)
        commit(self.table, [write], entry)

    def _item(self, session: Session) -> SessionItem:
        return bind(SessionItem, self.table)(
            _partition(session.id), key_hash=session.key_hash, expires_at=to_seconds(session.expires_at)
        )


def _partition(id_: str) -> str:
    return f"{_SESSION}#{id_}"
