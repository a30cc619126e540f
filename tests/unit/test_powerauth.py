"""The PowerAuth dialect, row by row (PROTOCOLS.md §2)."""

import json
from typing import Any

import pytest

from telemetry.dialects.powerauth import BadRequest, UsersQuestion, error, parse


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
    assert asked == UsersQuestion(name, "editor", days)
    assert asked.answer(42) == {
        "status": "OK",
        "responseObject": {"name": name, "reportData": {"application": "editor", "users": 42, "days": days}},
    }


TELEMETRY, HTTP = "ERROR_TELEMETRY", "ERROR_HTTP_REQUEST"
NO_DAYS, NO_APPLICATION = "Missing parameter 'days'.", "Missing parameter 'application'."
NO_INTEGERS: list[object] = ["many", "", "7.5", 7.5, True, [], {}, "9" * 5_000]
NOT_INTEGER = "The parameter 'days' must be an integer."


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
    assert refusal.value.body == refused(code, message) == error(code, message)


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
