"""The ASGI application, driven without a server."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from local import Json, gateway
from local.containers import EventTooLarge, FunctionFailed, Throttled
from local.gateway import MAX_BODY_BYTES, Gateway
from local.sign_in_link import SignInLink
from local.starting import NotReady
from local.template import Cors, Route

CORS = Cors(("*",), ("GET", "POST"), ("content-type", "x-api-key"), (), credentials=False, max_age=600)
ROUTES = [Route("POST", "/echo", "echo")]

Answer = tuple[int, dict[str, str], bytes]


def ask(
    answer: Callable[[Any], Any],
    method: str = "POST",
    path: str = "/echo",
    body: list[bytes] | None = None,
    headers: dict[str, str] | None = None,
    cors: Cors | None = CORS,
    routes: Sequence[Route] = ROUTES,
) -> Answer:
    app = Gateway(routes, cors, lambda _name, event, _patience: answer(event), lambda _text: None)
    start, content = drive(app, method, path, list((headers or {}).items()), body or [b""])
    fields = {name.decode(): value.decode() for name, value in start["headers"]}
    assert fields.pop("apigw-requestid")
    return start["status"], fields, content["body"]


def drive(
    app: Gateway,
    method: str,
    path: str,
    headers: Sequence[tuple[str, str]],
    chunks: Sequence[bytes] = (b"",),
    query: str = "",
) -> list[dict[str, Any]]:
    """The messages of the answer."""
    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "http_version": "1.1",
        "client": ("10.0.0.9", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(app(scope, receive, send))
    return sent


def failing(exc: Exception) -> Callable[[Any], Any]:
    def fail(_event: Json) -> Json:
        raise exc

    return fail


def message(text: str) -> bytes:
    return json.dumps({"message": text}).encode()


def test_a_chunked_request_arrives_whole() -> None:
    status, headers, body = ask(
        lambda event: {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": event["body"]},
        body=[b'{"a"', b":1}", b""],
        headers={"content-type": "application/json", "transfer-encoding": "chunked"},
    )
    assert (status, body) == (200, b'{"a":1}')
    assert headers == {"content-type": "text/plain", "content-length": "7"}


@pytest.mark.parametrize(
    ("exc", "status", "text"),
    [
        (FunctionFailed("x"), 500, "Internal Server Error"),
        (Throttled("x"), 503, "Service Unavailable"),
        (EventTooLarge("x"), 413, "Request Entity Too Large"),
    ],
)
def test_failures(exc: Exception, status: int, text: str) -> None:
    assert ask(failing(exc))[::2] == (status, message(text))


def test_while_the_service_starts_nothing_is_taken() -> None:
    status, headers, body = ask(failing(NotReady("loading the demo: day 3 of 30")), headers={"origin": "http://a"})
    assert (status, headers["retry-after"], headers["access-control-allow-origin"]) == (503, "5", "*")
    assert json.loads(body)["detail"] == "The service is starting (loading the demo: day 3 of 30). Please try again."
    assert ask(failing(NotReady("x")), method="OPTIONS")[0] == 204


def test_the_sign_in_link_is_exchanged_by_the_function_that_signs_in() -> None:
    asked: list[Any] = []

    def sign_in(event: Json) -> Json:
        asked.append(event)
        return {"statusCode": 204, "cookies": ["session=value"], "body": ""}

    app = Gateway(
        [Route("GET", "/admin", "page"), Route("POST", "/admin/session", "page")], CORS, lambda _, e, __: sign_in(e)
    )
    app.sign_in_link = SignInLink("key")
    path, _, query = app.sign_in_link.url("").partition("?")
    for cookies in (["session=value"], []):
        headers = [("host", "127.0.0.1:8000")]
        sent = drive(app, "GET", path, headers, query=query)
        assert (sent[0]["status"], sent[1]["body"]) == (303, b"")
        assert [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"] == cookies
    (event,) = asked
    assert (event["routeKey"], json.loads(event["body"])) == ("POST /admin/session", {"key": "key"})
    assert query not in json.dumps(event)


def test_malformed_answer() -> None:
    assert ask(lambda _: {"statusCode": 200, "body": 5})[::2] == (500, message("Internal Server Error"))


def test_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "INTEGRATION_SECONDS", 0.05)
    assert ask(lambda _: time.sleep(0.2))[::2] == (503, message("Service Unavailable"))


def test_unknown_routes() -> None:
    assert ask(failing(AssertionError()), path="/other")[::2] == (404, message("Not Found"))
    assert ask(failing(AssertionError()), method="GET")[::2] == (404, message("Not Found"))


def test_head_is_answered_without_the_body() -> None:
    routes = [Route("HEAD", "/echo", "echo")]
    status, headers, body = ask(lambda _: {"statusCode": 200, "body": "four"}, method="HEAD", routes=routes)
    assert (status, headers["content-length"], body) == (200, "4", b"")
    assert ask(failing(AssertionError()), method="HEAD", path="/other")[::2] == (404, b"")


def test_body_limit() -> None:
    at_limit = [bytes(MAX_BODY_BYTES - 1), b"x"]
    assert ask(lambda event: {"statusCode": 200, "body": str(len(event["body"]))}, body=at_limit)[0] == 200
    over = ask(failing(AssertionError()), body=[*at_limit, b"x", bytes(1_000_000)])
    assert over[::2] == (413, message("Request Entity Too Large"))


def test_preflight() -> None:
    asked = {"origin": "http://a", "access-control-request-method": "POST"}
    assert ask(failing(AssertionError()), method="OPTIONS", headers=asked) == (
        204,
        {
            "access-control-allow-origin": "*",
            "access-control-allow-methods": "GET,POST",
            "access-control-allow-headers": "content-type,x-api-key",
            "access-control-max-age": "600",
        },
        b"",
    )


def test_browsers_may_read_answers_whose_own_cors_headers_are_dropped() -> None:
    headers = {"Access-Control-Allow-Origin": "evil"}
    answer = ask(lambda _: {"statusCode": 200, "headers": headers, "body": ""}, headers={"origin": "http://a"})
    assert answer[1]["access-control-allow-origin"] == "*"
    assert ask(failing(FunctionFailed()), headers={"origin": "http://a"})[1]["access-control-allow-origin"] == "*"


def test_named_origins() -> None:
    cors = Cors(("http://a",), (), (), ("x-total",), credentials=True, max_age=None)
    answer = ask(lambda _: "", headers={"origin": "http://a"}, cors=cors)
    assert answer[1] == {
        "content-type": "application/json",
        "access-control-allow-origin": "http://a",
        "vary": "origin",
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "x-total",
        "content-length": "0",
    }
    assert "access-control-allow-origin" not in ask(lambda _: "", headers={"origin": "http://b"}, cors=cors)[1]


def test_no_cors_configured() -> None:
    assert ask(failing(AssertionError()), method="OPTIONS", headers={"origin": "x"}, cors=None)[0] == 404
