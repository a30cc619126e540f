"""The description of the API is served, and its examples can be sent."""

import gzip
import json
from base64 import b64decode
from urllib.parse import urlencode

import pytest

from local.payloads import Router
from local.template import read_template
from telemetry.domain.environment import Environment
from tests.described import Operation, api, operations
from tests.lambdas import Context, http_event, load_function
from tests.worlds.deployment import Deployment

ROUTER = Router(read_template().routes)
DIALECTS = [
    each
    for each in operations()
    if each.method == "POST" and not each.path.startswith(("/admin", "/api/v1/admin", "/api/v1/analytics"))
]
OPEN_DAY = "is not closed yet"
"""What a fresh deployment says of every day."""


@pytest.mark.parametrize("operation", DIALECTS, ids=lambda each: str(each.path))
def test_every_example_of_a_dialect_can_be_sent(deployment: Deployment, operation: Operation) -> None:
    found = ROUTER.find(operation.method, operation.path)
    assert found
    function = load_function(found[0].function)
    for media_type, content in operation.described["requestBody"]["content"].items():
        for example in content.get("examples", {}).values():
            value = example["value"]
            body = urlencode(value) if media_type.endswith("urlencoded") else value
            headers = {"x-api-key": deployment.keys[Environment.PRODUCTION], "content-type": media_type}
            event = http_event(operation.path, body if isinstance(body, str) else json.dumps(body), headers)
            answer = function.handler(event, Context())
            assert answer["statusCode"] == 200 or OPEN_DAY in answer["body"], example


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_everyone_may_read_it(deployment: Deployment, path: str) -> None:
    function = load_function("dashboard")
    answer = function.handler(http_event(path, "", {"accept-encoding": "gzip"}, method="GET"), Context())
    assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (200, "no-cache")
    body = gzip.decompress(b64decode(answer["body"])).decode()
    assert json.loads(body) == api() if path == "/openapi.json" else "<title>Telemetry API</title>" in body
    known = {"if-none-match": answer["headers"]["ETag"]}
    assert function.handler(http_event(path, "", known, method="GET"), Context())["statusCode"] == 304
    assert deployment
