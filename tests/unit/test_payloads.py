from datetime import UTC, datetime
from typing import Any

import pytest

from local import Json
from local.payloads import MalformedAnswer, Request, Response, Router, event, response
from local.template import Route

NOW = datetime(2026, 11, 5, 9, 8, 7, 654321, UTC)
REQUEST_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ROUTE = Route("POST", "/api/v1/telemetry", "ingest")


def request(body: bytes = b"", **changes: Json) -> Request:
    headers = changes.pop("headers", [("host", "127.0.0.1:8000"), ("user-agent", "curl/8")])
    fields = {"method": "POST", "path": "/api/v1/telemetry", "query": "", "protocol": "HTTP/1.1", **changes}
    return Request(headers=headers, body=body, source_ip="127.0.0.1", **fields)


def built(of: Request, route: Route = ROUTE, parameters: dict[str, str] | None = None) -> dict[str, Any]:
    return event(of, route, parameters or {}, REQUEST_ID, NOW)


def test_event_of_a_json_post() -> None:
    headers = [
        ("host", "127.0.0.1:8000"),
        ("user-agent", "sdk/1"),
        ("content-type", "application/json; charset=utf-8"),
        ("transfer-encoding", "chunked"),
        ("x-tag", "one"),
        ("x-tag", "two"),
        ("cookie", "a=1; b=2"),
    ]
    assert built(request('{"é":1}'.encode(), headers=headers, query="k=v&k=w%20x&e=")) == {
        "version": "2.0",
        "routeKey": "POST /api/v1/telemetry",
        "rawPath": "/api/v1/telemetry",
        "rawQueryString": "k=v&k=w%20x&e=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "content-length": "8",
            "content-type": "application/json; charset=utf-8",
            "host": "127.0.0.1:8000",
            "user-agent": "sdk/1",
            "x-amzn-trace-id": "Root=1-6aec4777-0f8fad5bd9cb469fa1657086",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "8000",
            "x-forwarded-proto": "http",
            "x-tag": "one,two",
        },
        "queryStringParameters": {"k": "v,w x", "e": ""},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "127.0.0.1:8000",
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": "/api/v1/telemetry",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "sdk/1",
            },
            "requestId": REQUEST_ID,
            "routeKey": "POST /api/v1/telemetry",
            "stage": "$default",
            "time": "05/Nov/2026:09:08:07 +0000",
            "timeEpoch": int(NOW.timestamp() * 1000),
        },
        "body": '{"é":1}',
        "isBase64Encoded": False,
    }


def test_event_without_body_leaves_out_what_is_empty() -> None:
    route = Route("ANY", "/rest/{proxy+}", "reports")
    found = built(request(method="GET", path="/rest/a/b", headers=[]), route, {"proxy": "a/b"})
    assert found["pathParameters"] == {"proxy": "a/b"}
    assert found["routeKey"] == "ANY /rest/{proxy+}"
    assert not found.keys() & {"body", "cookies", "queryStringParameters", "stageVariables"}


@pytest.mark.parametrize(
    ("content_type", "encoding", "body", "expected"),
    [
        ("application/json", None, b"\xff{", ("�{", False)),
        ("TEXT/plain", None, b"a", ("a", False)),
        ("application/xml", "identity", b"a", ("a", False)),
        ("application/javascript;x=y", None, b"a", ("a", False)),
        ("application/x-ndjson", None, b"a\n", ("YQo=", True)),
        ("application/x-www-form-urlencoded", None, b"a", ("YQ==", True)),
        # the worse of what is reported of compressed bodies under a type that is text
        ("application/json", "gzip", b"\x1f\x8b", ("\x1f\ufffd", False)),
        ("text/plain", "gzip", b"\x1f\x8b", ("\x1f\ufffd", False)),
        ("application/octet-stream", "gzip", b"\x1f\x8b", ("H4s=", True)),
        (None, None, b"a", ("YQ==", True)),
    ],
)
def test_text_is_text_and_everything_else_base64(
    content_type: str | None, encoding: str | None, body: bytes, expected: tuple[str, bool]
) -> None:
    pairs = (("content-type", content_type), ("content-encoding", encoding))
    found = built(request(body, headers=[(name, value) for name, value in pairs if value]))
    assert (found["body"], found["isBase64Encoded"]) == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/rest/v3/report", ("POST", "/rest/v3/report", {})),
        ("GET", "/rest/v3/report", ("ANY", "/rest/{proxy+}", {"proxy": "v3/report"})),
        ("POST", "/rest/", ("ANY", "/rest/{proxy+}", {"proxy": ""})),
        ("POST", "/rest", ("ANY", "$default", {})),
        ("POST", "/rest//v3/report", ("ANY", "/rest/{proxy+}", {"proxy": "/v3/report"})),
        ("POST", "//rest/v3/report", ("ANY", "$default", {})),
        ("GET", "/items/7", ("GET", "/items/{id}", {"id": "7"})),
        ("GET", "/items/7/8", ("ANY", "$default", {})),
        ("GET", "/items/", ("ANY", "$default", {})),
        ("HEAD", "/items/all", ("ANY", "/items/{id}", {"id": "all"})),
        ("HEAD", "/rest/v3/report", ("ANY", "/rest/{proxy+}", {"proxy": "v3/report"})),
        ("GET", "/items/all", ("GET", "/items/all", {})),
        ("DELETE", "/items/7", ("ANY", "/items/{id}", {"id": "7"})),
        ("POST", "/rest/v3/report/", ("ANY", "/rest/{proxy+}", {"proxy": "v3/report/"})),
        ("GET", "/nothing", ("ANY", "$default", {})),
        ("GET", "/slash/", ("ANY", "$default", {})),
        ("GET", "/", ("GET", "/", {})),
        ("POST", "/", ("ANY", "$default", {})),
        ("GET", "//", ("ANY", "$default", {})),
        ("POST", "/deep/er/x", ("POST", "/deep/er/{proxy+}", {"proxy": "x"})),
        ("POST", "/deep/x", ("POST", "/deep/{proxy+}", {"proxy": "x"})),
    ],
)
def test_finds_the_most_specific_route(method: str, path: str, expected: tuple[str, str, dict[str, str]]) -> None:
    pairs = [
        ("ANY", "$default"), ("ANY", "/rest/{proxy+}"), ("POST", "/rest/v3/report"), ("GET", "/slash/"), ("GET", "/"),
        ("ANY", "/items/{id}"), ("GET", "/items/{id}"), ("GET", "/items/all"),
        ("POST", "/deep/{proxy+}"), ("POST", "/deep/er/{proxy+}"),
    ]  # fmt: skip
    found = Router(Route(*pair, "f") for pair in pairs).find(method, path)
    assert found
    assert (found[0].method, found[0].path, found[1]) == expected


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PUT", "/items"), ("GET", "/items/"), ("POST", "/items//"), ("GET", "/")]
)
def test_without_a_route_of_last_resort_there_may_be_none(method: str, path: str) -> None:
    router = Router([Route("GET", "/items", "f"), Route("POST", "/items", "f"), Route("GET", "/items/", "f")])
    assert router.find(method, path) is None


def test_the_event_of_the_route_of_last_resort() -> None:
    found = built(request(method="PUT", path="//x y/"), Route("ANY", "$default", "f"))
    assert (found["routeKey"], found["requestContext"]["routeKey"]) == ("$default", "$default")
    assert (found["rawPath"], found["requestContext"]["http"]["path"]) == ("//x y/", "//x y/")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {
                "statusCode": 201,
                "headers": {"Content-Type": "text/html", "Access-Control-Allow-Origin": "x", "Content-Length": 9},
                "cookies": ["a=1", "b=2"],
                "body": "é",
            },
            (201, [("content-type", "text/html"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], "é".encode()),
        ),
        (
            {"statusCode": "204", "headers": {"Retry-After": 1}},
            (204, [("retry-after", "1"), ("content-type", "text/plain;charset=UTF-8")], b""),
        ),
        (
            {"statusCode": 200, "headers": {"content-type": "image/png"}, "body": "/w==", "isBase64Encoded": True},
            (200, [("content-type", "image/png")], b"\xff"),
        ),
        ({"a": 1}, (200, [("content-type", "application/json")], b'{"a":1}')),
        ("text", (200, [("content-type", "application/json")], b"text")),
    ],
)
def test_response_of_an_answer(answer: Json, expected: tuple[int, list[tuple[str, str]], bytes]) -> None:
    assert response(answer) == Response(*expected)


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "ok"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "*", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": None}},
        {"statusCode": 200, "cookies": "a=1"},
    ],
)
def test_malformed_answers(answer: Json) -> None:
    with pytest.raises(MalformedAnswer):
        response(answer)
