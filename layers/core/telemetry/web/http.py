"""Requests from API Gateway events, and answers."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from gzip import BadGzipFile, GzipFile
from io import BytesIO
from typing import Any, Self
from urllib.parse import quote
from zlib import error as ZlibError  # noqa: N812 (a class, whatever its name)

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

LARGEST_INFLATED_BODY = 16 * 1024 * 1024
"""Bytes that a gzip body may inflate to. A larger one is left as it came, like one that cannot be inflated."""

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


def current_request(app: BaseRouter) -> Request:
    """The request that a resolver is answering. It is read once, because inflating a body takes time."""
    if "request" not in app.context:
        app.context["request"] = Request.from_event(app.current_event.raw_event)
    request: Request = app.context["request"]
    return request


def inflated(body: bytes) -> bytes:
    """The content of a gzip body; any other body, and one that is broken or too large, as it came."""
    if not body.startswith(_GZIP_MAGIC):
        return body
    try:
        content = GzipFile(fileobj=BytesIO(body)).read(LARGEST_INFLATED_BODY + 1)
    except (BadGzipFile, EOFError, ZlibError):
        return body
    return content if len(content) <= LARGEST_INFLATED_BODY else body


def with_one_part(event: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The event with everything after `prefix` in its path as one part, percent-encoded.

    API Gateway hands paths over decoded, and our resolver's patterns take few signs and no slash in a part.
    """
    before, _, id_ = event["rawPath"].partition(prefix)
    return {**event, "rawPath": event["rawPath"] if before else f"{prefix}{quote(id_, safe='')}"}


def answer(status: int, body: object, **headers: str) -> Response[str]:
    """A JSON answer. Header names are given with underscores: `Retry_After="5"`."""
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps(body, separators=(",", ":")),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
