"""The PowerAuth dialect, row by row (docs/protocols.md)."""

import json
from datetime import date
from typing import Any

import pytest

from telemetry.dialects.powerauth import BadRequest, ClosedDaysQuestion, UsersQuestion, error_body, parse
from telemetry.domain.finance import ActiveUsersAsOf, DailyActiveUsers, Period, PiracyCounts, ReportQuestion, WholeDay
from telemetry.domain.finance_report import FinanceReport


def question(name: object, **parameters: object) -> bytes:
    return json.dumps({"requestObject": {"name": name, "parameters": parameters}}).encode()


def refused(code: str, message: str) -> dict[str, Any]:
    return {"status": "ERROR", "responseObject": {"code": code, "message": message, "localizedMessage": message}}


@pytest.mark.parametrize(
    ("body", "name", "days"),
    [
        (question("CURRENT_MAU", application="editor"), "CURRENT_MAU", 30),
        (question("current_mau", application="editor"), "CURRENT_MAU", 30),
        (question("CURRENT_MAU", application="editor", days=7), "CURRENT_MAU", 30),
        (question("CURRENT_MAU", application="editor", days="nonsense"), "CURRENT_MAU", 30),
        (question("USERS_IN_PAST_DAYS", application="editor", days=1), "USERS_IN_PAST_DAYS", 1),
        (question("Users_In_Past_Days", application="editor", days=365), "USERS_IN_PAST_DAYS", 365),
        (question("USERS_IN_PAST_DAYS", application="editor", days="90"), "USERS_IN_PAST_DAYS", 90),
    ],
)
def test_questions(body: bytes, name: str, days: int) -> None:
    asked = parse(body)
    assert isinstance(asked, UsersQuestion)
    assert asked == UsersQuestion(name, "editor", days)
    assert asked.answer(42) == {
        "status": "OK",
        "responseObject": {"name": name, "reportData": {"application": "editor", "users": 42, "days": days}},
    }


YEAR = Period(date(2024, 1, 1), date(2024, 12, 31))
CLOSED_DAYS: list[tuple[bytes, str, ReportQuestion]] = [
    (
        question("ACTIVE_USERS_AS_OF", application="editor", days="365", as_of="2026-10-31"),
        "ACTIVE_USERS_AS_OF",
        ActiveUsersAsOf("editor", 365, date(2026, 10, 31)),
    ),
    (
        question("daily_active_users", **{"application": "*", "from": "2024-01-01", "to": "2024-12-31"}),
        "DAILY_ACTIVE_USERS",
        DailyActiveUsers("*", YEAR),
    ),
    (
        question("Piracy_Counts", **{"application": "~unknown", "from": "2024-01-01", "to": "2024-12-31"}),
        "PIRACY_COUNTS",
        PiracyCounts("~unknown", YEAR),
    ),
    (
        question("DAY_REPORT", application="editor", day="2026-10-31"),
        "DAY_REPORT",
        WholeDay("editor", date(2026, 10, 31)),
    ),
]


@pytest.mark.parametrize(("body", "name", "asked"), CLOSED_DAYS)
def test_questions_about_closed_days(body: bytes, name: str, asked: ReportQuestion) -> None:
    found = parse(body)
    assert isinstance(found, ClosedDaysQuestion)
    assert found == ClosedDaysQuestion(name, asked)
    report = FinanceReport({"application": "editor"}, {"users": 3}, {"zone": "UTC"}, [])
    assert found.answer(report) == {
        "status": "OK",
        "responseObject": {
            "name": name,
            "reportData": {"application": "editor", "users": 3, "definition": {"zone": "UTC"}},
        },
    }


def active(**changes: object) -> bytes:
    usual: dict[str, object] = {"application": "editor", "days": 30, "as_of": "2026-10-31"}
    return question("ACTIVE_USERS_AS_OF", **usual | changes)


def ranged(name: str, first: object, last: object) -> bytes:
    return question(name, **{"application": "editor", "from": first, "to": last})


TELEMETRY, HTTP = "ERROR_TELEMETRY", "ERROR_HTTP_REQUEST"
NO_DAYS, NO_APPLICATION = "Missing parameter 'days'.", "Missing parameter 'application'."
NO_INTEGERS: list[object] = ["many", "", "7.5", 7.5, True, [], {}, "9" * 5_000]
NO_DAY: list[object] = [
    "",
    "2026-02-29",
    "20261031",
    "2026-W44-6",
    "2026-10-31T00:00",
    " 2026-10-31",
    20261031,
    True,
    [],
    {},
    "1969-12-31",
    "0001-01-01",
    "9999-12-31",
    "२०२६-१०-३१",
]
NOT_DAY = "must be a day, as 2026-11-21."
NOT_INTEGER = "The parameter 'days' must be an integer."


def test_digits_of_other_scripts_are_no_number_of_days() -> None:
    with pytest.raises(BadRequest):
        parse(question("USERS_IN_PAST_DAYS", application="editor", days="٣"))


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            question("USERS_IN_PAST_DAYS", application="editor", days=366),
            TELEMETRY,
            "The parameter 'days' must be smaller than 365. Provided: 366",
        ),
        (question("USERS_IN_PAST_DAYS", application="editor"), TELEMETRY, NO_DAYS),
        (question("USERS_IN_PAST_DAYS", application="editor", days=None), TELEMETRY, NO_DAYS),
        (question("USERS_IN_PAST_DAYS"), TELEMETRY, NO_DAYS),
        (b'{"requestObject":{"name":"USERS_IN_PAST_DAYS"}}', TELEMETRY, NO_DAYS),
        (b'{"requestObject":{"name":"USERS_IN_PAST_DAYS","parameters":null}}', TELEMETRY, NO_DAYS),
        (question("USERS_IN_PAST_DAYS", days=30), TELEMETRY, NO_APPLICATION),
        (question("CURRENT_MAU"), TELEMETRY, NO_APPLICATION),
        (b'{"requestObject":{"name":"CURRENT_MAU"}}', TELEMETRY, NO_APPLICATION),
        (question("CURRENT_MAU", application=5), TELEMETRY, "The parameter 'application' must be a string."),
        (question("Yearly_Users", application="editor"), TELEMETRY, "Unknown report name: Yearly_Users"),
        (active(days=None), TELEMETRY, NO_DAYS),
        (active(days=366), TELEMETRY, "The parameter 'days' must be smaller than 365. Provided: 366"),
        (active(days="x"), TELEMETRY, NOT_INTEGER),
        (active(application=None), TELEMETRY, NO_APPLICATION),
        (active(application=7), TELEMETRY, "The parameter 'application' must be a string."),
        (active(as_of=None), TELEMETRY, "Missing parameter 'as_of'."),
        *((active(as_of=no_day), TELEMETRY, f"The parameter 'as_of' {NOT_DAY}") for no_day in NO_DAY),
        *(
            (active(application=no_name), TELEMETRY, "The parameter 'application' must have 1 to 1024 bytes of UTF-8.")
            for no_name in ("", "é" * 513, "\ud800")
        ),
        (question("DAY_REPORT", day="2026-10-31"), TELEMETRY, NO_APPLICATION),
        (question("DAY_REPORT", application="editor"), TELEMETRY, "Missing parameter 'day'."),
        (question("DAY_REPORT", application="editor", day="today"), TELEMETRY, f"The parameter 'day' {NOT_DAY}"),
        *(
            (body, TELEMETRY, message)
            for name in ("DAILY_ACTIVE_USERS", "PIRACY_COUNTS")
            for body, message in (
                (question(name), NO_APPLICATION),
                (ranged(name, None, "2026-10-31"), "Missing parameter 'from'."),
                (ranged(name, "2026-10-31", None), "Missing parameter 'to'."),
                (ranged(name, "31.10.2026", "2026-10-31"), f"The parameter 'from' {NOT_DAY}"),
                (ranged(name, "2026-10-31", "2026-10-32"), f"The parameter 'to' {NOT_DAY}"),
                (ranged(name, "2026-10-31", "2026-10-30"), "The parameter 'to' must not be before 'from'."),
                (
                    ranged(name, "2024-01-01", "2025-01-01"),
                    "The parameter 'to' must make no more than 366 days with 'from'.",
                ),
            )
        ),
        (question(""), HTTP, "requestObject.name - must not be blank"),
        (question("  \t"), HTTP, "requestObject.name - must not be blank"),
        (question(None), HTTP, "requestObject.name - must not be blank"),
        (b'{"requestObject":{}}', HTTP, "requestObject.name - must not be blank"),
        (b"{}", HTTP, "requestObject - must not be null"),
        (b'{"requestObject":null}', HTTP, "requestObject - must not be null"),
        *(
            (question("USERS_IN_PAST_DAYS", application="editor", days=days), TELEMETRY, NOT_INTEGER)
            for days in NO_INTEGERS
        ),
        *(
            (
                question("USERS_IN_PAST_DAYS", application="editor", days=days),
                TELEMETRY,
                f"The parameter 'days' must be at least 1. Provided: {days}",
            )
            for days in (0, -1, "-30")
        ),
    ],
)
def test_refusals(body: bytes, code: str, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(body)
    assert refusal.value.body == refused(code, message) == error_body(code, message)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"requestObject":NaN}', b'{"requestObject":' + b"1" * 5_000 + b"}"],
)
def test_unreadable_bodies(body: bytes) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(body)
    message = str(refusal.value)
    assert message
    assert refusal.value.body == refused(HTTP, message)
