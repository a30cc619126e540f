"""Finance's reports, from events received on some days to the bytes that are answered for ever."""

import csv
import io
import json
import os
import sqlite3
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from telemetry.domain.active_users import Audience
from telemetry.domain.api_key import Capability, Role
from telemetry.domain.day_report import DayReport
from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.license import LicenseState
from telemetry.domain.product import Product
from telemetry.domain.sighting import CATALOGUE, UNKNOWN_PRODUCT
from telemetry.services.api_keys import issue_staff_key
from telemetry.storage.day_reports import DayReportStore
from telemetry.storage.tables import dynamodb_client
from tests.client import Answer, Client, bearer, headers_of
from tests.clock import FakeClock
from tests.lambdas import example_event, load_function
from tests.worlds.closed_days import Site
from tests.worlds.deployment import Deployment
from tests.worlds.licenses import issue

pytestmark = pytest.mark.days

PIRATE, REVOKED, EXPIRED = "NOBODY-ISSUED-THIS", "ACME-REVOKED-0001", "ACME-EXPIRED-0001"
FOR_EVER = "private, max-age=31536000, immutable"
OCTOBER = [date(2026, 10, day) for day in range(1, 32)]
FRIDAY, SATURDAY, SUNDAY = OCTOBER[-2], OCTOBER[-1], date(2026, 11, 1)
EXCLUDING = [
    "INVALID_LICENSE", "ENVIRONMENT_MISMATCH", "REVOKED_LICENSE", "BYPASSED_ACTIVATION",
    "EXPIRED_LICENSE", "SUSPENDED_LICENSE", "UNASSIGNED_LICENSE", "PRODUCT_MISMATCH",
]  # fmt: skip
CLOCK = "time of receipt by the server; window_start is included, window_end is not"
USER = "the user a record names; where it names none, its device"


class Finance:
    """Asks a freshly started reports function, with the production key unless another one is given."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.clock = FakeClock()
        self.function = load_function("reports", self.clock)
        self.reports = Client(self.function, {"x-api-key": deployment.keys[Environment.PRODUCTION]})

    def get(
        self,
        path: str,
        query: dict[str, str] | None = None,
        key: str | None = None,
        method: str = "GET",
        **headers: str,
    ) -> Answer:
        own = {"x_api_key": key} if key else {}
        return self.reports.request(method, f"/api/v1/reports/{path}", None, query, headers_of(headers | own))

    def json(self, path: str, query: dict[str, str], key: str | None = None) -> dict[str, Any]:
        answer = self.get(path, query, key)
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.body
        return found

    def csv(self, path: str, query: dict[str, str]) -> list[dict[str, str]]:
        answer = self.get(path, query, accept="text/csv")
        assert answer.status == 200, answer
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))

    def dialect(self, name: str, **parameters: object) -> tuple[int, dict[str, Any]]:
        question = {"requestObject": {"name": name, "parameters": parameters}}
        answer = self.reports.post("/rest/v3/telemetry/report", question)
        return answer.status, answer.body["responseObject"]


@pytest.fixture
def site(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("RECORD_SHARDS", "1")
    issue(deployment, REVOKED, state=LicenseState.REVOKED)
    issue(deployment, EXPIRED, state=LicenseState.EXPIRED)
    return Site(deployment)


@pytest.fixture
def finance(deployment: Deployment) -> Finance:
    return Finance(deployment)


def event(user: str | None, device: str | None = None, **fields: object) -> dict[str, Any]:
    who = {"user_identifier": user, "hwid": device}
    usual = {"data_type": "text", "data_group": "primary", "text_data": "x", "product_id": "acme-desktop"}
    return usual | {name: value for name, value in who.items() if value} | fields


def kept(deployment: Deployment, scope: str, day: date) -> DayReport:
    report = DayReportStore(deployment.tables.aggregates(Environment.PRODUCTION)).report(scope, day)
    assert report
    return report


# ── whole answers


@pytest.fixture
def weekend(site: Site) -> Site:
    """Three closed days with few events: Friday's to Sunday's."""
    site.receive([event("jane", "d1", product_version="1.0"), event("jane", "d2", product_version="1.0")], FRIDAY)
    site.receive([event("john", "d3", license_key=REVOKED, product_version="=1+1")], FRIDAY, time(23, 59, 59))
    site.receive([event("mary", license_key=PIRATE), event(None, "d4", license_key=EXPIRED)], SATURDAY, time(0))
    site.receive([event("jane", data_type="no such type")], SATURDAY)
    site.close_through(SUNDAY)
    return site


def test_active_users(weekend: Site, finance: Finance) -> None:
    query = {"application": "acme-desktop", "days": "2", "as_of": "2026-10-31"}
    report = kept(weekend.deployment, "acme-desktop", SATURDAY)
    expected: dict[str, Any] = {
        "environment": "production",
        "application": "acme-desktop",
        "days": 2,
        "as_of": "2026-10-31",
        "audience": "users",
        "users": 1,
        "closed_at": "2026-11-03T02:00:00Z",
        "computed_at": "2026-11-03T02:00:00Z",
        "digest": report.totals.digest.hex(),
        "definition": {
            "window_start": "2026-10-30T00:00:00Z",
            "window_end": "2026-11-01T00:00:00Z",
            "zone": "UTC",
            "clock": CLOCK,
            "user": USER,
            "audiences": ["users"],
            "excluding_flags": EXCLUDING,
            "counts": {"users": "distinct users with a record that carries none of excluding_flags, in the window"},
        },
    }
    answer = finance.get("active-users", query)
    assert answer == Answer(
        200,
        {
            "content-type": "application/json",
            "cache-control": FOR_EVER,
            "etag": f'"{sha256(answer.content).hexdigest()[:32]}"',
            "vary": "Accept, Authorization, Cookie, X-API-Key",
        },
        json.dumps(expected, separators=(",", ":")),
        cookies=[],
    )
    assert finance.dialect("active_users_as_of", application="acme-desktop", days=2, as_of="2026-10-31") == (
        200,
        {"name": "ACTIVE_USERS_AS_OF", "reportData": expected},
    )
    assert finance.get("active-users", query | {"format": "csv"}).text == (
        "environment,application,days,as_of,audience,users,closed_at,computed_at,digest,"
        "window_start,window_end,zone,clock,user,audiences,excluding_flags,counts\r\n"
        "production,acme-desktop,2,2026-10-31,users,1,2026-11-03T02:00:00Z,2026-11-03T02:00:00Z,"
        f"{report.totals.digest.hex()},2026-10-30T00:00:00Z,2026-11-01T00:00:00Z,UTC,"
        f'"{CLOCK}","{USER}",users,{" ".join(EXCLUDING)},'
        '"users: distinct users with a record that carries none of excluding_flags, in the window"\r\n'
    )


def test_audiences_and_months(weekend: Site, finance: Finance) -> None:
    del weekend
    month = {"application": "acme-desktop", "month": "2026-10"}
    asked = {"application": "acme-desktop", "days": "31", "as_of": "2026-10-31"}
    assert finance.get("active-users", month) == finance.get("active-users", asked)
    found = {
        audience.value: finance.json("active-users", month | {"audience": audience.value}) for audience in Audience
    }
    # john's, mary's and d4's records are flagged; where a record names nobody, its device is the user
    assert {audience: answer["users"] for audience, answer in found.items()} == {
        "users": 1,
        "all_users": 4,
        "devices": 4,
    }
    assert {audience: answer["definition"]["excluding_flags"] for audience, answer in found.items()} == {
        "users": EXCLUDING,
        "all_users": [],
        "devices": [],
    }


def test_daily(weekend: Site, finance: Finance) -> None:
    friday, saturday, sunday = (kept(weekend.deployment, "acme-desktop", day) for day in (FRIDAY, SATURDAY, SUNDAY))
    closed = {"closed_at": "2026-11-03T02:00:00Z", "computed_at": "2026-11-03T02:00:00Z"}
    seen = {"users_7": 1, "users_30": 1, "users_90": 1, "users_365": 1}
    expected: dict[str, Any] = {
        "environment": "production",
        "application": "acme-desktop",
        "from": "2026-10-29",
        "to": "2026-11-01",
        "rows": [
            {"day": "2026-10-29", "users": 0, "all_users": 0, "devices": 0, "users_7": 0, "users_30": 0, "users_90": 0}
            | {"users_365": 0, "records": 0, "flagged": 0, "clean": 0}
            | {"closed_at": None, "computed_at": None, "digest": None},
            {"day": "2026-10-30", "users": 1, "all_users": 2, "devices": 3, **seen, "records": 3, "flagged": 1}
            | {"clean": 2, **closed, "digest": friday.totals.digest.hex()},
            {"day": "2026-10-31", "users": 1, "all_users": 3, "devices": 1, **seen, "records": 3, "flagged": 3}
            | {"clean": 0, **closed, "digest": saturday.totals.digest.hex()},
            {"day": "2026-11-01", "users": 0, "all_users": 0, "devices": 0, **seen, "records": 0, "flagged": 0}
            | {"clean": 0, **closed, "digest": sunday.totals.digest.hex()},
        ],
        **closed,
        "digest": sha256(b"".join(each.totals.digest for each in (friday, saturday, sunday))).hexdigest(),
        "definition": {
            "window_start": "2026-10-29T00:00:00Z",
            "window_end": "2026-11-02T00:00:00Z",
            "zone": "UTC",
            "clock": CLOCK,
            "user": USER,
            "audiences": ["users", "all_users", "devices"],
            "excluding_flags": EXCLUDING,
            "counts": {
                "users": "distinct users with a record that carries none of excluding_flags, on the day",
                "all_users": "distinct users with a record, whatever its flags, on the day",
                "devices": "distinct devices with a record, whatever its flags, on the day",
                "users_7": "users over the 7 days that end with the day",
                "users_30": "users over the 30 days that end with the day",
                "users_90": "users over the 90 days that end with the day",
                "users_365": "users over the 365 days that end with the day",
                "records": "all records received",
                "flagged": "records with at least one flag of any class",
                "clean": "records without any flag",
                "digest": "of a row: SHA-256 over the day's report; of the answer: over its rows' digests, in order",
            },
        },
    }
    query = {"application": "acme-desktop", "from": "2026-10-29", "to": "2026-11-01"}
    assert finance.get("daily", query).text == json.dumps(expected, separators=(",", ":"))
    assert finance.dialect("DAILY_ACTIVE_USERS", **query) == (
        200,
        {"name": "DAILY_ACTIVE_USERS", "reportData": expected},
    )
    assert_table(finance.csv("daily", query), expected)


def test_piracy(weekend: Site, finance: Finance) -> None:
    none = dict.fromkeys(EXCLUDING, 0)
    closed = {"closed_at": "2026-11-03T02:00:00Z", "computed_at": "2026-11-03T02:00:00Z"}
    friday, saturday = (kept(weekend.deployment, CATALOGUE, day) for day in (FRIDAY, SATURDAY))
    of_friday = none | {"REVOKED_LICENSE": 1, "BYPASSED_ACTIVATION": 1}
    of_saturday = none | {"INVALID_LICENSE": 1, "EXPIRED_LICENSE": 1, "BYPASSED_ACTIVATION": 1}
    total = {name: of_friday[name] + of_saturday[name] for name in EXCLUDING}
    expected: dict[str, Any] = {
        "environment": "production",
        "application": "*",
        "from": "2026-10-30",
        "to": "2026-10-31",
        "totals": {"records": 6, "flagged": 4, **total, "piracy": 4, "license": 1},
        "rows": [
            {"day": "2026-10-30", "records": 3, "flagged": 1, **of_friday, "piracy": 2, "license": 0, **closed}
            | {"digest": friday.totals.digest.hex()},
            {"day": "2026-10-31", "records": 3, "flagged": 3, **of_saturday, "piracy": 2, "license": 1, **closed}
            | {"digest": saturday.totals.digest.hex()},
        ],
        **closed,
        "digest": sha256(friday.totals.digest + saturday.totals.digest).hexdigest(),
        "definition": {
            "window_start": "2026-10-30T00:00:00Z",
            "window_end": "2026-11-01T00:00:00Z",
            "zone": "UTC",
            "clock": CLOCK,
            "user": USER,
            "audiences": [],
            "excluding_flags": [],
            "counts": {
                "records": "all records received",
                "flagged": "records with at least one flag of any class",
                "each flag": "records that carry it, whatever else they carry",
                "piracy": "the sum of INVALID_LICENSE, ENVIRONMENT_MISMATCH, REVOKED_LICENSE, BYPASSED_ACTIVATION; "
                "not distinct records: one with two of them counts twice",
                "license": "the sum of EXPIRED_LICENSE, SUSPENDED_LICENSE, UNASSIGNED_LICENSE, PRODUCT_MISMATCH; "
                "not distinct records either",
                "digest": "of a row: SHA-256 over the day's report; of the answer: over its rows' digests, in order",
            },
        },
    }
    query = {"application": "*", "from": "2026-10-30", "to": "2026-10-31"}
    assert finance.get("piracy", query).text == json.dumps(expected, separators=(",", ":"))
    assert finance.dialect("PIRACY_COUNTS", **query) == (200, {"name": "PIRACY_COUNTS", "reportData": expected})
    assert_table(finance.csv("piracy", query), expected)


def assert_table(table: list[dict[str, str]], document: dict[str, Any]) -> None:
    """Rows say what the document's rows say, and each repeats what was asked, and the definition."""
    definition = document["definition"]
    for row, said in zip(table, document["rows"], strict=True):
        expected = {name: document[name] for name in ("environment", "application", "from", "to")} | said | definition
        assert row == {
            **{name: "" if value is None else str(value) for name, value in expected.items()},
            "audiences": " ".join(definition["audiences"]),
            "excluding_flags": " ".join(definition["excluding_flags"]),
            "counts": "; ".join(f"{name}: {count}" for name, count in definition["counts"].items()),
        }


def test_a_day(weekend: Site, finance: Finance) -> None:
    report = kept(weekend.deployment, "acme-desktop", FRIDAY)
    windows = ("1", "7", "30", "90", "365")
    per_hour = {12: (2, 0), 23: (1, 1)}
    expected: dict[str, Any] = {
        "environment": "production",
        "application": "acme-desktop",
        "day": "2026-10-30",
        "records": 3,
        "flagged": 1,
        "clean": 2,
        "flags": {"REVOKED_LICENSE": 1, "BYPASSED_ACTIVATION": 1},
        "active": {
            "users": dict.fromkeys(windows, 1),
            "all_users": dict.fromkeys(windows, 2),
            "devices": dict.fromkeys(windows, 3),
        },
        "lifetime_records": 3,
        "lifetime_flagged": 1,
        "versions": [{"version": "1.0", "records": 2}, {"version": "=1+1", "records": 1}],
        "hours": [
            {"start": f"2026-10-30T{hour:02}:00:00Z", "records": records, "flagged": flagged}
            for hour, (records, flagged) in ((hour, per_hour.get(hour, (0, 0))) for hour in range(24))
        ],
        "closed_at": "2026-11-03T02:00:00Z",
        "computed_at": "2026-11-03T02:00:00Z",
        "digest": report.totals.digest.hex(),
        "chain": report.totals.chain.hex(),
        "evidence": {"c#0": report.details.evidence["c#0"], "f#0": report.details.evidence["f#0"]},
        "definition": {
            "window_start": "2026-10-30T00:00:00Z",
            "window_end": "2026-10-31T00:00:00Z",
            "zone": "UTC",
            "clock": CLOCK,
            "user": USER,
            "audiences": ["users", "all_users", "devices"],
            "excluding_flags": EXCLUDING,
            "counts": {
                "users": "distinct users with a record that carries none of excluding_flags, "
                "over so many days that end with the day",
                "all_users": "distinct users with a record, whatever its flags, "
                "over so many days that end with the day",
                "devices": "distinct devices with a record, whatever its flags, "
                "over so many days that end with the day",
                "records": "all records received",
                "flagged": "records with at least one flag of any class",
                "clean": "records without any flag",
                "digest": "SHA-256 over the whole report of the day, also what is not shown here",
                "chain": "SHA-256 over the chain of the day before and the digest",
                "evidence": "SHA-256 over the records of each index partition; "
                "for all applications together, how many there are, and SHA-256 over their names and digests, in order",
            },
        },
    }
    answer = finance.get("day/2026-10-30", {"application": "acme-desktop"})
    assert answer.text == json.dumps(expected, separators=(",", ":"))
    assert finance.dialect("DAY_REPORT", application="acme-desktop", day="2026-10-30") == (
        200,
        {"name": "DAY_REPORT", "reportData": expected},
    )
    # the licences of the day are in its report, but they are not finance's
    assert report.details.licenses
    assert not any(each.license in answer.text for each in report.details.licenses)

    table = finance.csv("day/2026-10-30", {"application": "acme-desktop"})
    assert {(row["application"], row["day"], row["digest"], row["chain"]) for row in table} == {
        ("acme-desktop", "2026-10-30", report.totals.digest.hex(), report.totals.chain.hex())
    }
    said = {(row["measure"], row["name"]): row["value"] for row in table}
    assert len(said) == len(table)
    assert said == {
        ("records", ""): "3",
        ("flagged", ""): "1",
        ("clean", ""): "2",
        ("lifetime_records", ""): "3",
        ("lifetime_flagged", ""): "1",
        ("flag", "REVOKED_LICENSE"): "1",
        ("flag", "BYPASSED_ACTIVATION"): "1",
        **{("users", days): "1" for days in windows},
        **{("all_users", days): "2" for days in windows},
        **{("devices", days): "3" for days in windows},
        ("version", "1.0"): "2",
        ("version", "'=1+1"): "1",
        **{("hour_records", f"2026-10-30T{h:02}:00:00Z"): str(per_hour.get(h, (0, 0))[0]) for h in range(24)},
        **{("hour_flagged", f"2026-10-30T{h:02}:00:00Z"): str(per_hour.get(h, (0, 0))[1]) for h in range(24)},
        ("evidence", "c#0"): report.details.evidence["c#0"],
        ("evidence", "f#0"): report.details.evidence["f#0"],
    }


def test_a_day_of_all_applications_is_over_the_digest_of_each(weekend: Site, finance: Finance) -> None:
    found = finance.json("day/2026-10-30", {"application": CATALOGUE})
    digests = {
        scope: finance.json("day/2026-10-30", {"application": scope})["digest"]
        for scope in ("acme-cli", "acme-desktop", UNKNOWN_PRODUCT)
    }
    said = b"".join(sha256(scope.encode()).digest() + bytes.fromhex(digest) for scope, digest in digests.items())
    assert found["evidence"] == {"products": "3", "reports": sha256(said).hexdigest()}
    assert found["records"] == 3
    assert weekend


def test_applications(weekend: Site, finance: Finance, deployment: Deployment) -> None:
    deployment.products.put(Product("acme-new", "=New"))
    dynamodb_client().delete_item(
        TableName=deployment.tables.registry, Key={"pk": {"S": "product"}, "sk": {"S": "acme-cli"}}
    )
    answer = finance.get("applications")
    assert answer.body == {
        "environment": "production",
        "closed_through": "2026-11-01",
        "items": [
            {"application": "*", "name": "All applications", "registered": True},
            {"application": "acme-desktop", "name": "Acme Desktop", "registered": True},
            {"application": "acme-new", "name": "=New", "registered": True},
            {"application": "acme-cli", "name": "acme-cli", "registered": False},
            {"application": "~unknown", "name": "Products that are not registered", "registered": False},
        ],
    }
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
    assert finance.get("applications", accept="text/csv").text == (
        "application,name,registered,environment,closed_through\r\n"
        "*,All applications,true,production,2026-11-01\r\n"
        "acme-desktop,Acme Desktop,true,production,2026-11-01\r\n"
        "acme-new,'=New,true,production,2026-11-01\r\n"
        "acme-cli,acme-cli,false,production,2026-11-01\r\n"
        "~unknown,Products that are not registered,false,production,2026-11-01\r\n"
    )
    assert weekend


def test_before_anything_was_closed(finance: Finance) -> None:
    found = finance.json("applications", {})
    assert (found["closed_through"], len(found["items"])) == (None, 4)
    assert not_closed(finance.get("day/2026-10-31", {"application": "acme-cli"}), "2026-10-31", last=None)


# ── the same for ever


ANSWERS = (
    ("active-users", {"application": "acme-desktop", "days": "365", "as_of": "2026-10-31"}),
    ("active-users", {"application": "*", "month": "2026-10", "audience": "devices"}),
    ("daily", {"application": "*", "from": "2026-10-01", "to": "2026-10-31"}),
    ("piracy", {"application": "acme-desktop", "from": "2026-10-30", "to": "2026-10-31"}),
    ("day/2026-10-31", {"application": "acme-desktop"}),
    ("day/2020-02-29", {"application": "~unknown"}),
)


LATE = 5_000 if "SOAK" in os.environ else 200
"""A day's events, on each of two days."""


def test_later_events_change_no_byte(weekend: Site, finance: Finance) -> None:
    """Not even late ones, that say they happened on a closed day; nor days closed afterwards."""
    queries = [(path, query | {"format": format_}) for path, query in ANSWERS for format_ in ("json", "csv")]
    before = [finance.get(path, query) for path, query in queries]
    assert {answer.status for answer in before} == {200}
    assert {answer.headers["cache-control"] for answer in before} == {FOR_EVER}
    assert len({answer.headers["etag"] for answer in before}) == len(before)
    for day in (date(2026, 11, 2), date(2026, 11, 3)):
        late = [event(f"late {number}", f"late {number}", event_at="2026-10-30T12:00:00Z") for number in range(LATE)]
        for start in range(0, LATE, 500):  # the most that one request may hold
            weekend.receive(late[start : start + 500], day)
    assert [finance.get(path, query) for path, query in queries] == before
    weekend.close_through(date(2026, 11, 4))
    assert [finance.get(path, query) for path, query in queries] == before
    assert finance.json("day/2026-11-02", {"application": "acme-desktop"})["records"] == LATE


def test_what_a_client_has_is_not_sent_again(weekend: Site, finance: Finance) -> None:
    path, query = ANSWERS[0]
    answer = finance.get(path, query)
    tag = answer.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = finance.get(path, query, if_none_match=known)
        assert (again.status, again.text, again.headers) == (304, "", answer.headers)
    assert finance.get(path, query, if_none_match='"other"') == answer
    # the same in another format, or of another application, is something else
    for other in ({"format": "csv"}, {"application": "acme-cli"}):
        assert finance.get(path, query | other, if_none_match=tag).status == 200
    assert weekend


def test_head_says_what_get_would(weekend: Site, finance: Finance) -> None:
    path, query = ANSWERS[0]
    assert finance.get(path, query, method="HEAD") == finance.get(path, query)
    assert finance.get("applications", method="HEAD") == finance.get("applications")
    assert finance.get("day/2026-11-07", {"application": "*"}, method="HEAD").status == 409
    assert weekend


# ── who may ask, and what cannot be answered


def problem(answer: Answer) -> tuple[int, str, str]:
    body = answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert body["status"] == answer.status
    return body["status"], body["type"].removeprefix("/docs#problem-"), body["detail"]


def not_closed(answer: Answer, day: str, last: str | None = "2026-11-01", *, is_future: bool = False) -> bool:
    future = ": it is in the future" if is_future else ""
    closed = f"The last closed day is {last}." if last else "No day is closed yet."
    return problem(answer) == (409, "day-not-closed", f"Day {day} is not closed yet{future}. {closed}")


def test_days_that_are_not_closed(weekend: Site, finance: Finance) -> None:
    del weekend
    finance.clock.set(datetime(2026, 11, 29, 12, tzinfo=UTC))
    asked = {"application": "acme-desktop"}
    assert not_closed(finance.get("day/2026-11-02", asked), "2026-11-02")
    assert not_closed(finance.get("day/9998-12-31", asked), "9998-12-31", is_future=True)
    month = asked | {"month": "2026-11"}
    assert not_closed(finance.get("active-users", month), "2026-11-30", is_future=True)
    assert not_closed(finance.get("day/2026-11-29", asked), "2026-11-29")
    for path in ("daily", "piracy"):
        # the first day that is not
        assert not_closed(finance.get(path, asked | {"from": "2026-10-30", "to": "2026-11-10"}), "2026-11-02")
        assert not_closed(finance.get(path, asked | {"from": "2026-11-05", "to": "2026-11-10"}), "2026-11-05")
    refusal = {"code": "ERROR_TELEMETRY", "message": "Day 2026-11-21 is not closed yet."}
    expected = (400, refusal | {"localizedMessage": refusal["message"]})
    assert finance.dialect("DAY_REPORT", application="acme-desktop", day="2026-11-21") == expected
    assert finance.dialect("ACTIVE_USERS_AS_OF", application="?", days=1, as_of="2026-11-21") == expected
    range_ = {"from": "2026-11-21", "to": "2026-11-22"}
    assert finance.dialect("PIRACY_COUNTS", application="*", **range_) == expected
    assert finance.dialect("DAILY_ACTIVE_USERS", application="*", **range_) == expected


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC), 1 + 90 * 60),  # the day before is counted at 00:30, and 01:30
        (datetime(2026, 11, 1, 0, 0, tzinfo=UTC), 2 * 86_400 + 90 * 60),
        (datetime(2026, 11, 3, 7, 0, tzinfo=UTC), 10 * 60),
        (datetime(2026, 1, 1, tzinfo=UTC), 7 * 86_400),
    ],
)
def test_when_to_ask_again(weekend: Site, finance: Finance, now: datetime, seconds: int) -> None:
    finance.clock.set(now)
    answer = finance.get("day/2026-11-02", {"application": "acme-desktop"})
    assert (answer.status, answer.headers["retry-after"]) == (409, str(seconds))
    assert weekend


def test_unknown_applications(weekend: Site, finance: Finance) -> None:
    del weekend
    missing = (
        404,
        "not-found",
        "There is no application acme-clu. GET /api/v1/reports/applications has them all.",
    )
    for path, query in ANSWERS[:5]:
        assert problem(finance.get(path, query | {"application": "acme-clu"})) == missing
    # also when there would be no answer anyway
    assert problem(finance.get("day/2026-11-07", {"application": "acme-clu"})) == missing
    status, found = finance.dialect("ACTIVE_USERS_AS_OF", application="acme-clu", days=30, as_of="2026-10-31")
    assert (status, found["reportData"]["users"], found["reportData"]["digest"]) == (200, 0, None)
    status, found = finance.dialect("PIRACY_COUNTS", application="who?", **{"from": "2026-10-30", "to": "2026-10-31"})
    assert (status, found["reportData"]["totals"]["records"], len(found["reportData"]["rows"])) == (200, 0, 2)


def test_a_product_registered_later_has_empty_days(weekend: Site, finance: Finance, deployment: Deployment) -> None:
    deployment.products.put(Product("acme-new", "Acme New"))
    asked = {"application": "acme-new"}
    found = finance.json("day/2026-10-30", asked)
    assert [found[name] for name in ("records", "closed_at", "computed_at", "digest", "chain", "evidence")] == [
        0, None, None, None, None, {},
    ]  # fmt: skip
    answer = finance.get("active-users", asked | {"month": "2026-10"})
    assert (answer.body["users"], answer.headers["cache-control"]) == (0, FOR_EVER)
    range_ = asked | {"from": "2026-10-31", "to": "2026-11-01"}
    earlier = finance.get("daily", range_)
    assert [row["digest"] for row in earlier.body["rows"]] == [None, None]

    weekend.receive([event("jane", product_id="acme-new")], date(2026, 11, 2))
    weekend.close_through(date(2026, 11, 3))
    assert finance.get("daily", range_) == earlier
    assert finance.get("active-users", asked | {"month": "2026-10"}) == answer
    rows = finance.json("daily", range_ | {"to": "2026-11-03"})["rows"]
    assert [(row["users"], row["users_7"], row["digest"] is None) for row in rows] == [
        (0, 0, True), (0, 0, True), (1, 1, False), (0, 1, False),
    ]  # fmt: skip


def test_who_may_ask(weekend: Site, finance: Finance, deployment: Deployment) -> None:
    del weekend
    path, query = ANSWERS[0]
    good = finance.get(path, query)
    secret = deployment.keys[Environment.PRODUCTION]
    anyone = Client(finance.function, base="/api/v1/reports/")
    assert problem(anyone.get(path, query))[0] == 401
    assert anyone.get(path, query, **bearer(secret)) == good
    assert anyone.get(path, query | {"api_key": secret}) == good
    basic = b64encode(f"somebody:{secret}".encode()).decode()
    assert problem(anyone.get(path, query, authorization=f"Basic {basic}")) == (
        401,
        "unauthenticated",
        "The API key was never issued here.",
    )
    assert problem(finance.get(path, query, key=secret[:-1]))[0] == 401
    for capabilities, status in (({Capability.REPORT}, 200), ({Capability.INGEST, Capability.READ}, 403)):
        assert finance.get(path, query, key=deployment.key(frozenset(capabilities))).status == status
    assert finance.get(path, query | {"environment": "production"}) == good
    assert problem(finance.get(path, query | {"environment": "staging"})) == (
        403,
        "forbidden",
        "The API key opens production only.",
    )


def test_staff_may_ask_in_the_environments_of_their_key(
    weekend: Site, finance: Finance, deployment: Deployment
) -> None:
    del weekend
    path, query = ANSWERS[0]
    reach = frozenset({Environment.PRODUCTION, Environment.STAGING})
    keys = [
        issue_staff_key(role, reach, role, deployment.keyring, deployment.api_keys).secret
        for role in (Role.VIEWER, Role.SUPER_ADMIN)
    ]
    for key in keys:
        assert finance.get(path, query | {"environment": "production"}, key) == finance.get(path, query)
        assert finance.get("applications", {"environment": "staging"}, key).status == 200
        unnamed = finance.get(path, query, key)
        assert problem(unnamed)[:2] == (422, "invalid-fields")
        assert unnamed.body["errors"] == [{"field": "environment", "message": "is missing: one of production, staging"}]
        for environment in ("development", "nowhere", ""):
            assert problem(finance.get(path, query | {"environment": environment}, key))[0] == 403


def test_other_routes_and_bad_questions(finance: Finance) -> None:
    nothing = (404, "not-found", "No route has this path and method; /docs lists them all.")
    assert problem(finance.get("monthly")) == nothing
    assert problem(finance.get("day/")) == nothing
    assert problem(finance.get("daily", method="POST")) == nothing
    refused = finance.get("daily", {"application": "acme-cli", "from": "2026-10-31", "to": "2026-10-30"})
    assert problem(refused) == (422, "invalid-fields", "See `errors`.")
    assert refused.body["errors"] == [{"field": "to", "message": "must not be before 'from'"}]


@pytest.mark.parametrize(
    ("path", "query", "unknown"),
    [
        (
            "active-users",
            {"application": "acme-cli", "days": "7", "as_of": "2026-10-31", "audince": "devices"},
            "audince",
        ),
        ("daily", {"application": "acme-cli", "from": "2026-10-30", "to": "2026-10-31", "days": "30"}, "days"),
        ("piracy", {"application": "acme-cli", "from": "2026-10-30", "to": "2026-10-31", "days": "30"}, "days"),
        ("day/2026-10-31", {"application": "acme-cli", "day": "2026-10-31"}, "day"),
        ("applications", {"application": "acme-cli"}, "application"),
    ],
)
def test_parameters_nobody_knows_are_named(finance: Finance, path: str, query: dict[str, str], unknown: str) -> None:
    refused = finance.get(path, query)
    assert problem(refused) == (422, "invalid-fields", "See `errors`.")
    assert refused.body["errors"] == [{"field": unknown, "message": "there is no such parameter"}]


def test_the_example_event_asks(weekend: Site, finance: Finance) -> None:
    asked = example_event("report-active-users")
    asked["headers"]["x-api-key"] = weekend.deployment.keys[Environment.PRODUCTION]
    answer = finance.reports.send(asked)
    assert answer == finance.get("active-users", {"application": "acme-desktop", "month": "2026-10"})


# ── environments apart


def test_environments_report_apart(weekend: Site, finance: Finance, deployment: Deployment) -> None:
    weekend.receive([event(f"tester {n}") for n in range(5)], SATURDAY, environment=Environment.STAGING)
    weekend.close_through(SATURDAY, Environment.STAGING)
    staging = deployment.keys[Environment.STAGING]
    for application in ("acme-desktop", CATALOGUE):
        query = {"application": application, "month": "2026-10"}
        assert finance.json("active-users", query)["users"] == 1
        found = finance.json("active-users", query, staging)
        assert (found["environment"], found["users"]) == ("staging", 5)
    assert not_closed(finance.get("day/2026-11-01", {"application": "*"}, staging), "2026-11-01", last="2026-10-31")
    development = deployment.keys[Environment.DEVELOPMENT]
    assert not_closed(finance.get("day/2026-10-31", {"application": "*"}, development), "2026-10-31", last=None)


# ── the same number everywhere

KINDS: dict[str, tuple[dict[str, object], set[Flag]]] = {
    "clean": ({}, set()),
    "malformed": ({"data_type": "?"}, {Flag.MALFORMED}),
    "pirate": ({"license_key": PIRATE}, {Flag.INVALID_LICENSE}),
    "revoked": ({"license_key": REVOKED}, {Flag.REVOKED_LICENSE, Flag.BYPASSED_ACTIVATION}),
    "expired": ({"license_key": EXPIRED}, {Flag.EXPIRED_LICENSE, Flag.BYPASSED_ACTIVATION}),
}
PRODUCTS = ("acme-desktop", "acme-cli", "nobody's")
SCOPES = ("acme-desktop", "acme-cli", UNKNOWN_PRODUCT, CATALOGUE)


def raised(kind: str, product: str) -> set[Flag]:
    """The licences are the desktop's."""
    flags = set(KINDS[kind][1])
    if product == "nobody's":
        flags.add(Flag.UNKNOWN_PRODUCT)
    if product == "acme-cli" and kind in {"revoked", "expired"}:
        flags.add(Flag.PRODUCT_MISMATCH)
    return flags


def counted_for(kind: str, product: str) -> str:
    """An unregistered product gives way to the licence's."""
    if product == "nobody's":
        return "acme-desktop" if kind in {"revoked", "expired"} else UNKNOWN_PRODUCT
    return product


class Oracle:
    """The same events in SQLite."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.db.execute("CREATE TABLE seen (scope, day, actor, device, flags)")

    def add(self, product: str, day: date, user: str | None, device: str | None, kind: str) -> None:
        scope = counted_for(kind, product)
        flags = "".join(f" {flag.value}" for flag in raised(kind, product))
        # a user and a device never share a name here
        self.db.execute("INSERT INTO seen VALUES (?,?,?,?,?)", (scope, day.isoformat(), user or device, device, flags))

    def active(self, scope: str, audience: str, first: date, last: date) -> int:
        counted = "device" if audience == "devices" else "actor"
        excluded = " AND ".join(f"flags NOT LIKE '% {flag}%'" for flag in EXCLUDING)
        return self._one(f"COUNT(DISTINCT {counted})", scope, first, last, excluded if audience == "users" else "1")

    def records(self, scope: str, day: date, where: str = "1") -> int:
        return self._one("COUNT(*)", scope, day, day, where)

    def _one(self, what: str, scope: str, first: date, last: date, where: str) -> int:
        of_scope = "1" if scope == CATALOGUE else f"scope = '{scope}'"
        sql = f"SELECT {what} FROM seen WHERE {of_scope} AND {where} AND day BETWEEN ? AND ?"
        (found,) = self.db.execute(sql, (first.isoformat(), last.isoformat())).fetchone()
        return int(found)


def history(random: Random, days: Sequence[date]) -> Iterator[tuple[date, str, str | None, str | None, str]]:
    for day in days:
        for _ in range(random.randrange(25)):
            user = random.choice([None, *(f"user {number}" for number in range(12))])
            device = random.choice([None, *(f"device {number}" for number in range(9))])
            yield day, random.choice(PRODUCTS), user, device, random.choice([*KINDS, "clean", "clean"])


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    with closing(sqlite3.connect(":memory:")) as db:
        yield Oracle(db)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20 if "SOAK" in os.environ else 1))
def test_the_same_number_everywhere(site: Site, finance: Finance, oracle: Oracle, seed: int) -> None:
    random = Random(seed)
    eventful = [date(2026, 8, 31), *(OCTOBER[day - 1] for day in (1, 2, 3, 9, 28, 29, 30, 31)), SUNDAY]
    by_day: dict[date, list[dict[str, Any]]] = {}
    for day, product, user, device, kind in history(random, eventful):
        by_day.setdefault(day, []).append(event(user, device, **{"product_id": product, **KINDS[kind][0]}))
        oracle.add(product, day, user, device, kind)
    for day, events in by_day.items():
        site.receive(events, day)
        site.close_through(day)

    for scope in SCOPES:
        for as_of in (eventful[0], date(2026, 9, 30), SATURDAY, SUNDAY):
            check_windows(finance, oracle, scope, as_of, random)
        check_range(finance, oracle, scope, date(2026, 8, 25), SUNDAY)


def check_windows(finance: Finance, oracle: Oracle, scope: str, as_of: date, random: Random) -> None:
    report = finance.json(f"day/{as_of}", {"application": scope})
    for days in (1, 30, 365, random.randrange(2, 365)):
        query = {"application": scope, "days": str(days), "as_of": as_of.isoformat()}
        for audience in Audience:
            expected = oracle.active(scope, audience.value, as_of - timedelta(days=days - 1), as_of)
            asked = query | {"audience": audience.value}
            assert finance.json("active-users", asked)["users"] == expected, asked
            (row,) = finance.csv("active-users", asked)
            assert row["users"] == str(expected), asked
            assert report["active"][audience.value].get(str(days), expected) == expected, asked
        _, answered = finance.dialect("ACTIVE_USERS_AS_OF", **query)
        assert answered["reportData"] == finance.json("active-users", query)


def check_range(finance: Finance, oracle: Oracle, scope: str, first: date, last: date) -> None:
    query = {"application": scope, "from": first.isoformat(), "to": last.isoformat()}
    daily, piracy = finance.json("daily", query), finance.json("piracy", query)
    for row, written in zip(daily["rows"], finance.csv("daily", query), strict=True):
        day = date.fromisoformat(row["day"])
        expected = {audience.value: oracle.active(scope, audience.value, day, day) for audience in Audience}
        for days in (7, 30, 90, 365):
            expected[f"users_{days}"] = oracle.active(scope, "users", day - timedelta(days=days - 1), day)
        expected["records"] = oracle.records(scope, day)
        expected["clean"] = oracle.records(scope, day, "flags = ''")
        expected["flagged"] = oracle.records(scope, day, "flags <> ''")
        assert {name: row[name] for name in expected} == expected, (scope, day)
        assert {name: written[name] for name in expected} == {name: str(row[name]) for name in expected}
    for row, written in zip(piracy["rows"], finance.csv("piracy", query), strict=True):
        day = date.fromisoformat(row["day"])
        counts = {flag: oracle.records(scope, day, f"flags LIKE '% {flag}%'") for flag in EXCLUDING}
        counts |= {
            "piracy": sum(row[flag] for flag in EXCLUDING[:4]),
            "license": sum(row[flag] for flag in EXCLUDING[4:]),
        }
        assert {name: row[name] for name in counts} == counts, (scope, day)
        assert {name: written[name] for name in counts} == {name: str(row[name]) for name in counts}
    assert piracy["totals"] == {name: sum(row[name] for row in piracy["rows"]) for name in piracy["totals"]}
    assert sum(piracy["totals"][flag] for flag in EXCLUDING)
