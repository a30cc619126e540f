"""API Gateway's part on one machine: an ASGI application that serves the template's routes by its functions."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.containers import EventTooLarge, FunctionFailed, Throttled
from local.payloads import MalformedAnswer, Request, Response, Router, event, response
from local.sign_in_link import SignInLink
from local.starting import NotReady, not_ready
from local.template import Cors, Route

MAX_BODY_BYTES = 10 * 1024 * 1024
"""API Gateway's limit for a body."""

INTEGRATION_SECONDS = 30.0
"""How long API Gateway waits for a function."""

# A body over the limit is read on and thrown away, so that the client gets to read the answer; but not for ever.
_DISCARDED_BYTES = 64 * 1024 * 1024

_MAX_AT_ONCE = 64

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Invoke = Callable[[str, Any, float], Any]
"""Runs a function by name with an event, waiting so many seconds for a container (see Containers.invoke).

Raises NotReady while the service starts.
"""


class Gateway:
    """The ASGI application. It logs nothing: query strings and bodies may carry API keys."""

    def __init__(
        self, routes: Iterable[Route], cors: Cors | None, invoke: Invoke, report: Callable[[str], None] = print
    ) -> None:
        self._router = Router(routes)
        self._cors = cors
        self._invoke = invoke
        self._report = report
        self.sign_in_link: SignInLink | None = None
        self._threads = ThreadPoolExecutor(_MAX_AT_ONCE, "request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        body = await _read(receive)
        if body is None:
            return
        request_id = str(uuid4())
        request = Request(
            method=scope["method"],
            path=scope["path"].partition("?")[0],  # as API Gateway, which cuts what it has decoded
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            protocol=f"HTTP/{scope['http_version']}",
            source_ip=scope["client"][0] if scope.get("client") else "127.0.0.1",
        )
        answer = await self._answer(request, request_id)
        added = [("apigw-requestid", request_id), *self._cors_headers(request)]
        await _write(send, answer, added, is_head=request.method == "HEAD")

    async def _answer(self, request: Request, request_id: str) -> Response:
        if not _HOST.fullmatch(request.header("host") or "localhost"):
            return _message(400, "Bad Request")  # functions are told it as the API's own name, which they may rely on
        if len(request.body) > MAX_BODY_BYTES:
            return _message(413, "Request Entity Too Large")
        if request.method == "OPTIONS" and self._cors:
            return Response(204, [], b"")
        found = self._router.find(request.method, request.path)
        if found is None:
            return _message(404, "Not Found")
        if self.sign_in_link and self.sign_in_link.is_followed_by(request):
            return await self.sign_in_link.follow(request, lambda made: self._answer(made, request_id))
        route, parameters = found
        payload = event(request, route, parameters, request_id, datetime.now(UTC))
        loop = asyncio.get_running_loop()
        call = loop.run_in_executor(self._threads, self._invoke, route.function, payload, INTEGRATION_SECONDS)
        try:
            return response(await asyncio.wait_for(call, INTEGRATION_SECONDS))
        except EventTooLarge:
            return _message(413, "Request Entity Too Large")
        except NotReady as exc:
            return not_ready(request, request_id, str(exc))
        except (TimeoutError, Throttled):
            self._report(f"{route.function}: no answer within {INTEGRATION_SECONDS:.0f} s")
            return _message(503, "Service Unavailable")
        except (FunctionFailed, MalformedAnswer) as exc:
            self._report(f"{route.function}: {type(exc).__name__}: {exc}")
            return _message(500, "Internal Server Error")

    def _cors_headers(self, request: Request) -> list[tuple[str, str]]:
        """What API Gateway adds for browsers: nothing without an Origin, or for one that is not allowed."""
        origin = request.header("origin")
        if self._cors is None or origin is None:
            return []
        if "*" in self._cors.origins:
            headers = [("access-control-allow-origin", "*")]
        elif origin in self._cors.origins:
            headers = [("access-control-allow-origin", origin), ("vary", "origin")]
        else:
            return []
        if self._cors.credentials:
            headers.append(("access-control-allow-credentials", "true"))
        if self._cors.exposed:
            headers.append(("access-control-expose-headers", ",".join(self._cors.exposed)))
        if request.method == "OPTIONS" and request.header("access-control-request-method"):
            headers += [
                ("access-control-allow-methods", ",".join(self._cors.methods)),
                ("access-control-allow-headers", ",".join(self._cors.headers)),
            ]
            if self._cors.max_age is not None:
                headers.append(("access-control-max-age", str(self._cors.max_age)))
        return headers


def _message(status: int, text: str) -> Response:
    return Response(status, [("content-type", "application/json")], json.dumps({"message": text}).encode())


async def _read(receive: Receive) -> bytes | None:
    """The body, cut one byte after the limit; None when the client left."""
    body = bytearray()
    seen = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        seen += len(chunk)
        body += chunk[: max(0, MAX_BODY_BYTES + 1 - len(body))]
        if not message.get("more_body") or seen > _DISCARDED_BYTES:
            return bytes(body)


async def _write(send: Send, answer: Response, extra: Iterable[tuple[str, str]], *, is_head: bool) -> None:
    """Sends the answer; to HEAD with the length of the body, and without it."""
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in (*answer.headers, *extra)]
    bodiless = answer.status in {204, 304} or answer.status < 200
    if not bodiless:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless or is_head else answer.body})
