"""The PowerAuth dialect: reports (docs/protocols.md)."""

from typing import Annotated, Literal, TypedDict

from annotated_types import Ge, Le

from telemetry.description import examples
from telemetry.description.operations import Answer, Content, Operation, query
from telemetry.description.security import SDK
from telemetry.domain.active_users import LONGEST_WINDOW
from telemetry.domain.finance_answers import ActiveUsersReport, DailyReport, PiracyReport, WholeDayReport
from telemetry.domain.json_strings import Day

TAG = "Reports (PowerAuth)"

_Days = Annotated[int, Ge(1), Le(LONGEST_WINDOW)]
_From = TypedDict("_From", {"from": Day, "to": Day})


# ── questions


class OfApplication(TypedDict):
    """An application: a product id, `*` for all products together, `~unknown` for those that are not registered."""

    application: str


class OfDays(OfApplication):
    """The UTC days up to today."""

    days: _Days


class OfWindow(OfDays):
    """UTC days that end with a closed day."""

    as_of: Day


class OfPeriod(OfApplication, _From):
    """Closed UTC days, both included, at most 366."""


class OfDay(OfApplication):
    """A closed UTC day."""

    day: Day


class CurrentMau(TypedDict):
    """Users of the last 30 days."""

    name: Literal["CURRENT_MAU"]
    parameters: OfApplication


class UsersInPastDays(TypedDict):
    """Users of the last days."""

    name: Literal["USERS_IN_PAST_DAYS"]
    parameters: OfDays


class ActiveUsersAsOf(TypedDict):
    """Users of a window that ends with a closed day."""

    name: Literal["ACTIVE_USERS_AS_OF"]
    parameters: OfWindow


class DailyActiveUsers(TypedDict):
    """Users of each day."""

    name: Literal["DAILY_ACTIVE_USERS"]
    parameters: OfPeriod


class PiracyCounts(TypedDict):
    """Flagged records of each day."""

    name: Literal["PIRACY_COUNTS"]
    parameters: OfPeriod


class DayReport(TypedDict):
    """The report of a day."""

    name: Literal["DAY_REPORT"]
    parameters: OfDay


Question = CurrentMau | UsersInPastDays | ActiveUsersAsOf | DailyActiveUsers | PiracyCounts | DayReport


class ReportRequest(TypedDict):
    """The report that is asked for. Names are accepted in any case."""

    requestObject: Question


# ── answers


class UsersNumber(TypedDict):
    """Distinct users of the UTC days up to today."""

    application: str
    users: int
    days: int


class PowerAuthReport(TypedDict):
    """The report, under its name."""

    name: Literal[
        "CURRENT_MAU", "USERS_IN_PAST_DAYS", "ACTIVE_USERS_AS_OF", "DAILY_ACTIVE_USERS", "PIRACY_COUNTS", "DAY_REPORT"
    ]
    reportData: UsersNumber | ActiveUsersReport | DailyReport | PiracyReport | WholeDayReport


class ReportAnswer(TypedDict):
    """The answer to a question."""

    status: Literal["OK"]
    responseObject: PowerAuthReport


class PowerAuthError(TypedDict):
    """What went wrong. Both messages are the same."""

    code: Literal["ERROR_HTTP_REQUEST", "ERROR_TELEMETRY", "ERROR_UNAUTHORIZED", "ERROR_NOT_FOUND"]
    message: str
    localizedMessage: str


class PowerAuthFailure(TypedDict):
    """Any answer to a request that failed."""

    status: Literal["ERROR"]
    responseObject: PowerAuthError


_FAILURE = [Content(PowerAuthFailure)]

OPERATIONS = [
    Operation(
        id="ask_report",
        method="post",
        path="/rest/v3/telemetry/report",
        aliases=["/rest/v4/telemetry/report"],
        tag=TAG,
        summary="Answers one report.",
        description="Takes a key with the capability `report`. An application that nobody knows has no users.",
        security=SDK,
        parameters=[
            query("environment", {"$ref": "#/components/schemas/Environment"}, "Must be the environment of the key")
        ],
        bodies=[Content(ReportRequest, examples.REPORT_QUESTIONS)],
        answers={
            200: Answer("The report", [Content(ReportAnswer, examples.REPORT_ANSWERS)]),
            400: Answer(
                "The question cannot be answered: a name or a parameter is missing or wrong, or the day is not closed",
                [Content(PowerAuthFailure, examples.REPORT_FAILURES)],
            ),
            401: Answer("No key that is good for this", _FAILURE),
            500: Answer("An internal error", _FAILURE),
            503: Answer("Storage does not answer; ask again", _FAILURE, {"Retry-After": "Seconds to wait"}),
        },
    )
]
