"""What API Gateway's HTTP API makes of a request (payload format 2.0) and of a function's answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from local import Json
from local.template import ACCOUNT, DEFAULT_PATH, Route

API_ID = "local"

_TEXT = ("application/json", "application/xml", "application/javascript")
# not passed on: they are about the connection, or have a field of their own
_DROPPED_HEADERS = {"connection", "cookie", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"}
_ANSWERED_BY_THE_GATEWAY = {"content-length", "connection", "transfer-encoding"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MalformedAnswer(Exception):
    """A function answered what API Gateway cannot turn into HTTP."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. `path` is percent-decoded (as HTTP APIs hand it over; REST APIs do not), `query` as sent;
    `headers` have lower-case names, in order.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    protocol: str
    source_ip: str

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class Router:
    """Finds the most specific route, as API Gateway does: literal, `{name}`, `{name+}`, `$default`; then the method.

    Routes that end in a slash are ignored, and no path is tidied up. `{name+}` takes an empty rest too, it is reported:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
    https://github.com/aws/serverless-application-model/issues/1949
    https://github.com/storacha/w3infra/pull/166
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        there = [(_pattern(route.path), route) for route in routes if route.path == "/" or not route.path.endswith("/")]
        self._routes = sorted(there, key=lambda item: _rank(item[1]))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and the values of its path parameters."""
        for pattern, route in self._routes:
            match = pattern.fullmatch(path)
            if match and route.method in {method, "ANY"}:
                return route, {f"{name}": value for name, value in match.groupdict().items()}
        return None


def _pattern(path: str) -> re.Pattern[str]:
    if path == DEFAULT_PATH:
        return re.compile(".*", re.DOTALL)
    expression = ""
    for literal, name, greedy in re.findall(r"([^{]+)|\{(\w+)(\+?)\}", path):
        expression += re.escape(literal) if literal else f"(?P<{name}>{'.*' if greedy else '[^/]+'})"
    return re.compile(expression, re.DOTALL)


def _rank(route: Route) -> tuple[bool, bool, int, int, bool]:
    greedy = "+}" in route.path
    return route.path == DEFAULT_PATH, greedy, route.path.count("{"), -len(route.path), route.method == "ANY"


def event(
    request: Request, route: Route, parameters: Mapping[str, str], request_id: str, now: datetime
) -> dict[str, Any]:
    """The function's event. Fields that would be empty are absent, as in AWS."""
    route_key = route.path if route.path == DEFAULT_PATH else f"{route.method} {route.path}"
    host = request.header("host") or "localhost"
    headers: dict[str, str] = {}
    for name, value in request.headers:
        if name not in _DROPPED_HEADERS:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    forwarded = headers.get("x-forwarded-for")
    if request.body:
        headers["content-length"] = str(len(request.body))
    headers |= {
        "x-amzn-trace-id": f"Root=1-{int(now.timestamp()):08x}-{request_id.replace('-', '')[:24]}",
        "x-forwarded-for": f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip,
        "x-forwarded-port": host.rpartition(":")[2] if ":" in host else "80",
        "x-forwarded-proto": "http",
    }
    built: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": host,
            "domainPrefix": API_ID,
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent") or "",
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": f"{now:%d}/{_MONTHS[now.month - 1]}/{now:%Y:%H:%M:%S} +0000",
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    cookies = [cookie.strip() for cookie in (request.header("cookie") or "").split(";") if cookie.strip()]
    if cookies:
        built["cookies"] = cookies
    if request.query:
        built["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True))
    if parameters:
        built["pathParameters"] = dict(parameters)
    if request.body:
        is_text = _is_text(request)
        built["isBase64Encoded"] = not is_text
        built["body"] = (
            request.body.decode("utf-8", "replace") if is_text else base64.b64encode(request.body).decode("ascii")
        )
    return built


def _is_text(request: Request) -> bool:
    """Only these are handed over as text, and no content type is not one of them.

    Whether a `Content-Encoding` makes a body binary is disputed in reports: here it does not, the worse for gzip.
    """
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    return media_type in _TEXT or media_type.startswith("text/")


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def response(answer: Json) -> Response:
    """The HTTP response of a function's answer; raises MalformedAnswer. CORS headers are the gateway's alone."""
    if not (isinstance(answer, dict) and "statusCode" in answer):
        # An answer without a status is taken to be a JSON body.
        body = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        return Response(200, [("content-type", "application/json")], body.encode("utf-8", "replace"))
    headers = _answered_headers(answer.get("headers") or {})
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    cookies = answer.get("cookies") or []
    if not (isinstance(cookies, list) and all(isinstance(cookie, str) for cookie in cookies)):
        raise MalformedAnswer("cookies")
    headers += [("set-cookie", cookie) for cookie in cookies]
    return Response(_status(answer["statusCode"]), headers, _body(answer))


def _status(value: Json) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError):
        raise MalformedAnswer("statusCode") from None
    if not 100 <= status <= 599:
        raise MalformedAnswer("statusCode")
    return status


def _answered_headers(headers: Json) -> list[tuple[str, str]]:
    if not isinstance(headers, dict):
        raise MalformedAnswer("headers")
    kept = []
    for name, value in headers.items():
        if not isinstance(value, str | int | float):
            raise MalformedAnswer(f"header {name}")
        lower = name.lower()
        if lower not in {"content-length", "connection", "transfer-encoding"} and not lower.startswith(
            "access-control-"
        ):
            kept.append((lower, str(value).lower() if isinstance(value, bool) else str(value)))
    return kept


def _body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswer("body")
    if not answer.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise MalformedAnswer("body") from None
