"""Signing in and out: a staff key exchanged for a session, and the session ended."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from telemetry.domain.api_key import ApiKey, Role, grant_staff
from telemetry.domain.errors import ChangedMeanwhile, TooManyAttempts, UnknownKey
from telemetry.domain.keyring import Keyring
from telemetry.domain.session import LIFETIME, Session
from telemetry.domain.sign_in_attempts import attempts_from, next_attempt
from telemetry.domain.staff import AuditEntry, Author
from telemetry.services.api_keys import hash_of
from telemetry.storage.api_keys import ApiKeyStore
from telemetry.storage.sessions import SessionStore
from telemetry.storage.sign_in_attempts import SignInAttemptStore

_ID_BYTES = 18  # 24 characters, 144 bits


@dataclass(frozen=True, slots=True)
class Desk:
    """Where keys are looked up and sessions kept. Raises StoreUnavailable."""

    api_keys: ApiKeyStore
    sessions: SessionStore
    attempts: SignInAttemptStore
    keyring: Keyring

    @classmethod
    def of(cls, table: str, keyring: Keyring) -> Self:
        """All of one table."""
        return cls(ApiKeyStore(table), SessionStore(table), SignInAttemptStore(table), keyring)


def sign_in(secret: str, source_ip: str, now: datetime, author: Callable[[ApiKey], Author], desk: Desk) -> Session:
    """A session for a staff key of any role.

    Raises TooManyAttempts, whatever the key, while the address has to wait; Unauthenticated, Forbidden and their kinds.
    """
    address = attempts_from(source_ip)
    _count_attempt(address, now, desk)
    key_hash = hash_of(secret, desk.keyring)
    key = desk.api_keys.find(key_hash)
    if key is None:
        raise UnknownKey
    grant_staff(key, Role.VIEWER, None, source_ip, now)
    session = Session(secrets.token_urlsafe(_ID_BYTES), key_hash, now + LIFETIME)
    desk.sessions.add(session, _entry("session.create", author(key)))
    desk.attempts.forget(address)
    return session


def sign_out(session: Session, author: Author, desk: Desk) -> None:
    """Ends a session, everywhere and at once."""
    desk.sessions.end(session, _entry("session.end", author))


def _count_attempt(address: str, now: datetime, desk: Desk) -> None:
    before = desk.attempts.get(address)
    try:
        desk.attempts.put(address, next_attempt(before, now), before)
    except ChangedMeanwhile as exc:  # two at the same moment from one address
        raise TooManyAttempts(timedelta(seconds=1)) from exc


def _entry(action: str, author: Author) -> AuditEntry:
    return AuditEntry(
        id=str(uuid4()), author=author, environment=None, action=action, entity=author.key_id, before={}, after={}
    )
