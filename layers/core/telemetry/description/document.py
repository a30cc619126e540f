"""The whole document."""

from telemetry import __version__
from telemetry.description import (
    administration,
    analytics,
    dashboard,
    getkeymanager,
    powerauth,
    problems,
    reo,
    reports,
    security,
)
from telemetry.description.operations import Json
from telemetry.description.recorded_examples import add_recorded_examples
from telemetry.description.schemas import Schemas, annotated, typed_dicts
from telemetry.domain import finance_answers
from telemetry.web import analytics_answers, record_answers, sessions
from telemetry.web.profiles import answers as profile_answers
from telemetry.web.record_answers import RecordWithBody

ABOUT = """\
Events of SDKs in, analytics and reports out. A key opens one environment, or the environments of a member of staff.

Every `GET` is answered to `HEAD` too, without a body. Extra slashes in a path are ignored where the request reaches the
right function; elsewhere the answer is 308 with the right path. A path that is no route is 404.

API Gateway answers some requests by itself, with `{"message": …}`: 413 (a body of more than 10 MB), 429 (too many
requests; send again later), 500, 503 and 504 (no answer in time; send again)."""

_TAGS = {
    getkeymanager.TAG: "What SDKs send and read back; verifying, activating and deactivating licences.",
    reo.TAG: "Product usage, one event in each request.",
    powerauth.TAG: "Reports for finance, for clients of PowerAuth.",
    reports.TAG: "Reports for finance, as JSON or CSV.",
    analytics.TAG: "What was recorded, for staff.",
    administration.TAG: (
        "Products, customers, licences, API keys, retention, overrides of companies, closed days and the audit log, "
        "for staff."
    ),
    dashboard.TAG: "The page for staff, signing in and out, and this description.",
}
_GATEWAY = {413: "The body has more than 10 MB", 429: "Too many requests; send again later"}
_NAMED = ("Audience", "FailedCallCause")


def document() -> Json:
    """The OpenAPI document of all routes, the same for the same version of the code."""
    schemas = Schemas()
    paths: dict[str, Json] = {}
    declared = [
        *getkeymanager.OPERATIONS,
        *reo.OPERATIONS,
        *powerauth.OPERATIONS,
        *reports.OPERATIONS,
        *analytics.operations(schemas),
        *dashboard.OPERATIONS,
    ]
    for operation in declared:
        for path, described in operation.described(schemas).items():
            paths.setdefault(path, {})[operation.method] = described
    paths |= administration.paths(schemas)
    _add_gateway(paths)
    add_recorded_examples(paths)
    schemas.of(RecordWithBody)
    schemas.document_fields(
        typed_dicts(
            *(finance_answers, analytics_answers, record_answers, profile_answers, sessions),
            *(getkeymanager, reo, powerauth, dashboard),
        )
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Telemetry", "version": __version__, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": meaning} for name, meaning in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(
                sorted(
                    {
                        **schemas.components,
                        **{name: annotated(name) for name in _NAMED},
                        "Problem": problems.schema(),
                        "WrongField": problems.WRONG_FIELD,
                        "GatewayMessage": _GATEWAY_MESSAGE,
                    }.items()
                )
            ),
            "responses": {**problems.responses(), **_gateway_responses()},
            "securitySchemes": security.SCHEMES,
        },
    }


_GATEWAY_MESSAGE: Json = {
    "description": "What API Gateway answers by itself.",
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
}


def _gateway_responses() -> Json:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/GatewayMessage"}}}
    return {f"Gateway{status}": {"description": meaning, "content": content} for status, meaning in _GATEWAY.items()}


def _add_gateway(paths: dict[str, Json]) -> None:
    for operations in paths.values():
        for operation in operations.values():
            statuses = [413, 429] if "requestBody" in operation else [429]
            for status in statuses:
                operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Gateway{status}"})
