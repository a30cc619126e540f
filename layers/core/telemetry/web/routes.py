"""Which route a request means: HEAD is answered as GET, and slashes that are too many mean nothing."""

from collections.abc import Mapping
from typing import Any

_BASES = ("/api/v1", "/v1")


def _below_bases(*names: str) -> frozenset[str]:
    return frozenset(f"{base}/{name}" for base in _BASES for name in names)


_GET = _below_bases("telemetry", "get-telemetry", "get-telemetry-data") | {
    "/",
    "/admin",
    "/admin/session",
    "/admin/telemetry",
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


def single_slashes(path: str) -> str:
    """A path without slashes that are too many: `/api/v1/verify` for `//api/v1//verify/`."""
    return "/" + "/".join(part for part in path.split("/") if part)


def routed(event: Mapping[str, Any]) -> dict[str, Any]:
    """An API Gateway event as functions route it: HEAD as GET (the gateway keeps the body back), on the path meant.

    What was asked for stays in `requestContext.http.path`.
    """
    http = event["requestContext"]["http"]
    method = "GET" if http["method"] == "HEAD" else http["method"]
    context = event["requestContext"] | {"http": http | {"method": method}}
    path = meant(method, event["rawPath"]) or event["rawPath"]
    return {**event, "rawPath": path, "requestContext": context}


def meant(method: str, path: str) -> str | None:
    """The path that one with too many slashes means; None where that is no route, or the path has none too many."""
    single = single_slashes(path)
    return single if single != path and single in PATHS.get(method, ()) else None
