"""Answers of the analytics API as the page may get them, for tests that need more than a fresh state has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Page, Request, Route

Json = Any

NOW = datetime(2026, 11, 21, 13, 37, tzinfo=UTC)
OF_TWO_DAYS = {"window": {"from": "2026-11-20T00:00:00.000Z", "to": "2026-11-22T00:00:00.000Z"}}
VERSIONS = {"5.1.0": 50, "5.0.2": 30, "4.12.1-a-rather-long-version-name": 12, "~other": 6, "~unknown": 2}
RECORDS = 120
LICENSE_ID = "3f2b8a4e-6c1d-8f00-9a5b-2d7e4c81b0a6"
BIG_NUMBER = "7000000000000000123"
"""More than JavaScript counts exactly."""


def at(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def overview(records_per_bucket: int = 100) -> Json:
    """24 hours of as many records each, a tenth of them flagged; of none, a fresh state."""
    clean, flagged = records_per_bucket * 9 // 10, records_per_bucket // 10
    total = 24 * (clean + flagged)
    starts = [at(hours=23 - n, minutes=37) for n in range(24)]
    return {
        "environment": "production",
        "product": None,
        "from": starts[0],
        "to": at(hours=-1, minutes=37),
        "bucket": "hour",
        "as_of": at(),
        "users_window": OF_TWO_DAYS["window"],
        "stats": {
            "total_records": 5 * total,
            "flagged_records": 5 * 24 * flagged,
            "flagged_percent": 10.0 if total else 0,
            "clean_records": 5 * 24 * clean,
            "clean_percent": 90.0 if total else 0,
            "recent_activity": total,
            "range_flagged": 24 * flagged,
            "range_clean": 24 * clean,
            "unique_users": total // 7,
            "unique_devices": total // 5,
            "unique_users_days": 2,
            "uses": 5 * total,
        },
        "alerts": [
            {"flag": flag, "records": records, "before": before, "change": records - before}
            for flag, records, before in (
                ("INVALID_LICENSE", total // 20, total // 90),
                ("BYPASSED_ACTIVATION", total // 40, total // 30),
                ("REVOKED_LICENSE", total // 80, total // 80),
                ("ENVIRONMENT_MISMATCH", 0, 0),
            )
        ],
        "trend": [
            {"start": start, "clean": clean, "flagged": flagged, "closed": start != starts[-1]} for start in starts
        ],
        "versions": [
            {"version": version, "records": total * share // 100, "percent": float(share)}
            for version, share in VERSIONS.items()
            if total
        ],
        "version_trend": [
            {"start": start, "versions": {v: share * total // 2400 for v, share in VERSIONS.items() if total}}
            for start in starts
        ],
        "active_users": [
            {
                "day": at(days=days)[:10],
                "users": total // 9,
                "devices": total // 7,
                "users_7": total // 5,
                "users_30": total // 3,
                "closed": days > 0,
            }
            for days in (1, 0)
        ],
        "activations": {
            "granted": total // 4,
            "blocked": total // 30,
            "codes": [
                {"action": action, "code": code, "calls": total // part}
                for action, code, part in (("verify", 200, 5), ("activate", 300, 20), ("verify", 210, 30))
                if total
            ],
        },
        "activities": [
            {"activity_type": name, "label": label, "level": level, "uses": uses * total}
            | {"first_seen": starts[0], "last_seen": starts[-1]}
            for name, label, level, uses in (
                ("primary", "Ran a build", "primary", 3),
                ("LOGIN_ACTIVITY_of_some_longer_name", None, None, 1),
                ("~other", None, None, 1),
            )
            if total
        ],
        "before": None,
    }


def before(records: int = 1_920) -> Json:
    """What an overview of 24 hours is compared with: four fifths of its records, 300 users, as many devices as now."""
    starts = [at(hours=47 - n, minutes=37) for n in range(24)]
    return {
        "from": starts[0],
        "to": at(hours=23, minutes=37),
        "users_window": {"from": "2026-11-18T00:00:00.000Z", "to": "2026-11-20T00:00:00.000Z"},
        "recent_activity": records,
        "range_flagged": 48,
        "range_clean": records - 48,
        "unique_users": 300,
        "unique_devices": 2_400 // 5,
        "unique_users_days": 2,
        "trend": [{"start": start, "clean": records // 24 - 2, "flagged": 2, "closed": True} for start in starts],
        "active_users": [
            {"day": at(days=days)[:10], "users": 250, "devices": 300, "users_7": 480, "users_30": 800, "closed": True}
            for days in (3, 2)
        ],
    }


def activity_types() -> Json:
    """One type is listed, two are not; one never arrived."""
    listed, unlisted = {"configured": True}, {"configured": False, "label": None, "level": None}
    days = {"first_day": at(days=80)[:10], "last_day": at(days=1)[:10]}
    return {
        "environment": "production",
        "product": "orbit-cli",
        "from": at(days=90)[:10] + "T00:00:00Z",
        "to": at(days=-1)[:10] + "T00:00:00Z",
        "items": [
            listed | days | {"activity_type": "primary", "label": "Ran a build", "level": "primary", "uses": 7_200},
            unlisted | days | {"activity_type": "CALL_HOME", "uses": 4_000},
            unlisted | days | {"activity_type": "LOGIN_ACTIVITY_of_some_longer_name", "uses": 2_400},
            unlisted | days | {"activity_type": "~unknown", "uses": 3},
            listed
            | {"activity_type": "docs", "label": "Opened the docs", "level": "secondary", "uses": 0}
            | {"first_day": None, "last_day": None},
            unlisted | days | {"activity_type": "~other", "uses": 40},
        ],
    }


def record(number: int, flags: tuple[str, ...] | None = None) -> Json:
    flags = flags if flags is not None else ((), ("BYPASSED_ACTIVATION",), ("CLOCK_SKEW", "MALFORMED"))[number % 3]
    return {
        "id": f"record-{number}",
        "received_at": at(seconds=47 * number),
        "event_at": at(seconds=47 * number + 3),
        "product": "orbit-desktop",
        "version": "5.1.0",
        "user": "somebody-with-a-long-name@subsidiary.customer.example" if number % 2 else None,
        "hwid": sha256(bytes([number])).hexdigest(),
        "ip": "203.0.113.7",
        "event_ip": None,
        "country": "DE",
        "dialect": "getkeymanager",
        "group": "exports",
        "license": {"id": LICENSE_ID, "last4": "LL08", "state": "active"},
        "customer": {"id": "globex", "name": "Globex"},
        "flags": list(flags),
        "data_type": "text",
        "data_group": "g",
        "api_key_id": "k3f2a9c0d1",
        "damage": None,
        "forgotten": False,
    }


def detail(number: int) -> str:
    """As JSON text: one of its numbers is too big for JavaScript."""
    row = record(number)
    payload = {
        "event_id": "@",
        "data_type": "text",
        "data_group": "g",
        "metadata": {"os": "windows", "modules": ["core", {"gpu": True}]},
    }
    whole = {
        **row,
        "flags_judged_later": None,
        "message": "Flagged because no active activation of the licence matches the device." if row["flags"] else None,
        "context": {"evidence": dict.fromkeys(row["flags"], "what was seen"), "rules_version": 1, "metadata": {}},
        "payload": payload,
        "raw": {"text": json.dumps(payload).replace('"@"', BIG_NUMBER)},
        "api_key": {"id": "k0123456789", "name": "ingest", "last4": "xY7q"},
        "company": {
            "kind": "company",
            "id": "globex.example",
            "name": "globex.example",
            "source": "domain",
            "confidence": 3,
            "country": "DE",
            "network_file": "none",
        },
        "expires_at": at(days=-90),
    }
    return json.dumps(whole).replace('"@"', BIG_NUMBER)


def top_license(license_id: str | None = LICENSE_ID, last4: str = "LL08", customer: str | None = "Globex") -> Json:
    return {
        "license_id": license_id,
        "fingerprint": sha256(last4.encode()).hexdigest()[:32],
        "last4": last4,
        "customer": {"id": "globex", "name": customer} if customer else None,
        "product": "orbit-desktop",
        "state": "active" if license_id else None,
        "records": 300,
        "flagged": 240,
        "flags": {"BYPASSED_ACTIVATION": 200, "CLOCK_SKEW": 40},
        "devices": 41,
        "ips": 61,
        "countries": ["BR", "DE", "FR", "IN", "US", "VN"],
        "first_seen": at(days=3),
        "last_seen": at(minutes=4),
    }


def system_logs() -> Json:
    entry = {
        "id": "1",
        "at": at(hours=1),
        "key_id": "k1",
        "key_name": "boss",
        "environment": "production",
        "action": "license.suspend",
        "entity": LICENSE_ID,
        "before": {"state": "active"},
        "after": {"state": "suspended"},
        "source_ip": "203.0.113.7",
        "user_agent": "browser/1",
        "request_id": "JKJaXmPLvHcESHA=",
    }
    return {
        "failed_calls": [
            {
                "hour": at(minutes=37),
                "environment": None,
                "cause": "bad_key",
                "last4": "9fQz",
                "ip": "198.51.100.23",
                "calls": 1204,
            },
            {
                "hour": at(hours=1, minutes=37),
                "environment": "production",
                "cause": "malformed",
                "last4": None,
                "ip": "2001:db8::17",
                "calls": 3,
            },
        ],
        "staff_actions": [entry],
        "closings": [{"day": at(days=1)[:10], "closed_at": at(hours=13)}],
        "exports": [entry | {"action": "records.export", "before": {}, "after": {"format": "csv"}}],
        "cut": ["failed_calls"],
    }


def export_pages(rows: int = 250, per_page: int = 100) -> list[tuple[bytes, dict[str, str]]]:
    """Pages of a CSV file with their headers: Link but for the last, which has the count and the chained digest."""
    lines = [b"id,user\r\n", *(b'record-%d,"a ""b"", c"\r\n' % number for number in range(rows))]
    pages = [b"".join(lines[first : first + per_page]) for first in range(0, len(lines), per_page)]
    digest = bytes(32)
    for line in lines:
        digest = sha256(digest + line).digest()
    last = {"Export-Rows": str(rows), "Export-SHA-256": digest.hex()}
    link = '</api/v1/analytics/export?environment=production&format=csv&cursor={}>; rel="next"'
    return [
        (page, last if number == len(pages) else {"Link": link.format(number)}) for number, page in enumerate(pages, 1)
    ]


@dataclass
class Analytics:
    """Stands in for the API; `given` replaces answers by path, `asked` keeps what was asked."""

    given: dict[str, Json] = field(default_factory=dict)
    pages: list[tuple[bytes, dict[str, str]]] = field(default_factory=export_pages)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    found: dict[str, list[Json]] = field(default_factory=dict)
    """What a search finds, by its text."""
    searched: list[Json] = field(default_factory=list)
    """The bodies of searches."""

    def stand_in(self, page: Page) -> None:
        page.route("**/api/v1/analytics/**", self._answer)

    def asked_for(self, path: str) -> list[dict[str, str]]:
        return [query for asked, query in self.asked if asked == path]

    def _answer(self, route: Route, request: Request) -> None:
        parts = urlsplit(request.url)
        path, query = parts.path.removeprefix("/api/v1/analytics/"), dict(parse_qsl(parts.query))
        self.asked.append((path, query))
        answer = self.given.get(path)
        if path == "search":
            assert request.method == "POST"
            self.searched.append(request.post_data_json)
            answer = {"items": self.found.get(self.searched[-1]["text"], []), "more": []} if answer is None else answer
        if isinstance(answer, int):
            problem = {"title": "Unavailable", "detail": "Please try again.", "request_id": "JKJaXmPLvHcESHA="}
            route.fulfill(status=answer, json=problem, content_type="application/problem+json")
        elif path == "export":
            body, headers = self.pages[int(query.get("cursor", 0))]
            route.fulfill(body=body, headers=headers, content_type="text/csv")
        elif path.startswith("records/"):
            route.fulfill(body=detail(int(path.rpartition("-")[2])), content_type="application/json")
        else:
            route.fulfill(json=answer if answer is not None else _usual(path, query))


def hit(kind: str, id_: str, title: str, note: str | None = None, **more: str | None) -> Json:
    """Something that a search finds."""
    usual = {"kind": kind, "id": id_, "title": title, "note": note, "environment": "production", "product": None}
    return usual | more


def spike(**other: Json) -> Json:
    """One that is open, of two licences."""
    usual = {
        "id": "orbit-desktop#2026-11-19T09",
        "product": "orbit-desktop",
        "opened_at": "2026-11-19T09:00:00Z",
        "last_seen": at(minutes=37),
        "closed_at": None,
        "cause": "flagged_in_an_hour",
        "evidence": {"flagged": 243, "most_expected": 78, "flags": {"BYPASSED_ACTIVATION": 243}},
        "so_far": {"first_day": "2026-11-19", "last_day": "2026-11-21", "days": 3, "records": 990}
        | {"licenses": [spike_license(), spike_license("77AB", None, flagged=61, devices=4, limit=None)]},
        "acknowledged": None,
        "muted": None,
    }
    return usual | other


def spike_license(last4: str = "0C33", customer: str | None = "Aurora Works", **other: Json) -> Json:
    usual = {
        "fingerprint": sha256(last4.encode()).hexdigest()[:22],
        "license_id": f"license-{last4}",
        "last4": last4,
        "customer": {"id": "aurora", "name": customer} if customer else None,
        "state": "active",
        "limit": 3,
        "flagged": 929,
        "devices": 130,
        "devices_at_least": False,
    }
    return usual | other


def licenses(top: Json | None = None) -> dict[str, Json]:
    """The three lists of licences; `top` in place of the usual first one."""
    items = [top_license(), top_license(None, "8KX2", None)]
    usual = {"items": items, "exact": False, "note": "Today's from the newest 2,000 flagged records"} | OF_TWO_DAYS
    item = {"kind": "license", "license_id": LICENSE_ID, "customer_id": "globex", "name": "Globex"}
    over = {"last4": "LL08", "devices": 63, "limit": 5, "over": True}
    devices = {"items": [item | over], "note": None} | OF_TWO_DAYS
    key = {"fingerprint": "b" * 32, "last4": "T7WQ", "records": 14, "first_seen": at(hours=20)}
    customer = {"id": "globex", "name": "Globex", "environment": "staging"}
    mismatches = {"items": [key | {"last_seen": at(), "customer": customer}]} | OF_TWO_DAYS
    return {"top": (top or usual) | OF_TWO_DAYS, "devices": devices, "mismatches": mismatches}


def empty() -> dict[str, Json]:
    """What a fresh state answers."""
    nothing: dict[str, Json] = {"items": []}
    return {
        "overview": overview(0),
        "licenses": {
            "top": nothing | {"exact": True, "note": None} | OF_TWO_DAYS,
            "devices": nothing | {"note": None} | OF_TWO_DAYS,
            "mismatches": nothing | OF_TWO_DAYS,
        },
        "alerts": nothing,
        "records": nothing | {"next": None},
        "system-logs": {"failed_calls": [], "staff_actions": [], "closings": [], "exports": []},
    }


def nothing_sent() -> Json:
    """Of a licence or customer without records."""
    sent = {"records": 0, "flagged": 0, "flags": {}, "devices": 0, "ips": 0, "countries": []}
    sent |= {"first_seen": None, "last_seen": None}
    told = {"environment": "production", "license_id": None, "customer_id": None, "exact": True, "counted_from": None}
    return {"from": at(days=30), "to": at(), "note": "", "sent": sent, "days": [], "devices": [], **told}


def _usual(path: str, query: Mapping[str, str]) -> Json:
    if path.endswith("/use"):
        return nothing_sent()
    match path:
        case "overview":
            return overview()
        case "activity-types":
            return activity_types()
        case "products":
            names = {"orbit-desktop": "Orbit Desktop", "orbit-cli": "Orbit CLI", "~unknown": "Unknown"}
            return {"items": [{"id": id_, "name": name} for id_, name in names.items()]}
        case "licenses":
            return licenses()
        case "alerts":
            return {"items": [spike()]}
        case "records":
            first, limit = int(query.get("cursor", 0)), int(query["limit"])
            items = [record(number) for number in range(first, min(first + limit, RECORDS))]
            return {"items": items, "next": str(first + limit) if first + limit < RECORDS else None}
        case "system-logs":
            return system_logs()
    raise AssertionError(path)
