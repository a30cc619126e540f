"""The plain reports for finance."""

from telemetry.description import examples, problems
from telemetry.description.operations import ANY_TEXT, Answer, Content, Json, Operation, in_path, query
from telemetry.description.security import REPORTS
from telemetry.domain.active_users import LONGEST_WINDOW
from telemetry.domain.finance_answers import (
    ActiveUsersReport,
    Applications,
    DailyReport,
    MonthsReport,
    PiracyReport,
    WholeDayReport,
)
from telemetry.domain.months import MOST_MONTHS
from telemetry.web.reports import CSV

TAG = "Reports"

_DAY = {"type": "string", "format": "date"}
_MONTH = {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}
_APPLICATION = query(
    "application",
    {"type": "string", "minLength": 1, "maxLength": 64},
    "A product id, `*` for all products together, or `~unknown` for those that are not registered",
    is_required=True,
)
_FROM = query("from", _DAY, "The first UTC day", is_required=True)
_TO = query("to", _DAY, "The last UTC day; at most 366 days", is_required=True)
_OF_ALL = [
    query("environment", {"$ref": "#/components/schemas/Environment"}, "Required of staff"),
    query("format", {"enum": ["json", "csv"]}, "Instead of the header `Accept`"),
]
_HEADERS = {"ETag": "The same only for the same bytes", "Cache-Control": "For ever: a report never changes"}
_HEADERS_OF_MONTHS = _HEADERS | {"Cache-Control": "For ever, if the last month is final; else to be asked for again"}
_KEYS = "Takes a key with the capability `report`, or staff of any role."
_NEVER_CHANGES = f"The same question has the same answer for ever. {_KEYS}"
_CSV = Content(ANY_TEXT, {}, CSV.partition(";")[0])


def _report(
    id_: str,
    path: str,
    summary: str,
    model: type,
    example: Json,
    parameters: list[Json],
    description: str = "",
    *,
    never_changes: bool = True,
) -> Operation:
    caching, headers = (_NEVER_CHANGES, _HEADERS) if never_changes else (_KEYS, _HEADERS_OF_MONTHS)
    return Operation(
        id=id_,
        method="get",
        path=f"/api/v1/reports{path}",
        tag=TAG,
        summary=summary,
        description=f"{description} {caching}".strip(),
        security=REPORTS,
        parameters=[*parameters, *_OF_ALL],
        answers={
            200: Answer("The report", [Content(model, example), _CSV], headers),
            304: Answer("The client has it already (`If-None-Match`)", (), headers),
            **problems.answers(401, 403, 404, 409, 422, 500, 503),
        },
    )


OPERATIONS = [
    Operation(
        id="list_applications",
        method="get",
        path="/api/v1/reports/applications",
        tag=TAG,
        summary="The applications that reports can be asked of, and the last closed day.",
        description=_KEYS,
        security=REPORTS,
        parameters=_OF_ALL,
        answers={
            200: Answer(
                "The applications",
                [Content(Applications, examples.APPLICATIONS), _CSV],
            ),
            **problems.answers(401, 403, 422, 500, 503),
        },
    ),
    _report(
        "count_active_users",
        "/active-users",
        "Users of a window that ends with a closed day.",
        ActiveUsersReport,
        examples.ACTIVE_USERS,
        [
            _APPLICATION,
            query("days", {"type": "integer", "minimum": 1, "maximum": LONGEST_WINDOW}, "UTC days; with `as_of`"),
            query("as_of", _DAY, "The last UTC day; with `days`"),
            query("month", _MONTH, "A month, in place of `days` and `as_of`"),
            query("audience", {"$ref": "#/components/schemas/Audience"}, "Who is counted; `users` by default"),
        ],
        "Needs `days` and `as_of`, or `month`.",
    ),
    _report(
        "count_users_by_day",
        "/daily",
        "Users of each day, and of the windows that end with it.",
        DailyReport,
        {},
        [_APPLICATION, _FROM, _TO],
    ),
    _report(
        "count_users_by_month",
        "/months",
        "Users of each month, and how many of them are new, came back or were lost.",
        MonthsReport,
        examples.MONTHS,
        [
            _APPLICATION,
            query("from", _MONTH, "The first month", is_required=True),
            query("to", _MONTH, f"The last one, with a closed day; at most {MOST_MONTHS} months", is_required=True),
            query("audience", {"$ref": "#/components/schemas/Audience"}, "Who is counted; `users` by default"),
        ],
        "A month that is not over is told up to the last closed day, and is not `final`; all others never change.",
        never_changes=False,
    ),
    _report(
        "count_piracy",
        "/piracy",
        "Flagged records of each day.",
        PiracyReport,
        {},
        [_APPLICATION, _FROM, _TO],
    ),
    _report(
        "read_day_report",
        "/day/{day}",
        "The report of a day.",
        WholeDayReport,
        {},
        [in_path("day", _DAY, "A UTC day"), _APPLICATION],
    ),
]
