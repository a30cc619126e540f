"""Authentication by API key or session; the result is what it opens."""

import binascii
import hmac
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import NamedTuple, Protocol

from cachetools import TTLCache

from telemetry.domain.api_key import Access, ApiKey, Capability, KeyKind, Role, grant, grant_staff
from telemetry.domain.environment import Environment
from telemetry.domain.errors import CrossSiteRequest, InvalidField, SessionEnded, Unauthenticated, UnknownKey
from telemetry.domain.keyring import Keyring
from telemetry.domain.session import Session, csrf_token, session_id_of
from telemetry.services.api_keys import hash_of
from telemetry.web.http import Request
from telemetry.web.sessions import PresentedSession, presented_session

CACHE_SECONDS = 60
"""How long a revoked key may still work."""

_CACHED_KEYS = 1_000


class ApiKeys(Protocol):
    """Where keys are looked up."""

    def find(self, key_hash: bytes) -> ApiKey | None:
        """The key with this hash, or None."""


class Sessions(Protocol):
    """Where sessions are looked up."""

    def session(self, id_: str) -> Session | None:
        """The session with this id, also one that has expired; None when it was ended."""


class Credentials(NamedTuple):
    """What a caller presented: the key, its id where the scheme carries one (HTTP Basic), the environment asked for.

    Or, in place of a key (`secret` is empty then), a session. `is_in_query`: the key stood in the address, where
    browsers, proxies and logs keep it; no staff key is taken from there.
    """

    secret: str
    key_id: str | None = None
    environment: str | None = None
    session: PresentedSession | None = None
    is_in_query: bool = False


class Authenticator:
    """Looks up API keys, and remembers valid ones for a minute (invalid ones never: they would fill the memory).

    Staff can sign in where there are `sessions`. These are looked up each time, so that signing out ends them at once.
    """

    def __init__(
        self,
        api_keys: ApiKeys,
        keyring: Keyring,
        sessions: Sessions | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api_keys = api_keys
        self._keyring = keyring
        self._sessions = sessions
        self._known: TTLCache[bytes, ApiKey] = TTLCache(_CACHED_KEYS, CACHE_SECONDS, clock)
        self._lock = Lock()

    def access(self, credentials: Credentials, capability: Capability, source_ip: str, now: datetime) -> Access:
        """What the key opens. Raises Unauthenticated, Forbidden and their subclasses, StoreUnavailable."""
        return grant(self._presented(credentials), capability, credentials.environment, source_ip, now)

    def staff_access(
        self, credentials: Credentials, role: Role, source_ip: str, now: datetime
    ) -> tuple[ApiKey, frozenset[Environment]]:
        """The staff key, presented or of a session, and the environments it opens for this request.

        Raises as `access` does, and CrossSiteRequest.
        """
        key = self._presented_or_signed_in(credentials, now)
        return key, grant_staff(key, role, credentials.environment, source_ip, now)

    def report_access(self, credentials: Credentials, source_ip: str, now: datetime) -> Access:
        """What an SDK key with capability `report` opens, or staff of any role in the environment it asks for.

        Staff come with a key or a session. Raises as `staff_access` does, and InvalidField without an environment.
        """
        key = self._presented_or_signed_in(credentials, now)
        if key.kind is KeyKind.SDK:
            return grant(key, Capability.REPORT, credentials.environment, source_ip, now)
        environments = grant_staff(key, Role.VIEWER, credentials.environment, source_ip, now)
        if credentials.environment is None:
            raise InvalidField("environment", f"is missing: one of {', '.join(sorted(environments))}")
        (environment,) = environments
        return Access(key, environment)

    def environment_of(self, credentials: Credentials) -> Environment | None:
        """The environment of an SDK key that is remembered, also of one that was refused; reads nothing."""
        with self._lock:
            key = self._known.get(hash_of(credentials.secret, self._keyring))
        return next(iter(key.environments)) if key and key.kind is KeyKind.SDK else None

    def session(self, presented: PresentedSession, now: datetime) -> Session:
        """The session of a cookie. Raises Unauthenticated, CrossSiteRequest, StoreUnavailable."""
        id_ = session_id_of(presented.cookie, self._keyring)
        session = self._sessions.session(id_) if self._sessions and id_ else None
        if session is None or session.expires_at <= now:
            raise SessionEnded
        if presented.is_change and not self._is_ours(presented, session):
            raise CrossSiteRequest
        return session

    def key_of(self, session: Session) -> ApiKey:
        """The staff key that began a session. Raises Unauthenticated when it no longer exists, StoreUnavailable."""
        key = self._key(session.key_hash)
        if key is None:
            raise SessionEnded
        return key

    def _is_ours(self, presented: PresentedSession, session: Session) -> bool:
        token = presented.csrf_token.encode("utf-8", "surrogatepass")
        return presented.is_same_origin and hmac.compare_digest(token, csrf_token(session.id, self._keyring).encode())

    def _presented_or_signed_in(self, credentials: Credentials, now: datetime) -> ApiKey:
        session = credentials.session
        return self.key_of(self.session(session, now)) if session else self._presented(credentials)

    def _presented(self, credentials: Credentials) -> ApiKey:
        if not credentials.secret:
            raise Unauthenticated
        key = self._key(hash_of(credentials.secret, self._keyring))
        if key is None or (credentials.key_id is not None and credentials.key_id != key.id):
            raise UnknownKey
        if key.kind is KeyKind.STAFF and credentials.is_in_query:
            raise Unauthenticated(told="A staff key is taken from headers only: bearer token or X-API-KEY.")
        return key

    def _key(self, key_hash: bytes) -> ApiKey | None:
        with self._lock:
            key = self._known.get(key_hash)
        if key is None and (key := self._api_keys.find(key_hash)):
            with self._lock:
                self._known[key_hash] = key
        return key


def credentials_of(request: Request, body_key: Callable[[bytes, str], str | None] | None = None) -> Credentials:
    """The key a request presents: Authorization (Bearer, Basic), X-API-KEY, query, then the body, if it may carry one.

    Without a key, the session in its cookie, which opens staff's routes alone. Raises Unauthenticated when there is
    neither.
    """
    key_id, secret = _from_authorization(request.headers.get("authorization", ""))
    secret = secret or request.headers.get("x-api-key", "").strip()
    in_query = "" if secret else request.query.get("api_key", "")
    secret = secret or in_query
    if not secret and body_key:
        secret = body_key(request.body, request.headers.get("content-type", "")) or ""
    session = None if secret else presented_session(request)
    if not secret and session is None:
        raise Unauthenticated
    return Credentials(secret, key_id, request.query.get("environment"), session, is_in_query=bool(in_query))


def _from_authorization(header: str) -> tuple[str | None, str]:
    scheme, _, value = header.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return None, value.strip()
        case "basic":
            return _from_basic(value.strip())
        case _:
            return None, ""


def _from_basic(value: str) -> tuple[str | None, str]:
    try:
        user, _, password = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, ""
    return user, password
