"""Finance's plain routes: what queries ask, which format is answered, and what a spreadsheet makes of it."""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

import pytest

from telemetry.domain.active_users import Audience
from telemetry.domain.errors import InvalidField
from telemetry.domain.finance import (
    ActiveUsersAsOf,
    DailyActiveUsers,
    MonthlyUsers,
    Period,
    PiracyCounts,
    ReportQuestion,
    WholeDay,
)
from telemetry.domain.months import Month, Months
from telemetry.web.etags import content_etag, is_current
from telemetry.web.http import Request
from telemetry.web.reports import (
    Format,
    active_users_question,
    csv_text,
    daily_question,
    day_question,
    format_of,
    months_question,
    piracy_question,
)

pytestmark = pytest.mark.days

Parse = Callable[[Mapping[str, str]], ReportQuestion]

ACTIVE = {"application": "editor", "days": "30", "as_of": "2026-10-31"}
MONTH = {"application": "editor", "month": "2028-02"}
RANGE = {"application": "*", "from": "2024-01-01", "to": "2024-12-31"}
MONTHS = {"application": "editor", "from": "2026-12", "to": "2029-11"}
YEARS = Months(Month(date(2026, 12, 1)), Month(date(2029, 11, 1)))
YEAR = Period(date(2024, 1, 1), date(2024, 12, 31))
ANY = {"environment": "production", "format": "csv", "api_key": "secret"}
one_day = partial(day_question, "2026-10-31")


@pytest.mark.parametrize(
    ("parse", "query", "asked"),
    [
        (active_users_question, ACTIVE, ActiveUsersAsOf("editor", 30, date(2026, 10, 31))),
        (active_users_question, ACTIVE | {"days": "1"} | ANY, ActiveUsersAsOf("editor", 1, date(2026, 10, 31))),
        (active_users_question, ACTIVE | {"days": "365"}, ActiveUsersAsOf("editor", 365, date(2026, 10, 31))),
        (active_users_question, MONTH, ActiveUsersAsOf("editor", 29, date(2028, 2, 29))),
        (active_users_question, MONTH | {"month": "2026-12"}, ActiveUsersAsOf("editor", 31, date(2026, 12, 31))),
        (
            active_users_question,
            MONTH | {"audience": "devices"},
            ActiveUsersAsOf("editor", 29, date(2028, 2, 29), Audience.DEVICES),
        ),
        (daily_question, RANGE, DailyActiveUsers("*", YEAR)),
        (piracy_question, RANGE | ANY, PiracyCounts("*", YEAR)),
        (months_question, MONTHS | ANY, MonthlyUsers("editor", YEARS)),
        (
            months_question,
            MONTHS | {"to": "2026-12", "audience": "devices"},
            MonthlyUsers("editor", Months(YEARS.first, YEARS.first), Audience.DEVICES),
        ),
        (daily_question, RANGE | {"to": "2024-01-01"}, DailyActiveUsers("*", Period(YEAR.first, YEAR.first))),
        (one_day, {"application": "editor"} | ANY, WholeDay("editor", date(2026, 10, 31))),
    ],
)
def test_questions(parse: Parse, query: dict[str, str], asked: ReportQuestion) -> None:
    assert parse(query) == asked


NOT_DAY = "must be a day, as 2026-11-21"
NOT_MONTH = "must be a month, as 2026-11"
NOT_DAYS = "must be an integer from 1 to 365"
NAMELESS = "must have 1 to 1024 bytes of UTF-8"


def without(query: dict[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in query.items() if each != name}


@pytest.mark.parametrize(
    ("parse", "query", "field", "message"),
    [
        *((active_users_question, without(ACTIVE, name), name, "is missing") for name in ACTIVE),
        (active_users_question, without(MONTH, "application"), "application", "is missing"),
        (active_users_question, {"application": "editor"}, "month", "is missing: give a month, or days and as_of"),
        (active_users_question, ACTIVE | {"application": ""}, "application", NAMELESS),
        (active_users_question, ACTIVE | {"application": "x" * 1025}, "application", NAMELESS),
        *(
            (active_users_question, ACTIVE | {"days": days}, "days", NOT_DAYS)
            for days in ("", "0", "366", "-1", "7.5", "many", "٣", "1e2", "9999")
        ),
        *(
            (active_users_question, ACTIVE | {"as_of": day}, "as_of", NOT_DAY)
            for day in ("", "2026-02-29", "20261031", "2026-10-31,2026-11-01", "9999-12-31", "0001-01-01")
        ),
        *(
            (active_users_question, MONTH | {"month": month}, "month", NOT_MONTH)
            for month in ("", "2026", "2026-13", "2026-1", "202610", "2026-10-01", "9999-12")
        ),
        (active_users_question, MONTH | {"days": "29"}, "days", "cannot be given together with 'month'"),
        (active_users_question, MONTH | {"as_of": "2028-02-29"}, "as_of", "cannot be given together with 'month'"),
        (active_users_question, ACTIVE | {"audience": "all"}, "audience", "must be one of users, all_users, devices"),
        *(
            (parse, query, field, message)
            for parse in (daily_question, piracy_question)
            for query, field, message in (
                *((without(RANGE, name), name, "is missing") for name in RANGE),
                (RANGE | {"application": ""}, "application", NAMELESS),
                (RANGE | {"from": "January"}, "from", NOT_DAY),
                (RANGE | {"to": "December"}, "to", NOT_DAY),
                (RANGE | {"to": "2023-12-31"}, "to", "must not be before 'from'"),
                (RANGE | {"to": "2025-01-01"}, "to", "must make no more than 366 days with 'from'"),
                (
                    RANGE | {"from": "1970-01-01", "to": "9998-12-31"},
                    "to",
                    "must make no more than 366 days with 'from'",
                ),
            )
        ),
        *((months_question, without(MONTHS, name), name, "is missing") for name in MONTHS),
        (months_question, MONTHS | {"from": "2026-12-01"}, "from", NOT_MONTH),
        (months_question, MONTHS | {"to": "2026-13"}, "to", NOT_MONTH),
        (months_question, MONTHS | {"to": "2026-11"}, "to", "must not be before 'from'"),
        (months_question, MONTHS | {"to": "2029-12"}, "to", "must make no more than 36 months with 'from'"),
        (months_question, MONTHS | {"audience": "all"}, "audience", "must be one of users, all_users, devices"),
        (one_day, {}, "application", "is missing"),
        (one_day, {"application": ""}, "application", NAMELESS),
        (partial(day_question, "yesterday"), {"application": "editor"}, "day", NOT_DAY),
    ],
)
def test_refusals(parse: Parse, query: dict[str, str], field: str, message: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        parse(query)
    assert (refusal.value.field, str(refusal.value)) == (field, message)


def request(accept: str | None = None, format_: str | None = None) -> Request:
    return Request(
        method="GET",
        domain="api.example.org",
        path="/",
        headers={} if accept is None else {"accept": accept},
        query={} if format_ is None else {"format": format_},
        cookies={},
        body=b"",
        source_ip="192.0.2.1",
        request_id="1",
    )


@pytest.mark.parametrize(
    ("accept", "format_", "expected"),
    [
        (None, None, Format.JSON),
        ("*/*", None, Format.JSON),
        ("text/csv", None, Format.CSV),
        ("TEXT/CSV; charset=utf-8", None, Format.CSV),
        ("text/*", None, Format.CSV),
        ("text/csv, */*;q=0.1", None, Format.CSV),
        ("text/csv;q=0.5, application/json;q=0.4", None, Format.CSV),
        ("text/csv;q=0.5, application/json;q=0.6", None, Format.JSON),
        ("text/csv;q=0, text/*", None, Format.JSON),
        ("text/csv, application/json", None, Format.JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None, Format.JSON),
        ("text/csv;q=many", None, Format.CSV),
        ("image/png", None, Format.JSON),
        (",;,", None, Format.JSON),
        ("text/csv", "json", Format.JSON),
        ("application/json", "csv", Format.CSV),
    ],
)
def test_formats(accept: str | None, format_: str | None, expected: Format) -> None:
    assert format_of(request(accept, format_)) is expected


def test_there_is_no_other_format() -> None:
    with pytest.raises(InvalidField, match="must be json or csv"):
        format_of(request("text/csv", "xlsx"))


def test_csv_is_safe_in_a_spreadsheet_and_comes_back_whole() -> None:
    texts = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", 'a "b", c', "two\r\nlines", "plain"]
    table = [{"text": text, "number": -5, "none": None, "yes": True, "list": [1, 2], "map": {"a": 1}} for text in texts]
    written = csv_text(table)
    assert written.startswith("text,number,none,yes,list,map\r\n")
    header, *rows = csv.reader(io.StringIO(written, newline=""))
    assert header == list(table[0])
    assert [row[0] for row in rows] == [f"'{text}" for text in texts[:7]] + texts[7:]
    assert {tuple(row[1:]) for row in rows} == {("-5", "", "true", "1 2", "a: 1")}


def test_content_etags() -> None:
    tag = content_etag("abc")
    assert tag == '"ba7816bf8f01cfea414140de5dae2223"'
    assert content_etag("abd") != tag
    for known in (tag, f"W/{tag}", f'"x", {tag}', f'"x",{tag} ,W/"y"', "*"):
        assert is_current(known, tag), known
    for other in (None, "", '"x"', tag.strip('"'), f"{tag[:-1]}"):
        assert not is_current(other, tag), other
