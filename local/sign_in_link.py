"""The link that `make run` prints: whoever opens it first, within ten minutes, is signed in to the page.

Its token is made at each start, is printed to the terminal and kept nowhere. It never reaches a function: the gateway
exchanges it for a session, by the same POST /admin/session as a person who types the demo's admin key.
"""

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from urllib.parse import parse_qs

from local.payloads import Request, Response

LIFETIME_SECONDS = 600.0

_PATH = "/admin"
_PARAMETER = "sign-in"
_SESSION_PATH = "/admin/session"

Answer = Callable[[Request], Awaitable[Response]]
"""Answers a request as the gateway does."""


class SignInLink:
    """A link for one sign-in with the staff key `key`. `clock` gives seconds that only grow."""

    def __init__(self, key: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = key
        self._clock = clock
        self._token: str | None = secrets.token_hex(32)
        self._ends = clock() + LIFETIME_SECONDS

    def url(self, base: str) -> str:
        """The link itself, a secret."""
        return f"{base}{_PATH}?{_PARAMETER}={self._token}"

    def is_followed_by(self, request: Request) -> bool:
        """Whether the request presents a token, of whatever worth."""
        return request.path == _PATH and _presented(request) is not None

    async def follow(self, request: Request, answer: Answer) -> Response:
        """Leads to the page: signed in for the right token, to the ordinary sign-in for any other."""
        cookies = await self._exchange(request, answer) if request.method == "GET" else []
        return Response(
            303, [("location", _PATH), ("cache-control", "no-store"), ("referrer-policy", "no-referrer"), *cookies], b""
        )

    async def _exchange(self, request: Request, answer: Answer) -> list[tuple[str, str]]:
        """The cookies of a new session; none when the token is wrong, used or too old, or nobody can sign in now."""
        token = self._token
        if token is None or self._clock() >= self._ends:
            return []
        if not compare_digest((_presented(request) or "").encode(), token.encode()):
            return []
        self._token = None  # before anything is awaited: two requests at once must not both have it
        session = await answer(self._sign_in(request))
        cookies = [(name, value) for name, value in session.headers if name == "set-cookie"]
        if not cookies:
            self._token = token
        return cookies

    def _sign_in(self, request: Request) -> Request:
        host = request.header("host") or "localhost"
        browser = request.header("user-agent")
        return Request(
            method="POST",
            path=_SESSION_PATH,
            query="",
            headers=[
                ("host", host),
                ("content-type", "application/json"),
                *([("user-agent", browser)] if browser else []),  # the audit log says whose session it is
            ],
            body=json.dumps({"key": self._key}).encode(),
            protocol=request.protocol,
            source_ip=request.source_ip,
        )


def _presented(request: Request) -> str | None:
    values = parse_qs(request.query, keep_blank_values=True).get(_PARAMETER)
    return values[0] if values else None
