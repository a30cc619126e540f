"""Administration, for staff: what the routes say themselves, and the problems they may answer with."""

import json
from collections.abc import Mapping

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from telemetry.description import examples, problems
from telemetry.description.operations import ANY_TEXT, FILE, JSON, Answer, Content, Json, with_examples
from telemetry.description.schemas import Schemas, not_null, tidied
from telemetry.description.security import STAFF
from telemetry.web.administration.resources import ROUTERS

TAG = "Administration"

_UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_CONFLICTS = {
    "create_product",
    "create_customer",
    "create_license",
    "change_product",
    "change_customer",
    "change_license",
    "change_retention",
    "assign_license",
    "suspend_license",
    "resume_license",
    "revoke_license",
    "get_api_key_secret",
    "regenerate_api_key",
    "revoke_api_key",
    "attribute_anew",
    "show_attribution",
    "acknowledge_spike",
    "mute_spike",
    "unmute_spike",
}
"""Operations that the state of a thing, or somebody else's change, may be in the way of."""

_FILES = {"export_licenses"}
"""Operations that answer with a page of a CSV file."""

_EXAMPLES = {
    "get_company_overrides": examples.COMPANY_OVERRIDES,
    "change_company_overrides": examples.COMPANY_OVERRIDES,
}
"""Of what is sent, and of what is answered."""

_MEANINGS: Mapping[str, str] = {
    "customer_id": "The id of a customer",
    "day": "A UTC day that is closed",
    "days": "The retention to look at, in days",
    "from": "The beginning: a time with a zone",
    "key_id": "The id of an API key, not the key",
    "kind": "Keys of this kind only: those of SDKs, or of staff",
    "license_id": "The `id` of a licence, not its key",
    "limit": "The most items of a page",
    "product": "Of this product only; by default of each product, and of all together",
    "product_id": "The id of a product",
    "range": "A window that ends now; `24h` by default",
    "seats": "`full`: as many active devices as allowed, or more; `over`: more",
    "sort": "The order; `-` in front turns it round",
    "state": "Licences in this state only",
    "to": "The end: a time with a zone, not included",
}
"""Of parameters whose route says nothing itself."""

_FOR_SUPER_ADMINS = {"change_retention", "preview_retention"}
"""Operations that an `admin` may not ask for. Of API keys, it depends on the key."""

_OF_A_PRODUCT = {"list_attributions", "attribute_anew", "show_attribution"}
"""Operations of the product that a parameter names: there may be none."""

_CHANGES = {"patch", "put"}
"""Methods that need If-Match, where there is one."""

_READ_TO_CHANGE = {
    "get_product",
    "get_customer",
    "get_license",
    "get_license_card",
    "get_retention",
    "get_company_overrides",
}
"""Operations that answer with the ETag which a change of the same thing needs."""

_IF_MATCH = {"type": "string", "pattern": '^"[1-9][0-9]{0,17}"$'}


def paths(schemas: Schemas) -> dict[str, Json]:
    """The paths with their operations; their models become components."""
    app = APIGatewayHttpResolver()
    for router in ROUTERS:
        app.include_router(router)
    document: Json = json.loads(app.get_openapi_json_schema(title="", version=""))
    for name, schema in document["components"]["schemas"].items():
        if name not in _UNUSED:
            schemas.add(name, schema)
    found: dict[str, Json] = tidied(document["paths"])
    for path, operations in found.items():
        for method, operation in operations.items():
            operations[method] = _completed(method, path, operation, schemas)
    return dict(sorted(found.items()))


def _completed(method: str, path: str, operation: Json, schemas: Schemas) -> Json:
    parameters = [_parameter(method, each) for each in operation.get("parameters", ())]
    (success,) = (status for status in operation["responses"] if status.startswith("2"))
    names = {each["name"] for each in parameters}
    statuses = _statuses(method, path, operation, names)
    answer = operation["responses"][success] | {"description": "Created" if success == "201" else "Done"}
    if success == "201" or "If-Match" in names or operation["operationId"] in _READ_TO_CHANGE:
        answer["headers"] = {"ETag": {"description": "The version, for If-Match", "schema": {"type": "string"}}}
    if operation["operationId"] in _FILES:
        answer = Answer("A page of the file", [Content(ANY_TEXT, {}, "text/csv")], FILE).described(schemas)
    for described in (operation.get("requestBody"), answer):
        if described and JSON in described["content"]:
            content = described["content"]
            content[JSON] = with_examples(content[JSON], _EXAMPLES.get(operation["operationId"], {}))
    return {
        **operation,
        "tags": [TAG],
        "description": f"Role: `{'super_admin' if operation['operationId'] in _FOR_SUPER_ADMINS else 'admin'}`.",
        **({"parameters": parameters} if parameters else {}),
        "responses": {success: answer, **{str(status): each for status, each in problems.answers(*statuses).items()}},
        "security": STAFF,
    }


def _parameter(method: str, parameter: Json) -> Json:
    schema = {key: value for key, value in not_null(parameter["schema"]).items() if key != "description"}
    if parameter["name"] == "if-match":
        return {**parameter, "name": "If-Match", "schema": _IF_MATCH, "required": method in _CHANGES}
    meaning = parameter.get("description") or _MEANINGS[parameter["name"]]
    return {**parameter, "description": meaning, "schema": schema}


def _statuses(method: str, path: str, operation: Json, parameters: set[str]) -> list[int]:
    """The statuses of problems that an operation may answer with."""
    found = {401, 403, 415, 422, 500, 503}
    if "cursor" in parameters or "/days/" in path:
        found |= {400}  # a wrong cursor; a day with too many records
    if "{" in path or operation["operationId"] in _OF_A_PRODUCT:
        found |= {404}
    if operation["operationId"] in _CONFLICTS:
        found |= {409}
    if "If-Match" in parameters:
        found |= {412} | ({428} if method in _CHANGES else set())
    if method != "get":
        found |= {400}
    return sorted(found)
