"""Ingest routes by itself: as Powertools' resolver did, and with the same answers, byte for byte."""

import json
from itertools import product
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from telemetry.web.call import Call
from telemetry.web.http import PlainAnswer, json_answer
from telemetry.web.resolver import response_of
from telemetry.web.routes import routed
from tests.lambdas import Context, http_event, load_function

INGEST = load_function("ingest")
METHODS = ["POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "post"]
PATHS = [
    *INGEST.ROUTES,
    *(f"/v1/telemetry{end}" for end in ("/", "//", "\n", "\n\n", "/\n", "x", "%2F", "?", "\r")),
    *(f"/api/product/usage{end}" for end in ("/", "//", "\n")),
    "/", "", "//v1/telemetry", "/v1//telemetry", "/V1/telemetry", "/v1/verify", "/v1/teleme.ry", "/api/v1/telemetry/x",
]  # fmt: skip


def named(resolver: APIGatewayHttpResolver, event: dict[str, Any]) -> str:
    return str(json.loads(resolver.resolve(event, Context())["body"]))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def resolver() -> APIGatewayHttpResolver:
    """Answers with the name of the route."""
    made = APIGatewayHttpResolver()

    def answering(name: str) -> Any:  # noqa: ANN401
        return lambda *_: response_of(json_answer(200, name))

    for path, function in INGEST.ROUTES.items():
        made.post(path)(answering(function.__name__))
    made.not_found(answering("not_found"))
    return made


@pytest.mark.parametrize(("method", "path"), list(product(METHODS, PATHS)))
def test_a_route_is_found_as_by_the_resolver(
    resolver: APIGatewayHttpResolver, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = http_event(path, "{}", {}, method=method)
    asked: list[str] = []

    def answering(name: str) -> Any:  # noqa: ANN401
        def answer(_: Call) -> PlainAnswer:
            asked.append(name)
            return json_answer(200, name)

        return answer

    monkeypatch.setattr(INGEST, "ROUTES", {path: answering(each.__name__) for path, each in INGEST.ROUTES.items()})
    monkeypatch.setattr(INGEST, "not_found", answering("not_found"))
    INGEST.handler.__wrapped__(event, Context())
    assert asked == [named(resolver, routed(event))]


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(200, {"a": "\u00e9", "b": [1, None]}),
        json_answer(503, [], Retry_After="5"),
        PlainAnswer(308, "", {"Location": "/v1/telemetry?a=%20", "Cache-Control": "no-store"}),
        PlainAnswer(200, ""),
    ],
)
def test_an_answer_is_what_the_resolver_makes_of_it(answer: PlainAnswer) -> None:
    made = APIGatewayHttpResolver()

    @made.post("/x")
    def x() -> Response[str]:
        return response_of(answer)

    theirs = made.resolve(http_event("/x", "", {}), Context())  # type: ignore[arg-type]
    assert json.dumps(answer.as_result()) == json.dumps(theirs)
