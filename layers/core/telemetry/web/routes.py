"""Which route a path is, and whose: HEAD is answered as GET, and surplus slashes do not matter."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

_BASES = ("/api/v1", "/v1")


def _below_bases(*names: str) -> frozenset[str]:
    return frozenset(f"{base}/{name}" for base in _BASES for name in names)


_GET = _below_bases("telemetry", "get-telemetry", "get-telemetry-data") | {
    "/",
    "/admin",
    "/admin/session",
    "/admin/telemetry",
    "/docs",
    "/openapi.json",
}
_POST = _below_bases("telemetry", "send-telemetry", "send-telemetry-data", "verify", "activate", "deactivate") | {
    "/admin/session",
    "/api/product/usage",
    "/api/product/aggregateusage",
    "/rest/v3/telemetry/report",
    "/rest/v4/telemetry/report",
}

PATHS: Mapping[str, frozenset[str]] = {
    "GET": _GET,
    "HEAD": _GET,
    "POST": _POST,
    "DELETE": frozenset({"/admin/session"}),
}
"""The paths that routes of the template have in full, by method."""


class Api(Enum):
    """One of the APIs behind the public URL: a dialect (docs/protocols.md), or one of our own with problem details.

    Functions that serve two of them ask here which one a request means: to answer errors in its form, and to check the
    key before anything else where that is the rule.
    """

    GETKEYMANAGER = auto()
    REO = auto()
    POWERAUTH = auto()
    REPORTS = auto()
    ANALYTICS = auto()
    ADMINISTRATION = auto()
    OTHER = auto()
    """The page, the description of the API, and paths of no API."""

    @classmethod
    def of(cls, path: str) -> "Api":
        """The API that a path belongs to, also where no route has this path."""
        return next((api for prefix, api in _APIS if path.startswith(prefix)), cls.OTHER)


_APIS = (  # the first that fits
    ("/rest/", Api.POWERAUTH),
    ("/api/product/", Api.REO),
    ("/api/v1/reports/", Api.REPORTS),
    ("/api/v1/analytics", Api.ANALYTICS),
    ("/api/v1/admin/", Api.ADMINISTRATION),
    ("/api/v1/", Api.GETKEYMANAGER),
    ("/v1/", Api.GETKEYMANAGER),
)


def single_slashes(path: str) -> str:
    """A path without surplus slashes: `/api/v1/verify` for `//api/v1//verify/`."""
    return "/" + "/".join(part for part in path.split("/") if part)


def routed(event: Mapping[str, Any]) -> dict[str, Any]:
    """An API Gateway event as functions route it: HEAD as GET (the gateway leaves the body out), on the canonical path.

    The path as it was sent stays in `requestContext.http.path`.
    """
    http = event["requestContext"]["http"]
    method = "GET" if http["method"] == "HEAD" else http["method"]
    context = event["requestContext"] | {"http": http | {"method": method}}
    path = canonical_path(method, event["rawPath"]) or event["rawPath"]
    return {**event, "rawPath": path, "requestContext": context}


def canonical_path(method: str, path: str) -> str | None:
    """The route's path for a path with surplus slashes. None where there is no such route, or no surplus slash."""
    single = single_slashes(path)
    return single if single != path and single in PATHS.get(method, ()) else None
