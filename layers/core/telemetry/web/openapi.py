"""The OpenAPI document of our own routes, with what the resolver cannot know."""

import json
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, HTTPBearer

from telemetry.web.problems import CONTENT_TYPE

_PROBLEM = {
    "title": "Problem",
    "description": "Problem details (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_DEFAULT = {
    "description": "What went wrong",
    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def describe(app: ApiGatewayResolver, title: str, version: str) -> dict[str, Any]:
    """The OpenAPI document of a resolver's routes, with problem details as their errors."""
    document: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title=title,
            version=version,
            security_schemes={
                "bearer": HTTPBearer(),
                "x-api-key": APIKey(name="X-API-KEY", in_=APIKeyIn.header),
            },
            security=[{"bearer": []}, {"x-api-key": []}],
        )
    )
    for path in document["paths"].values():
        for operation in path.values():
            for status in ("422", "500"):
                operation["responses"].pop(status, None)
            operation["responses"]["default"] = _DEFAULT
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    return document
