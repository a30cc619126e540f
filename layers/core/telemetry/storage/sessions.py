"""Sessions, and attempts to begin one, in the registry."""

from dataclasses import dataclass

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from telemetry.domain.errors import ChangedMeanwhile, StoreUnavailable
from telemetry.domain.instant import from_milliseconds, from_seconds, to_milliseconds, to_seconds
from telemetry.domain.session import FORGOTTEN_AFTER, Session, SignInAttempts
from telemetry.domain.staff import AuditEntry
from telemetry.storage.changes import Write, commit
from telemetry.storage.errors import conditions, store
from telemetry.storage.tables import TableItem, bind

_SESSION = "session"
_ATTEMPTS = "sign_in"


class SessionItem(TableItem):
    """A session. pk `session#<id>`; `key_hash` is the staff key's. TTL deletes at `expires_at`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_SESSION)
    key_hash = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute()


class AttemptsItem(TableItem):
    """Attempts to sign in from one address. pk `sign_in#192.0.2.7`; `last` in epoch ms. TTL deletes at `expires_at`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=_ATTEMPTS)
    attempts = NumberAttribute()
    last = NumberAttribute()
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
        model = bind(SessionItem, self.table)
        try:
            item = model.get(_partition(_SESSION, id_), _SESSION, consistent_read=True)
        except model.DoesNotExist:
            return None
        return Session(id_, bytes(item.key_hash), from_seconds(item.expires_at))

    def end(self, session: Session, entry: AuditEntry) -> None:
        """Deletes a session, with an entry in the audit log; of one that has ended already neither."""
        write = Write(self._item(session), SessionItem.pk.exists(), deletes=True)
        commit(self.table, [write], entry)

    def _item(self, session: Session) -> SessionItem:
        item: SessionItem = bind(SessionItem, self.table)(
            _partition(_SESSION, session.id),
            key_hash=session.key_hash,
            expires_at=to_seconds(session.expires_at),
        )
        return item


@store("sign-in attempts")
@dataclass(frozen=True, slots=True)
class AttemptStore:
    """Attempts to sign in, by address. Raises StoreUnavailable."""

    table: str

    def get(self, address: str) -> SignInAttempts | None:
        """Strongly consistent."""
        model = bind(AttemptsItem, self.table)
        try:
            item = model.get(_partition(_ATTEMPTS, address), _ATTEMPTS, consistent_read=True)
        except model.DoesNotExist:
            return None
        return SignInAttempts(int(item.attempts), from_milliseconds(item.last))

    def put(self, address: str, attempts: SignInAttempts, before: SignInAttempts | None) -> None:
        """Replaces what was read. Raises ChangedMeanwhile."""
        model = bind(AttemptsItem, self.table)
        item = model(
            _partition(_ATTEMPTS, address),
            attempts=attempts.count,
            last=to_milliseconds(attempts.last),
            expires_at=to_seconds(attempts.last + FORGOTTEN_AFTER),
        )
        unchanged = (
            (model.attempts == before.count) & (model.last == to_milliseconds(before.last))
            if before
            else model.pk.does_not_exist()
        )
        with conditions(ChangedMeanwhile(f"attempts from {address}")):
            item.save(condition=unchanged)

    def forget(self, address: str) -> None:
        """Lets the address begin anew."""
        bind(AttemptsItem, self.table)(_partition(_ATTEMPTS, address)).delete()


def _partition(kind: str, name: str) -> str:
    return f"{kind}#{name}"
