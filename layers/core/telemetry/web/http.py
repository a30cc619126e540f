"""Requests from API Gateway events, and answers."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from gzip import BadGzipFile, GzipFile
from io import BytesIO
from typing import Any, Self
from zlib import error as ZlibError  # noqa: N812 (a class, whatever its name)

JSON = "application/json"

LARGEST_INFLATED_BODY = 16 * 1024 * 1024
"""Bytes that a gzip body may inflate to. A larger one is left as it came, like one that cannot be inflated."""

_json = json.JSONEncoder(separators=(",", ":")).encode
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as API Gateway hands it to Lambda (payload format 2.0). Header names are in lower case.

    `domain` is the name the API was reached under, with the port where it is not the scheme's own. `query` holds the
    values of a parameter that comes twice joined with commas; `raw_query` is what was sent.
    """

    method: str
    domain: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    source_ip: str
    request_id: str
    raw_query: str = ""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Reads the event. The body is the bytes that API Gateway received, inflated if they are gzip."""
        context = event["requestContext"]
        return cls(
            method=context["http"]["method"],
            domain=context["domainName"],
            path=event["rawPath"],
            headers={name.lower(): value for name, value in event.get("headers", {}).items()},
            query=event.get("queryStringParameters") or {},
            cookies=dict(cookie.partition("=")[::2] for cookie in event.get("cookies", ())),
            body=inflated(_body(event)),
            source_ip=context["http"]["sourceIp"],
            request_id=context["requestId"],
            raw_query=event.get("rawQueryString", ""),
        )


def inflated(body: bytes) -> bytes:
    """The content of a gzip body; any other body, and one that is broken or too large, as it came."""
    if not body.startswith(_GZIP_MAGIC):
        return body
    try:
        content = GzipFile(fileobj=BytesIO(body)).read(LARGEST_INFLATED_BODY + 1)
    except (BadGzipFile, EOFError, ZlibError):
        return body
    return content if len(content) <= LARGEST_INFLATED_BODY else body


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """An answer in text, as a function gives it that has no resolver of Powertools (telemetry.web.resolver)."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_result(self) -> dict[str, Any]:
        """What Lambda hands to API Gateway (payload format 2.0)."""
        return {
            "statusCode": self.status,
            "body": self.body,
            "isBase64Encoded": False,
            "headers": dict(self.headers),
            "cookies": [],
        }


def json_answer(status: int, body: object, **headers: str) -> PlainAnswer:
    """A JSON answer. Header names are given with underscores: `Retry_After="5"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return PlainAnswer(status, _json(body), named | {"Content-Type": JSON})


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
