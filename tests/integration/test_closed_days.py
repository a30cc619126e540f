"""What finance is told where reports are missing: days that never were, days to come, and damage."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from telemetry.domain.active_users import Audience, Balance, LedgerBroken
from telemetry.domain.day_report import DayDetails, DayTotals, Moments, product_report
from telemetry.domain.environment import Environment
from telemetry.domain.errors import NotFound, StoreUnavailable
from telemetry.domain.finance import ActiveUsersAsOf, DailyActiveUsers, DayNotClosed, Period, PiracyCounts, WholeDay
from telemetry.domain.recount import Recount
from telemetry.services.reports import ClosedDays
from telemetry.settings import TableNames
from telemetry.storage.active_users import LedgerStore
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.tables import dynamodb_client
from tests.benchmarks.capacity import counted_calls
from tests.client import Answer, Client
from tests.lambdas import load_function
from tests.worlds.deployment import Deployment

pytestmark = pytest.mark.days

FIRST = date(2026, 10, 1)
NOW = datetime(2026, 10, 12, 1, tzinfo=UTC)
LATER = 3
"""The other product's first report is of so many days later."""

Ask = Callable[[ClosedDays], object]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def keep_days(store: DayReportStore, scope: str, first: int, end: int) -> None:
    """Reports of days on which one user came who never came back."""
    before: DayTotals | None = None
    for number in range(first, end):
        counters = (*(1 for _ in range(number + 1)), *(0 for _ in range(365 - number)))
        balance = Balance(day(number).toordinal(), dict.fromkeys(Audience, counters))
        moment = datetime.combine(day(number + 1), time(1), UTC)
        report = product_report(scope, day(number), Recount(records=1), balance, before, Moments(moment, moment))
        before = store.keep(report).totals


@pytest.fixture
def table(tables: TableNames) -> str:
    """Ten closed days of `editor`, the last seven of which `compiler` has too."""
    name = tables.aggregates(Environment.PRODUCTION)
    ledger = LedgerStore(name)
    ledger.add_scopes(["editor", "compiler"])
    ledger.open_from(FIRST.toordinal())
    keep_days(DayReportStore(name), "editor", 0, 10)
    keep_days(DayReportStore(name), "compiler", LATER, 10)
    for number in range(10):
        ledger.close(day(number).toordinal())
    return name


def closed_days(table: str, reports: DayReportStore | None = None) -> ClosedDays:
    store = reports or DayReportStore(table)
    return ClosedDays(Environment.PRODUCTION, store, LedgerStore(table), lambda scope: scope == "new", NOW)


def users(scope: str, number: int, days: int = 30) -> Ask:
    return lambda closed: closed.answer(ActiveUsersAsOf(scope, days, day(number))).numbers["users"]


def daily(scope: str, first: int, last: int) -> Ask:
    period = Period(day(first), day(last))
    return lambda closed: [row["users_7"] for row in closed.answer(DailyActiveUsers(scope, period)).rows]


def records(scope: str, first: int, last: int) -> Ask:
    period = Period(day(first), day(last))
    return lambda closed: [row["records"] for row in closed.answer(PiracyCounts(scope, period)).rows]


def whole_day(scope: str, number: int) -> Ask:
    return lambda closed: closed.answer(WholeDay(scope, day(number))).numbers["records"]


# ── one request where there is a report


@pytest.mark.parametrize(
    ("ask", "answer", "operation"),
    [
        (users("editor", 9), 10, "BatchGetItem production"),
        (users("editor", 9, 4), 4, "BatchGetItem production"),
        (whole_day("editor", 9), 1, "BatchGetItem production"),
        (daily("editor", 7, 9), [7, 7, 7], "Query production"),
        (records("editor", 0, 9), [1] * 10, "Query production"),
        # the chain itself says that there was nothing before
        (records("compiler", 0, 9), [0] * LATER + [1] * 7, "Query production"),
        (records("editor", -356, 9), [0] * 356 + [1] * 10, "Query production"),
    ],
)
def test_an_answer_is_one_request(table: str, ask: Ask, answer: object, operation: str) -> None:
    closed = closed_days(table)
    with counted_calls() as calls:
        assert ask(closed) == answer
    assert calls == [operation]


# ── no report, and why


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (users("compiler", LATER - 1), 0),
        (whole_day("compiler", 0), 0),
        (daily("compiler", 0, LATER - 1), [0] * LATER),
        (users("new", 9), 0),
        (records("new", 8, 9), [0, 0]),
        (users("editor", -1), 0),
        (daily("*", -2, -1), [0, 0]),
    ],
)
def test_days_closed_before_the_first_report_are_empty(table: str, ask: Ask, answer: object) -> None:
    assert ask(closed_days(table)) == answer


@pytest.mark.parametrize(
    ("ask", "first"),
    [
        (users("editor", 10), 10),
        (whole_day("new", 500), 500),
        (daily("editor", 9, 20), 10),
        (records("~unknown", 15, 20), 15),
    ],
)
def test_days_that_are_not_closed(table: str, ask: Ask, first: int) -> None:
    with pytest.raises(DayNotClosed, match=f"Day {day(first)} is not closed yet."):
        ask(closed_days(table))


def test_before_any_day_is_closed(tables: TableNames) -> None:
    table = tables.aggregates(Environment.STAGING)
    for ask in (users("*", 3), daily("*", 3, 9)):
        with pytest.raises(DayNotClosed, match=f"Day {day(3)} is not closed yet."):
            ask(closed_days(table))


@pytest.mark.parametrize(
    "ask", [users("edditor", 9), whole_day("edditor", 20), daily("edditor", 0, 9), records("edditor", 9, 20)]
)
def test_applications_that_do_not_exist(table: str, ask: Ask) -> None:
    with pytest.raises(NotFound, match="application edditor"):
        ask(closed_days(table))


# ── copies that are behind


@dataclass(frozen=True)
class Behind(DayReportStore):
    """Reports as a copy has them that knows of no day after `last`, unless the read is strongly consistent."""

    last: date

    def users(self, scope: str, day: date, *, consistent: bool = False) -> tuple[DayTotals, Balance] | None:
        return super().users(scope, day, consistent=True) if consistent or day <= self.last else None

    def details(self, scope: str, day: date, *, consistent: bool = False) -> tuple[DayTotals, DayDetails] | None:
        return super().details(scope, day, consistent=True) if consistent or day <= self.last else None

    def totals(self, scope: str, first: date, last: date, *, consistent: bool = False) -> list[DayTotals]:
        found = super().totals(scope, first, last, consistent=True)
        return [each for each in found if consistent or each.day <= self.last]

    def latest(self, scope: str, last: date, *, consistent: bool = False) -> DayTotals | None:
        return super().latest(scope, last if consistent else min(last, self.last), consistent=True)


@pytest.mark.parametrize(
    "ask",
    [
        users("editor", 9),
        whole_day("editor", 9),
        daily("editor", 5, 9),
        records("compiler", 0, 9),
        records("editor", 9, 9),
        users("compiler", 0),
        daily("compiler", 0, 1),
    ],
)
def test_a_copy_that_is_behind_changes_no_answer(table: str, ask: Ask) -> None:
    for last in (-1, 8):
        assert ask(closed_days(table, Behind(table, day(last)))) == ask(closed_days(table))


# ── damage


def lose(table: str, kind: str, scope: str, number: int) -> None:
    dynamodb_client().delete_item(
        TableName=table, Key={"pk": {"S": f"{kind}#{scope}"}, "sk": {"S": day(number).isoformat()}}
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (users("editor", 5), "editor: the report of 2026-10-06 is missing, or a part of it"),
        (whole_day("editor", 5), "editor: the report of 2026-10-06 is missing, or a part of it"),
        (daily("editor", 0, 9), "editor: the report of 2026-10-07 does not follow from that of 2026-10-05"),
        (records("editor", 5, 9), "editor: there is no report of the day before 2026-10-07"),
        (records("editor", 0, 5), "editor: the report of 2026-10-06 is missing, or a part of it"),
        (daily("editor", 5, 5), "editor: the report of 2026-10-06 is missing, or a part of it"),
    ],
)
def test_a_hole_is_never_answered_as_zero(table: str, ask: Ask, message: str) -> None:
    lose(table, "days", "editor", 5)
    with pytest.raises(LedgerBroken, match=f"^{message}$"):
        ask(closed_days(table))
    for intact in (users("editor", 4), whole_day("editor", 6), daily("editor", 6, 9), records("compiler", 0, 9)):
        intact(closed_days(table))


def test_half_a_report_is_no_report(table: str) -> None:
    lose(table, "details", "editor", 5)
    with pytest.raises(LedgerBroken, match="the report of 2026-10-06 is missing, or a part of it"):
        whole_day("editor", 5)(closed_days(table))
    assert users("editor", 5)(closed_days(table)) == 6


def test_a_report_that_does_not_follow_from_the_one_before_is_not_believed(table: str) -> None:
    dynamodb_client().update_item(
        TableName=table,
        Key={"pk": {"S": "days#editor"}, "sk": {"S": day(5).isoformat()}},
        UpdateExpression="SET d = :d",
        ExpressionAttributeValues={":d": {"B": bytes(32)}},
    )
    with pytest.raises(LedgerBroken, match="the report of 2026-10-06 does not follow from that of 2026-10-05"):
        daily("editor", 0, 9)(closed_days(table))


# ── what is told of our own faults

CONSTANT = {
    "type": "/docs#problem-internal-error",
    "title": "Internal error",
    "status": 500,
    "detail": "It is in the log, under the request id.",
    "instance": "/api/v1/reports/daily",
    "request_id": "JKJaXmPLvHcESHA=",
}
QUERY = {"application": "editor", "from": "2026-10-01", "to": "2026-10-10"}


def ask_both(deployment: Deployment) -> tuple[Answer, Answer]:
    """The plain route and the dialect."""
    reports = Client(load_function("reports"), {"x-api-key": deployment.keys[Environment.PRODUCTION]})
    question = {"requestObject": {"name": "DAILY_ACTIVE_USERS", "parameters": QUERY}}
    return reports.get("/api/v1/reports/daily", QUERY), reports.post("/rest/v3/telemetry/report", question)


@pytest.mark.usefixtures("table")
def test_damage_is_logged_and_not_told(deployment: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    lose(deployment.tables.aggregates(Environment.PRODUCTION), "days", "editor", 5)
    plain, dialect = ask_both(deployment)
    assert (plain.status, plain.body) == (500, CONSTANT)
    assert (dialect.status, dialect.body["responseObject"]["message"]) == (500, "Internal error.")
    logged = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert logged == ["editor: the report of 2026-10-07 does not follow from that of 2026-10-05"] * 2


def test_storage_out_of_reach(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> list[DayTotals]:
        raise StoreUnavailable("day reports")

    monkeypatch.setattr(DayReportStore, "totals", unreachable)
    plain, dialect = ask_both(deployment)
    assert (plain.status, plain.headers["retry-after"]) == (503, "5")
    assert plain.body["detail"] == "Please try again."
    assert (dialect.status, dialect.headers["retry-after"]) == (503, "5")
