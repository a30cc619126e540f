"""The PowerAuth dialect: reports (docs/protocols.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from telemetry.dialects.body.json_text import NotJson, loads
from telemetry.dialects.failure import RETRY_AFTER, Answer, Failure
from telemetry.domain import finance
from telemetry.domain.active_users import LONGEST_WINDOW
from telemetry.domain.errors import Forbidden, InvalidField, StoreUnavailable, Unauthenticated
from telemetry.domain.finance import DayNotClosed, Period
from telemetry.domain.finance_report import FinanceReport

MAU_DAYS: Final = 30


class BadRequest(Exception):
    """The request cannot be answered: HTTP 400 with this code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.body = error_body(code, message)


@dataclass(frozen=True, slots=True)
class UsersQuestion:
    """How many users of an application were active in the last `days` UTC days, today included?"""

    name: str
    application: str
    days: int

    def answer(self, users: int) -> Answer:
        """The report, in the order of fields that upstream sends."""
        return _answer(self.name, {"application": self.application, "users": users, "days": self.days})


@dataclass(frozen=True, slots=True)
class ClosedDaysQuestion:
    """What finance asks of closed days: reports that are ours, not upstream's."""

    name: str
    asked: finance.ReportQuestion

    def answer(self, report: FinanceReport) -> Answer:
        """The report, as the plain routes give it too."""
        return _answer(self.name, report.document())


Question = UsersQuestion | ClosedDaysQuestion


def parse(body: bytes) -> Question:
    """The question a body asks. Raises BadRequest; checks in the order upstream does."""
    try:
        request = loads(body)
    except NotJson as exc:
        raise BadRequest("ERROR_HTTP_REQUEST", str(exc)) from None
    question = request.get("requestObject") if isinstance(request, dict) else None
    if not isinstance(question, dict):
        raise BadRequest("ERROR_HTTP_REQUEST", "requestObject - must not be null")
    name = question.get("name")
    if not isinstance(name, str) or not name.strip():
        raise BadRequest("ERROR_HTTP_REQUEST", "requestObject.name - must not be blank")
    parameters = question.get("parameters")
    ask = _REPORTS.get(name.strip().upper())
    if ask is None:
        raise BadRequest("ERROR_TELEMETRY", f"Unknown report name: {name}")
    try:
        return ask(parameters if isinstance(parameters, dict) else {})
    except InvalidField as exc:
        raise BadRequest("ERROR_TELEMETRY", f"The parameter '{exc.field}' {exc}.") from None


def _answer(name: str, data: Answer) -> Answer:
    return {"status": "OK", "responseObject": {"name": name, "reportData": data}}


def error_body(code: str, message: str) -> Answer:
    """The body of any failure."""
    return {"status": "ERROR", "responseObject": {"code": code, "message": message, "localizedMessage": message}}


NOT_FOUND = error_body("ERROR_NOT_FOUND", "Resource not found.")


def failure(error: Exception, _now: datetime) -> Failure:
    """The answer to an error. Any error not named here is our fault, and the answer tells no detail of it."""
    match error:
        case BadRequest():
            return Failure(400, error.body)
        case DayNotClosed():
            return Failure(400, error_body("ERROR_TELEMETRY", str(error)))
        case Unauthenticated() | Forbidden():
            return Failure(401, error_body("ERROR_UNAUTHORIZED", "Authentication failed"))
        case StoreUnavailable():
            return Failure(
                503, error_body("ERROR_TELEMETRY", "Temporarily unavailable, please try again."), RETRY_AFTER
            )
        case _:
            return Failure(500, error_body("ERROR_TELEMETRY", "Internal error."))


def _current_mau(parameters: dict[str, Any]) -> UsersQuestion:
    return UsersQuestion("CURRENT_MAU", _application(parameters), MAU_DAYS)


def _users_in_past_days(parameters: dict[str, Any]) -> UsersQuestion:
    days = _days(parameters)
    return UsersQuestion("USERS_IN_PAST_DAYS", _application(parameters), days)


def _active_users_as_of(parameters: dict[str, Any]) -> ClosedDaysQuestion:
    days, application = _days(parameters), _counted_application(parameters)
    asked = finance.ActiveUsersAsOf(application, days, _day(parameters, "as_of"))
    return ClosedDaysQuestion("ACTIVE_USERS_AS_OF", asked)


def _daily_active_users(parameters: dict[str, Any]) -> ClosedDaysQuestion:
    asked = finance.DailyActiveUsers(_counted_application(parameters), _period(parameters))
    return ClosedDaysQuestion("DAILY_ACTIVE_USERS", asked)


def _piracy_counts(parameters: dict[str, Any]) -> ClosedDaysQuestion:
    asked = finance.PiracyCounts(_counted_application(parameters), _period(parameters))
    return ClosedDaysQuestion("PIRACY_COUNTS", asked)


def _day_report(parameters: dict[str, Any]) -> ClosedDaysQuestion:
    asked = finance.WholeDay(_counted_application(parameters), _day(parameters, "day"))
    return ClosedDaysQuestion("DAY_REPORT", asked)


def _counted_application(parameters: dict[str, Any]) -> str:
    return finance.application_of(_application(parameters))


def _period(parameters: dict[str, Any]) -> Period:
    return Period(_day(parameters, "from"), _day(parameters, "to"))


def _day(parameters: dict[str, Any], name: str) -> date:
    value = parameters.get(name)
    if value is None:
        raise BadRequest("ERROR_TELEMETRY", f"Missing parameter '{name}'.")
    return finance.day_of(name, value if isinstance(value, str) else "")


def _application(parameters: dict[str, Any]) -> str:
    application = parameters.get("application")
    if application is None:
        raise BadRequest("ERROR_TELEMETRY", "Missing parameter 'application'.")
    if not isinstance(application, str):
        raise BadRequest("ERROR_TELEMETRY", "The parameter 'application' must be a string.")
    return application


def _days(parameters: dict[str, Any]) -> int:
    value = parameters.get("days")
    if value is None:
        raise BadRequest("ERROR_TELEMETRY", "Missing parameter 'days'.")
    days = _integer(value)
    if days is None:
        raise BadRequest("ERROR_TELEMETRY", "The parameter 'days' must be an integer.")
    if days > LONGEST_WINDOW:
        # 365 itself is accepted, though the text says otherwise: it is upstream's
        raise BadRequest("ERROR_TELEMETRY", f"The parameter 'days' must be smaller than 365. Provided: {days}")
    if days < 1:
        raise BadRequest("ERROR_TELEMETRY", f"The parameter 'days' must be at least 1. Provided: {days}")
    return days


def _integer(value: object) -> int | None:
    """An integer, or decimal text of one; a long text is not a number of days."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.strip().removeprefix("-").isdecimal() and len(value) < 20:
        return int(value)
    return None


_REPORTS: dict[str, Callable[[dict[str, Any]], Question]] = {
    "CURRENT_MAU": _current_mau,
    "USERS_IN_PAST_DAYS": _users_in_past_days,
    "ACTIVE_USERS_AS_OF": _active_users_as_of,
    "DAILY_ACTIVE_USERS": _daily_active_users,
    "PIRACY_COUNTS": _piracy_counts,
    "DAY_REPORT": _day_report,
}
