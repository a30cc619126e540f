"""The session cookie, and what a browser must send with it."""

import re
from typing import NamedTuple, TypedDict

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from telemetry.domain.api_key import Role
from telemetry.domain.environment import Environment
from telemetry.domain.session import LIFETIME
from telemetry.web.http import Request

CSRF_HEADER = "x-csrf-token"

_CHANGES_NOTHING = {"GET", "HEAD", "OPTIONS"}
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_PORT = re.compile(r":[0-9]*$")


class ShownSession(TypedDict):
    """Who is signed in. `csrf` is what changes must send as X-CSRF-Token."""

    name: str
    role: Role
    environments: list[Environment]
    csrf: str


class PresentedSession(NamedTuple):
    """The cookie's value as it came, and what proves that a change comes from our page."""

    cookie: str
    is_change: bool
    is_same_origin: bool
    csrf_token: str


def presented_session(request: Request) -> PresentedSession | None:
    """The session that a request presents, if any. It is not checked yet."""
    cookie = request.cookies.get(_name(request))
    if not cookie:
        return None
    return PresentedSession(
        cookie,
        is_change=request.method not in _CHANGES_NOTHING,
        is_same_origin=is_same_origin(request),
        csrf_token=request.headers.get(CSRF_HEADER, ""),
    )


def session_cookie(request: Request, value: str) -> Cookie:
    """The cookie of a session; scripts and other sites cannot read it."""
    return _cookie(request, value, int(LIFETIME.total_seconds()))


def no_session_cookie(request: Request) -> Cookie:
    """The cookie that deletes the session's cookie."""
    return _cookie(request, "", 0)


def is_same_origin(request: Request) -> bool:
    """Whether our own page sent this, or no page at all.

    Sec-Fetch-Site decides: it holds behind a CDN too, where the browser's host is not the one we see. Browsers older
    than that name the Origin.
    """
    if site := request.headers.get("sec-fetch-site"):
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", request.domain)


def _cookie(request: Request, value: str, seconds: int) -> Cookie:
    return Cookie(
        _name(request),
        value,
        path="/",
        secure=_is_secure(request),
        http_only=True,
        same_site=SameSite.STRICT_MODE,
        max_age=seconds,
    )


def _name(request: Request) -> str:
    """The prefix makes browsers accept the cookie only from us, Secure and for all paths."""
    return "__Host-session" if _is_secure(request) else "session"


def _is_secure(request: Request) -> bool:
    """True except for plain http to this machine: API Gateway itself speaks only https."""
    host = _PORT.sub("", request.domain).lower()
    return not (host in _LOOPBACK and request.headers.get("x-forwarded-proto") == "http")
