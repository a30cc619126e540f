"""Analytics, for staff."""

from collections.abc import Mapping
from typing import Any

from telemetry.description import problems
from telemetry.description.operations import ANY_TEXT, FILE, LINK, NOT_STORED, Answer, Content, Json, Operation, in_path
from telemetry.description.profile_examples import COMPANIES, COMPANY, DEVELOPER, DEVELOPERS
from telemetry.description.schemas import Schemas, not_null
from telemetry.description.security import STAFF
from telemetry.description.value_examples import VALUES
from telemetry.web import records
from telemetry.web.alerts import AlertQuery
from telemetry.web.analytics import (
    ActivityTypesQuery,
    ExcessQuery,
    LicensesQuery,
    LogQuery,
    ScopeQuery,
    TopQuery,
)
from telemetry.web.analytics_answers import (
    ActivityTypes,
    DeviceExcess,
    Mismatches,
    NotableLicenses,
    Overview,
    ProductNames,
    Spikes,
    SystemLogs,
    TopLicenses,
)
from telemetry.web.license_use import LicenseUseAnswer
from telemetry.web.profiles import queries as profiles
from telemetry.web.profiles.answers import CompanyDetail, CompanyList, DeveloperDetail, DeveloperList
from telemetry.web.record_answers import RecordDetail, RecordPage
from telemetry.web.search import SearchRequest, SearchResult
from telemetry.web.value_answers import Values
from telemetry.web.values import ValuesQuery

TAG = "Analytics"

_TAGGED = {**NOT_STORED, "ETag": "Weak: the same as long as nothing changes but the time of the answer"}
_UNCHANGED = "The client has it already (`If-None-Match`)"
_CARDS = FILE | {"Closed-Day": "The closed day that the numbers end with", "Profiles-View": "How days were attributed"}
_ID = in_path("record_id", {"type": "string", "minLength": 1}, "The `id` of a record, or its `telemetry_id`")
_COMPANY = in_path(
    "company_id", {"type": "string", "minLength": 1}, "The domain of a company, or `~o:` and its name: `~o:acme inc`"
)
_DEVELOPER = in_path("developer_id", {"type": "string", "minLength": 1}, "The `id` of a developer")

_LICENSE = in_path("license_id", {"type": "string", "minLength": 1}, "The `id` of a licence")
_CUSTOMER = in_path("customer_id", {"type": "string", "minLength": 1}, "The `id` of a customer")

_COUNTED = "Counted from the records themselves, as long as they are kept: the newest 5,000 by their event times."
_NOTED = "The audit log notes the first page before it is sent."
_TOTALS = "A viewer gets totals alone, and may not filter. A cursor is good until the next day is closed."

_SEARCH = (
    "Role: `viewer`, who finds products only; `admin` all. With a session it needs `X-CSRF-Token`. The text stands in "
    "the body because it may be a licence key: no address, log or answer has one."
)
_FOUND = {
    "A licence": {
        "items": [
            {
                "kind": "license",
                "id": "3f2b8a4e-6c1d-8f00-9a5b-2d7e4c81b0a6",
                "title": "••••LL08",
                "note": "Aurora Works, Orbit, active",
                "environment": "production",
                "product": None,
            }
        ],
        "more": [],
    }
}

_ACTIVITY_TYPES = {
    "One type is listed, two are not": {
        "environment": "production",
        "product": "orbit-cli",
        "from": "2026-08-24T00:00:00.000Z",
        "to": "2026-11-22T00:00:00.000Z",
        "items": [
            {"activity_type": "build", "configured": True, "label": "Ran a build", "level": "primary"}
            | {"uses": 9_310, "first_day": "2026-08-24", "last_day": "2026-11-21"},
            {"activity_type": "CALL_HOME", "configured": False, "label": None, "level": None}
            | {"uses": 610, "first_day": "2026-08-24", "last_day": "2026-11-21"},
            {"activity_type": "lint", "configured": False, "label": None, "level": None}
            | {"uses": 14, "first_day": "2026-11-19", "last_day": "2026-11-20"},
        ],
    }
}

_MEANINGS: Mapping[str, str] = {
    "environment": "One of the key's environments",
    "range": "A window that ends now; `24h` by default",
    "from": "The beginning, in place of `range`: a UTC day, or a time with a zone",
    "to": "The end: a UTC day (included), or a time with a zone (not included)",
    "product": "A product id, or `~unknown`; all products by default",
    "limit": "The most items to answer with",
    "threshold": "The smallest number of devices to list",
    "state": "`open` alerts, `all`, or `current`: open ones and those of the window",
    "cause": "A FailedCallCause",
    "last4": "The last four characters of the key that was sent",
    "ip": "An address: of the caller, or that the event is about",
    "license_id": "Records of the licence: its id, or the `fingerprint` of any key; never its key",
    "customer_id": "Records of all licences of the customer",
    "user": "Records of the user",
    "hwid": "Records of the device",
    "flagged": "Flagged or clean records only",
    "flag": "Records with this flag",
    "version": "Of this product version only",
    "group": "A data group whose values are wanted in detail",
    "api_key_id": "Records that came with this API key",
    "cursor": "From the page before",
    "format": "`csv`, or `ndjson` with the bodies",
    "offset": "The first byte of the body",
    "order": (
        "`active` in the last 30 days; `new`: first seen in them; `growing`: more than in the 30 days before; `quiet`: "
        "active in two of the four weeks before, and for 14 days not at all"
    ),
    "view": "How days were attributed, by its number; by default the last one",
    "name": "The beginning of a word of a name or id",
    "country": "Companies seen in this country, as `DE`",
    "company": "Developers of this company, by its `id`",
}


def parameters(model: type[records.EnvironmentQuery], schemas: Schemas) -> list[Json]:
    """The parameters that a model of a query reads."""
    schemas.of(model, "validation")
    schema = schemas.components.pop(model.__name__)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema["required"],
            "description": _MEANINGS[name],
            "schema": {key: value for key, value in not_null(each).items() if key not in {"description", "default"}}
            | ({"default": each["default"]} if each.get("default") is not None else {}),
        }
        for name, each in schema["properties"].items()
    ]


def operations(schemas: Schemas) -> list[Operation]:
    """All operations. `schemas` takes what their parameters refer to."""

    def operation(
        id_: str,
        path: str,
        role: str,
        summary: str,
        query: type[records.EnvironmentQuery],
        answer: Answer,
        *more: int,
        of_path: Json | None = None,
        description: str = "",
    ) -> Operation:
        return Operation(
            id=id_,
            method="get",
            path=f"/api/v1/analytics{path}",
            tag=TAG,
            summary=summary,
            description=f"Role: `{role}`. {description}".strip(),
            security=STAFF,
            parameters=[*([of_path] if of_path else []), *parameters(query, schemas)],
            answers={
                200: answer,
                **({304: Answer(_UNCHANGED, (), answer.headers)} if "ETag" in answer.headers else {}),
                **problems.answers(401, 403, 422, 500, 503, *more),
            },
        )

    def body(
        meaning: str,
        model: type,
        headers: Mapping[str, str] = _TAGGED,
        examples: Mapping[str, Any] | None = None,
    ) -> Answer:
        return Answer(meaning, [Content(model, examples or {})], headers)

    def cards() -> Answer:
        contents = [Content(ANY_TEXT, {}, "text/csv"), Content(ANY_TEXT, {}, "application/x-ndjson")]
        return Answer("A page of the file", contents, _CARDS)

    return [
        operation(
            "list_product_names", "/products", "viewer", "All products.", records.Query, body("Products", ProductNames)
        ),
        Operation(
            id="search",
            method="post",
            path="/api/v1/analytics/search",
            tag=TAG,
            summary="Finds licences, customers, users, devices and more by what people have of them.",
            description=_SEARCH,
            security=STAFF,
            parameters=parameters(records.EnvironmentQuery, schemas),
            bodies=[Content(SearchRequest, {"The last characters of a licence's key": {"text": "••••LL08"}})],
            answers={
                200: body("What was found", SearchResult, NOT_STORED, _FOUND),
                **problems.answers(400, 401, 403, 415, 422, 500, 503),
            },
        ),
        operation(
            "get_overview",
            "/overview",
            "viewer",
            "Totals, trend, versions, active users, licence checks.",
            ScopeQuery,
            body("What happened in the window", Overview),
            description=(
                "The window is told by the hour for 24 hours, and for windows that are not whole UTC days (full hours, "
                "at most seven days); any other by UTC day, at most 365."
            ),
        ),
        operation(
            "list_activity_types",
            "/activity-types",
            "viewer",
            "Activity types of a product's usage in the last 90 days, and those that it lists.",
            ActivityTypesQuery,
            body("Activity types, the most used first", ActivityTypes, examples=_ACTIVITY_TYPES),
            description="Uses of days that are not closed yet are those counted so far.",
        ),
        operation(
            "get_values",
            "/values",
            "viewer",
            "Values of a product's telemetry, by group, version and time.",
            ValuesQuery,
            body("The values", Values, examples=VALUES),
            description=(
                "The window is told as an overview's is. Days that are not closed are told so far. With `group`, the "
                "answer has its values in `series`. A viewer gets no texts."
            ),
        ),
        operation(
            "list_notable_licenses",
            "/licenses",
            "admin",
            "Which licences to look at: the next three lists in one answer.",
            LicensesQuery,
            body("The three lists", NotableLicenses),
        ),
        operation(
            "list_top_licenses",
            "/licenses/top",
            "admin",
            "Licences with the most flagged records.",
            TopQuery,
            body("Licences", TopLicenses),
        ),
        operation(
            "get_license_use",
            "/licenses/{license_id}/use",
            "admin",
            "What was sent under a licence, day by day.",
            records.Query,
            body("Counts of the records", LicenseUseAnswer),
            404,
            of_path=_LICENSE,
            description=_COUNTED,
        ),
        operation(
            "get_customer_use",
            "/customers/{customer_id}/use",
            "admin",
            "What was sent under all licences of a customer, day by day.",
            records.Query,
            body("Counts of the records", LicenseUseAnswer),
            400,
            404,
            of_path=_CUSTOMER,
            description=_COUNTED,
        ),
        operation(
            "list_device_excess",
            "/devices/excess",
            "admin",
            "Licences and customers with many devices.",
            ExcessQuery,
            body("Licences and customers", DeviceExcess),
        ),
        operation(
            "list_mismatches",
            "/mismatches",
            "admin",
            "Licence keys of other environments.",
            ScopeQuery,
            body("Licence keys", Mismatches),
        ),
        operation(
            "list_alerts",
            "/alerts",
            "admin",
            "Spikes of flagged records, and of events with an API key.",
            AlertQuery,
            body("Episodes of spikes", Spikes),
        ),
        operation(
            "get_system_logs",
            "/system-logs",
            "admin",
            "Failed calls, what staff did, exports, closed days.",
            LogQuery,
            body("The logs", SystemLogs),
        ),
        operation(
            "list_records",
            "/records",
            "admin",
            "A page of records, newest first.",
            records.ListQuery,
            body("A page of records", RecordPage, _TAGGED | LINK),
            400,
        ),
        operation(
            "get_record",
            "/records/{record_id}",
            "admin",
            "One record with all details.",
            records.Query,
            body("The record", RecordDetail),
            404,
            of_path=_ID,
        ),
        operation(
            "get_record_body",
            "/records/{record_id}/raw",
            "admin",
            "The body of a record, as it was received.",
            records.BodyQuery,
            Answer(
                "The body, or as much of it as fits into an answer; the Link header leads on",
                [Content({"type": "string", "format": "binary"}, {}, "application/octet-stream")],
                NOT_STORED | LINK,
            ),
            404,
            410,
            of_path=_ID,
        ),
        operation(
            "export_records",
            "/export",
            "admin",
            "A page of a file of records, newest first.",
            records.ExportQuery,
            Answer(
                "A page of the file",
                [Content(ANY_TEXT, {}, "text/csv"), Content(ANY_TEXT, {}, "application/x-ndjson")],
                FILE,
            ),
            400,
            description=f"{_NOTED} A line of `ndjson` is a RecordWithBody.",
        ),
        operation(
            "list_companies",
            "/companies",
            "viewer",
            "A page of the companies that use a product, and totals.",
            profiles.CompanyListQuery,
            body("Companies", CompanyList, _TAGGED | LINK, COMPANIES),
            400,
            description=_TOTALS,
        ),
        operation(
            "export_companies",
            "/companies/export",
            "admin",
            "A page of a file of the companies that were active in the last 90 days.",
            profiles.CompanyExportQuery,
            cards(),
            400,
            description=f"{_NOTED} A line of `ndjson` is a CompanyItem.",
        ),
        operation(
            "get_company",
            "/companies/{company_id}",
            "admin",
            "One company, and a page of its developers.",
            profiles.CompanyQuery,
            body("The company", CompanyDetail, _TAGGED | LINK, COMPANY),
            400,
            404,
            of_path=_COMPANY,
        ),
        operation(
            "list_developers",
            "/developers",
            "viewer",
            "A page of the developers who use a product, and totals.",
            profiles.DeveloperListQuery,
            body("Developers", DeveloperList, _TAGGED | LINK, DEVELOPERS),
            400,
            description=_TOTALS,
        ),
        operation(
            "export_developers",
            "/developers/export",
            "admin",
            "A page of a file of the developers who were active in the last 90 days.",
            profiles.DeveloperExportQuery,
            cards(),
            400,
            description=f"{_NOTED} A line of `ndjson` is a DeveloperItem.",
        ),
        operation(
            "get_developer",
            "/developers/{developer_id}",
            "admin",
            "One developer with all details.",
            profiles.ProfileQuery,
            body("The developer", DeveloperDetail, examples=DEVELOPER),
            404,
            of_path=_DEVELOPER,
        ),
    ]
