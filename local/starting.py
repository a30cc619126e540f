"""What is answered while the service starts: 503 and how far it is, as a problem (RFC 9457), or as a page to people.

AWS never answers this. Nothing is taken meanwhile, so nothing can be lost that was acknowledged.
"""

import json
from base64 import b64encode
from hashlib import sha256
from html import escape

from local.payloads import Request, Response

RETRY_AFTER_SECONDS = 5

_REFRESH_SECONDS = 1
_PAGES = frozenset({"/", "/admin", "/admin/telemetry"})
_STYLE = (
    "body{font:1.1rem system-ui,sans-serif;margin:20vh auto;max-width:34rem;padding:0 1rem;color-scheme:light dark}"
)
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SECURITY_HEADERS = (
    ("content-security-policy", _POLICY),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{seconds}">
<title>Telemetry is starting</title>
<style>{style}</style>
<h1>Telemetry is starting</h1>
<p role="status">{progress}</p>
<p>This page leads to the telemetry page by itself as soon as it is ready.</p>
</html>
"""


class NotReady(Exception):
    """The service is still starting; the message says how far it is."""


def not_ready(request: Request, request_id: str, progress: str) -> Response:
    """The answer to a request that comes too early."""
    again = [("retry-after", str(RETRY_AFTER_SECONDS)), ("cache-control", "no-store")]
    if request.path in _PAGES and request.method in {"GET", "HEAD"}:
        page = _PAGE.format(seconds=_REFRESH_SECONDS, style=_STYLE, progress=escape(progress.capitalize()))
        return Response(503, [("content-type", "text/html; charset=utf-8"), *again, *_SECURITY_HEADERS], page.encode())
    problem = {
        "type": "/docs#problem-unavailable",
        "title": "Unavailable",
        "status": 503,
        "detail": f"The service is starting ({progress}). Please try again.",
        "instance": request.path,
        "request_id": request_id,
    }
    return Response(503, [("content-type", "application/problem+json"), *again], json.dumps(problem).encode())
