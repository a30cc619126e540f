"""Answers compared with the description of the API: each operation answers what the document says, and nothing else."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator

from telemetry.description.document import document
from telemetry.web.routes import canonical_path

Json = Any

NO_ROUTE = {308, 401, 403, 404, 422, 503}
"""What may be answered where there is no operation; keys are looked at first where staff and finance ask."""


NDJSON = "application/x-ndjson"
LINES = {"export_records": "RecordWithBody", "export_companies": "CompanyItem", "export_developers": "DeveloperItem"}
"""Of exports; OpenAPI 3.1 has no word for the lines of a text."""


class Operation(NamedTuple):
    """An operation of the document, and the pattern of its path."""

    method: str
    path: str
    pattern: re.Pattern[str]
    described: Mapping[str, Json]


@cache
def api() -> Mapping[str, Json]:
    """The document."""
    return document()


@cache
def operations() -> tuple[Operation, ...]:
    """All operations; those whose path has no parameter come first."""
    found = [
        Operation(method.upper(), path, _pattern(path), described)
        for path, methods in api()["paths"].items()
        for method, described in methods.items()
    ]
    return tuple(sorted(found, key=lambda each: ("{" in each.path, -len(each.path))))


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that a request means, however many slashes it has."""
    asked = "GET" if method == "HEAD" else method
    path = canonical_path(asked, path) or path
    return next((each for each in operations() if each.method == asked and each.pattern.fullmatch(path)), None)


def checked(handler: Callable[..., Json]) -> Callable[..., Json]:
    """A handler whose answers to HTTP requests are compared with the document."""

    @wraps(handler)
    def answer(event: Mapping[str, Json], context: object) -> Json:
        result = handler(event, context)
        if isinstance(event, dict) and "http" in event.get("requestContext", ()):
            found = list(differences(event, result))
            assert not found, found
        return result

    return answer


def differences(event: Mapping[str, Json], result: Mapping[str, Json]) -> Iterator[str]:
    """What of an answer is not as the document has it."""
    http = event["requestContext"]["http"]
    operation, status = operation_of(http["method"], event["rawPath"]), result["statusCode"]
    is_respelled = status == 308 and canonical_path("GET" if http["method"] == "HEAD" else http["method"], http["path"])
    if operation is None or is_respelled:
        if status not in NO_ROUTE:
            yield f"{http['method']} {event['rawPath']} is not described, and was answered {status}"
        return
    name = operation.described["operationId"]
    described = resolved(operation.described["responses"].get(str(status)))
    if described is None:
        yield f"{name} does not say that it answers {status}"
        return
    headers = {header.lower(): value for header, value in result.get("headers", {}).items()}
    contents = described.get("content", {})
    text = result.get("body") or ""
    if not contents:
        if text:
            yield f"{name} {status} says nothing of a body"
        return
    media_type = headers.get("content-type", "").partition(";")[0]
    if media_type not in contents:
        yield f"{name} {status} does not say that it answers {media_type}"
    elif media_type == NDJSON:
        for line in text.splitlines():
            yield from _errors(name, status, media_type, json.loads(line))
    elif media_type.endswith("json") and headers.get("content-encoding") != "gzip":
        yield from _errors(name, status, media_type, json.loads(_plain(result)))


def _plain(result: Mapping[str, Json]) -> bytes:
    body: str = result["body"]
    return b64decode(body) if result.get("isBase64Encoded") else body.encode()


def resolved(described: Json) -> Json:
    """What a reference of the document stands for."""
    while isinstance(described, dict) and "$ref" in described:
        target: Json = api()
        for part in described["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        described = target
    return described


def _errors(name: str, status: int, media_type: str, body: Json) -> Iterator[str]:
    for error in _validator(name, status, media_type).iter_errors(body):
        yield f"{name} {status}: {error.message} at {list(error.instance_path)}"


@cache
def _validator(name: str, status: int, media_type: str) -> Draft202012Validator:
    operation = next(each for each in operations() if each.described["operationId"] == name)
    schema = resolved(operation.described["responses"][str(status)])["content"][media_type]["schema"]
    if media_type == NDJSON:
        schema = {"$ref": f"#/components/schemas/{LINES[name]}"}
    return Draft202012Validator({**schema, "components": {"schemas": _closed()}}, validate_formats=True)


@cache
def _closed() -> Mapping[str, Json]:
    """The components, with no member of an object left undescribed."""
    return {name: _strict(schema) for name, schema in api()["components"]["schemas"].items()}


def _strict(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {keyword: _strict(value) for keyword, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        found.setdefault("additionalProperties", False)
    return found


def _pattern(path: str) -> re.Pattern[str]:
    """Ids of products may have slashes, and so may those that begin with one."""
    parts = re.split(r"\{(\w+)\}", path)
    return re.compile(
        "".join(
            re.escape(part) if number % 2 == 0 else (".+" if part in {"product_id", "spike_id"} else "[^/]+")
            for number, part in enumerate(parts)
        )
    )
