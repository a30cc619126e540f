"""The plain routes for finance: their queries, and reports as JSON and CSV that clients may cache for ever."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types

from telemetry.domain.active_users import LONGEST_WINDOW, Audience
from telemetry.domain.closing import Closing
from telemetry.domain.environment import Environment
from telemetry.domain.errors import InvalidField
from telemetry.domain.finance import (
    ActiveUsersAsOf,
    DailyActiveUsers,
    MonthlyUsers,
    Period,
    PiracyCounts,
    WholeDay,
    application_of,
    day_of,
)
from telemetry.domain.finance_answers import ApplicationItem, Applications, ApplicationsAbout
from telemetry.domain.finance_report import FinanceReport
from telemetry.domain.months import Month, Months
from telemetry.services.reports import Application
from telemetry.web.csv_cells import no_formula
from telemetry.web.etags import content_etag, is_current
from telemetry.web.http import Request

CSV = "text/csv; charset=utf-8; header=present"

FOR_EVER = "private, max-age=31536000, immutable"

OF_ANY_REPORT = frozenset({"api_key", "environment", "format"})
"""Parameters that every route takes: an SDK key may come in the query."""

_QUALITY = re.compile(r";\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)")

Query = Mapping[str, str]


class Format(StrEnum):
    """The formats of a report."""

    JSON = "json"
    CSV = "csv"


# ── questions. All raise InvalidField


def active_users_question(query: Query) -> ActiveUsersAsOf:
    """`application`, and `days` and `as_of`, or `month`; `audience`."""
    application, audience = application_of(_required(query, "application")), _audience(query)
    if not query.keys() & {"month", "days", "as_of"}:
        raise InvalidField("month", "is missing: give a month, or days and as_of")
    if "month" not in query:
        days, as_of = _days(_required(query, "days")), day_of("as_of", _required(query, "as_of"))
        return ActiveUsersAsOf(application, days, as_of, audience)
    for other in query.keys() & {"days", "as_of"}:
        raise InvalidField(other, "cannot be given together with 'month'")
    month = _month("month", query["month"])
    return ActiveUsersAsOf(application, month.last.day, month.last, audience)


def daily_question(query: Query) -> DailyActiveUsers:
    """`application`, `from`, `to`."""
    return DailyActiveUsers(*_application_and_period(query))


def months_question(query: Query) -> MonthlyUsers:
    """`application`, `from` and `to` as months, `audience`."""
    application = application_of(_required(query, "application"))
    months = Months(_month("from", _required(query, "from")), _month("to", _required(query, "to")))
    return MonthlyUsers(application, months, _audience(query))


def piracy_question(query: Query) -> PiracyCounts:
    """`application`, `from`, `to`."""
    return PiracyCounts(*_application_and_period(query))


def day_question(day: str, query: Query) -> WholeDay:
    """`application`, and the day, which is part of the path."""
    return WholeDay(application_of(_required(query, "application")), day_of("day", day))


def _application_and_period(query: Query) -> tuple[str, Period]:
    application = application_of(_required(query, "application"))
    return application, Period(day_of("from", _required(query, "from")), day_of("to", _required(query, "to")))


def _required(query: Query, name: str) -> str:
    if name not in query:
        raise InvalidField(name, "is missing")
    return query[name]


def _days(text: str) -> int:
    if re.fullmatch("[0-9]{1,3}", text) and 1 <= int(text) <= LONGEST_WINDOW:
        return int(text)
    raise InvalidField("days", f"must be an integer from 1 to {LONGEST_WINDOW}")


def _month(field: str, text: str) -> Month:
    try:
        return Month(day_of(field, f"{text}-01"))
    except InvalidField:
        raise InvalidField(field, "must be a month, as 2026-11") from None


def _audience(query: Query) -> Audience:
    audience = query.get("audience", Audience.USERS.value)
    if audience not in set(Audience):
        raise InvalidField("audience", f"must be one of {', '.join(Audience)}")
    return Audience(audience)


# ── answers


def report_answer(report: FinanceReport, request: Request) -> Response[str]:
    """A report, or 304 if the client has it."""
    response = _written(report.document(), report.table(), request)
    tag = content_etag(response.body or "")
    response.headers |= {"Cache-Control": FOR_EVER if report.is_final else "private, no-cache", "ETag": tag}
    if is_current(request.headers.get("if-none-match"), tag):
        return Response(304, body="", headers=response.headers)
    return response


def applications_answer(
    found: Sequence[Application], closing: Closing, environment: Environment, request: Request
) -> Response[str]:
    """The applications that have reports now."""
    closed = None if closing.closed is None else date.fromordinal(closing.closed).isoformat()
    items: list[ApplicationItem] = [
        {"application": each.id, "name": each.name, "registered": each.is_registered} for each in found
    ]
    about: ApplicationsAbout = {"environment": environment.value, "closed_through": closed}
    document: Applications = {**about, "items": items}
    response = _written(document, [{**item, **about} for item in items], request)
    response.headers["Cache-Control"] = "no-store"
    return response


def format_of(request: Request) -> Format:
    """`?format=`, else what Accept prefers; JSON if it prefers neither. Raises InvalidField."""
    asked = request.query.get("format")
    if asked is None:
        accept = request.headers.get("accept", "")
        wants_csv = _quality(accept, "text/csv") > _quality(accept, "application/json")
        return Format.CSV if wants_csv else Format.JSON
    if asked not in set(Format):
        raise InvalidField("format", "must be json or csv")
    return Format(asked)


def _quality(accept: str, media_type: str) -> float:
    """The quality of a media type: that of the most specific range that contains it (RFC 9110, 12.5.1)."""
    said = {each.partition(";")[0].strip(): _QUALITY.search(each) for each in accept.lower().split(",")}
    for range_ in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if range_ in said:
            quality = said[range_]
            return float(quality[1]) if quality else 1
    return 0


def _written(document: Mapping[str, Any], table: Sequence[Mapping[str, Any]], request: Request) -> Response[str]:
    # which environment is told depends on the key, or the session, and so does what a cache may give to whom
    headers = {"Vary": "Accept, Authorization, Cookie, X-API-Key"}
    if format_of(request) is Format.CSV:
        return Response(200, CSV, csv_text(table), headers)
    return Response(200, content_types.APPLICATION_JSON, json.dumps(document, separators=(",", ":")), headers)


def csv_text(table: Sequence[Mapping[str, Any]]) -> str:
    """RFC 4180, the first row's names as header; lists and mappings in one cell each."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table[0])
    writer.writerows([_cell(value) for value in row.values()] for row in table)
    return text.getvalue()


def _cell(value: object) -> object:
    match value:
        case str():
            return no_formula(value)
        case bool():
            return str(value).lower()
        case Mapping():
            return "; ".join(f"{name}: {said}" for name, said in value.items())
        case list():
            return " ".join(map(str, value))
    return value
